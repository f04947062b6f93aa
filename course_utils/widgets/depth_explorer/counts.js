// What a stack of convolutions costs, in whole numbers. No DOM here: Node tests it against torch.
//
// The network is `course_utils.models.stacked_cnn`: `depth` convolutions of `width` channels with
// ReLU, a 2 × 2 max pool after the first and the second third of them (rounded up), the average
// over all positions, one linear layer.

import { refuseWhole } from "../shared/numbers.js";

/** The smallest and the largest value of each control. */
export const NETWORK_RANGES = { depth: [1, 16], width: [1, 256], input_size: [8, 64] };
/** The kernels that zero padding can keep the size with. */
export const KERNEL_SIZES = [1, 3, 5, 7];
const CLASSES = 10;
const FLOAT_BYTES = 4;
const INDEX_BYTES = 8; // a max pool remembers which cell won as an int64
const FARTHEST = 10; // partners differ by at most a tenth

/** The sentence, Python's own, that says why `state` is impossible; null if it is possible. */
export function refuseNetwork(state) {
  for (const [name, [low, high]] of Object.entries(NETWORK_RANGES)) {
    const sentence = refuseWhole(name, state[name], low, high);
    if (sentence !== null) return sentence;
  }
  if (KERNEL_SIZES.includes(state.kernel_size)) return null;
  const allowed = KERNEL_SIZES.join(", ");
  return `kernel_size=${state.kernel_size} is not possible: choose one of ${allowed}`;
}

/** The convolutions, counted from 1, that a pool follows. */
export function poolsOf(depth) {
  return [...new Set([Math.ceil(depth / 3), Math.ceil((2 * depth) / 3)])];
}

/**
 * The layers of a network and what each costs.
 *
 * Returns `layers`, in the order in which they run, the input first, each with `name`, `label`,
 * `kind`, `channels`, `size` (per side), `parameters`, `macs`, `field` (how many pixels of the
 * input, per side, one number sees), `whole` (it sees everything), `bytes` (what training keeps of
 * it), `first` and `jump` (the first pixel that number 0 sees, and how many pixels further number 1
 * starts); and the totals `parameters`, `macs`, `receptiveField`, `activationBytes`.
 */
export function describeNetwork({ depth, width, kernel_size: kernel, input_size: input }) {
  const none = { parameters: 0, macs: 0, bytes: 0, whole: false };
  let [size, channels, field, jump, first] = [input, 1, 1, 1, 0];
  const add = (layer) => layers.push({ ...none, channels, size, field, jump, first, ...layer });
  const layers = [];
  add({ name: "input", label: "input", kind: "input", bytes: FLOAT_BYTES * input * input });
  const pools = poolsOf(depth);
  for (let i = 1; i <= depth; i++) {
    const weights = kernel * kernel * channels * width;
    first -= Math.floor(kernel / 2) * jump;
    field += (kernel - 1) * jump;
    channels = width;
    add({
      ...{ name: `conv${i}`, label: `convolution ${i}`, kind: "convolution" },
      parameters: weights + width,
      macs: weights * size * size,
      bytes: FLOAT_BYTES * width * size * size, // the output of ReLU; what goes into it is let go
    });
    if (!pools.includes(i)) continue;
    size = Math.floor(size / 2);
    field += jump;
    jump *= 2;
    // The average needs no input for its gradient: of a pool right before it only indices stay.
    const kept = INDEX_BYTES + (i < depth ? FLOAT_BYTES : 0);
    const bytes = kept * width * size * size;
    add({ name: `pool${i}`, label: `pool after convolution ${i}`, kind: "pool", bytes });
  }
  const receptiveField = field;
  [size, field, first] = [1, input, 0];
  const average = { name: "average", label: "average", kind: "average", whole: true };
  add({ ...average, bytes: FLOAT_BYTES * width });
  channels = CLASSES;
  const weights = width * CLASSES;
  const linear = { name: "fc", label: "linear layer", kind: "linear", whole: true };
  add({ ...linear, parameters: weights + CLASSES, macs: weights });
  const total = (key) => layers.reduce((sum, layer) => sum + layer[key], 0);
  return {
    layers,
    parameters: total("parameters"),
    macs: total("macs"),
    receptiveField,
    activationBytes: total("bytes"),
  };
}

/** The parameters ("parameters") or MACs ("macs") of a network, without the list of its layers. */
export function countNetwork({ depth, width, kernel_size: kernel, input_size: input }, what) {
  const inner = kernel * kernel * width;
  if (what === "parameters")
    return inner + width + (depth - 1) * (inner * width + width) + (width + 1) * CLASSES;
  const pools = poolsOf(depth);
  let [macs, size] = [width * CLASSES, input];
  for (let i = 1; i <= depth; i++) {
    macs += inner * (i > 1 ? width : 1) * size * size;
    if (pools.includes(i)) size = Math.floor(size / 2);
  }
  return macs;
}

