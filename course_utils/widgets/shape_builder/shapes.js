// What passes through a stack of layers: shapes, parameters, MACs and receptive fields, counted as
// `course_utils.anatomy.summarize` counts them. No DOM here.

import { CONVOLUTIONS, LAYER_TYPES, NORMS, POOLS, formatValue } from "./catalogue.js";
import { findMismatch, findTooLarge, sidesOf } from "./mismatch.js";

const EVERYTHING = "all"; // a field that reaches every cell of the input

/**
 * Follow one input through the layers, up to the first that does not fit.
 *
 * Returns { shapes, rows, mismatch, parameters, macs }. `shapes[i]` is what comes to layer i,
 * `rows` have { name, type, shape, parameters, macs, field } for each layer that works. MACs are
 * BigInts: they may be more than a number can hold exactly. A field is one number where both sides
 * agree, a pair where they do not, and null where there is none.
 */
export function followLayers(layers, inputSize) {
  const shapes = [inputSize];
  const rows = [];
  let field = inputSize.slice(1).map(() => [1, 1]);
  let mismatch = null;
  for (const [index, layer] of layers.entries()) {
    mismatch = findMismatch(layers, shapes, index);
    const cameIn = shapes[index];
    const shape = mismatch ? null : shapeAfter(layer, cameIn);
    mismatch ??= findTooLarge(layers, shape, index);
    if (mismatch) break;
    field = fieldAfter(layer, field, cameIn);
    rows.push({
      name: layer.name ?? String(index),
      type: layer.type,
      shape,
      parameters: countParameters(layer),
      macs: countMacs(layer, cameIn, shape),
      field: writeField(field, inputSize),
    });
    shapes.push(shape);
  }
  const parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  const macs = rows.reduce((sum, row) => sum + row.macs, 0n);
  return { shapes, rows, mismatch, parameters, macs };
}

/** The shape that a layer makes of the shape that comes in, where it fits. */
export function shapeAfter({ type, options }, cameIn) {
  if (type === "Flatten") return [cameIn.reduce((product, n) => product * n, 1)];
  if (type === "Linear") return [...cameIn.slice(0, -1), options.out_features];
  const [channels, ...size] = cameIn;
  if (type === "AdaptiveAvgPool2d")
    return [channels, ...sidesOf(options, "output_size").map(([n]) => n)];
  if (type === "ConvTranspose2d") {
    const names = ["kernel_size", "stride", "padding", "dilation", "output_padding"];
    const out = sidesOf(options, ...names).map(
      ([k, s, p, d, o], i) => (size[i] - 1) * s - 2 * p + d * (k - 1) + o + 1,
    );
    return [options.out_channels, ...out];
  }
  if (type === "Conv2d" && options.padding === "same") return [options.out_channels, ...size];
  if (type !== "Conv2d" && !POOLS.includes(type)) return cameIn;
  const all = { dilation: 1, ...options };
  const out = sidesOf(all, "kernel_size", "stride", "padding", "dilation").map((side, i) =>
    windowsAlong(size[i], side, options.ceil_mode),
  );
  return [options.out_channels ?? channels, ...out];
}

function windowsAlong(size, [kernel, stride, padding, dilation], ceilMode) {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  let count = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  // The last window may not begin behind the input and the padding before it.
  if (ceilMode && (count - 1) * stride >= size + padding) count -= 1;
  return count;
}

function areaOf(options) {
  const [[height], [width]] = sidesOf(options, "kernel_size");
  return height * width;
}

function countParameters({ type, options }) {
  if (NORMS.includes(type)) return options.affine ? 2 * options.num_features : 0;
  if (type === "Linear")
    return options.out_features * (options.in_features + (options.bias ? 1 : 0));
  if (!CONVOLUTIONS.includes(type)) return 0;
  const { in_channels, out_channels, groups, bias } = options;
  return (in_channels / groups) * out_channels * areaOf(options) + (bias ? out_channels : 0);
}

