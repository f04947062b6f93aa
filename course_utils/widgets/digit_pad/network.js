// A trained network in the browser: forward, and backward as far as Grad-CAM needs. No DOM here.
//
// The network is what Python's `network_description` returns. Arrays are flat, in torch's order:
// (C, H, W), and (C_out, C_in / groups, K_h, K_w) for the weights of a convolution.

/**
 * A network ready to run: memory for the output of every layer, and views of the weights.
 * `description` is the object from Python, `weights` a Float32Array with all its numbers.
 */
export function readNetwork(description, weights) {
  let came = description.input;
  const layers = description.layers.map((layer) => {
    const numbers = layer.shape.reduce((product, n) => product * n, 1);
    const ready = { ...layer, came, output: new Float32Array(numbers), input: null };
    if (layer.size && "weight" in layer) {
      const count = layer.size.reduce((product, n) => product * n, 1);
      ready.weight = weights.subarray(layer.weight, layer.weight + count);
      ready.bias = weights.subarray(layer.bias, layer.bias + layer.size[0]);
    }
    const plan = PLANS[layer.kind];
    if (plan) Object.assign(ready, plan(ready));
    came = layer.shape;
    return ready;
  });
  return { layers, lastConvolution: layers.findLastIndex((layer) => layer.kind === "conv") };
}

/** Run the network on an image, a Float32Array of C·H·W numbers; returns the scores (logits). */
export function runNetwork(network, image) {
  let x = image;
  for (const layer of network.layers) {
    layer.input = x;
    FORWARD[layer.kind](layer, x, layer.output);
    x = layer.output;
  }
  return x;
}

/** Probabilities from scores: e^score over their sum. */
export function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/**
 * Where the maps of a layer speak for the class `digit`, after `runNetwork`: ReLU(Σ_k α_k A_k),
 * α_k the mean of the score's gradient over map A_k, divided by the largest value. `layer` is the
 * number of the last convolution, the default, or of a later layer with maps.
 * Returns { map, height, width }, all 0 where nothing speaks for it; null without a convolution.
 * After Selvaraju et al., "Grad-CAM", 2017.
 */
export function gradCam(network, digit, layer = network.lastConvolution) {
  const { layers } = network;
  if (layer < 0) return null;
  let gradient = new Float32Array(layers.at(-1).output.length);
  gradient[digit] = 1;
  for (let i = layers.length - 1; i > layer; i--) {
    const before = new Float32Array(layers[i].input.length);
    BACKWARD[layers[i].kind](layers[i], gradient, before);
    gradient = before;
  }
  const { output, shape } = layers[layer];
  const [maps, height, width] = shape;
  const area = height * width;
  const sum = new Float64Array(area);
  for (let k = 0; k < maps; k++) {
    let alpha = 0;
    for (let i = k * area; i < (k + 1) * area; i++) alpha += gradient[i];
    alpha /= area;
    for (let i = 0; i < area; i++) sum[i] += alpha * output[k * area + i];
  }
  const largest = sum.reduce((most, value) => Math.max(most, value), 0);
  const map = Float32Array.from(sum, (value) => (value > 0 ? value / largest : 0));
  return { map, height, width };
}

/** A map enlarged to rows × columns between the centres of its cells (bilinear, as in torch). */
export function enlargeMap({ map, height, width }, rows, columns) {
  const down = betweenCells(height, rows);
  const across = betweenCells(width, columns);
  const large = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const [top, bottom, low] = down[i];
    for (let j = 0; j < columns; j++) {
      const [left, right, near] = across[j];
      const above = map[top * width + left] * (1 - near) + map[top * width + right] * near;
      const below = map[bottom * width + left] * (1 - near) + map[bottom * width + right] * near;
      large[i * columns + j] = above * (1 - low) + below * low;
    }
  }
  return large;
}

function betweenCells(cells, count) {
  return Array.from({ length: count }, (_, i) => {
    const place = Math.max(0, ((i + 0.5) * cells) / count - 0.5);
    const first = Math.min(Math.floor(place), cells - 1);
    return [first, Math.min(first + 1, cells - 1), place - first];
  });
}

