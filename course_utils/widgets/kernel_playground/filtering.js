// A kernel on a whole picture, fast enough for every frame. No DOM here: Node tests it.
//
// A picture is { height, width, values }, its numbers row by row in a Float32Array.

import { formatNumber } from "../shared/numbers.js";

const GREY_ROUNDING = 1e-5; // how far an answer may leave the range of grey by rounding alone
const LEVELS = 512; // of a scale of colours
const STRONGEST = 1000; // the largest number in a kernel, either way

/** The picture that a trait's bytes hold: its height and width as uint32, then its float32. */
export function readPicture(view) {
  const [height, width] = [view.getUint32(0, true), view.getUint32(4, true)];
  const start = view.byteOffset + 8;
  // A copy, because a Float32Array must begin at a multiple of four bytes.
  const values = new Float32Array(view.buffer.slice(start, start + 4 * height * width));
  return { height, width, values };
}

/** The bytes of a picture, as `readPicture` reads them. */
export function writePicture({ height, width, values }) {
  const view = new DataView(new ArrayBuffer(8 + 4 * values.length));
  view.setUint32(0, height, true);
  view.setUint32(4, width, true);
  new Float32Array(view.buffer, 8).set(values);
  return view;
}

/** The pictures of an album, one behind the other: H and W as uint32, then a byte a pixel. */
export function readAlbum(view) {
  const pictures = [];
  for (let at = 0; at < view.byteLength; ) {
    const [height, width] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at + 8, height * width);
    pictures.push({ height, width, values: Float32Array.from(bytes, (byte) => byte / 255) });
    at += 8 + height * width;
  }
  return pictures;
}

/** The grey picture of pixels with red, green, blue and alpha in bytes: their luma (BT.601). */
export function takeLuma(rgba, height, width) {
  const values = new Float32Array(height * width);
  for (let i = 0; i < values.length; i++)
    values[i] = (0.299 * rgba[4 * i] + 0.587 * rgba[4 * i + 1] + 0.114 * rgba[4 * i + 2]) / 255;
  return { height, width, values };
}

/** Height and width of a picture whose longest side has at most `longest` pixels. */
export function fitInto(height, width, longest) {
  const scale = Math.min(1, longest / Math.max(height, width));
  return [height, width].map((size) => Math.max(1, Math.round(size * scale)));
}

/** Python's sentence where a kernel is impossible on a picture; null where it is possible. */
export function refuseFilter({ height, width }, kernel, padding) {
  const size = kernel.length;
  if (kernel.flat().some((value) => !(Math.abs(value) <= STRONGEST)))
    return (
      `kernel holds a number that is not possible: ` +
      `give numbers from −${STRONGEST} to ${STRONGEST}`
    );
  if (Math.min(height, width) + 2 * padding >= size) return null;
  return (
    `a kernel of ${size} × ${size} does not fit into a picture of ${height} × ${width} ` +
    `with padding=${padding}: take a smaller kernel, a larger picture or more padding`
  );
}

/**
 * The answers of a kernel (rows of numbers, odd square) on a picture within `padding` zeros.
 *
 * Sums are kept in float64. A row of answers takes one row of the picture after the other, in
 * loops that are short and plain: those a browser makes fast.
 */
export function filterPicture(picture, kernel, padding) {
  const size = kernel.length;
  const [high, wide] = [picture.height + 2 * padding, picture.width + 2 * padding];
  const padded = padPicture(picture, padding);
  const [rows, columns] = [high - size + 1, wide - size + 1];
  const answers = new Float32Array(rows * columns);
  const sums = new Float64Array(columns);
  const weights = kernel.map((row) => row.map(Math.fround)); // as torch has them
  const addRow = { 3: addThree, 5: addFive, 7: addSeven }[size];
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let m = 0; m < size; m++) addRow(sums, padded, (i + m) * wide, weights[m]);
    answers.set(sums, i * columns);
  }
  return { height: rows, width: columns, values: answers };
}

