// What GradientTracer says of a cell: the sum behind it, and which cells feed it. No DOM here.

import { formatFactor, formatNumber, writeTerms } from "../shared/numbers.js";
import { gradientTerms, pooledCells, sameCell } from "./gradients.js";

const MOST_TERMS = 9; // longer sums leave their zeros out

/** A cell as it is named: "(0, 1)". */
export function namePlace([row, column]) {
  return `(${row}, ${column})`;
}

/** What is differentiated: "L", or "y[0, 1]". */
export function sourceName({ source }) {
  return source === "loss" ? "L" : `y[${source[0]}, ${source[1]}]`;
}

/** A gradient's name: "dL/dW", and of one cell "dL/dW[0, 1]". */
export function gradientName(state, name, row, column) {
  const cell = row === undefined || name === "b" ? "" : `[${row}, ${column}]`;
  return `d${sourceName(state)}/d${name}${cell}`;
}

/** A list in words: "a", "a and b", "a, b and c". */
export function joinWords(parts) {
  return [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");
}

/** A sum whose terms are written in `texts` and worth `values`: what stands before the last "=". */
export function writeSum(texts, values) {
  if (texts.length <= MOST_TERMS) return { sum: texts.join(" + "), note: "" };
  const kept = texts.filter((_, i) => values[i] !== 0);
  const left = texts.length - kept.length;
  if (!kept.length) return { sum: "", note: ` (all ${left} terms are 0)` };
  const what = left === 1 ? "term that is" : "terms that are";
  return { sum: kept.join(" + "), note: left ? ` (${left} ${what} 0 left out)` : "" };
}

/** Numbers near 0 that are not 0 keep two digits: "0.0012". */
function writeSmall(value) {
  const text = formatNumber(value);
  if (text !== "0" || value === 0) return text;
  return String(Number(value.toPrecision(2))).replaceAll("-", "−");
}

/** Whether two decimals are enough for a number. */
function isWrittenExactly(value) {
  return Math.abs(Number(formatNumber(value).replaceAll("−", "-")) - value) < 1e-9;
}

/** "tie: 7 stands at (1, 0) and (1, 1); the first in reading order takes it", or nothing. */
export function tellTie(state, { a, winners }, i, j) {
  const best = a[winners[i][j][0]][winners[i][j][1]];
  const equal = pooledCells(state, i, j).filter(([p, q]) => a[p][q] === best);
  if (equal.length < 2) return "";
  const places = joinWords(equal.map(namePlace));
  return `tie: ${writeSmall(best)} stands at ${places}; the first in reading order takes it`;
}

/**
 * The sum behind a gradient cell: { text, cells }, where `cells` has for each grid that goes into
 * it the places as [row, column, whether its term is 0].
 */
export function explainGradient(state, forward, gradients, name, row, column) {
  const terms = gradientTerms(state, forward, gradients, name, row, column);
  const value = gradients[name][row][column];
  const cells = {};
  for (const { up, local, cells: read } of terms)
    for (const [grid, place] of Object.entries(read))
      (cells[grid] ??= []).push([...place, up * local === 0]);
  const whose = gradientName(state, name, row, column);
  const tell = { y: tellOutput, a: tellPooled, z: tellRectified }[name] ?? tellSum;
  const told = tell({ state, forward, name, row, column, terms, value });
  return { text: `${whose} = ${told}.`, cells };
}

function tellOutput({ state, forward, row, column, terms, value }) {
  if (state.source !== "loss")
    return value ? "1: this is the output that was chosen" : "0: another output was chosen";
  if (state.loss === "sum") return `1: L adds up y, and y[${row}, ${column}] counts once`;
  const [y, t] = [forward.y[row][column], forward.t[row][column]].map(formatFactor);
  return `2·(y − t) = 2·(${y} − ${t}) = ${formatNumber(terms[0].up * terms[0].local)}`;
}

function tellPooled({ state, forward, row, column, terms, value }) {
  const result = formatNumber(value);
  if (state.pooling === "none")
    return `${gradientName(state, "y", row, column)} = ${result}: without pooling, y is a`;
  if (!terms.length) return "0: no pooling window covers this cell";
  const outputs = (kept) => {
    const places = joinWords(kept.map(({ cells }) => namePlace(cells.dy)));
    return `output${kept.length > 1 ? "s" : ""} ${places}`;
  };
  if (state.pooling === "average") {
    const parts = terms.map(({ up }) => `${formatFactor(up)}/${state.pool_size ** 2}`);
    const { sum, note } = writeSum(parts, terms.map(({ up }) => up));
    return `${[sum, result].filter(Boolean).join(" = ")}, from ${outputs(terms)}${note}`;
  }
  const won = terms.filter(({ local }) => local);
  const ties = terms.map(({ cells }) => tellTie(state, forward, ...cells.dy));
  const here = forward.a[row][column];
  const told = terms
    .map(({ cells: { dy }, local }, i) => {
      const place = forward.winners[dy[0]][dy[1]];
      const best = forward.a[place[0]][place[1]];
      if (ties[i] && best === here) return ties[i];
      return local ? "" : `${writeSmall(best)} at ${namePlace(place)} wins output ${namePlace(dy)}`;
    })
    .filter(Boolean);
  const more = [...new Set(told)].join("; ");
  if (!won.length) return `0: ${more}`;
  const sum = won.map(({ up }) => formatFactor(up)).join(" + ");
  const whole = won.length > 1 ? `${sum} = ${result}` : result;
  return `${whole}, from ${outputs(won)}${more && `; ${more}`}`;
}

function tellRectified({ state, forward, row, column, terms: [{ up, local }], value }) {
  const z = forward.z[row][column];
  const step = `${gradientName(state, "a", row, column)}·${local} = ${formatFactor(up)}·${local}`;
  const why = local
    ? `ReLU is open, z = ${writeSmall(z)} > 0`
    : z < 0
      ? `ReLU is shut, z = ${writeSmall(z)} < 0`
      : "ReLU is shut, z = 0, where torch takes the slope 0";
  return `${step} = ${formatNumber(value)}: ${why}`;
}

function tellSum({ state, name, terms, value }) {
  if (!terms.length) return "0: no window of the convolution reads this cell";
  const texts =
    name === "b"
      ? terms.map(({ up }) => formatFactor(up))
      : writeTerms(terms.map(({ up }) => up), terms.map(({ local }) => local));
  const { sum, note } = writeSum(texts, terms.map(({ up, local }) => up * local));
  const factors = { W: " · x", x: " · W", b: "" }[name];
  const numbers = terms.flatMap(({ up, local }) => [up, local]);
  const equals = numbers.every(isWrittenExactly) ? " = " : " ≈ ";
  const whole = [sum, formatNumber(value)].filter(Boolean).join(equals);
  return `${whole}, the sum of ${gradientName(state, "z")}${factors}${note}`;
}

/** How a forward number comes about: { text, cells } as in `explainGradient`. */
export function explainForward(state, forward, name, row, column) {
  const { padded, z, a, y, t, loss, winners } = forward;
  const { kernel, stride, padding, pooling, pool_size } = state;
  const at = `${name}[${row}, ${column}]`;
  if (name === "z") {
    const [values, weights, cells] = [[], [], { x: [], W: [], b: [[0, 0]] }];
    kernel.forEach((line, m) =>
      line.forEach((weight, n) => {
        const place = [row * stride + m, column * stride + n];
        values.push(padded[place[0]][place[1]]);
        weights.push(weight);
        cells.x.push(place);
        cells.W.push([m, n]);
      }),
    );
    const products = values.map((value, i) => value * weights[i]);
    const { sum, note } = writeSum(writeTerms(values, weights), products);
    const whole = [sum || "0", formatFactor(state.bias)].join(" + ");
    return { text: `${at} = ${whole} = ${formatNumber(z[row][column])}${note}.`, cells };
  }
  if (name === "a") {
    const value = z[row][column];
    const shut = value > 0 ? "" : ": ReLU is shut";
    const text = `${at} = max(0, ${writeSmall(value)}) = ${formatNumber(a[row][column])}${shut}.`;
    return { text, cells: { z: [[row, column]] } };
  }
  if (name === "y") {
    const places = pooledCells(state, row, column);
    const values = places.map(([p, q]) => a[p][q]);
    const result = formatNumber(y[row][column]);
    const cells = { a: places };
    if (pooling === "none") return { text: `${at} = a[${row}, ${column}] = ${result}.`, cells };
    if (pooling === "average")
      return {
        text: `${at} = (${values.map(formatFactor).join(" + ")})/${pool_size ** 2} = ${result}.`,
        cells,
      };
    const tie = tellTie(state, forward, row, column);
    const winner = winners[row][column];
    const from = tie || `from a[${winner[0]}, ${winner[1]}]`;
    cells.a = places.map((place) => [...place, !sameCell(place, winner)]);
    const all = values.map(writeSmall).join(", ");
    return { text: `${at} = max(${all}) = ${result}, ${from}.`, cells };
  }
  if (name === "L") {
    const squared = state.loss === "squared error";
    const texts = y.flatMap((line, i) =>
      line.map((value, j) =>
        squared ? `(${formatFactor(value)} − ${formatFactor(t[i][j])})²` : formatFactor(value),
      ),
    );
    const values = y.flatMap((line, i) => line.map((value, j) => value - (squared ? t[i][j] : 0)));
    const { sum, note } = writeSum(texts, values);
    const cells = { y: y.flatMap((line, i) => line.map((_, j) => [i, j])) };
    const alone = texts.length === 1 && !squared ? "y[0, 0]" : sum;
    const whole = [alone, formatNumber(loss)].filter(Boolean).join(" = ");
    return { text: `L = ${whole}${note}.`, cells: squared ? { ...cells, t: cells.y } : cells };
  }
  return { text: tellGiven(state, forward, name, row, column), cells: {} };
}

function tellGiven(state, { padded, t }, name, row, column) {
  const { padding, kernel, input } = state;
  if (name === "W") return `W[${row}, ${column}] = ${formatNumber(kernel[row][column])}.`;
  if (name === "b") return `b = ${formatNumber(state.bias)}, added to every cell of z.`;
  if (name === "t") return `target: t[${row}, ${column}] = ${formatNumber(t[row][column])}.`;
  const [r, c] = [row - padding, column - padding];
  const value = formatNumber(padded[row][column]);
  return input[r]?.[c] === undefined ? `padding: ${value}.` : `x[${r}, ${c}] = ${value}.`;
}

/** The line that compares a gradient cell with its finite difference `found`. */
export function writeDifference(state, name, row, column, exact, found) {
  const [of, cell] = [sourceName(state), name === "b" ? "b" : `${name}[${row}, ${column}]`];
  const write = (value) => value.toFixed(4).replace(/^-(0\.0+)$/, "$1").replace("-", "−");
  const corner = " At a tie or at 0 the function has a corner: the two need not agree.";
  return (
    `Check with h = 0.0001: (${of}(${cell} + h) − ${of}(${cell} − h)) / 2h = ` +
    `${write(found.value)}; the gradient is ${write(exact)}.${found.agrees ? "" : corner}`
  );
}

/** The loss and the gradients of W and b, or, where not `whole` is filled, how to fill them. */
export function summarize(state, forward, gradients, whole) {
  const short = forward.y.flat().length <= MOST_TERMS;
  const loss = short
    ? explainForward(state, forward, "L", 0, 0).text
    : `L = ${formatNumber(forward.loss)}.`;
  if (!whole) return `${loss} Press step or play to fill in the gradients of ${sourceName(state)}.`;
  const rows = gradients.W.map((line) => line.map(formatNumber).join(" ")).join("; ");
  const bias = `${gradientName(state, "b")} = ${formatNumber(gradients.b[0][0])}`;
  const weights = `${gradientName(state, "W")}: ${rows}`;
  return `${loss} ${weights}. ${bias}. Point at a gradient to see its sum.`;
}
