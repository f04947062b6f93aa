// Pooling on one small grid, cell by cell, and what a shift of the input does. No DOM here: Node
// tests it against torch.

import { refuseConvolution } from "../shared/convolution.js";
import { formatNumber } from "../shared/numbers.js";

/** How many windows there are along one axis; less than 1 where none fits. */
export function countWindows(size, kernelSize, stride, padding, ceilMode) {
  const room = size + 2 * padding - kernelSize;
  const count = Math.floor((ceilMode ? room + stride - 1 : room) / stride) + 1;
  // With ceil_mode a last window hangs over, unless it would begin behind the input.
  return ceilMode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

/** The sentence that says why `state` is impossible, in the words of Python; null if it is not. */
export function refusePooling({ input, mode, kernel_size, stride, padding, ceil_mode }) {
  const most = Math.floor(kernel_size / 2);
  if (padding > most)
    return (
      `padding=${padding} is too large for kernel_size=${kernel_size}: ` +
      `${mode} pooling allows at most ${most}`
    );
  for (const size of [input.length, input[0].length]) {
    if (countWindows(size, kernel_size, stride, padding, ceil_mode) < 1)
      return (
        `kernel_size=${kernel_size} is too large for size=${size}: with dilation=1 it covers ` +
        `${kernel_size} cells, and with padding=${padding} there are only ${size + 2 * padding}`
      );
  }
  return null;
}

/** The sentence that says why there is no output number `position`; null if there is one. */
export function refusePosition({ input, kernel_size, stride, padding, ceil_mode, position }) {
  const [rows, columns] = [input.length, input[0].length].map((size) =>
    countWindows(size, kernel_size, stride, padding, ceil_mode),
  );
  return position < rows * columns
    ? null
    : `position=${position} is not there: the output has ${rows} × ${columns} numbers, ` +
        `so position goes from 0 to ${rows * columns - 1}`;
}

/**
 * A pooling with all that is needed to show where each number comes from.
 *
 * Returns
 * - `output`, rows of numbers;
 * - `winners`, for each number row · width + column of the input cell that won; null for averages;
 * - `window(i, j)`, the cells of one window, `{ row, column, kind, value, counted }`, in
 *   reading order: `kind` is "input", "padding" or "outside", places count from the first input cell, `value` is
 *   null outside the input, and `counted` says whether the cell has a say;
 * - `reads` and `wins`, for each input cell the outputs `[i, j]` that read it, and that it won;
 * - `isRead(row, column)`, whether any window covers that place;
 * - `reach`, how many rows and columns lie between the first padding cell and the end of the last
 *   window or of the padding.
 */
export function pool(state) {
  const { input, mode, kernel_size, stride, padding, count_include_pad } = state;
  const [height, width] = [input.length, input[0].length];
  const { output, winners } = poolNumbers(state);
  const [rows, columns] = [output.length, output[0].length];
  const isPadding = (place, size) => -padding <= place && place < size + padding;
  const cellAt = (row, column) => {
    const value = input[row]?.[column];
    if (value !== undefined) return { row, column, kind: "input", value, counted: true };
    const inPadding = isPadding(row, height) && isPadding(column, width);
    const counted = mode === "average" && inPadding && count_include_pad;
    return { row, column, kind: inPadding ? "padding" : "outside", value: null, counted };
  };
  const window = (i, j) => {
    const cells = [];
    for (let m = 0; m < kernel_size; m++)
      for (let n = 0; n < kernel_size; n++)
        cells.push(cellAt(i * stride - padding + m, j * stride - padding + n));
    return cells;
  };
  const reads = input.map((line) => line.map(() => []));
  const wins = input.map((line) => line.map(() => []));
  output.forEach((line, i) =>
    line.forEach((_, j) => {
      for (const row of inside(i, height, state))
        for (const column of inside(j, width, state)) reads[row][column].push([i, j]);
      const winner = winners?.[i][j];
      if (winners) wins[Math.floor(winner / width)][winner % width].push([i, j]);
    }),
  );
  const reach = [
    Math.max(height + 2 * padding, (rows - 1) * stride + kernel_size),
    Math.max(width + 2 * padding, (columns - 1) * stride + kernel_size),
  ];
  const covered = (place, count) => {
    const first = Math.ceil((place + padding - kernel_size + 1) / stride);
    return Math.max(0, first) * stride <= place + padding && first < count;
  };
  const isRead = (row, column) => covered(row, rows) && covered(column, columns);
  return { output, winners, window, reads, wins, isRead, reach };
}

/** The `output` and the `winners` of `pool`, and no more. */
export function poolNumbers(state) {
  const { input, mode, kernel_size, stride, padding, ceil_mode, count_include_pad } = state;
  const sizes = [input.length, input[0].length];
  const [rows, columns] = sizes.map((size) =>
    countWindows(size, kernel_size, stride, padding, ceil_mode),
  );
  // What hangs over beyond the padding never counts.
  const counted = (place, size, real) => {
    const start = place * stride - padding;
    return count_include_pad ? Math.min(kernel_size, size + padding - start) : real;
  };
  const grid = () => Array.from({ length: rows }, () => Array(columns));
  const [output, winners] = [grid(), mode === "max" ? grid() : null];
  for (let i = 0; i < rows; i++) {
    const high = inside(i, sizes[0], state);
    for (let j = 0; j < columns; j++) {
      const wide = inside(j, sizes[1], state);
      let [best, winner, sum] = [-Infinity, null, 0];
      for (const row of high)
        for (const column of wide) {
          const value = input[row][column];
          sum += value;
          // Only a larger number takes the lead: of equal ones the first wins, as in torch.
          if (value > best) [best, winner] = [value, row * sizes[1] + column];
        }
      const count = counted(i, sizes[0], high.length) * counted(j, sizes[1], wide.length);
      output[i][j] = winners ? best : sum / count;
      if (winners) winners[i][j] = winner;
    }
  }
  return { output, winners };
}

/** The places of one axis that window number `place` covers and that lie inside the input. */
function inside(place, size, { kernel_size, stride, padding }) {
  const start = place * stride - padding;
  const places = [];
  for (let at = Math.max(0, start); at < Math.min(size, start + kernel_size); at++) places.push(at);
  return places;
}

/** What `F.conv2d` gives for one channel, without a bias. */
export function convolveOnce(input, kernel, stride, padding) {
  const size = kernel.length;
  const [rows, columns] = [input.length, input[0].length].map((cells) =>
    countWindows(cells, size, stride, padding, false),
  );
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => {
      let sum = 0;
      for (let m = 0; m < size; m++)
        for (let n = 0; n < size; n++)
          sum += kernel[m][n] * (input[i * stride - padding + m]?.[j * stride - padding + n] ?? 0);
      return sum;
    }),
  );
}

