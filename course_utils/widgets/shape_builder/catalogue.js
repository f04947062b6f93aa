// The layers that a ShapeBuilder knows, and how their options are checked, read and written, in the
// same sentences as in `catalogue.py`. No DOM here.

import LAYERS from "./layers.json" with { type: "json" };

const MOST_CELLS = 1024; // per axis of an input image
const MOST_FEATURES = 2 ** 20; // of an input that is none

/** Every type of layer with its options: { name, kind, default, low, high, place }. */
export const LAYER_TYPES = LAYERS;

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
    if (!isGiven && option.default === null && !isPoolStride(type, option))
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
