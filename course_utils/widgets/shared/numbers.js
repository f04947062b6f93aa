// How numbers are written, in the same words as in Python (`plotting.format_number`). No DOM here.

/** A number as a person writes it: no trailing zeros, at most 2 decimals, a true minus sign. */
export function formatNumber(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  let text;
  if (Math.abs(value) < 1e5) {
    text = roundHalfEven(value).toFixed(2).replace(/\.?0+$/, "");
    if (text === "-0") text = "0";
  } else {
    // Python's way to write a large number: 1.23e+05, with at least two digits after the e.
    text = Number(value.toPrecision(3))
      .toExponential()
      .replace(/e([+-])(\d)$/, "e$10$2");
  }
  return text.replaceAll("-", "−");
}

// toFixed rounds 0.125 up to 0.13; Python's format, where two answers are equally near, takes the
// even one. Such ties are odd multiples of 1/8 at most, where this multiplication is exact.
function roundHalfEven(value) {
  const hundredfold = value * 100;
  const tie = Number.isInteger(value * 8) && Math.abs(hundredfold % 1) === 0.5;
  return tie ? (2 * Math.round(hundredfold / 2)) / 100 : value;
}

/** A number as a factor in a product: in brackets where it has a sign. */
export function formatFactor(value) {
  const text = formatNumber(value);
  return text.startsWith("−") ? `(${text})` : text;
}

/** The terms of a sum of products, as a person writes them: ["1·1", "2·2", …]. */
export function writeTerms(values, weights) {
  return values.map((value, i) => `${formatFactor(value)}·${formatFactor(weights[i])}`);
}

/** The sentence with which Python's `Whole` refuses a number; null where it is possible. */
export function refuseWhole(name, value, low, high) {
  const possible = Number.isInteger(value) && low <= value && value <= high;
  return possible
    ? null
    : `${name}=${value} is not possible: give a whole number from ${low} to ${high}`;
}

/** The number that a person typed: both minus signs, a decimal point or comma; NaN for no number. */
export function parseNumber(text) {
  const plain = text.trim().replaceAll("−", "-").replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}
