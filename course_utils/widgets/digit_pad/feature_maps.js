// How feature maps are laid out and coloured. No DOM here.

// Negative is blue, zero is white, positive is orange, as in the course's figures.
const STOPS = [
  [8, 81, 156],
  [107, 174, 214],
  [255, 255, 255],
  [253, 141, 60],
  [166, 54, 3],
];

/** The colour [red, green, blue] of a value from −largest to largest. */
export function signedColour(value, largest) {
  const place = (Math.min(1, Math.max(-1, value / largest)) + 1) * 2;
  const stop = Math.min(Math.floor(place), STOPS.length - 2);
  const share = place - stop;
  return STOPS[stop].map((low, i) => Math.round(low + share * (STOPS[stop + 1][i] - low)));
}

const SHADES = 256;
const TABLE = Array.from({ length: SHADES + 1 }, (_, i) => signedColour((2 * i) / SHADES - 1, 1));

/** Fill `pixels`, four bytes each, with the colours of `values`, from −largest to largest. */
export function paintSigned(pixels, values, largest) {
  const scale = SHADES / 2 / largest;
  for (let i = 0; i < values.length; i++) {
    const colour = TABLE[Math.round(values[i] * scale + SHADES / 2)];
    pixels[4 * i] = colour[0];
    pixels[4 * i + 1] = colour[1];
    pixels[4 * i + 2] = colour[2];
    pixels[4 * i + 3] = 255;
  }
}

/**
 * How `count` maps of height × width cells are laid side by side in room × most pixels:
 * { count, columns, rows, cell, gap }, with cells as large as possible. `count` is smaller than
 * asked for where not all of them have room with cells of one pixel.
 */
export function layMaps(count, height, width, room, most) {
  const gap = height * width === 1 ? 2 : 6;
  const fits = (length, number, space) => Math.floor(((space + gap) / number - gap) / length);
  let best = { cell: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cell = Math.min(16, fits(width, columns, room), fits(height, rows, most));
    // Of equally large cells, the fewest rows.
    if (cell > 0 && cell >= best.cell) best = { count, columns, rows, cell, gap };
  }
  if (best.cell > 0) return best;
  const columns = Math.max(1, Math.floor((room + gap) / (width + gap)));
  const rows = Math.max(1, Math.floor((most + gap) / (height + gap)));
  return { count: Math.min(count, rows * columns), columns, rows, cell: 1, gap };
}
