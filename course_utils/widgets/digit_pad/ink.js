// From strokes on a pad to what the network sees: 28 × 28 pixels, framed as MNIST's. No DOM here.
//
// Ink is a Float32Array, row by row, 0 for none to 1 for full.

/** Rows and columns of what the network sees, and of a digit within it at its longer side. */
export const FIELD = 28;
const LONGER_SIDE = 20;
// MNIST's own digits have their centre of mass here or up to half a pixel from it (counted from 0).
const CENTRE_PIXEL = 14;

/**
 * Draw a line with round ends onto `ink`, size × size cells, and smooth its edge.
 * x and y count from the left and the top edge in cells; the line is `width` cells wide.
 */
export function inkLine(ink, size, [fromX, fromY], [toX, toY], width) {
  const radius = width / 2;
  const [alongX, alongY] = [toX - fromX, toY - fromY];
  const squared = alongX ** 2 + alongY ** 2;
  const near = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - radius - 1));
  const far = (a, b) => Math.min(size, Math.ceil(Math.max(a, b) + radius + 1));
  const [left, right] = [near(fromX, toX), far(fromX, toX)];
  for (let row = near(fromY, toY); row < far(fromY, toY); row++) {
    for (let column = left; column < right; column++) {
      const [x, y] = [column + 0.5 - fromX, row + 0.5 - fromY];
      const share = squared ? Math.min(1, Math.max(0, (x * alongX + y * alongY) / squared)) : 0;
      const distance = Math.hypot(x - share * alongX, y - share * alongY);
      const cover = Math.min(1, radius + 0.5 - distance);
      if (cover > ink[row * size + column]) ink[row * size + column] = cover;
    }
  }
}

/** The box around all ink, as [top, left, bottom, right] with the last two outside; or null. */
export function inkBox(ink, height, width) {
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (ink[row * width + column] > 0) {
        if (row < top) top = row;
        if (row >= bottom) bottom = row + 1;
        if (column < left) left = column;
        if (column >= right) right = column + 1;
      }
    }
  }
  return bottom ? [top, left, bottom, right] : null;
}

/**
 * Frame ink as MNIST does: the box around it becomes 20 pixels at its longer side, each pixel the
 * average of the ink that it covers, and is laid into 28 × 28 pixels, by whole ones, so that the
 * centre of mass is in the middle. Where that would cut off ink, the box stays at the edge.
 * Returns a Float32Array of 28 · 28; all 0 without ink. Python's `prepare_digit` does the same.
 */
export function prepareDigit(ink, height, width) {
  const image = new Float32Array(FIELD * FIELD);
  const box = inkBox(ink, height, width);
  if (!box) return image;
  const [top, left, bottom, right] = box;
  const longer = Math.max(bottom - top, right - left);
  const scaled = (side) => Math.max(1, Math.floor((side * LONGER_SIDE) / longer + 0.5));
  const [rows, columns] = [scaled(bottom - top), scaled(right - left)];
  const down = shares(bottom - top, rows);
  const across = shares(right - left, columns);
  const small = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    // First the average of the rows that this one covers, then, along it, of the columns.
    const line = new Float64Array(right - left);
    for (const [row, share] of down[i])
      for (let x = 0; x < line.length; x++) line[x] += share * ink[(top + row) * width + left + x];
    for (let j = 0; j < columns; j++)
      for (const [x, share] of across[j]) small[i * columns + j] += share * line[x];
  }
  let [mass, massRows, massColumns] = [0, 0, 0];
  small.forEach((value, place) => {
    mass += value;
    massRows += value * Math.floor(place / columns);
    massColumns += value * (place % columns);
  });
  const firstRow = placeOf(massRows / mass, rows);
  const firstColumn = placeOf(massColumns / mass, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      image[(firstRow + i) * FIELD + firstColumn + j] = Math.min(1, small[i * columns + j]);
  return image;
}

/** For each of `count` cells laid over `length` smaller ones: [[which, its share], …]. */
function shares(length, count) {
  const scale = length / count;
  return Array.from({ length: count }, (_, i) => {
    const cells = [];
    const [begin, end] = [i * scale, (i + 1) * scale];
    for (let cell = Math.floor(begin); cell < Math.min(Math.ceil(end), length); cell++) {
      const overlap = Math.min(end, cell + 1) - Math.max(begin, cell);
      if (overlap > 0) cells.push([cell, overlap / scale]);
    }
    return cells;
  });
}

/** Where a side of `length` pixels begins, so that its centre of mass is in the middle. */
function placeOf(centre, length) {
  // Halves go down, as in MNIST; a hair less, so that rounding elsewhere doesn't decide them.
  const first = Math.ceil(CENTRE_PIXEL - 0.5 - centre - 1e-6);
  return Math.min(Math.max(first, 0), FIELD - length);
}

/** A picture of 28 × 28 pixels as ink: each pixel becomes factor × factor cells. */
export function enlargePicture(image, factor) {
  const size = FIELD * factor;
  const ink = new Float32Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      ink[row * size + column] =
        image[Math.floor(row / factor) * FIELD + Math.floor(column / factor)];
  return ink;
}
