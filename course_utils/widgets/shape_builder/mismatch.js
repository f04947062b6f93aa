// Why a layer does not fit what comes in, and what would mend it: `mismatch.py` says the
// same. Shapes are those of one image, [C, H, W], or one row of features, [F]. No DOM here.

import { CONVOLUTIONS, NORMS, POOLS, formatValue, labelLayer } from "./catalogue.js";

const MOST_NUMBERS = 2 ** 30; // in one tensor; as float32 that is 4 GiB
const IMAGES_ONLY = [...CONVOLUTIONS, ...POOLS, "AdaptiveAvgPool2d", "BatchNorm2d"];
const FEATURES_ONLY = ["Linear", "BatchNorm1d", "Softmax"]; // a Flatten before one stays there

/**
 * Why layer `index`, to which `shapes[index]` comes, does not fit; null where it does.
 * { index, name, type, sentence, mend, action, option, value }, as in Python.
 */
export function findMismatch(layers, shapes, index) {
  const { type, options } = layers[index];
  const cameIn = shapes[index];
  const gives = whatComes(layers, shapes, index);
  let problem = optionsAtOdds(type, options);
  if (!problem && IMAGES_ONLY.includes(type) && cameIn.length === 1)
    problem = noImage(layers, shapes, index, gives);
  problem ??= wrongCount(type, options, cameIn, gives);
  if (cameIn.length === 3) problem ??= noRoom(type, options, cameIn, gives);
  return problem && refuseAt(layers, index, ...problem);
}

/** The mismatch of a layer whose output `shape` has too many numbers to go on with, or null. */
export function findTooLarge(layers, shape, index) {
  if (shape.reduce((product, n) => product * n, 1) <= MOST_NUMBERS) return null;
  const most = MOST_NUMBERS.toLocaleString("en-GB");
  const says = `would give ${writeShape(shape)}, more numbers than the ${most} of 4 GiB`;
  return refuseAt(layers, index, says, "delete");
}

/** 32 × 5 × 5, or 800 features. */
export function writeShape(shape) {
  return shape.length === 3 ? shape.join(" × ") : plural(shape[0], "feature");
}

function refuseAt(layers, index, says, action, option = null, value = null) {
  const mend = {
    set: () => `set ${option}=${formatValue(value)}`,
    insert: () => "insert a Flatten before it",
    move: () => `move ${labelLayer(layers, value)} behind it`,
    replace: () => `use ${value}`,
    delete: () => "delete it",
  }[action]();
  const { name, type } = layers[index];
  const sentence = `${labelLayer(layers, index)} ${says}: ${mend}`;
  return { index, name: name ?? String(index), type, sentence, mend, action, option, value };
}

function whatComes(layers, shapes, index) {
  const shape = shapes[index];
  if (index === 0) return `the input ${shape.length === 3 ? "is" : "has"} ${writeShape(shape)}`;
  const before = shapes[index - 1];
  const joined = layers[index - 1].type === "Flatten" && before.length === 3;
  const written = joined ? `${writeShape(before)} = ${writeShape(shape)}` : writeShape(shape);
  return `${labelLayer(layers, index - 1)} gives ${written}`;
}

// Each of these returns null, or what `refuseAt` takes: [says, action, option, value].

function optionsAtOdds(type, options) {
  if (CONVOLUTIONS.includes(type)) {
    const { groups, in_channels, out_channels } = options;
    for (const [name, count] of Object.entries({ in_channels, out_channels })) {
      if (count % groups === 0) continue;
      const says = `has groups=${groups}, which does not divide ${name}=${count}`;
      return [says, "set", "groups", commonDivisor(in_channels, out_channels, groups)];
    }
  }
  if (options.padding === "same" && options.stride !== 1) {
    const stride = formatValue(options.stride);
    const says = `has padding="same", which keeps the size, so stride=${stride} is not allowed`;
    return [says, "set", "stride", 1];
  }
  if (type === "ConvTranspose2d") {
    const most = sidesOf(options, "stride", "dilation").map(([s, d]) => Math.max(s, d) - 1);
    return atMost(options, "output_padding", most, "its stride and dilation allow");
  }
  if (POOLS.includes(type)) {
    const half = sidesOf(options, "kernel_size").map(([k]) => Math.floor(k / 2));
    const kernel = formatValue(options.kernel_size);
    return atMost(options, "padding", half, `kernel_size=${kernel} allows`);
  }
  return null;
}

