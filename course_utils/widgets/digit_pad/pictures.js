// The pictures beside the pad: what the network sees, with Grad-CAM, and feature maps.

import { h } from "../shared/view.js";
import { FIELD } from "./ink.js";
import { enlargeMap } from "./network.js";
import { layMaps, paintSigned } from "./feature_maps.js";

const SEEN = 14; // pixels for each pixel that the network sees, half as many on the page
const OUTLINED = 0.5; // the share of the strongest place from which on Grad-CAM is outlined

/** A picture of 28 × 28 from 0, black, to 1, white, as ImageData. */
export function greyPixels(picture) {
  const pixels = new ImageData(FIELD, FIELD);
  picture.forEach((value, i) => {
    const grey = Math.round(value * 255);
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  });
  return pixels;
}

/** What the network sees, magnified, and Grad-CAM over it: shaded, and outlined from a half on. */
export class SeenPicture {
  constructor() {
    const side = FIELD * SEEN;
    this.el = h("canvas", { class: "cu-dp-seen", width: side, height: side, role: "img" });
    this.small = h("canvas", { width: FIELD, height: FIELD });
  }

  /** `cam` is what `gradCam` returns, or null. */
  show(picture, cam) {
    this.magnify(greyPixels(picture), false);
    if (!cam) return;
    const large = enlargeMap(cam, FIELD, FIELD);
    const pixels = new ImageData(FIELD, FIELD);
    large.forEach((value, i) => pixels.data.set([213, 94, 0, 205 * value], 4 * i));
    this.magnify(pixels, true);
    this.outline(large);
  }

  magnify(pixels, smooth) {
    this.small.getContext("2d").putImageData(pixels, 0, 0);
    const context = this.el.getContext("2d");
    context.imageSmoothingEnabled = smooth;
    context.drawImage(this.small, 0, 0, FIELD * SEEN, FIELD * SEEN);
  }

  outline(large) {
    const context = this.el.getContext("2d");
    const isIn = (row, column) =>
      [row, column].every((place) => place >= 0 && place < FIELD) &&
      large[row * FIELD + column] >= OUTLINED;
    context.beginPath();
    for (let row = 0; row <= FIELD; row++) {
      for (let column = 0; column <= FIELD; column++) {
        const [x, y] = [column * SEEN, row * SEEN];
        if (isIn(row, column) !== isIn(row - 1, column)) context.rect(x, y, SEEN, 0);
        if (isIn(row, column) !== isIn(row, column - 1)) context.rect(x, y, 0, SEEN);
      }
    }
    // Light on dark: it is seen on black, on white and on orange.
    for (const [colour, width] of [["#000", 6], ["#8fd3ff", 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }
}

/** The feature maps of one layer side by side, all on one scale. */
export class MapsPicture {
  constructor() {
    this.el = h("canvas", { class: "cu-dp-maps", role: "img" });
    this.small = h("canvas");
  }

  /** Show `values`, (count, height, width), in room × most pixels; returns how many maps. */
  show(values, [count, height, width], largest, room, most) {
    const laid = layMaps(count, height, width, room, most);
    const { columns, rows, cell, gap } = laid;
    const [wide, high] = [width * cell + gap, height * cell + gap];
    fit(this.el, columns * wide, rows * high);
    // All maps one below the other in one small picture, from where each is copied to its place.
    const pixels = new ImageData(width, height * laid.count);
    paintSigned(pixels.data, values.subarray(0, laid.count * height * width), largest);
    fit(this.small, width, height * laid.count);
    this.small.getContext("2d").putImageData(pixels, 0, 0);
    const context = this.el.getContext("2d");
    context.clearRect(0, 0, this.el.width, this.el.height);
    context.imageSmoothingEnabled = false;
    context.strokeStyle = "#777";
    for (let i = 0; i < laid.count; i++) {
      const [x, y] = [(i % columns) * wide + 1, Math.floor(i / columns) * high + 1];
      const to = [x, y, width * cell, height * cell];
      context.drawImage(this.small, 0, i * height, width, height, ...to);
      context.strokeRect(x - 0.5, y - 0.5, width * cell + 1, height * cell + 1);
    }
    return laid.count;
  }
}

function fit(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