/**
 * For every other depth the width whose count is nearest, with kernel and input as they are.
 *
 * Returns `{ depth, width, count, difference }` by depth; `difference` is (count − own) / own. A
 * depth whose nearest width is more than 10 % off is left out.
 */
export function partnersOf(state, what) {
  const own = countNetwork(state, what);
  const [[shallow, deep], [narrow, wide]] = [NETWORK_RANGES.depth, NETWORK_RANGES.width];
  const partners = [];
  for (let depth = shallow; depth <= deep; depth++) {
    if (depth === state.depth) continue;
    let best = null;
    for (let width = narrow; width <= wide; width++) {
      const count = countNetwork({ ...state, depth, width }, what);
      if (best === null || Math.abs(count - own) < Math.abs(best.count - own))
        best = { depth, width, count, difference: (count - own) / own };
    }
    if (Math.abs(best.count - own) * FARTHEST <= own) partners.push(best);
  }
  return partners;
}

/** What the number in the middle of a layer sees: input pixels `{ start, end }`, per axis. */
export function seenBy(layer) {
  const start = layer.first + Math.floor((layer.size - 1) / 2) * layer.jump;
  return { start, end: start + layer.field };
}

/** The measurement of exactly this network, or undefined. */
export function measuredOf(results, network) {
  const names = ["depth", "width", "kernel_size", "input_size"];
  return results.find((row) => names.every((name) => row[name] === network[name]));
}

/** A whole number with a comma between thousands: "1,234,567". */
export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A whole number where there is little room: "20,000", "5 million", "13.2 billion". */
export function shortCount(count) {
  if (count < 1e6) return grouped(count);
  const [unit, name] = count < 1e9 ? [1e6, "million"] : [1e9, "billion"];
  return `${Number((count / unit).toPrecision(3))} ${name}`;
}

/** A share as a percentage: "32 %", "under 1 %". */
export function percentOf(part, whole) {
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 1) return "under 1 %";
  if (part < whole && percent > 99) return "over 99 %";
  return `${Math.round(percent)} %`;
}

/** A relative difference with its sign: "+1.2 %", "−0.003 %", and "equal" only where it is 0. */
export function writeDifference(difference) {
  if (difference === 0) return "equal";
  const percent = Math.abs(100 * difference);
  // As many decimals as it takes to be no zero.
  const decimals = percent >= 0.095 ? 1 : Math.min(9, Math.ceil(-Math.log10(percent)));
  return `${difference < 0 ? "−" : "+"}${percent.toFixed(decimals)} %`;
}

/** How many times A goes into B: "2.31", "0.004", and "1" only where they are equal. */
export function writeRatio(a, b) {
  if (a === b) return "1";
  const ratio = b / a;
  const text = ratio >= 99.5 ? grouped(Math.round(ratio)) : writeSmall(ratio);
  return text === "1" ? `just ${b > a ? "over" : "under"} 1` : text;
}

// Three digits that count, without the e-7 of a very small number.
function writeSmall(number) {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(number)));
  const text = number.toFixed(Math.min(20, decimals));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Ascending whole numbers with neighbours drawn together: "1, 3 to 16". */
export function writeRuns(numbers) {
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  const write = ([a, b]) => (a === b ? `${a}` : `${a}${b === a + 1 ? "," : " to"} ${b}`);
  return runs.map(write).join(", ");
}

/** What one layer is and costs, in words. */
export function describeLayer(layer, network) {
  const { label, kind, channels, size, field, parameters, macs, bytes } = layer;
  const input = network.layers[0].size;
  const kept = bytes > 0 ? `; ${grouped(bytes)} bytes kept for training` : "";
  const title = label[0].toUpperCase() + label.slice(1);
  if (kind === "input") return `${title}: 1 channel of ${size} × ${size} pixels${kept}.`;
  const numbers = kind === "average" || kind === "linear";
  const many = channels === 1 ? "" : "s";
  const shape = numbers
    ? `${grouped(channels)} number${many}`
    : `${grouped(channels)} channel${many} of ${size} × ${size}`;
  const more = field > input ? `, more than the input has (the rest is padding)` : "";
  const sight =
    layer.whole || field === 1
      ? `each sees ${layer.whole ? "all" : "one"} of the input’s pixels`
      : `each number sees ${field} × ${field} pixels of the input${more}`;
  const counted = ["parameters", "macs"].map((what) => percentOf(layer[what], network[what]));
  const costs =
    macs === 0
      ? "no parameters, no MACs"
      : `${grouped(parameters)} parameters (${counted[0]} of all); ` +
        `${grouped(macs)} MACs (${counted[1]} of all)`;
  return `${title}: ${shape}; ${sight}; ${costs}${kept}.`;
}
