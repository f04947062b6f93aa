// The widgets' convolution gives torch's numbers, cell by cell, and Python's sentences.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  convolve,
  pad,
  refuseConvolution,
  resize,
} from "../../../course_utils/widgets/shared/convolution.js";

const cases = JSON.parse(readFileSync(process.env.CASES));
const legal = cases.filter((one) => one.output);
const illegal = cases.filter((one) => one.sentence);

function near(got, expected) {
  assert.equal(got.length, expected.length);
  got.forEach((value, i) =>
    Array.isArray(value)
      ? near(value, expected[i])
      : assert.ok(Math.abs(value - expected[i]) <= 1e-9 * (1 + Math.abs(expected[i])), `${value} is not ${expected[i]}`),
  );
}

test("there are cases of both kinds", () => {
  assert.ok(legal.length > 100 && illegal.length > 20);
});

test("the output is torch's", () => {
  for (const { state, output } of legal) near(convolve(state).output, output);
});

test("the cells of a window are those that torch's gradient reaches, in reading order", () => {
  for (const { state, position, reached, products } of legal) {
    const { output, window } = convolve(state);
    const wide = output[0].length;
    const cells = window(Math.floor(position / wide), position % wide);
    const places = new Set(cells.map((cell) => `${cell.row},${cell.column}`));
    assert.deepEqual([...places].sort(), reached.map(String).sort());
    near(cells.map((cell) => cell.product), products);
  }
});

test("a cell is marked as read exactly where torch's gradient of the sum can reach it", () => {
  for (const { state, read } of legal) assert.deepEqual(convolve(state).read, read);
});

test("what torch refuses is refused in the words of Python", () => {
  for (const { state, sentence } of illegal) assert.equal(refuseConvolution(state), sentence);
  for (const { state } of legal) assert.equal(refuseConvolution(state), null);
});

test("padding goes around, and a new size keeps the numbers at the top left", () => {
  assert.deepEqual(pad([[1, 2]], 1), [[0, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0]]);
  assert.deepEqual(resize([[1, 2], [3, 4]], 1, 3), [[1, 2, 0]]);
});
