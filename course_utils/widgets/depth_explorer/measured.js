// The measured accuracies of DepthExplorer: only what was measured, nothing between.

import { svg } from "./picture.js";
import { countNetwork, measuredOf, shortCount } from "./counts.js";

const HEIGHT = 280;
const SHAPES = [
  "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0", // a circle
  "M-7.5 -7.5h15v15h-15z", // a square
  "M0 -12.5L12.5 0L0 12.5L-12.5 0z", // a diamond
];
const EDGE = { left: 52, right: 14, top: 12, bottom: 40 };

/** An accuracy or its limit in per cent: "98.7 %". */
export function writeAccuracy(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** A measurement in words: "98.7 %, interval 98.5 % to 98.9 %, 5 seeds". */
export function writeMeasured({ accuracy, low, high, seeds }) {
  const many = seeds ? `, ${seeds} seed${seeds === 1 ? "" : "s"}` : "";
  const interval = `${writeAccuracy(low)} to ${writeAccuracy(high)}`;
  return `${writeAccuracy(accuracy)}, interval ${interval}${many}`;
}

/** The same, short: "98.7 % (98.5–98.9)". */
export function writeInterval({ accuracy, low, high }) {
  return `${writeAccuracy(accuracy)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
}

/**
 * Accuracy against cost, on a logarithmic axis.
 *
 * `go(point, row)` is called for each point's element, to make it answer a click. This network is
 * marked with a diamond and its name, its partners with squares and theirs; a network that was not
 * measured gets a dashed line at its cost.
 */
export function drawMeasured({ results, network, partners, what, width, go }) {
  const own = countNetwork(network, what);
  const here = measuredOf(results, network);
  const costs = [own, ...results.map((row) => countNetwork(row, what))].map(Math.log10);
  const [least, most] = [Math.min(...costs) - 0.12, Math.max(...costs) + 0.12];
  const lows = Math.min(...results.map((row) => row.low));
  const highs = Math.max(...results.map((row) => row.high));
  const margin = Math.max(0.002, (highs - lows) * 0.06);
  const [bottom, top] = [Math.max(0, lows - margin), Math.min(1, highs + margin)];
  const floor = HEIGHT - EDGE.bottom;
  const [wide, high] = [width - EDGE.left - EDGE.right, floor - EDGE.top];
  const x = (count) => EDGE.left + ((Math.log10(count) - least) / (most - least)) * wide;
  const y = (share) => floor - ((share - bottom) / (top - bottom)) * high;
  const parts = drawAxes({ least, most, bottom, top, x, y, what, width });
  const axes = parts.length;

  if (!here)
    parts.push(svg("path", { class: "cu-unmeasured", d: `M${x(own)} ${EDGE.top}V${floor}` }));
  const named = [];
  const isPartner = (row) =>
    row.kernel_size === network.kernel_size &&
    row.input_size === network.input_size &&
    partners.some((partner) => partner.depth === row.depth && partner.width === row.width);
  const marked = (row) => (row === here ? 2 : isPartner(row) ? 1 : 0);
  for (const row of [...results].sort((a, b) => marked(a) - marked(b))) {
    const [cx, cy] = [x(countNetwork(row, what)), y(row.accuracy)];
    const mark = marked(row);
    const bar = `M${cx} ${y(row.low)}V${y(row.high)}m-4 0h8M${cx - 4} ${y(row.low)}h8`;
    const place = { x: cx, y: cy + 3.5, "text-anchor": "middle" };
    const words = `depth ${row.depth} × width ${row.width}, kernel ${row.kernel_size}`;
    const point = svg(
      "g",
      { class: `cu-point cu-point-${mark}`, "data-network": `${row.depth}×${row.width}` },
      svg("path", { class: "cu-interval", d: bar }),
      svg("path", { class: "cu-shape", d: SHAPES[mark], transform: `translate(${cx} ${cy})` }),
      svg("text", { ...place, class: "cu-digit-in" }, String(row.depth)),
      svg("title", {}, `${words}: ${writeMeasured(row)}`),
    );
    go(point, row);
    parts.push(point);
    const name = `${row.depth} × ${row.width}, ${writeAccuracy(row.accuracy)}`;
    if (mark) named.push({ cx, cy, text: mark === 2 ? `this: ${name}` : name });
  }
  if (!here) named.push({ cx: x(own), cy: floor - 4, text: "this network: not measured" });
  const names = placeNames(named, width);
  parts.splice(axes, 0, ...names.map(({ line }) => line)); // under the points
  parts.push(...names.map(({ text }) => text));
  const size = { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` };
  const words =
    `Accuracy of ${results.length} measured networks against their ` +
    `${what === "macs" ? "MACs" : "parameters"}. ` +
    (here ? `This network: ${writeMeasured(here)}.` : "This network was not measured.");
  return svg("svg", { ...size, role: "img", "aria-label": words }, ...parts);
}

/** The names of the marked points, in the corner that curves of this kind leave free. */
function placeNames(named, width) {
  const x = Math.min(width - 190, Math.max(...named.map(({ cx }) => cx)) + 44);
  const sorted = [...named].sort((a, b) => a.cy - b.cy);
  const first = HEIGHT - EDGE.bottom - 10 - (sorted.length - 1) * 14;
  return sorted.map(({ cx, cy, text }, i) => {
    const y = first + 14 * i;
    return {
      line: svg("path", { class: "cu-leader", d: `M${x - 3} ${y}L${cx} ${cy}` }),
      text: svg("text", { class: "cu-strong cu-halo", x, y: y + 4 }, text),
    };
  });
}

function drawAxes({ least, most, bottom, top, x, y, what, width }) {
  const [floor, right] = [HEIGHT - EDGE.bottom, width - EDGE.right];
  const parts = [];
  const text = (place, words) => parts.push(svg("text", { class: "cu-quiet", ...place }, words));
  const factors = most - least > 2.5 ? [1] : most - least > 1.2 ? [1, 3] : [1, 2, 5];
  for (let power = Math.floor(least); power <= most; power++)
    for (const factor of factors) {
      const count = factor * 10 ** power;
      if (Math.log10(count) < least || Math.log10(count) > most || count < 1) continue;
      parts.push(svg("path", { class: "cu-tick", d: `M${x(count)} ${floor}v5` }));
      const outside = x(count) > width - 36; // the label would be cut off
      const [at, anchor] = outside ? [width - 2, "end"] : [x(count), "middle"];
      text({ x: at, y: floor + 17, "text-anchor": anchor }, shortCount(count));
    }
  const steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
  const step = steps.find((size) => (top - bottom) / size <= 6) ?? 0.2;
  for (let i = Math.ceil(bottom / step - 1e-9); i * step <= top + 1e-9; i++) {
    const percent = (100 * i * step).toFixed(step < 0.01 ? 1 : 0);
    parts.push(svg("path", { class: "cu-level", d: `M${EDGE.left} ${y(i * step)}H${right}` }));
    text({ x: EDGE.left - 6, y: y(i * step) + 4, "text-anchor": "end" }, `${percent} %`);
  }
  parts.push(svg("path", { class: "cu-ground", d: `M${EDGE.left} ${floor}H${right}` }));
  const unit = what === "macs" ? "MACs for one image" : "parameters";
  const middle = { x: (EDGE.left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle" };
  text(middle, `${unit} (logarithmic)`);
  return parts;
}