function commonDivisor(one, two, most) {
  let best = 1;
  for (let n = 2; n <= Math.min(one, two, most); n++) if (one % n === 0 && two % n === 0) best = n;
  return best;
}

function atMost(options, name, most, reason) {
  const values = sidesOf(options, name).map(([value]) => value);
  if (values.every((value, side) => value <= most[side])) return null;
  const allowed = formatValue(oneOrTwo(most));
  const says = `has ${name}=${formatValue(options[name])}, but ${reason} at most ${allowed}`;
  return [says, "set", name, oneOrTwo(values.map((value, side) => Math.min(value, most[side])))];
}

function noImage(layers, shapes, index, gives) {
  const says = `expects an image (C, H, W), but ${gives}`;
  if (layers[index].type === "BatchNorm2d") return [says, "replace", null, "BatchNorm1d"];
  let last = index - 1; // the Flatten behind which there was no image any more
  while (last >= 0 && shapes[last].length === 1) last -= 1;
  const between = layers.slice(last + 1, index);
  const kept = last < 0 || between.some((layer) => FEATURES_ONLY.includes(layer.type));
  return kept ? [says, "delete"] : [says, "move", null, last];
}

function wrongCount(type, options, cameIn, gives) {
  const image = cameIn.length === 3;
  const count = cameIn[0];
  const last = cameIn.at(-1);
  const which = image ? `, which is ${plural(count, "channel")}` : "";
  if (CONVOLUTIONS.includes(type) && options.in_channels !== count) {
    const says = `expects in_channels=${options.in_channels}, but ${gives}${which}`;
    return [says, "set", "in_channels", count];
  }
  if (type === "BatchNorm1d" && image)
    return [`expects features, but ${gives}`, "replace", null, "BatchNorm2d"];
  if (NORMS.includes(type) && options.num_features !== count) {
    const says = `expects num_features=${options.num_features}, but ${gives}${which}`;
    return [says, "set", "num_features", count];
  }
  if (type === "Linear" && options.in_features !== last) {
    const says = `expects in_features=${options.in_features}, but ${gives}`;
    if (!image) return [says, "set", "in_features", count];
    const why = `it works along the last axis, which has ${last}. Usually a Flatten is missing`;
    return [`${says}, and ${why}`, "insert"];
  }
  const axes = cameIn.length + 1;
  if (type === "Softmax" && !(-axes <= options.dim && options.dim < axes)) {
    const says = `has dim=${options.dim}, but ${gives}: with the batch that is ${axes} axes`;
    return [says, "set", "dim", 1];
  }
  return null;
}

function noRoom(type, options, cameIn, gives) {
  const size = cameIn.slice(1);
  if (type === "ConvTranspose2d") {
    const sides = sidesOf(options, "kernel_size", "stride", "dilation", "output_padding");
    const full = sides.map(([k, s, d, o], i) => (size[i] - 1) * s + d * (k - 1) + o + 1);
    const most = full.map((n) => Math.floor((n - 1) / 2));
    return atMost(options, "padding", most, `the ${full.join(" × ")} cells that it makes allow`);
  }
  if (!["Conv2d", ...POOLS].includes(type) || options.padding === "same") return null;
  const { dilation = 1 } = options;
  const rooms = [];
  const reaches = [];
  const sides = sidesOf({ ...options, dilation }, "kernel_size", "stride", "padding", "dilation");
  const fits = sides.map(([k, s, p, d], i) => {
    rooms.push(size[i] + 2 * p);
    reaches.push(d * (k - 1) + 1);
    // Rounding up lets a window hang over the end, by less than a stride.
    const over = options.ceil_mode ? s - 1 : 0;
    return reaches[i] - over <= rooms[i] ? k : Math.floor((rooms[i] - 1) / d) + 1;
  });
  if (sides.every(([k], i) => fits[i] === k)) return null;
  const spread = dilation === 1 ? "" : ` with dilation=${formatValue(dilation)}`;
  const padded = options.padding === 0 ? "" : `, ${rooms.join(" × ")} with its padding`;
  const says = `covers ${reaches.join(" × ")} cells${spread}, but ${gives}${padded}`;
  return [says, "set", "kernel_size", oneOrTwo(fits)];
}

function oneOrTwo(sides) {
  return sides[0] === sides[1] ? sides[0] : sides;
}

/** For the height and for the width: the values of these options. */
export function sidesOf(options, ...names) {
  const at = (value, side) => (Array.isArray(value) ? value[side] : value);
  return [0, 1].map((side) => names.map((name) => at(options[name], side)));
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
