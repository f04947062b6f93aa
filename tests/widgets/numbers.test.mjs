// The browser writes numbers, and refuses them, in the words of Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  formatNumber,
  parseNumber,
  refuseWhole,
  writeTerms,
} from "../../course_utils/widgets/shared/numbers.js";

const { numbers, sums, wholes } = JSON.parse(readFileSync(process.env.CASES));

test("a number is written as Python writes it", () => {
  assert.ok(numbers.length > 1000);
  for (const [value, written] of numbers) assert.equal(formatNumber(Number(value)), written, value);
});

test("a sum of products is written as Python writes it", () => {
  assert.ok(sums.length > 10);
  for (const [values, weights, written] of sums)
    assert.equal(writeTerms(values, weights).join(" + "), written);
});

test("a number that is not possible is refused in Python's words", () => {
  for (const [value, sentence] of wholes) assert.equal(refuseWhole("stride", value, 1, 5), sentence);
});

test("a number can be typed with either minus, a point or a comma", () => {
  const typed = { "2": 2, " −1 ": -1, "-0.5": -0.5, "0,25": 0.25, ".5": 0.5, "1e2": 100, "+3": 3 };
  for (const [text, value] of Object.entries(typed)) assert.equal(parseNumber(text), value);
  for (const text of ["", "two", "1.2.3", "--1", "1 2", "Infinity", "0x10"])
    assert.ok(Number.isNaN(parseNumber(text)), text);
});