/** One output number in words: which cell won, or the average written out as a person does. */
export function sayWindow(result, mode, i, j) {
  const cells = result.window(i, j);
  const real = cells.filter((cell) => cell.kind === "input");
  const value = result.output[i][j];
  const parts = [];
  if (mode === "max") {
    const winner = real.find((cell) => cell.value === value);
    const equals = real.filter((cell) => cell.value === value).length;
    const listed = real.map((cell) => formatNumber(cell.value)).join(", ");
    parts.push(
      `max of ${listed} is ${formatNumber(value)}, ` +
        `from row ${winner.row}, column ${winner.column}`,
    );
    if (equals > 1) parts.push(`${equals} cells tie, and the first in reading order wins`);
  } else {
    const counted = cells.filter((cell) => cell.counted);
    const sum = writeSum(counted.map((cell) => cell.value ?? 0));
    parts.push(
      `${counted.length > 1 ? `(${sum})` : sum} / ${counted.length} ` +
        `${writesExactly(value) ? "=" : "≈"} ${formatNumber(value)}`,
    );
  }
  for (const [kind, name] of [
    ["padding", "of padding"],
    ["outside", "outside"],
  ]) {
    const found = cells.filter((cell) => cell.kind === kind);
    if (!found.length) continue;
    const one = found.length === 1;
    const says = {
      max: one ? "never wins" : "never win",
      average: one ? "does not count" : "do not count",
      counted: one ? "counts as 0" : "count as 0",
    }[found[0].counted ? "counted" : mode];
    parts.push(`${found.length} cell${one ? "" : "s"} ${name} ${says}`);
  }
  return parts.join("; ");
}

/** Places in words: "output (0, 1)", "outputs (0, 1), (1, 1)". */
export function sayPlaces(places) {
  const listed = places.map(([row, column]) => `(${row}, ${column})`).join(", ");
  return `output${places.length === 1 ? "" : "s"} ${listed}`;
}

/** Which output numbers an input cell reaches, in words. */
export function sayReach({ reads, wins }, { input, mode }, row, column) {
  const [readers, won] = [reads[row][column], wins[row][column]];
  const start = `Input row ${row}, column ${column} holds ${formatNumber(input[row][column])}`;
  if (!readers.length) return `${start}. No window reads it: it changes nothing`;
  const several = readers.length === 1 ? "One window reads" : `${readers.length} windows read`;
  const read = `${start}. ${several} it`;
  if (mode === "average") return `${read}, so it has a share in ${sayPlaces(readers)}`;
  if (!won.length) return `${read} (${sayPlaces(readers)}), and it wins none`;
  return `${read} (${sayPlaces(readers)}), and it wins ${sayPlaces(won)}`;
}

