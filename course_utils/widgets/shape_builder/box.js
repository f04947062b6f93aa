// A tensor drawn to scale: height and depth are its rows and columns, thickness its channels.

const NAMESPACE = "http://www.w3.org/2000/svg";
const TALLEST = 40; // pixels that the largest image of a stack takes
const THICKEST = 50;
const SLANT = 0.35; // how far the depth goes to the right and up
const BAR = 6; // the height of a row of features

/** Pixels per cell, per channel and per feature, the same for all shapes of a stack. */
export function findBoxScale(shapes) {
  const images = shapes.filter((shape) => shape.length === 3);
  const largest = (values) => Math.max(1, ...values);
  return {
    cell: TALLEST / largest(images.map(([, height, width]) => height + SLANT * width)),
    channel: THICKEST / Math.max(8, largest(images.map(([channels]) => channels))),
    feature: (THICKEST + SLANT * TALLEST) / largest(shapes.map((s) => (s.length === 1 ? s[0] : 1))),
  };
}

/** The tensor as an SVG picture; what it shows stands as text beside it. */
export function drawBox(shape, scale) {
  const faces = shape.length === 3 ? facesOf(shape, scale) : [["front", barOf(shape, scale)]];
  const points = faces.flatMap(([, corners]) => corners);
  const wide = Math.max(...points.map(([x]) => x)) + 2;
  const high = Math.max(...points.map(([, y]) => y)) + 2;
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("width", wide);
  svg.setAttribute("height", high);
  svg.setAttribute("viewBox", `-1 -1 ${wide} ${high}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [name, corners] of faces) {
    const face = document.createElementNS(NAMESPACE, "polygon");
    face.setAttribute("class", `sb-${name}`);
    face.setAttribute("points", corners.map(([x, y]) => `${round(x)},${round(y)}`).join(" "));
    svg.append(face);
  }
  return svg;
}

function facesOf([channels, height, width], scale) {
  const thick = Math.max(2, channels * scale.channel);
  const high = Math.max(2, height * scale.cell);
  const back = Math.max(1, width * scale.cell * SLANT);
  return [
    ["front", [[0, back], [thick, back], [thick, back + high], [0, back + high]]],
    ["top", [[0, back], [back, 0], [thick + back, 0], [thick, back]]],
    ["side", [[thick, back], [thick + back, 0], [thick + back, high], [thick, back + high]]],
  ];
}

function barOf([features], scale) {
  const long = Math.max(2, features * scale.feature);
  return [[0, 0], [long, 0], [long, BAR], [0, BAR]];
}

function round(number) {
  return Math.round(100 * number) / 100;
}
