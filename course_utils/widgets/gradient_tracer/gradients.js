// Forward through a convolution, ReLU and a pooling, and the gradients backward, as sums of
// products that can be read. No DOM here. A state is the widget's traits by name.

/** The largest magnitude that a grid may hold; whole numbers then stay exact in float32. */
export const GRADIENT_LIMITS = { input: 1000, kernel: 1000, bias: 1000, target: 1000000 };

/** The order in which the backward pass fills its grids. */
export const BACKWARD_ORDER = ["y", "a", "z", "W", "x", "b"];

/** The shapes of z and y, as pairs [rows, columns]. */
export function tracerShapes(state) {
  const { input, kernel, stride, padding, pooling, pool_size, pool_stride } = state;
  const count = (size, window, step) => Math.floor((size - window) / step) + 1;
  const z = [
    count(input.length + 2 * padding, kernel.length, stride),
    count(input[0].length + 2 * padding, kernel[0].length, stride),
  ];
  const y = pooling === "none" ? z : z.map((size) => count(size, pool_size, pool_stride));
  return { z, y };
}

/** The sentence with which Python refuses a state, or null where it is possible. */
export function refuseTrace(state) {
  const { input, kernel, bias, padding, pooling, pool_size, loss, target, source } = state;
  const limit = GRADIENT_LIMITS.bias;
  if (Math.abs(bias) > limit)
    return `bias=${bias} is not possible: give a number from -${limit} to ${limit}`;
  for (const name of ["input", "kernel", "target"]) {
    const most = GRADIENT_LIMITS[name];
    if (state[name]?.some((row) => row.some((value) => Math.abs(value) > most)))
      return `${name} holds a number beyond ${most}: give numbers from -${most} to ${most}`;
  }
  const [height, width] = [input.length, input[0].length];
  if (kernel.length > height + 2 * padding || kernel[0].length > width + 2 * padding)
    return (
      `kernel of ${kernel.length} × ${kernel[0].length} does not fit an input of ${height} × ` +
      `${width} with padding=${padding}: give a smaller kernel or a larger padding`
    );
  const { z, y } = tracerShapes(state);
  if (pooling !== "none" && pool_size > Math.min(...z))
    return (
      `pool_size=${pool_size} does not fit the ${z[0]} × ${z[1]} cells after the convolution: ` +
      "give a smaller pool_size or stride, or pooling='none'"
    );
  if (loss === "squared error" && target) {
    if (target.length !== y[0] || target[0].length !== y[1])
      return (
        `target of shape (${target.length}, ${target[0].length}) does not fit the output of ` +
        `shape (${y[0]}, ${y[1]}): give a target of that shape, or None for zeros`
      );
  }
  if (source !== "loss" && (source[0] >= y[0] || source[1] >= y[1]))
    return (
      `source=(${source[0]}, ${source[1]}) is not there: the output has ${y[0]} × ${y[1]} ` +
      `cells, so give 'loss', or a cell from (0, 0) to (${y[0] - 1}, ${y[1] - 1})`
    );
  return null;
}

function fillGrid([rows, columns], value) {
  const line = (i) => Array.from({ length: columns }, (_, j) => value(i, j));
  return Array.from({ length: rows }, (_, i) => line(i));
}

/** The cells of z that make output (i, j), as pairs, in reading order. */
export function pooledCells({ pooling, pool_size, pool_stride }, i, j) {
  if (pooling === "none") return [[i, j]];
  const [top, left] = [i * pool_stride, j * pool_stride];
  return fillGrid([pool_size, pool_size], (m, n) => [top + m, left + n]).flat();
}

/** Whether the window of output (i, j) holds a cell of a. */
function isPooled({ pooling, pool_size, pool_stride }, i, j, [row, column]) {
  if (pooling === "none") return i === row && j === column;
  const [m, n] = [row - i * pool_stride, column - j * pool_stride];
  return 0 <= m && m < pool_size && 0 <= n && n < pool_size;
}

/** The forward pass: { padded, z, a, y, t, loss, winners }; winners where pooling is max. */
export function traceForward(state) {
  const { input, kernel, bias, stride, padding, pooling, pool_size } = state;
  const shapes = tracerShapes(state);
  const size = [input.length + 2 * padding, input[0].length + 2 * padding];
  const padded = fillGrid(size, (r, c) => input[r - padding]?.[c - padding] ?? 0);
  const z = fillGrid(shapes.z, (p, q) => {
    let sum = 0;
    for (let m = 0; m < kernel.length; m++)
      for (let n = 0; n < kernel[0].length; n++)
        sum += padded[p * stride + m][q * stride + n] * kernel[m][n];
    return sum + bias;
  });
  const a = z.map((row) => row.map((value) => (value > 0 ? value : 0)));
  const winners =
    pooling === "max"
      ? fillGrid(shapes.y, (i, j) =>
          // Only a larger number takes the lead, so of equal ones the first keeps it.
          pooledCells(state, i, j).reduce((best, cell) =>
            a[cell[0]][cell[1]] > a[best[0]][best[1]] ? cell : best,
          ),
        )
      : null;
  const y = fillGrid(shapes.y, (i, j) => {
    if (winners) return a[winners[i][j][0]][winners[i][j][1]];
    const total = pooledCells(state, i, j).reduce((sum, [p, q]) => sum + a[p][q], 0);
    return pooling === "average" ? total / pool_size ** 2 : total;
  });
  const squared = state.loss === "squared error";
  const t = (squared && state.target) || fillGrid(shapes.y, () => 0);
  const parts = y.flatMap((row, i) => row.map((v, j) => (squared ? (v - t[i][j]) ** 2 : v)));
  return { padded, z, a, y, t, winners, loss: parts.reduce((sum, part) => sum + part, 0) };
}

