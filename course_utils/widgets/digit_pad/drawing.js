// The pad of DigitPad: strokes of a mouse, a finger, a pen or the keyboard, and undo.

import { h } from "../shared/view.js";
import { FIELD, enlargePicture, inkLine, prepareDigit } from "./ink.js";

const CELLS = 280; // of the pad, along each side: ten for each pixel that the network sees
const STEP = CELLS / FIELD; // one press of an arrow key
const MOST_UNDOS = 200;
const ARROWS = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  Home: [-1, -1],
  PageUp: [1, -1],
  End: [-1, 1],
  PageDown: [1, 1],
};

/**
 * A black square to draw on with white ink. What stands on it is either a picture of 28 × 28 or
 * strokes, which replace the picture. `width()` is the pen's width; `changed()` is called after
 * every change; `image` is what the network sees, and `stroke` the stroke under way, or null.
 */
export class DrawingPad {
  constructor(view, { width, changed }) {
    Object.assign(this, { view, width, changed, stroke: null, pointer: null, keyboard: false });
    this.ink = new Float32Array(CELLS * CELLS);
    this.drawing = { picture: null, strokes: [] };
    this.before = []; // earlier drawings, for undo
    this.cursor = [CELLS / 2, CELLS / 2];
    this.image = new Float32Array(FIELD * FIELD);
    this.stale = false; // is the image older than the ink?
    this.canvas = h("canvas", {
      class: "cu-dp-pad",
      width: CELLS,
      height: CELLS,
      tabindex: 0,
      role: "application",
      "aria-roledescription": "drawing pad",
      "aria-label":
        "Drawing pad. Arrow keys move the pen, Home, Page Up, End and Page Down move it " +
        "diagonally. Space puts it down or lifts it. Backspace takes back the last stroke, " +
        "Delete clears the pad.",
    });
    this.context = this.canvas.getContext("2d");
    this.pixels = this.context.createImageData(CELLS, CELLS);
    this.listenToPointers();
    view.listen(this.canvas, "keydown", (event) => this.onKey(event));
    view.listen(this.canvas, "focus", () => this.showCursor(this.canvas.matches(":focus-visible")));
    view.listen(this.canvas, "blur", () => {
      this.finish();
      this.showCursor(false);
    });
  }

  listenToPointers() {
    const { view, canvas } = this;
    view.listen(canvas, "pointerdown", (event) => {
      if (event.button !== 0 || this.pointer !== null) return;
      this.finish();
      this.pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      this.cursor = this.placeOf(event);
      this.keyboard = false;
      this.begin();
    });
    view.listen(canvas, "pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      // A fast pen reports several places in one event.
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) this.goTo(this.placeOf(one));
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      view.listen(canvas, type, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.pointer = null;
        this.finish();
      });
    }
  }

  placeOf({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((clientX - box.left) / box.width) * CELLS,
      ((clientY - box.top) / box.height) * CELLS,
    ];
  }

  onKey(event) {
    const commanded = event.ctrlKey || event.metaKey;
    const undo = event.key === "Backspace" || (event.key === "z" && commanded);
    if (!undo && (commanded || event.altKey)) return;
    if (undo) this.undo();
    else if (event.key === "Delete") this.clear();
    else if (event.key === "Escape" && this.stroke) this.finish();
    else if (event.key === " ") {
      if (event.repeat) event.preventDefault();
      else if (this.stroke) this.finish();
      else this.begin();
    } else if (ARROWS[event.key]) {
      const inside = (place) => Math.min(CELLS, Math.max(0, place));
      const [right, down] = ARROWS[event.key];
      this.goTo([inside(this.cursor[0] + right * STEP), inside(this.cursor[1] + down * STEP)]);
    } else return;
    event.preventDefault();
    this.showCursor(true);
  }

  /** Put the pen down where it is. The first stroke replaces a picture. */
  begin() {
    this.remember();
    this.stroke = { width: this.width(), points: [this.cursor] };
    const { picture, strokes } = this.drawing;
    this.drawing = { picture: null, strokes: [...strokes, this.stroke] };
    if (picture) this.ink.fill(0);
    this.extend(this.cursor, this.cursor);
  }

  /** Move the pen; where it is down, it leaves ink. */
  goTo(place) {
    const from = this.cursor;
    this.cursor = place;
    if (!this.stroke) return;
    this.stroke.points.push(place);
    this.extend(from, place);
  }

  extend(from, to) {
    inkLine(this.ink, CELLS, from, to, this.stroke.width);
    this.stale = true;
    this.changed();
  }

  /** Lift the pen. */
  finish() {
    if (!this.stroke) return;
    this.stroke = null;
    this.changed();
  }

  showCursor(keyboard) {
    this.keyboard = keyboard;
    this.changed();
  }

  remember() {
    this.before.push(this.drawing);
    if (this.before.length > MOST_UNDOS) this.before.shift();
  }

  undo() {
    this.pointer = this.stroke = null;
    if (this.before.length) this.restore(this.before.pop());
  }

  clear() {
    this.pointer = this.stroke = null;
    if (this.isEmpty()) return;
    this.remember();
    this.restore({ picture: null, strokes: [] });
  }

  /** Show a picture of 28 × 28 in place of what is there. */
  show(picture) {
    this.pointer = this.stroke = null;
    this.remember();
    this.restore({ picture: picture.some((value) => value > 0) ? picture : null, strokes: [] });
  }

  isEmpty() {
    return !this.drawing.picture && !this.drawing.strokes.length;
  }

  restore(drawing) {
    this.drawing = drawing;
    if (drawing.picture) this.ink.set(enlargePicture(drawing.picture, STEP));
    else this.ink.fill(0);
    for (const { width, points } of drawing.strokes)
      points.forEach((to, i) => inkLine(this.ink, CELLS, points[Math.max(0, i - 1)], to, width));
    this.stale = true;
    this.changed();
  }

  /** Bring `image` up to date with the ink; returns whether it had to. */
  prepare() {
    if (!this.stale) return false;
    this.stale = false;
    this.image = this.drawing.picture ?? prepareDigit(this.ink, CELLS, CELLS);
    return true;
  }

  paint() {
    const { data } = this.pixels;
    for (let i = 0; i < this.ink.length; i++) {
      const grey = Math.round(this.ink[i] * 255);
      data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = grey;
      data[4 * i + 3] = 255;
    }
    this.context.putImageData(this.pixels, 0, 0);
    if (this.keyboard) this.paintCursor();
  }

  /** A ring as wide as the pen and a cross; filled where the pen is down. */
  paintCursor() {
    const { context, cursor } = this;
    const [x, y] = cursor;
    const radius = this.width() / 2;
    for (const [colour, width] of [["#000", 5], ["#ff9d4d", 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(x, y, radius + 1, 0, 2 * Math.PI);
      for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + right * (radius + 3), y + down * (radius + 3));
        context.lineTo(x + right * (radius + 11), y + down * (radius + 11));
      }
      context.stroke();
    }
    if (!this.stroke) return;
    context.fillStyle = "#d55e00";
    context.beginPath();
    context.arc(x, y, Math.max(3, radius / 2), 0, 2 * Math.PI);
    context.fill();
  }

  /** Where the pen is, in words: in pixels of what the network sees. */
  say() {
    const [x, y] = this.cursor.map((place) => Math.round(place / STEP));
    const [state, space] = this.stroke ? ["down", "lifts it"] : ["up", "puts it down"];
    return `Pen ${state}, row ${y}, column ${x} of ${FIELD}. Space ${space}, Backspace undoes.`;
  }
}