// What is worked out once for each layer: the windows of the average pools, as [start, end, count]
// for each row and each column of the output.
const PLANS = {
  avg_pool: ({ shape, came, kernel, stride, padding, ceil_mode, count_include_pad }) => {
    const windows = (axis) =>
      Array.from({ length: shape[axis + 1] }, (_, i) => {
        const begin = i * stride[axis] - padding[axis];
        // With ceil_mode the last window may reach beyond the padding: that part never counts.
        const end = Math.min(begin + kernel[axis], came[axis + 1] + padding[axis]);
        const inside = [Math.max(begin, 0), Math.min(end, came[axis + 1])];
        return [...inside, count_include_pad ? end - begin : inside[1] - inside[0]];
      });
    return { rows: windows(0), columns: windows(1) };
  },
  adaptive_avg_pool: ({ shape, came }) => {
    const windows = (axis) =>
      Array.from({ length: shape[axis] }, (_, i) => {
        const begin = Math.floor((i * came[axis]) / shape[axis]);
        const end = Math.ceil(((i + 1) * came[axis]) / shape[axis]);
        return [begin, end, end - begin];
      });
    return { rows: windows(1), columns: windows(2) };
  },
  max_pool: ({ output }) => ({ winners: new Int32Array(output.length) }),
};

function convolution({ came, shape, size, weight, bias, stride, padding, dilation, groups }, x, y) {
  const [, height, width] = came;
  const [maps, rows, columns] = shape;
  const [, channels, kernelHeight, kernelWidth] = size;
  const area = rows * columns;
  for (let map = 0; map < maps; map++) {
    y.fill(bias[map], map * area, (map + 1) * area);
    const firstChannel = Math.floor((map * groups) / maps) * channels;
    for (let channel = 0; channel < channels; channel++) {
      const plane = (firstChannel + channel) * height * width;
      for (let m = 0; m < kernelHeight; m++) {
        const down = m * dilation[0] - padding[0];
        const [firstRow, lastRow] = inside(down, stride[0], height, rows);
        for (let n = 0; n < kernelWidth; n++) {
          const right = n * dilation[1] - padding[1];
          const [firstColumn, lastColumn] = inside(right, stride[1], width, columns);
          const w = weight[((map * channels + channel) * kernelHeight + m) * kernelWidth + n];
          // One weight for a whole map: the inner loop runs along memory.
          for (let i = firstRow; i < lastRow; i++) {
            const to = map * area + i * columns;
            const from = plane + (i * stride[0] + down) * width + right;
            for (let j = firstColumn; j < lastColumn; j++) y[to + j] += w * x[from + j * stride[1]];
          }
        }
      }
    }
  }
}

/** The outputs [first, last) whose input cell, i·stride + offset, is not in the padding. */
function inside(offset, stride, length, outputs) {
  const first = Math.max(0, Math.ceil(-offset / stride));
  const last = Math.min(outputs, Math.floor((length - 1 - offset) / stride) + 1);
  return [first, last];
}

function maxPool({ came, shape, kernel, stride, padding, dilation, winners }, x, y) {
  const [, height, width] = came;
  const [maps, rows, columns] = shape;
  let cell = 0;
  for (let map = 0; map < maps; map++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, cell++) {
        let best = -Infinity;
        let winner = -1;
        for (let m = 0; m < kernel[0]; m++) {
          const row = i * stride[0] - padding[0] + m * dilation[0];
          if (row < 0 || row >= height) continue;
          for (let n = 0; n < kernel[1]; n++) {
            const column = j * stride[1] - padding[1] + n * dilation[1];
            if (column < 0 || column >= width) continue;
            const place = (map * height + row) * width + column;
            if (x[place] > best) {
              best = x[place];
              winner = place;
            }
          }
        }
        y[cell] = best;
        winners[cell] = winner;
      }
    }
  }
}

function maxPoolBackward({ winners }, gradient, before) {
  for (let cell = 0; cell < gradient.length; cell++) before[winners[cell]] += gradient[cell];
}

function averagePool({ came, shape, rows, columns, divisor }, x, y) {
  const [, height, width] = came;
  let cell = 0;
  for (let map = 0; map < shape[0]; map++) {
    for (const [top, bottom, high] of rows) {
      for (const [left, right, wide] of columns) {
        let sum = 0;
        for (let i = top; i < bottom; i++)
          for (let j = left; j < right; j++) sum += x[(map * height + i) * width + j];
        y[cell++] = sum / (divisor ?? high * wide);
      }
    }
  }
}

