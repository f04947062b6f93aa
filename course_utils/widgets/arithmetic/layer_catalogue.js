// The layers that a ShapeBuilder knows, and how their options are checked, read and written.
// The same table and the same sentences stand in `_layer_catalogue.py`. No DOM here.

const CHANNELS = 65536;
const FEATURES = 2 ** 30;
const MOST_CELLS = 1024; // per axis of an input image
const MOST_FEATURES = 2 ** 20; // of an input that is none

function whole(name, { high = CHANNELS, fallback = null, low = 1, place = "main" } = {}) {
  return { name, kind: "whole", fallback, low, high, place };
}

function pair(name, { kind = "pair", fallback = null, low = 1, high = 64, place = "main" } = {}) {
  return { name, kind, fallback, low, high, place };
}

function real(name, fallback, low, high, place = "main") {
  return { name, kind: "number", fallback, low, high, place };
}

function yesNo(name, fallback, place = "more") {
  return { name, kind: "yesno", fallback, low: 0, high: 1, place };
}

const CONVOLUTION = [
  whole("in_channels"),
  whole("out_channels"),
  pair("kernel_size"),
  pair("stride", { fallback: 1 }),
];
const PADDING = { fallback: 0, low: 0 };
const DILATION = pair("dilation", { fallback: 1, place: "more" });
const GROUPS_AND_BIAS = [whole("groups", { fallback: 1, place: "more" }), yesNo("bias", true)];
const POOL = [
  pair("kernel_size"),
  pair("stride"), // where none is given, it is the kernel_size
  pair("padding", PADDING),
  yesNo("ceil_mode", false),
];
const NORM = [
  whole("num_features", { high: FEATURES }),
  real("eps", 1e-5, 0, 1, "kept"),
  real("momentum", 0.1, 0, 1, "kept"),
  yesNo("affine", true),
];
const INPLACE = yesNo("inplace", false, "kept");

/** Every type of layer with its options: { name, kind, fallback, low, high, place }. */
export const LAYER_TYPES = {
  Conv2d: [
    ...CONVOLUTION,
    pair("padding", { kind: "padding", ...PADDING }),
    DILATION,
    ...GROUPS_AND_BIAS,
  ],
  ConvTranspose2d: [
    ...CONVOLUTION,
    pair("padding", PADDING),
    pair("output_padding", { ...PADDING, place: "more" }),
    DILATION,
    ...GROUPS_AND_BIAS,
  ],
  Linear: [whole("in_features", { high: FEATURES }), whole("out_features"), yesNo("bias", true)],
  BatchNorm2d: NORM,
  BatchNorm1d: NORM,
  MaxPool2d: [...POOL, DILATION],
  AvgPool2d: [...POOL, yesNo("count_include_pad", true)],
  AdaptiveAvgPool2d: [pair("output_size", { high: 1024 })],
  Flatten: [],
  ReLU: [INPLACE],
  LeakyReLU: [real("negative_slope", 0.01, -10, 10), INPLACE],
  GELU: [],
  Sigmoid: [],
  Tanh: [],
  Softmax: [whole("dim", { low: -4, high: 3 })],
  Dropout: [real("p", 0.5, 0, 1), INPLACE],
  Dropout2d: [real("p", 0.5, 0, 1), INPLACE],
  Identity: [],
};

export const MOST_LAYERS = 64;
export const CONVOLUTIONS = ["Conv2d", "ConvTranspose2d"];
export const POOLS = ["MaxPool2d", "AvgPool2d"];
export const NORMS = ["BatchNorm2d", "BatchNorm1d"];

/** How a sentence names a layer: conv1 (Conv2d), or layer 0 (Conv2d). */
export function labelLayer(layers, index) {
  const { name, type } = layers[index];
  return name ? `${name} (${type})` : `layer ${index} (${type})`;
}

/** The sentence that refuses a size of the input; null for [C, H, W] or [features] that can be. */
export function refuseInput(size) {
  const most = { 1: MOST_FEATURES, 3: MOST_CELLS }[size.length] ?? 0;
  if (most && size.every((n) => Number.isInteger(n) && 1 <= n && n <= most)) return null;
  return (
    `input_size=(${showValue(size)}) is not possible: give (C, H, W), each from 1 to ` +
    `${MOST_CELLS}, or (features,) from 1 to ${MOST_FEATURES}, without a batch`
  );
}