const paddedPictures = new WeakMap(); // by picture: while a kernel changes, the picture stays

/** The picture's numbers within `padding` zeros, in float64. */
function padPicture(picture, padding) {
  const known = paddedPictures.get(picture);
  if (known?.padding === padding) return known.padded;
  const { height, width, values } = picture;
  const wide = width + 2 * padding;
  const padded = new Float64Array((height + 2 * padding) * wide);
  for (let i = 0; i < height; i++)
    padded.set(values.subarray(i * width, (i + 1) * width), (i + padding) * wide + padding);
  paddedPictures.set(picture, { padding, padded });
  return padded;
}

function addThree(sums, line, at, [a, b, c]) {
  for (let j = 0; j < sums.length; j++, at++)
    sums[j] += a * line[at] + b * line[at + 1] + c * line[at + 2];
}

function addFive(sums, line, at, [a, b, c, d, e]) {
  for (let j = 0; j < sums.length; j++, at++)
    sums[j] +=
      a * line[at] + b * line[at + 1] + c * line[at + 2] + d * line[at + 3] + e * line[at + 4];
}

function addSeven(sums, line, at, [a, b, c, d, e, f, g]) {
  for (let j = 0; j < sums.length; j++, at++)
    sums[j] +=
      a * line[at] + b * line[at + 1] + c * line[at + 2] + d * line[at + 3] + e * line[at + 4] +
      f * line[at + 5] + g * line[at + 6];
}

/** The numbers under the window of the answer at `row`, `column`; null where there is padding. */
export function readWindow({ height, width, values }, size, padding, row, column) {
  return Array.from({ length: size }, (_, m) =>
    Array.from({ length: size }, (_, n) => {
      const [i, j] = [row + m - padding, column + n - padding];
      const inside = i >= 0 && j >= 0 && i < height && j < width;
      return inside ? values[i * width + j] : null;
    }),
  );
}

/** What is black and what is white: 0 and 1, or the picture's own numbers beyond them. */
export function greyRange({ values }) {
  let [black, white] = [0, 1];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < black) black = values[i];
    else if (values[i] > white) white = values[i];
  }
  return [black, white];
}

/**
 * Smallest, largest and mean answer, and the shares of answers that are darker than black
 * (`below`) and brighter than white (`above`).
 */
export function measure({ values }, [black, white]) {
  const slack = GREY_ROUNDING * (white - black);
  const [least, most] = [black - slack, white + slack];
  let [low, high, sum, below, above] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    sum += value;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value < least) below++;
    else if (value > most) above++;
  }
  const count = values.length;
  return { low, high, mean: sum / count, below: below / count, above: above / count };
}

/** The place of the strongest answer, either way, of those that are not close to the border. */
export function findStrongest({ height, width, values }) {
  const [top, left] = [Math.floor(height / 8), Math.floor(width / 8)];
  let best = { row: top, column: left, strength: -1 };
  for (let row = top; row < height - top; row++)
    for (let column = left; column < width - left; column++) {
      const strength = Math.abs(values[row * width + column]);
      if (strength > best.strength) best = { row, column, strength };
    }
  return best;
}

/** What the kernel's numbers add up to. */
export function sumOf(kernel) {
  return kernel.flat().reduce((sum, value) => sum + value, 0);
}

/**
 * How the answers are drawn, "signed" or "grey". Automatic is grey where they are brightness: all
 * lie between black and white, or the kernel adds up to about 1 and at most a quarter is outside.
 */
export function chooseDisplay(display, kernel, { below, above }) {
  if (display !== "automatic") return display;
  const takesAMean = Math.abs(sumOf(kernel) - 1) <= 0.5;
  const outside = below + above;
  return outside === 0 || (takesAMean && outside <= 0.25) ? "grey" : "signed";
}

