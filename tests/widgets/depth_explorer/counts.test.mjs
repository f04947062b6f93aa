// What the browser says of a stack of convolutions is what torch says of the module.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  countNetwork,
  describeLayer,
  describeNetwork,
  grouped,
  measuredOf,
  partnersOf,
  percentOf,
  refuseNetwork,
  seenBy,
  shortCount,
  writeDifference,
  writeRatio,
  writeRuns,
} from "../../../course_utils/widgets/depth_explorer/counts.js";

const { networks, partners, seen, illegal } = JSON.parse(readFileSync(process.env.CASES));

test("there are cases of every kind", () => {
  assert.ok(networks.length > 80 && partners.length > 20);
  assert.ok(seen.length > 10 && illegal.length > 10);
  const depths = new Set(networks.map(({ state }) => `${state.depth}, ${state.kernel_size}`));
  assert.equal(depths.size, 16 * 4);
});

test("the totals are those of the module", () => {
  for (const { state, totals } of networks) {
    const { parameters, macs, receptiveField, activationBytes } = describeNetwork(state);
    const got = [parameters, macs, receptiveField, activationBytes];
    assert.deepEqual(got, totals, JSON.stringify(state));
    const counts = ["parameters", "macs"].map((what) => countNetwork(state, what));
    assert.deepEqual(counts, totals.slice(0, 2));
  }
});

test("every layer has the module's name, shape, costs, receptive field and kept bytes", () => {
  for (const { state, layers } of networks) {
    const got = describeNetwork(state).layers.map((l) => [
      ...[l.name, l.channels, l.size, l.parameters, l.macs, l.field, l.bytes],
    ]);
    assert.deepEqual(got, layers, JSON.stringify(state));
  }
});

test("the square on the input is where torch's gradient reaches", () => {
  for (const { state, squares } of seen) {
    const { layers } = describeNetwork(state);
    for (const [name, low, high] of squares) {
      const { start, end } = seenBy(layers.find((layer) => layer.name === name));
      const clipped = [Math.max(0, start), Math.min(state.input_size, end)];
      assert.deepEqual(clipped, [low, high], `${name} of ${JSON.stringify(state)}`);
    }
  }
});

test("the partners are Python's, to the last digit of their differences", () => {
  for (const { state, what, found } of partners) {
    const got = partnersOf(state, what).map((p) => [p.depth, p.width, p.count, p.difference]);
    assert.deepEqual(got, found, `${what} of ${JSON.stringify(state)}`);
  }
});

test("what Python refuses is refused in the same words, and nothing else", () => {
  for (const { state, sentence } of illegal) assert.equal(refuseNetwork(state), sentence);
  for (const { state } of networks) assert.equal(refuseNetwork(state), null);
});

test("a measurement belongs to exactly one network", () => {
  const network = { depth: 2, width: 8, kernel_size: 3, input_size: 28 };
  const rows = [{ ...network, accuracy: 0.9 }];
  assert.equal(measuredOf(rows, network), rows[0]);
  for (const name of Object.keys(network))
    assert.equal(measuredOf(rows, { ...network, [name]: network[name] + 2 }), undefined);
});

test("numbers are written in full, and no difference is called equal", () => {
  assert.equal(grouped(7), "7");
  assert.equal(grouped(123456), "123,456");
  assert.deepEqual([999999, 1e6, 5e8, 13153337344].map(shortCount), [
    ...["999,999", "1 million", "500 million", "13.2 billion"],
  ]);
  assert.equal(grouped(51380225), "51,380,225");
  assert.deepEqual([0.5, 0.004, 0, 1, 0.9999].map((x) => percentOf(x, 1)), [
    ...["50 %", "under 1 %", "0 %", "100 %", "over 99 %"],
  ]);
  assert.deepEqual([0.0123, -0.0123, 0.0009, -0.00001234, 0].map(writeDifference), [
    ...["+1.2 %", "−1.2 %", "+0.09 %", "−0.001 %", "equal"],
  ]);
  const ratios = [
    ...[[1, 2.3456, "2.35"], [1000, 4, "0.004"], [5, 5, "1"], [1, 12345, "12,345"]],
    ...[[3, 0.00012345 * 3, "0.000123"], [1e10, 7, "0.0000000007"], [7, 70, "10"]],
    ...[[100000, 100001, "just over 1"], [10, 9.9999, "just under 1"]],
  ];
  for (const [a, b, text] of ratios) assert.equal(writeRatio(a, b), text);
  const runs = [[], [4], [1, 2, 5], [1, 3, 4, 5, 16]].map(writeRuns);
  assert.deepEqual(runs, ["", "4", "1, 2, 5", "1, 3 to 5, 16"]);
});

test("the words of every layer have its numbers and no gaps", () => {
  for (const { state } of networks) {
    const network = describeNetwork(state);
    for (const layer of network.layers) {
      const said = describeLayer(layer, network);
      assert.doesNotMatch(said, /undefined|NaN|null|\d{4}/);
      if (layer.macs) assert.ok(said.includes(`${grouped(layer.macs)} MACs`));
      if (layer.macs) assert.ok(said.includes(`${grouped(layer.parameters)} parameters`));
      const sight = `sees ${layer.field} × ${layer.field} pixels`;
      if (!layer.whole && layer.field > 1) assert.ok(said.includes(sight));
    }
  }
});
