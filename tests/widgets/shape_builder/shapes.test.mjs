// What the browser says of a stack of layers is what torch gives and what Python says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  CONVOLUTIONS,
  LAYER_TYPES,
  POOLS,
  labelLayer,
  parseOption,
  refuseInput,
  refuseLayers,
  refuseOption,
  writeOption,
} from "../../../course_utils/widgets/shape_builder/catalogue.js";
import {
  followLayers,
  freshLayer,
  mendLayers,
  writeCode,
} from "../../../course_utils/widgets/shape_builder/shapes.js";

const { stacks, refused, sizes, typed } = JSON.parse(readFileSync(process.env.CASES));
const legal = stacks.filter((one) => one.mismatch === null);
const mismatched = stacks.filter((one) => one.mismatch !== null);

test("there are cases of every kind", () => {
  assert.ok(legal.length >= 300 && mismatched.length >= 120);
  assert.ok(refused.length >= 12 && sizes.length >= 8 && typed.length >= 15);
  const kinds = new Set(legal.flatMap(({ layers }) => layers.map(({ type }) => type)));
  assert.deepEqual([...kinds].sort(), Object.keys(LAYER_TYPES).sort());
  const mends = new Set(mismatched.map(({ mismatch }) => `${mismatch.action} ${mismatch.option}`));
  const convolutions = ["groups", "stride", "output_padding", "padding", "in_channels"];
  for (const option of [...convolutions, "num_features", "in_features", "dim", "kernel_size"])
    assert.ok(mends.has(`set ${option}`), option);
  for (const action of ["insert", "move", "replace", "delete"])
    assert.ok(mends.has(`${action} null`), action);
});

test("shapes, parameters, MACs and receptive fields are those of anatomy.summarize", () => {
  for (const { layers, size, rows, parameters, macs } of stacks) {
    const followed = followLayers(layers, size);
    const got = followed.rows.map((row) => [
      ...[row.name, row.type, [1, ...row.shape], row.parameters, String(row.macs), row.field],
    ]);
    assert.deepEqual(got, rows, JSON.stringify({ layers, size }));
    assert.deepEqual([followed.parameters, String(followed.macs)], [parameters, macs]);
  }
});

test("a layer that does not fit is the one Python names, in Python's words", () => {
  for (const { layers, size, mismatch } of stacks)
    assert.deepEqual(followLayers(layers, size).mismatch, mismatch, JSON.stringify({ layers, size }));
});

test("the mend changes what Python changes", () => {
  for (const { layers, mismatch, mended } of mismatched)
    assert.deepEqual(mendLayers(layers, mismatch), mended);
});

test("mending again and again ends in a stack that works", () => {
  for (const { layers, size } of mismatched) {
    let [now, steps] = [layers, 0];
    for (let found; (found = followLayers(now, size).mismatch); steps++) {
      assert.ok(steps < 60, JSON.stringify({ layers, size }));
      now = mendLayers(now, found);
      assert.equal(refuseLayers(now), null);
    }
  }
});

test("the code is Python's", () => {
  for (const { layers, code } of stacks) assert.equal(writeCode(layers), code);
});

test("a value that no stack could have is refused in Python's words, and no other is", () => {
  for (const { layers, sentence } of refused) assert.equal(refuseLayers(layers), sentence);
  for (const { size, sentence } of sizes) assert.equal(refuseInput(size), sentence);
  for (const { layers, size } of stacks)
    assert.equal(refuseLayers(layers) ?? refuseInput(size), null);
});

test("a new layer fits what comes in", () => {
  const images = [...CONVOLUTIONS, ...POOLS, "AdaptiveAvgPool2d", "BatchNorm2d"];
  for (const { layers, size } of stacks) {
    const { shapes } = followLayers(layers, size);
    shapes.forEach((shape, index) => {
      for (const type of Object.keys(LAYER_TYPES)) {
        if (shape.length === 1 && images.includes(type)) continue;
        if (shape.length === 3 && ["BatchNorm1d", "Linear"].includes(type)) continue;
        const grown = layers.toSpliced(index, 0, freshLayer(type, shape));
        assert.equal(refuseLayers(grown), null);
        const { mismatch } = followLayers(grown, size);
        assert.ok(mismatch === null || mismatch.index > index, mismatch?.sentence);
      }
    });
  }
});

test("a Linear put behind an image asks for a Flatten, and then has the right number", () => {
  const layers = [freshLayer("Linear", [3, 5, 4])];
  const { mismatch } = followLayers(layers, [3, 5, 4]);
  assert.equal(mismatch.action, "insert");
  assert.equal(followLayers(mendLayers(layers, mismatch), [3, 5, 4]).mismatch, null);
});

test("a text is read as a person means it, or refused", () => {
  for (const { type, name, text, value, sentence } of typed) {
    const option = LAYER_TYPES[type].find((one) => one.name === name);
    const read = parseOption(option, text);
    if (value !== undefined) assert.deepEqual(read, value, text);
    const refusal = refuseOption(option, read, labelLayer([{ type }], 0));
    assert.equal(refusal, sentence ?? null, text);
    if (!sentence) assert.deepEqual(parseOption(option, writeOption(read)), read);
  }
});