/** The number that the backward pass starts from: the loss, or the chosen output. */
export function sourceValue({ source }, { loss, y }) {
  return source === "loss" ? loss : y[source[0]][source[1]];
}

/**
 * What a gradient cell is the sum of: a list of { up, local, cells }.
 *
 * Each term is the gradient `up` that comes from above times the slope `local` of one step; `cells`
 * says where both stand, by the name of the grid: "dy" is the gradient of y, "x" the padded input.
 * `gradients` must hold those above `name`.
 */
export function gradientTerms(state, forward, gradients, name, row, column) {
  const { kernel, stride, padding, pooling, pool_size, source } = state;
  const { z, y, t, padded, winners } = forward;
  const here = [row, column];
  const terms = [];
  if (name === "y") {
    if (source !== "loss") return [{ up: sameCell(source, here) ? 1 : 0, local: 1, cells: {} }];
    if (state.loss === "sum") return [{ up: 1, local: 1, cells: { L: [0, 0] } }];
    return [{ up: 2, local: y[row][column] - t[row][column], cells: { y: here, t: here } }];
  }
  if (name === "a") {
    y.forEach((outputs, i) =>
      outputs.forEach((_, j) => {
        if (!isPooled(state, i, j, here)) return;
        let local = 1;
        if (pooling === "max") local = sameCell(winners[i][j], here) ? 1 : 0;
        if (pooling === "average") local = 1 / pool_size ** 2;
        terms.push({ up: gradients.y[i][j], local, cells: { dy: [i, j] } });
      }),
    );
    return terms;
  }
  if (name === "z") {
    const local = z[row][column] > 0 ? 1 : 0; // torch, too, takes the slope 0 at 0
    return [{ up: gradients.a[row][column], local, cells: { da: here, z: here } }];
  }
  z.forEach((values, p) =>
    values.forEach((_, q) => {
      const up = gradients.z[p][q];
      if (name === "b") terms.push({ up, local: 1, cells: { dz: [p, q] } });
      if (name === "W") {
        const x = [p * stride + row, q * stride + column];
        terms.push({ up, local: padded[x[0]][x[1]], cells: { dz: [p, q], x } });
      }
      if (name === "x") {
        const W = [row + padding - p * stride, column + padding - q * stride];
        const local = kernel[W[0]]?.[W[1]];
        if (local !== undefined) terms.push({ up, local, cells: { dz: [p, q], W } });
      }
    }),
  );
  return terms;
}

/** The gradients of the source with respect to y, a, z, W, x and b; b as a grid of one cell. */
export function traceBackward(state, forward) {
  const size = (grid) => [grid.length, grid[0].length];
  const { y, a, z } = forward;
  const sizes = { y: size(y), a: size(a), z: size(z), W: size(state.kernel), x: size(state.input) };
  const gradients = {};
  for (const name of BACKWARD_ORDER)
    gradients[name] = fillGrid(sizes[name] ?? [1, 1], (row, column) =>
      gradientTerms(state, forward, gradients, name, row, column).reduce(
        (sum, { up, local }) => sum + up * local,
        0,
      ),
    );
  return gradients;
}

/** Every gradient cell as { name, row, column }, in the order in which backward fills them. */
export function fillOrder(gradients) {
  return BACKWARD_ORDER.flatMap((name) =>
    gradients[name].flatMap((cells, row) => cells.map((_, column) => ({ name, row, column }))),
  );
}

/** The slope of the source by two forward passes: { value, agrees } for one cell of x, W or b. */
export function finiteDifference(state, name, row, column, exact, h = 1e-4) {
  const trait = { x: "input", W: "kernel", b: "bias" }[name];
  const at = (step) => {
    const moved =
      name === "b"
        ? state.bias + step
        : state[trait].map((cells, i) =>
            cells.map((value, j) => (i === row && j === column ? value + step : value)),
          );
    const changed = { ...state, [trait]: moved };
    return sourceValue(changed, traceForward(changed));
  };
  const [above, below] = [at(h), at(-h)];
  const value = (above - below) / (2 * h);
  // The second part is what rounding does to a difference of large numbers.
  const rounding = (4e-16 * (Math.abs(above) + Math.abs(below))) / h;
  const allowed = 1e-5 * Math.max(1, Math.abs(exact)) + rounding;
  return { value, agrees: Math.abs(value - exact) <= allowed };
}

/** Whether two pairs are the same cell. */
export function sameCell(one, other) {
  return one[0] === other[0] && one[1] === other[1];
}