function countMacs({ type, options }, cameIn, shape) {
  const count = (sizes) => BigInt(sizes.reduce((product, n) => product * n, 1));
  if (type === "Linear") return count(shape) * BigInt(options.in_features);
  if (!CONVOLUTIONS.includes(type)) return 0n;
  // Each output cell is a sum; the other way round, each input cell is spread over the output.
  const [cells, channels] =
    type === "Conv2d" ? [shape, options.in_channels] : [cameIn, options.out_channels];
  return (count(cells) * BigInt(channels) * BigInt(areaOf(options))) / BigInt(options.groups);
}

function fieldAfter({ type, options }, field, cameIn) {
  if (type === "AdaptiveAvgPool2d" || (type === "Linear" && cameIn.length === 1)) return EVERYTHING;
  if (field === EVERYTHING || !(CONVOLUTIONS.includes(type) || POOLS.includes(type))) return field;
  const sides = sidesOf({ dilation: 1, ...options }, "kernel_size", "stride", "dilation");
  return sides.map(([k, s, d], i) => {
    const [reach, jump] = field[i];
    return type === "ConvTranspose2d" // s output cells share one step of the input
      ? [reach + Math.floor(((k - 1) * d) / s) * jump, jump / s]
      : [reach + (k - 1) * d * jump, jump * s];
  });
}

function writeField(field, inputSize) {
  const all = inputSize.length === 3 ? inputSize.slice(1) : inputSize;
  const sides = field === EVERYTHING ? all : field.map(([reach]) => Math.ceil(reach));
  if (sides.length === 0) return null;
  return sides.every((n) => n === sides[0]) ? sides[0] : sides;
}

/** New layers, in which the mend of a mismatch is done. */
export function mendLayers(layers, { index, action, option, value }) {
  const mended = structuredClone(layers);
  if (action === "set") mended[index].options[option] = value;
  else if (action === "insert") mended.splice(index, 0, { type: "Flatten", options: {} });
  else if (action === "move") mended.splice(index, 0, ...mended.splice(value, 1));
  else if (action === "replace") mended[index].type = value;
  else mended.splice(index, 1);
  return mended;
}

/** A new layer with options that fit the shape which comes in, as far as any do. */
export function freshLayer(type, cameIn) {
  const [channels, ...size] = cameIn;
  const smallest = Math.min(...(size.length ? size : [1]));
  const usual = {
    in_channels: channels,
    out_channels: type === "Conv2d" ? Math.min(512, Math.max(8, 2 * channels)) : channels,
    kernel_size: type === "Conv2d" ? 3 : Math.min(2, smallest),
    in_features: cameIn.reduce((product, n) => product * n, 1),
    out_features: 10,
    num_features: channels,
    output_size: 1,
    dim: 1,
  };
  if (CONVOLUTIONS.includes(type)) usual.in_channels = Math.min(channels, 65536);
  if (type === "Conv2d") usual.padding = 1;
  if (type === "ConvTranspose2d") Object.assign(usual, { kernel_size: 2, stride: 2 });
  if (POOLS.includes(type)) usual.stride = usual.kernel_size;
  const options = {};
  for (const option of LAYER_TYPES[type])
    options[option.name] = usual[option.name] ?? option.default;
  return { type, options };
}

/** The layers as Python text; run, it leaves the network in `model`. */
export function writeCode(layers) {
  const calls = layers.map((layer) => `nn.${layer.type}(${writeArguments(layer).join(", ")})`);
  if (!layers.some((layer) => layer.name)) {
    const body = calls.map((call) => `    ${call},\n`).join("");
    return `from torch import nn\n\nmodel = nn.Sequential(\n${body})\n`;
  }
  const body = calls.map(
    (call, i) => `            (${formatValue(layers[i].name ?? String(i))}, ${call}),\n`,
  );
  return (
    "from collections import OrderedDict\n\nfrom torch import nn\n\n" +
    `model = nn.Sequential(\n    OrderedDict(\n        [\n${body.join("")}        ]\n    )\n)\n`
  );
}

function writeArguments({ type, options }) {
  const written = [];
  for (const { name, kind, default: given } of LAYER_TYPES[type]) {
    const value = options[name];
    const isStride = POOLS.includes(type) && name === "stride";
    const usual = isStride ? options.kernel_size : given;
    if (usual === null && kind === "whole" && name !== "dim") written.push(formatValue(value));
    else if (String(value) !== String(usual) || name === "p")
      written.push(`${name}=${formatValue(value)}`);
  }
  return written;
}
