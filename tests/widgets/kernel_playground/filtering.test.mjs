// The playground's arithmetic gives torch's numbers, matplotlib's colours and Python's sentences.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  asPixel,
  chooseDisplay,
  describeAnswers,
  filterPicture,
  findStrongest,
  fitInto,
  greyRange,
  makeScale,
  measure,
  nameKernel,
  paint,
  readAlbum,
  readPicture,
  readWindow,
  recentre,
  refuseFilter,
  takeLuma,
  writePercent,
  writePicture,
} from "../../../course_utils/widgets/kernel_playground/filtering.js";

const { cases, constants } = JSON.parse(readFileSync(process.env.CASES));
const legal = cases.filter((one) => one.output);
const illegal = cases.filter((one) => one.sentence);
const bytes = (text) => new DataView(Uint8Array.from(Buffer.from(text, "base64")).buffer);

function near(got, expected, slack) {
  assert.equal(got.length, expected.length);
  for (let i = 0; i < got.length; i++)
    assert.ok(Math.abs(got[i] - expected[i]) <= slack, `${i}: ${got[i]} is not ${expected[i]}`);
}

test("there are cases of every size, padding and display, and impossible ones", () => {
  assert.ok(legal.length > 200 && illegal.length > 10);
  for (const size of [3, 5, 7])
    for (const padding of [0, 1, 2, 3])
      assert.ok(legal.some((one) => one.kernel.length === size && one.padding === padding));
});

test("the answers are torch's in float64, rounded to float32", () => {
  for (const { picture, kernel, padding, output, largest } of legal) {
    const answers = filterPicture(readPicture(bytes(picture)), kernel, padding);
    assert.deepEqual([answers.height, answers.width], [output.length, output[0].length]);
    near(answers.values, output.flat(), 1e-6 * largest);
  }
});

test("a picture goes into bytes and back, wherever in a buffer it lies", () => {
  for (const { picture } of legal.slice(0, 20)) {
    const view = bytes(picture);
    const again = writePicture(readPicture(view));
    assert.deepEqual(new Uint8Array(again.buffer), new Uint8Array(view.buffer));
    const shifted = new Uint8Array(view.byteLength + 3);
    shifted.set(new Uint8Array(view.buffer), 3);
    assert.deepEqual(readPicture(new DataView(shifted.buffer, 3)), readPicture(view));
  }
});

test("a window holds what torch's unfold reads, and nothing where there is padding", () => {
  for (const { picture, kernel, padding, place, window, inside } of legal) {
    const got = readWindow(readPicture(bytes(picture)), kernel.length, padding, ...place);
    assert.deepEqual(got.flat().map((value) => value ?? 0), window);
    assert.deepEqual(got.flat().map((value) => value !== null), inside);
  }
});

test("the name, the display and the words are Python's", () => {
  for (const one of legal) {
    const picture = readPicture(bytes(one.picture));
    const answers = filterPicture(picture, one.kernel, one.padding);
    const range = greyRange(picture);
    const measured = measure(answers, range);
    const shown = chooseDisplay(one.display, one.kernel, measured);
    assert.equal(shown, one.shown);
    const name = nameKernel(one.kernel, constants.presets, constants.filters);
    assert.equal(name, one.name);
    assert.equal(describeAnswers(name, answers, measured, range, shown), one.words);
  }
});

test("the window begins where the answer is strongest, but not at the border", () => {
  const values = new Float32Array(64);
  Object.assign(values, { 3: 100, 8: -50, 27: 5, 30: -7 });
  assert.deepEqual(findStrongest({ height: 8, width: 8, values }), { row: 3, column: 6, strength: 7 });
  assert.deepEqual(findStrongest({ height: 1, width: 1, values }), { row: 0, column: 0, strength: 0 });
});

test("an impossible combination is refused in the words of Python", () => {
  for (const { picture, kernel, padding, sentence } of illegal)
    assert.equal(refuseFilter(readPicture(bytes(picture)), kernel, padding), sentence);
  for (const { picture, kernel, padding } of legal)
    assert.equal(refuseFilter(readPicture(bytes(picture)), kernel, padding), null);
});

test("the signed colours are those of Python's figures", () => {
  const stops = [[8, 81, 156], [107, 174, 214], [255, 255, 255], [253, 141, 60], [166, 54, 3]];
  const scale = makeScale(stops);
  const pixels = new Uint32Array(constants.signed.length);
  const values = Float32Array.from(constants.signed, (_, i) => (2 * i) / (pixels.length - 1) - 1);
  paint({ values }, [-1, 1], scale, null, pixels);
  const drawn = new Uint8Array(pixels.buffer);
  // Matplotlib's scale has 256 steps, up to 4 levels of a colour apart.
  constants.signed.forEach((colour, i) => near(drawn.slice(4 * i, 4 * i + 3), colour, 4));
  assert.equal(scale.length, 512);
});

test("grey marks what is cut off, and nothing that rounding alone pushed out", () => {
  const scale = makeScale([[0, 0, 0], [255, 255, 255]]);
  const marks = [asPixel([1, 2, 3]), asPixel([4, 5, 6])];
  const values = Float32Array.of(-0.1, -1e-7, 0, 0.5, 1, 1.0000001, 1.1);
  const pixels = new Uint32Array(values.length);
  paint({ values }, [0, 1], scale, marks, pixels);
  const bytesOf = new Uint8Array(pixels.buffer);
  assert.deepEqual([...bytesOf.slice(0, 4)], [1, 2, 3, 255]);
  assert.deepEqual([...bytesOf.slice(4, 8)], [0, 0, 0, 255]);
  assert.deepEqual([...bytesOf.slice(12, 13)], [128]);
  assert.deepEqual([...bytesOf.slice(20, 24)], [255, 255, 255, 255]);
  assert.deepEqual([...bytesOf.slice(24)], [4, 5, 6, 255]);
});

test("the album holds Python's pictures in 256 levels of grey", () => {
  const pictures = readAlbum(bytes(constants.album));
  assert.equal(pictures.length, constants.pictures.length);
  pictures.forEach((picture, i) => {
    const exact = readPicture(bytes(constants.pictures[i]));
    assert.deepEqual([picture.height, picture.width], [exact.height, exact.width]);
    near(picture.values, exact.values, 0.5 / 255 + 1e-6);
  });
});

test("grey is the luma of red, green and blue", () => {
  near(takeLuma([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255], 2, 2).values,
    [0.299, 0.587, 0.114, 1], 1e-6);
});

test("a picture is made smaller, never larger, and keeps at least one row", () => {
  assert.deepEqual(fitInto(1000, 500, 256), [256, 128]);
  assert.deepEqual(fitInto(28, 30, 256), [28, 30]);
  assert.deepEqual(fitInto(1, 9000, 256), [1, 256]);
});

test("growing keeps a kernel's numbers in the middle, shrinking keeps its middle", () => {
  const three = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];
  const five = recentre(three, 5);
  assert.deepEqual(five[2], [0, 4, 5, 6, 0]);
  assert.deepEqual(five[0], [0, 0, 0, 0, 0]);
  assert.deepEqual(recentre(recentre(three, 7), 3), three);
  assert.deepEqual(recentre(five, 3), three);
});

test("a share is written with one decimal, and a small one is not written as none", () => {
  assert.deepEqual([0, 0.0001, 0.0005, 0.12345, 1].map(writePercent),
    ["", "less than 0.1 %", "0.1 %", "12.3 %", "100.0 %"]);
});
