// The network of DepthExplorer, drawn to scale: the input from the front, the layers from the side,
// and under each layer what it costs.

import { setAttribute } from "../shared/view.js";
import { grouped, seenBy, shortCount } from "./counts.js";

const TALLEST = 128; // pixels on the screen for the height of an input of 32 or more
const BAR_ROOM = 42;
const COSTS = [
  ["parameters", "parameters"],
  ["macs", "MACs"],
  ["bytes", "memory, bytes"],
];
// A five in one stroke, on a paper of 1 × 1: something to see behind the receptive field.
const DIGIT =
  "M.68 .22 L.42 .22 L.38 .47 C.5 .4 .68 .44 .69 .6 C.7 .77 .48 .84 .33 .73";

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

/** Where the columns of the layers are in a drawing `width` wide: `{ left, step, paper }`. */
export function placeColumns(count, width) {
  const paper = width >= 560 ? TALLEST : 92; // side of the largest input, from the front
  const left = paper + 24;
  return { left, step: Math.min(78, (width - left - 2) / count), paper };
}

/** The number of the layer whose column holds `x`, or null. */
export function columnAt(x, count, width) {
  const { left, step } = placeColumns(count, width);
  const index = Math.floor((x - left) / step);
  return 0 <= index && index < count ? index : null;
}

/**
 * The drawing of `network` (of `describeNetwork`), with layer number `chosen` marked.
 *
 * Heights are to scale with pixels, thicknesses with channels, bars with what they count.
 */
export function drawNetwork(network, chosen, width) {
  const { layers } = network;
  const { left, step, paper } = placeColumns(layers.length, width);
  const input = layers[0].size;
  const scale = paper / Math.max(32, input);
  const widest = Math.max(...layers.map((layer) => layer.channels));
  // To scale within a drawing. From one drawing to the next a wider network looks wider, but less
  // than in proportion: 256 channels and 1 would not both be seen.
  const thickness = (0.82 * step * Math.cbrt(widest / 256)) / widest;
  const middle = 16 + paper / 2;
  const parts = [];
  const right = left + step * layers.length;
  const at = (i) => left + (i + 0.5) * step;

  let y = 16 + paper + 18;
  const rows = [["layer", layers.map((layer) => shortName(layer, step))]];
  if (step >= 20) {
    rows.push(["channels", layers.map((layer) => layer.channels)]);
    rows.push(["rows, columns", layers.map((layer) => layer.size)]);
  }
  const bottom = y + rows.length * 16 + COSTS.length * (BAR_ROOM + 20) - 12;
  const band = { width: step, height: bottom };
  parts.push(
    svg("rect", { class: "cu-band", x: at(chosen) - step / 2, y: 2, rx: 3, ...band }),
    svg("path", { class: "cu-here", d: `M${at(chosen) - 5} 3h10l-5 7z` }),
    ...drawInput(layers[chosen], { input, scale, x: 4, y: middle - (input * scale) / 2 }),
  );
  layers.forEach((layer, i) => {
    const high = Math.max(1.5, layer.size * scale);
    const wide = Math.max(1.5, layer.channels * thickness);
    const place = { x: at(i) - wide / 2, y: middle - high / 2, width: wide, height: high };
    const classes = `cu-box cu-box-${layer.kind}${i === chosen ? " cu-chosen" : ""}`;
    parts.push(svg("rect", { class: classes, ...place }));
  });
  rows.forEach(([title, cells], row) => {
    parts.push(label(left - 10, y, title, "end", "cu-quiet"));
    cells.forEach((text, i) => {
      const strong = i === chosen ? "cu-strong" : "";
      const name = row > 0 ? "" : step < 16 ? "cu-tight" : "cu-name";
      parts.push(label(at(i), y, text, "middle", `${strong} ${name}`));
    });
    y += 16;
  });
  y += 10;
  for (const [key, title] of COSTS) {
    const tallest = Math.max(...layers.map((layer) => layer[key]));
    const [exact, fits] = [`max ${grouped(tallest)}`, (left - 10) / 7];
    const most = exact.length <= fits ? exact : `max ${shortCount(tallest)}`;
    const ground = y + BAR_ROOM;
    parts.push(
      label(left - 10, ground - 16, title, "end", "cu-strong"),
      label(left - 10, ground - 2, most, "end", "cu-quiet cu-small"),
    );
    layers.forEach((layer, i) => {
      if (layer[key] === 0) return;
      const high = Math.max(1, (layer[key] / tallest) * (BAR_ROOM - 12));
      const wide = Math.min(30, step * 0.7);
      const place = { x: at(i) - wide / 2, y: ground - high, width: wide, height: high };
      parts.push(svg("rect", { class: `cu-bar${i === chosen ? " cu-chosen" : ""}`, ...place }));
    });
    parts.push(svg("path", { class: "cu-ground", d: `M${left} ${ground + 0.5}H${right}` }));
    const value = layers[chosen][key];
    const text = grouped(value);
    const room = text.length * 3.6;
    const above = ground - 3 - Math.max(0, (value / tallest) * (BAR_ROOM - 12));
    const x = Math.max(left + room, Math.min(width - room - 2, at(chosen)));
    parts.push(label(x, above, text, "middle", "cu-strong cu-halo"));
    y = ground + 20;
  }
  const size = { width, height: bottom + 4, viewBox: `0 0 ${width} ${bottom + 4}` };
  return svg("svg", { ...size, role: "img" }, ...parts);
}

/** The input from the front, and what the middle number of a layer sees of it. */
function drawInput(layer, { input, scale, x, y }) {
  const side = input * scale;
  let lines = "";
  const fine = scale < 2.5; // lines so near would be one grey area
  for (let i = 1; i < input && !fine; i++)
    lines += `M${x + i * scale} ${y}v${side}M${x} ${y + i * scale}h${side}`;
  const { start, end } = seenBy(layer);
  const [from, to] = [Math.max(0, start), Math.min(input, end)];
  const far = (to - from) * scale;
  const [x0, y0] = [x + from * scale, y + from * scale];
  const square = { x: x0, y: y0, width: far, height: far };
  const edge = (d, outside) => svg("path", { class: outside ? "cu-edge cu-beyond" : "cu-edge", d });
  return [
    svg("rect", { class: "cu-paper", x, y, width: side, height: side }),
    svg("path", { class: "cu-pixels", d: lines }),
    svg("path", { class: "cu-digit", d: DIGIT, transform: `translate(${x} ${y}) scale(${side})` }),
    svg("rect", { class: "cu-field", ...square }),
    edge(`M${x0} ${y0}h${far}`, start < 0),
    edge(`M${x0} ${y0}v${far}`, start < 0),
    edge(`M${x0} ${y0 + far}h${far}`, end > input),
    edge(`M${x0 + far} ${y0}v${far}`, end > input),
  ];
}

function label(x, y, text, anchor, classes) {
  return svg("text", { x, y, "text-anchor": anchor, class: classes }, String(text));
}

/** As much of a layer's name as a column has room for. */
function shortName({ kind, name }, step) {
  const number = name.replace(/\D/g, "");
  const names = {
    input: ["input", "in", "i"],
    convolution: [`conv ${number}`, number, number],
    pool: ["pool", "p", "p"],
    average: ["average", "avg", "a"],
    linear: ["linear", "lin", "l"],
  };
  return names[kind][step >= 50 ? 0 : step >= 24 ? 1 : 2];
}