/** A colour [red, green, blue] as a pixel: four bytes in one number, red first in memory. */
export function asPixel([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The pixels of a scale of LEVELS colours, made from a few colours on it. */
export function makeScale(colours) {
  return Uint32Array.from({ length: LEVELS }, (_, level) => {
    const place = (level / (LEVELS - 1)) * (colours.length - 1);
    const before = Math.min(Math.floor(place), colours.length - 2);
    const mix = (c, i) => Math.round(c + (place - before) * (colours[before + 1][i] - c));
    return asPixel(colours[before].map(mix));
  });
}

/**
 * Write a picture's numbers as colours into `pixels`, a Uint32Array.
 *
 * `low` and `high` are the ends of the scale. What lies beyond them gets the pixels `marks`,
 * [below, above]: it must not be mistaken for the ends.
 */
export function paint({ values }, [low, high], scale, marks, pixels) {
  const slack = GREY_ROUNDING * (high - low);
  const [least, most] = [low - slack, high + slack];
  const step = (LEVELS - 1) / (high - low);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < least) pixels[i] = marks[0];
    else if (value > most) pixels[i] = marks[1];
    else {
      const level = ((value - low) * step + 0.5) | 0;
      pixels[i] = scale[level < LEVELS ? level : LEVELS - 1];
    }
  }
}

/** A kernel of another size: zeros around it, or only its middle. */
export function recentre(kernel, size) {
  const shift = (kernel.length - size) / 2;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => kernel[i + shift]?.[j + shift] ?? 0),
  );
}

/** Whether two kernels are the same but for rounding. */
export function sameKernel(one, other) {
  return (
    one.length === other.length &&
    one.every((row, i) =>
      row.every((value, j) => Math.abs(value - other[i][j]) <= 1e-6 + 1e-5 * Math.abs(value)),
    )
  );
}

/** The preset or the filter that a kernel is equal to, in Python's words; "own" for none. */
export function nameKernel(kernel, presets, filters) {
  for (const [name, sizes] of Object.entries(presets))
    if (sameKernel(kernel, sizes[kernel.length])) return name;
  const number = filters.findIndex((filter) => sameKernel(kernel, filter));
  return number < 0 ? "own" : `filter ${number}`;
}

/** A share of 1 as a percentage with one decimal; an empty text for none. */
export function writePercent(share) {
  if (share === 0) return "";
  const tenths = Math.floor(1000 * share + 0.5); // as Python rounds
  return tenths ? `${(tenths / 10).toFixed(1)} %` : "less than 0.1 %";
}

/** What is shown, in the words of Python's `describe`. */
export function describeAnswers(name, { height, width }, measured, [black, white], shown) {
  const [low, high, mean] = [measured.low, measured.high, measured.mean].map(formatNumber);
  const said = `${name}: ${height} × ${width} answers from ${low} to ${high}, mean ${mean}.`;
  if (shown === "signed") return `${said} Blue is below 0, white is 0, orange is above 0.`;
  const [below, above] = [writePercent(measured.below), writePercent(measured.above)];
  const outside = [];
  if (below) outside.push(`${below} are below ${formatNumber(black)}, drawn blue`);
  if (above) outside.push(`${above} are above ${formatNumber(white)}, drawn orange`);
  const more = outside.length ? ` Cut off: ${outside.join(" and ")}.` : "";
  return `${said} Black is ${formatNumber(black)}, white is ${formatNumber(white)}.${more}`;
}

/** How many cells a kernel has on each side of its middle. */
export function halfOf(kernel) {
  return (kernel.length - 1) / 2;
}

/** A number of a kernel; one that is small but not 0 is not written as 0. */
export function writeWeight(value) {
  const isSmall = Math.abs(value) < 0.005 && Math.abs(value) > 1e-9;
  if (!isSmall) return formatNumber(value);
  return String(Number(value.toPrecision(1))).replaceAll("-", "−");
}
