// A drawing becomes what the network sees, as in Python.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  enlargePicture,
  inkBox,
  inkLine,
  prepareDigit,
} from "../../../course_utils/widgets/digit_pad/ink.js";

const cases = JSON.parse(readFileSync(process.env.CASES));
const floats = (text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

function close(found, expected, what, tolerance) {
  assert.equal(found.length, expected.length, what);
  expected.forEach((value, i) => {
    if (!(Math.abs(found[i] - value) <= tolerance))
      assert.fail(`${what}, number ${i}: ${found[i]}, Python says ${value}`);
  });
}

test("there are cases", () => assert.ok(cases.pictures.length >= 40 && cases.lines.length >= 20));

for (const { name, height, width, ink, image } of cases.pictures) {
  test(`${name} is framed as in Python`, () =>
    close(prepareDigit(floats(ink), height, width), floats(image), name, 1e-5));
}

for (const { name, size, from, to, width, ink } of cases.lines) {
  test(`${name} is drawn as far as half its width from the line`, () => {
    const drawn = new Float32Array(size * size);
    inkLine(drawn, size, from, to, width);
    close(drawn, floats(ink), name, 1e-5);
    const before = drawn.slice();
    inkLine(drawn, size, to, from, width); // ink over ink stays as it is
    close(drawn, before, `${name} twice`, 1e-5);
  });
}

test("nothing drawn has no box and stays nothing", () => {
  assert.equal(inkBox(new Float32Array(12), 3, 4), null);
  assert.ok(prepareDigit(new Float32Array(12), 3, 4).every((value) => value === 0));
});

test("the box is tight", () => {
  const ink = new Float32Array(5 * 7);
  ink[1 * 7 + 2] = 0.01;
  ink[3 * 7 + 6] = 1;
  assert.deepEqual(inkBox(ink, 5, 7), [1, 2, 4, 7]);
});

test("an enlarged picture keeps each pixel", () => {
  const image = Float32Array.from({ length: 784 }, (_, i) => i / 784);
  const large = enlargePicture(image, 3);
  assert.equal(large.length, 84 * 84);
  for (const [row, column] of [[0, 0], [5, 7], [83, 83], [40, 2]]) {
    const pixel = Math.floor(row / 3) * 28 + Math.floor(column / 3);
    assert.equal(large[row * 84 + column], image[pixel]);
  }
});
