// A picture of numbers on the screen, with an outline on it, and the scale of its colours.

import { h } from "../shared/view.js";
import { formatNumber } from "../shared/numbers.js";
import { asPixel, makeScale, paint } from "./filtering.js";

// As in Python's figures: negative is blue, zero white, positive orange.
const SIGNED = [[8, 81, 156], [107, 174, 214], [255, 255, 255], [253, 141, 60], [166, 54, 3]];
const GREY = [[0, 0, 0], [255, 255, 255]];
const CUT_OFF = [[23, 80, 143], [255, 176, 102]]; // darker than black, brighter than white
const COLOURS = { signed: SIGNED, grey: GREY };
const SCALES = { signed: makeScale(SIGNED), grey: makeScale(GREY) };
const MARKS = CUT_OFF.map(asPixel);

/** A picture on a canvas, with an outline that can be laid on some of its pixels. */
export class Screen {
  constructor() {
    this.title = h("div", { class: "cu-title" });
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.outline = h("div", { class: "cu-outline", hidden: true });
    this.box = h("div", { class: "cu-screen" }, this.canvas, this.outline);
    this.el = h("div", {}, this.title, this.box);
  }

  /** Draw a picture in the colours `shown`, "signed" or "grey"; `limits` are their ends. */
  draw(picture, shown, limits) {
    const { height, width } = picture;
    if (this.canvas.height !== height || this.canvas.width !== width || !this.pixels) {
      Object.assign(this.canvas, { height, width });
      this.context = this.canvas.getContext("2d");
      this.data = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.data.data.buffer);
    }
    paint(picture, limits, SCALES[shown], MARKS, this.pixels);
    this.context.putImageData(this.data, 0, 0);
  }

  /** Give a pixel `scale` CSS pixels, in the middle of a box of `rows` by `columns` pixels. */
  lay(scale, rows, columns) {
    const { height, width } = this.canvas;
    const key = [scale, rows, columns, height, width].join();
    if (key === this.laid) return; // a browser would lay out the page anew
    this.laid = key;
    Object.assign(this.box.style, {
      height: `${rows * scale}px`,
      width: `${columns * scale}px`,
    });
    const [top, left] = [((rows - height) * scale) / 2, ((columns - width) * scale) / 2];
    this.place = { scale, top, left };
    Object.assign(this.canvas.style, {
      ...{ height: `${height * scale}px`, width: `${width * scale}px` },
      ...{ top: `${top}px`, left: `${left}px` },
      imageRendering: scale * devicePixelRatio >= 1 ? "pixelated" : "auto",
    });
  }

  /** Outline `size` by `size` pixels, at least `least` CSS pixels wide. */
  mark(row, column, size, least) {
    const { scale, top, left } = this.place;
    const side = Math.max(least, size * scale);
    const start = (number, offset) => `${offset + (number + size / 2) * scale - side / 2}px`;
    Object.assign(this.outline.style, {
      ...{ top: start(row, top), left: start(column, left) },
      ...{ height: `${side}px`, width: `${side}px` },
    });
    this.outline.hidden = false;
  }

  /** The pixel under the mouse; it may lie outside the picture. */
  find(event) {
    const { top, left } = this.canvas.getBoundingClientRect();
    const { scale } = this.place;
    return {
      row: Math.floor((event.clientY - top) / scale),
      column: Math.floor((event.clientX - left) / scale),
    };
  }

  /** Red, green and blue of a pixel, and the colour of a text that can be read on it. */
  colourAt(row, column) {
    const pixel = this.pixels[row * this.canvas.width + column];
    const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    const isBright = 0.3 * red + 0.59 * green + 0.11 * blue > 117;
    return { background: `rgb(${red} ${green} ${blue})`, color: isBright ? "#000" : "#fff" };
  }
}

/** A bar of the colours `shown` with its numbers, and a cap where colours say "beyond the end". */
export class ScaleBar {
  constructor() {
    this.el = h("div", { class: "cu-scale", "aria-hidden": "true" });
  }

  draw(shown, [low, high], { below, above }, height) {
    const isCut = shown === "grey"; // signed colours reach as far as the answers do
    const key = [shown, low, high, isCut && below > 0, isCut && above > 0, height].join();
    if (key === this.drawn) return;
    this.drawn = key;
    const colour = (rgb) => `rgb(${rgb.join(" ")})`;
    const bar = h("div", { class: "cu-bar" });
    bar.style.background = `linear-gradient(to top, ${COLOURS[shown].map(colour).join(", ")})`;
    const cap = (share, rgb) => {
      const element = h("div", { class: "cu-cap", hidden: !(isCut && share) });
      element.style.background = colour(rgb);
      return element;
    };
    const texts = [
      `${isCut && above ? "> " : ""}${formatNumber(high)}`,
      formatNumber((low + high) / 2),
      `${isCut && below ? "< " : ""}${formatNumber(low)}`,
    ];
    this.el.style.height = `${Math.max(90, height)}px`;
    this.el.replaceChildren(
      h("div", { class: "cu-bars" }, cap(above, CUT_OFF[1]), bar, cap(below, CUT_OFF[0])),
      h("div", { class: "cu-ticks" }, ...texts.map((text) => h("span", {}, text))),
    );
  }
}