/** The sentence that refuses a list of layers which no stack could have; null where it is fine. */
export function refuseLayers(layers) {
  if (layers.length > MOST_LAYERS)
    return `${layers.length} layers are too many: give at most ${MOST_LAYERS}`;
  for (const [index, layer] of layers.entries()) {
    const sentence = refuseLayer(layers, index, layer);
    if (sentence !== null) return sentence;
  }
  return null;
}

function refuseLayer(layers, index, { type, options }) {
  if (!Object.hasOwn(LAYER_TYPES, type))
    return `layer ${index} is of the type ${showValue(type)}: choose ${listTypes()}`;
  const me = labelLayer(layers, index);
  const names = LAYER_TYPES[type].map((option) => option.name);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      return `${me} has no option ${name}: its options are ${names.join(", ") || "none"}`;
  for (const option of LAYER_TYPES[type]) {
    const isGiven = Object.hasOwn(options, option.name);
    if (!isGiven && option.fallback === null && !isPoolStride(type, option))
      return `${me} needs ${option.name}: give its value in options`;
    const sentence = isGiven ? refuseOption(option, options[option.name], me) : null;
    if (sentence !== null) return sentence;
  }
  return null;
}

function isPoolStride(type, option) {
  return POOLS.includes(type) && option.name === "stride";
}

/** The sentence that refuses one value, `me` being the layer's label; null where it is possible. */
export function refuseOption({ name, kind, low, high }, value, me) {
  const within = (number) => typeof number === "number" && low <= number && number <= high;
  const isWhole = (number) => Number.isInteger(number) && within(number);
  const isPair = Array.isArray(value) && value.length === 2 && value.every(isWhole);
  const possible = {
    whole: isWhole(value),
    pair: isWhole(value) || isPair,
    padding: isWhole(value) || isPair || value === "same",
    number: within(value),
    yesno: typeof value === "boolean",
  }[kind];
  if (possible) return null;
  const allowed = {
    whole: `give a whole number from ${low} to ${high}`,
    pair: `give a whole number from ${low} to ${high}, or two for height and width`,
    padding: `give a whole number from ${low} to ${high}, two for height and width, or same`,
    number: `give a number from ${low} to ${high}`,
    yesno: "give True or False",
  }[kind];
  return `${me}: ${name}=${showValue(value)} is not possible: ${allowed}`;
}

/** What a person typed into the field of an option; a text where it is no number. */
export function parseOption({ kind }, text) {
  const plain = text.trim().replaceAll("−", "-");
  if (kind === "number") return /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(plain) ? +plain : plain;
  if (kind === "padding" && /^["']?same["']?$/i.test(plain)) return "same";
  const numbers = plain.replace(/^\((.*)\)$/, "$1").split(/\s*[,×x]\s*|\s+/);
  if (!numbers.every((number) => /^-?\d+$/.test(number))) return plain;
  if (numbers.length === 1) return +numbers[0];
  if (kind === "whole" || numbers.length !== 2) return plain;
  return numbers[0] === numbers[1] ? +numbers[0] : numbers.map(Number);
}

/** A value as its field shows it: 3, or 3, 5. */
export function writeOption(value) {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : formatValue(value);
}

/** A value as Python code has it: 3, (3, 5), "same", 0.5, True. */
export function formatValue(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `(${value.map(formatValue).join(", ")})`;
  if (typeof value !== "number") return JSON.stringify(value);
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return small ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
}

function showValue(value) {
  if (value === null) return "None";
  if (typeof value === "string") return value.length <= 40 ? value : `${value.slice(0, 39)}…`;
  if (!Array.isArray(value)) return formatValue(value);
  return value.slice(0, 4).map(showValue).join(", ") + (value.length > 4 ? ", …" : "");
}

function listTypes() {
  const names = Object.keys(LAYER_TYPES);
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
