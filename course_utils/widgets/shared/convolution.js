// Convolution on small grids, cell by cell. No DOM here: Node tests it against torch.

/** How many places a window has along one axis; less than 1 where it does not fit. */
export function countPlaces(size, kernelSize, stride, padding, dilation) {
  return Math.floor((size + 2 * padding - dilation * (kernelSize - 1) - 1) / stride) + 1;
}

/** A grid as a list of channels: rows of numbers are one channel. */
export function asChannels(grid) {
  return Array.isArray(grid[0][0]) ? grid : [grid];
}

/** The grid turned by 180°: the last cell first. */
export function turn(grid) {
  return grid.map((row) => [...row].reverse()).reverse();
}

/** The grid with `padding` rows and columns of `value` around it. */
export function pad(grid, padding, value = 0) {
  const wide = grid[0].length + 2 * padding;
  const border = () => Array.from({ length: padding }, () => Array(wide).fill(value));
  const side = Array(padding).fill(value);
  return [...border(), ...grid.map((row) => [...side, ...row, ...side]), ...border()];
}

/** The sentence that says why `state` is impossible, the same as Python's; null if it is possible. */
export function refuseConvolution({ input, kernel, stride, padding, dilation }) {
  const [images, kernels] = [asChannels(input), asChannels(kernel)];
  if (images.length !== kernels.length)
    return (
      `input has ${images.length} channel(s) and kernel has ${kernels.length}: ` +
      `a kernel has one grid for each channel of its input`
    );
  const sizes = [
    [images[0].length, kernels[0].length],
    [images[0][0].length, kernels[0][0].length],
  ];
  for (const [size, kernelSize] of sizes) {
    if (countPlaces(size, kernelSize, stride, padding, dilation) < 1)
      return (
        `kernel_size=${kernelSize} is too large for size=${size}: with dilation=${dilation} ` +
        `it covers ${dilation * (kernelSize - 1) + 1} cells, and with padding=${padding} ` +
        `there are only ${size + 2 * padding}`
      );
  }
  return null;
}

/**
 * A convolution with all that is needed to show where each number comes from.
 *
 * Returns `padded` and `laid`, lists of channels: what is read, and the kernel as it is laid on it;
 * `output`, rows of numbers; `read`, for each cell of the padded input whether a window reads it; and
 * `window(row, column)`: the cells `{ channel, m, n, row, column, value, weight, product }` behind one
 * output number, in reading order, with places counted in the padded input.
 */
export function convolve({ input, kernel, stride, padding, dilation, mode }) {
  const padded = asChannels(input).map((channel) => pad(channel, padding));
  const laid = asChannels(kernel).map((k) => (mode === "convolution" ? turn(k) : k));
  const [high, wide] = [laid[0].length, laid[0][0].length];
  const rows = countPlaces(asChannels(input)[0].length, high, stride, padding, dilation);
  const columns = countPlaces(asChannels(input)[0][0].length, wide, stride, padding, dilation);
  const window = (row, column) =>
    laid.flatMap((weights, channel) =>
      weights.flatMap((line, m) =>
        line.map((weight, n) => {
          const place = { row: row * stride + m * dilation, column: column * stride + n * dilation };
          const value = padded[channel][place.row][place.column];
          return { channel, m, n, ...place, value, weight, product: value * weight };
        }),
      ),
    );
  const read = padded[0].map((line) => line.map(() => false));
  const output = [];
  for (let row = 0; row < rows; row++) {
    output.push([]);
    for (let column = 0; column < columns; column++) {
      const cells = window(row, column);
      for (const cell of cells) read[cell.row][cell.column] = true;
      output[row].push(cells.reduce((sum, cell) => sum + cell.product, 0));
    }
  }
  return { padded, laid, output, read, window };
}

/** The grid with `rows` and `columns`: cut at the end, or filled with zeros there. */
export function resize(grid, rows, columns) {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => grid[i]?.[j] ?? 0),
  );
}
