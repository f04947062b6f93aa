// How GradientTracer's columns share the width of the page. No DOM here.

import { formatNumber } from "../shared/numbers.js";

const LARGEST_CELL = 34;
const GAP = 2; // pixels from cell to cell
const EXTRA = [6, 22, 22, 34, 34, 74]; // pixels that each column takes besides its cells
const FIRST_LINE = 3; // columns, where one line is not enough

/** The columns and the longest text of some grids of numbers: { columns, length }. */
export function columnSize(grids) {
  if (!grids.length) return { columns: 0, length: 1 };
  const columns = Math.max(...grids.map((rows) => rows[0].length));
  const lengths = grids.flat(2).map((value) => formatNumber(value).length);
  return { columns, length: Math.max(...lengths) };
}

/** How wide a cell must be for a text; more than four characters are written smaller. */
function cellWidth(length, small) {
  const wide = small ? 5.9 : length > 4 ? 6.4 : 7.6;
  return Math.max(small ? 22 : 26, Math.ceil(wide * length + (small ? 5 : 8)));
}

/** Whether all columns fit in one line of `room` pixels, or else in two. */
function linesFor(sizes, widths, room) {
  const needed = sizes.map(({ columns }, i) => EXTRA[i] + columns * (widths[i] + GAP));
  const sum = (some) => some.reduce((total, part) => total + part, 0);
  const spare = room - sum(needed);
  const two = Math.max(sum(needed.slice(0, FIRST_LINE)), sum(needed.slice(FIRST_LINE)));
  return { spare, one: spare >= 0, two: two <= room };
}

/**
 * Columns of `sizes` on a page of `room` pixels: { widths, broken, small }.
 *
 * All stand in one line where they can, with cells as wide as the room allows; else in two lines
 * (`broken`), else so with smaller numbers (`small`). What does not fit even then wraps anywhere.
 */
export function layOut(sizes, room) {
  const cells = sizes.reduce((sum, { columns }) => sum + columns, 0);
  for (const small of [false, true]) {
    const widths = sizes.map(({ length }) => cellWidth(length, small));
    const { spare, one, two } = linesFor(sizes, widths, room);
    const more = one && !small ? Math.floor(spare / cells) : 0;
    const wider = widths.map((width) => Math.max(width, Math.min(LARGEST_CELL, width + more)));
    if (one || two) return { widths: wider, broken: !one, small };
    if (small) return { widths, broken: false, small };
  }
}