function averagePoolBackward({ came, shape, rows, columns, divisor }, gradient, before) {
  const [, height, width] = came;
  let cell = 0;
  for (let map = 0; map < shape[0]; map++) {
    for (const [top, bottom, high] of rows) {
      for (const [left, right, wide] of columns) {
        const share = gradient[cell++] / (divisor ?? high * wide);
        for (let i = top; i < bottom; i++)
          for (let j = left; j < right; j++) before[(map * height + i) * width + j] += share;
      }
    }
  }
}

function scaleMaps({ shape, weight, bias }, x, y) {
  const area = x.length / shape[0];
  for (let i = 0; i < x.length; i++) {
    const map = Math.floor(i / area);
    y[i] = x[i] * weight[map] + bias[map];
  }
}

function scaleMapsBackward({ shape, weight }, gradient, before) {
  const area = before.length / shape[0];
  for (let i = 0; i < before.length; i++) before[i] = gradient[i] * weight[Math.floor(i / area)];
}

function linear({ weight, bias }, x, y) {
  for (let i = 0; i < y.length; i++) {
    let sum = bias[i];
    for (let j = 0; j < x.length; j++) sum += weight[i * x.length + j] * x[j];
    y[i] = sum;
  }
}

function linearBackward({ weight }, gradient, before) {
  const sums = new Float64Array(before.length);
  for (let i = 0; i < gradient.length; i++)
    for (let j = 0; j < sums.length; j++) sums[j] += gradient[i] * weight[i * sums.length + j];
  before.set(sums);
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** The error function, by Abramowitz and Stegun's formula 7.1.26, right to 1.5e-7. */
function errorFunction(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const powers = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  const sum = powers.reduceRight((total, factor) => (total + factor) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const GELU_SCALE = Math.sqrt(2 / Math.PI);
const geluInner = (x) => Math.tanh(GELU_SCALE * (x + 0.044715 * x ** 3));

// Each activation and its derivative, both by the number x that goes in.
const ACTIVATIONS = {
  relu: [(x) => (x > 0 ? x : 0), (x) => (x > 0 ? 1 : 0)],
  leaky_relu: [(x, slope) => (x > 0 ? x : slope * x), (x, slope) => (x > 0 ? 1 : slope)],
  sigmoid: [sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  gelu: [
    (x) => 0.5 * x * (1 + errorFunction(x / Math.SQRT2)),
    (x) =>
      0.5 * (1 + errorFunction(x / Math.SQRT2)) + (x * GELU_SCALE * Math.exp((-x * x) / 2)) / 2,
  ],
  gelu_tanh: [
    (x) => 0.5 * x * (1 + geluInner(x)),
    (x) =>
      0.5 * (1 + geluInner(x)) +
      0.5 * x * (1 - geluInner(x) ** 2) * GELU_SCALE * (1 + 3 * 0.044715 * x * x),
  ],
};

function activate([function_]) {
  return ({ slope }, x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = function_(x[i], slope);
  };
}

function activateBackward([, derivative]) {
  return ({ input, slope }, gradient, before) => {
    for (let i = 0; i < before.length; i++) before[i] = gradient[i] * derivative(input[i], slope);
  };
}

const eachActivation = (make) =>
  Object.fromEntries(Object.entries(ACTIVATIONS).map(([kind, pair]) => [kind, make(pair)]));

// (layer, x, y): fill y, the output, from x, the input.
const FORWARD = {
  conv: convolution,
  max_pool: maxPool,
  avg_pool: averagePool,
  adaptive_avg_pool: averagePool,
  scale: scaleMaps,
  scale_flat: scaleMaps,
  linear,
  flatten: (_, x, y) => y.set(x),
  ...eachActivation(activate),
};

// (layer, gradient, before): fill `before`, the gradient of the input, which starts as all 0.
const BACKWARD = {
  max_pool: maxPoolBackward,
  avg_pool: averagePoolBackward,
  adaptive_avg_pool: averagePoolBackward,
  scale: scaleMapsBackward,
  scale_flat: scaleMapsBackward,
  linear: linearBackward,
  flatten: (_, gradient, before) => before.set(gradient),
  ...eachActivation(activateBackward),
};