/** A sum as a person writes it: 1 − 2 + 0. */
export function writeSum(values) {
  return values
    .map((value, i) => {
      const text = formatNumber(value);
      if (i === 0) return text;
      return text.startsWith("−") ? ` − ${text.slice(1)}` : ` + ${text}`;
    })
    .join("");
}

/** Whether `formatNumber` leaves nothing out of a number. */
export function writesExactly(value) {
  const written = Number(formatNumber(value).replaceAll("−", "-"));
  return Math.abs(written - value) <= 1e-6 * Math.max(1, Math.abs(value));
}

/** The grid moved to the right by `shift` columns: zeros enter from the left. */
export function moveRight(grid, shift) {
  return grid.map((line) => line.map((_, j) => (j < shift ? 0 : line[j - shift])));
}

/** The kernels to compare with, by name. */
export const POOL_RIVALS = ["vertical edges", "horizontal edges", "blur", "one cell"];

/** The kernel `name` with `size` rows and columns. For 3, "vertical edges" is the Sobel kernel. */
export function makeKernel(name, size) {
  const smooth = binomial(size);
  // One cell has no neighbour to differ from: it is copied.
  const inner = [0, ...binomial(Math.max(1, size - 1)), 0];
  const difference = size === 1 ? [1] : smooth.map((_, i) => inner[i] - inner[i + 1]);
  const outer = (down, across) => down.map((one) => across.map((other) => one * other + 0));
  if (name === "vertical edges") return outer(smooth, difference);
  if (name === "horizontal edges") return outer(difference, smooth);
  if (name === "blur") {
    const share = smooth.map((weight) => weight / 2 ** (size - 1));
    return outer(share, share);
  }
  const middle = smooth.map((_, i) => Number(i === (size - 1) >> 1));
  return outer(middle, middle);
}

/** 1 2 1, 1 3 3 1, …: a row of Pascal's triangle, the weights of a smooth blur. */
function binomial(size) {
  let row = [1];
  while (row.length < size) row = [...row, 0].map((value, i) => value + (row[i - 1] ?? 0));
  return row;
}

/**
 * What a shift of the input does to an output.
 *
 * Returns `differs`, for each cell whether it is another number; `count` of those; `changed`, their
 * share; `relative`, the length of the difference over the length of the old output, or null where
 * the old one is 0 everywhere; `kept`: where `shift` is a multiple of `stride`, how many columns
 * only moved (else 0); and `moved`: by how many columns the output has moved and is otherwise the
 * same, or null. Numbers count as equal up to 1e-6 of the largest.
 */
export function compareOutputs(before, after, shift, stride) {
  const scale = Math.max(...before.flat().map(Math.abs), ...after.flat().map(Math.abs));
  const same = (one, other) => Math.abs(one - other) <= 1e-6 * scale;
  const differs = after.map((line, i) => line.map((value, j) => !same(value, before[i][j])));
  const count = differs.flat().filter(Boolean).length;
  const length = (values) => Math.hypot(...values);
  const old = length(before.flat());
  const change = length(after.flatMap((line, i) => line.map((value, j) => value - before[i][j])));
  const steps = shift / stride;
  const room = Number.isInteger(steps) && shift > 0 ? Math.max(0, before[0].length - steps) : 0;
  const onlyMoved = (j) => after.every((line, i) => same(line[j + steps], before[i][j]));
  const kept = Array.from({ length: room }, (_, j) => onlyMoved(j)).filter(Boolean).length;
  return {
    differs,
    count,
    changed: count / differs.flat().length,
    relative: old > 0 ? change / old : null,
    kept,
    moved: count > 0 && room > 0 && kept === room ? steps : null,
  };
}

/**
 * How much the output changes when the input moves right by `state.shift` columns, for the pooling
 * as set, the other pooling, and a convolution with the same window, stride and padding.
 *
 * Each is `{ name, before, after, … }` with what `compareOutputs` returns, or `{ name, refusal }`
 * where the kernel does not fit: a convolution has no ceil_mode.
 */
export function reportShift(state) {
  const { input, shift, stride } = state;
  const moved = moveRight(input, shift);
  const compare = (name, compute) => {
    const [before, after] = [compute(input), compute(moved)];
    return { name, before, after, ...compareOutputs(before, after, shift, stride) };
  };
  const pooled = (mode) =>
    compare(mode, (grid) => poolNumbers({ ...state, mode, input: grid }).output);
  const { padding } = state;
  const kernel = makeKernel(state.kernel, state.kernel_size);
  const refusal = refuseConvolution({ input, kernel, stride, padding, dilation: 1 });
  return [
    pooled(state.mode),
    pooled(state.mode === "max" ? "average" : "max"),
    refusal === null
      ? compare("convolution", (grid) => convolveOnce(grid, kernel, stride, padding))
      : { name: "convolution", refusal },
  ];
}
