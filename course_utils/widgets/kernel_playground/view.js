// KernelPlayground: a picture beside what a kernel answers, drawn anew at every change.

import { View, h, setAttribute } from "../shared/view.js";
import { panel } from "../shared/controls.js";
import { NumberGrid } from "../shared/grid.js";
import { formatNumber, writeTerms } from "../shared/numbers.js";
import {
  chooseDisplay,
  describeAnswers,
  filterPicture,
  findStrongest,
  greyRange,
  halfOf,
  measure,
  nameKernel,
  readAlbum,
  readPicture,
  readWindow,
  refuseFilter,
  sumOf,
  writePicture,
  writeWeight,
} from "./filtering.js";
import { kernelControls, pictureControls } from "./controls.js";
import { readPictureFile } from "./picture_file.js";
import { ScaleBar, Screen } from "./screen.js";

const BOX = 256; // CSS pixels of the longest side of a picture
const LONGEST_FILE = 256; // pixels of the longest side of a person's own picture
const ALBUM = ["china", "flower", "digit"]; // in Python's order
const HINT = "Point at a picture to move the window. Drag the slider to change the marked cell.";

class PlaygroundView extends View {
  constructor(model, el) {
    super(model, el, {
      names: ["image", "kernel", "padding", "filters", "picture", "display", "_album", "_presets"],
      check: ({ image, kernel, padding }) =>
        refuseFilter(
          { height: image.getUint32(0, true), width: image.getUint32(4, true) },
          kernel,
          padding,
        ),
      title: "A picture and what a kernel answers",
    });
    this.first = model.get("kernel");
    this.seen = {}; // what the pictures on the screen were made of
    this.centre = null; // the picture's pixel in the window's middle; null: the strongest answer
    this.loads = 0;
    this.cell = { row: halfOf(this.first), column: halfOf(this.first) }; // which the slider changes
    this.pointed = null; // the cell of the kernel or the window under the mouse
    this.build();
    this.refresh();
  }

  build() {
    this.input = new Screen();
    this.answer = new Screen();
    this.reading = h("p", { class: "cu-sum cu-reading", "aria-live": "polite" });
    this.reading.id = `${this.id}-reading`;
    this.scale = new ScaleBar();
    for (const screen of [this.input, this.answer]) this.followMouse(screen);
    const box = this.answer.box;
    const help = "the answer: arrow keys move the window, with Shift by ten pixels";
    for (const [name, value] of Object.entries({
      ...{ tabindex: "0", role: "application", "aria-label": help },
      ...{ "aria-describedby": this.reading.id, "data-lm-suppress-shortcuts": "true" },
    }))
      setAttribute(box, name, value);
    this.listen(box, "keydown", (event) => this.onArrow(event));
    this.window = new NumberGrid(this, {
      title: "window",
      hover: (row, column) => this.point(row, column),
    });
    this.window.el.classList.add("cu-pixels");
    this.kernel = new NumberGrid(this, {
      title: "kernel",
      edit: (row, column, number) => this.setCell(row, column, number),
      select: (row, column) => this.selectCell(row, column),
      hover: (row, column) => this.point(row, column),
    });
    this.kernel.el.classList.add("cu-kernel");
    this.value = h("output", { class: "cu-value" });
    const sign = (text) => h("span", { class: "cu-sign" }, text);
    this.root.append(
      panel(...pictureControls(this)),
      h(
        "div",
        { class: "cu-screens" },
        this.input.el,
        h("div", { class: "cu-answer" }, this.answer.el, this.scale.el),
      ),
      this.words,
      this.refusal,
      panel(...kernelControls(this)),
      h("p", { class: "cu-title" }, HINT),
      h(
        "div",
        { class: "cu-product" },
        this.window.el,
        sign("×"),
        this.kernel.el,
        h("span", { class: "cu-result" }, sign("="), this.value),
      ),
      this.reading,
    );
  }

  followMouse(screen) {
    const follow = (event) => {
      const { row, column } = screen.find(event);
      const { kernel, padding } = this.state();
      const shift = screen === this.input ? 0 : halfOf(kernel) - padding;
      this.centre = { row: row + shift, column: column + shift };
      this.schedule();
    };
    this.listen(screen.box, "pointermove", follow);
    this.listen(screen.box, "pointerdown", follow);
    this.listen(screen.box, "dragover", (event) => event.preventDefault());
    this.listen(screen.box, "drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.load(event.dataTransfer.files[0]);
    });
  }

  onArrow(event) {
    const far = event.shiftKey ? 10 : 1;
    const [down, right] =
      { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[
        event.key
      ] ?? [];
    if (down === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.centre = { row: this.centre.row + down, column: this.centre.column + right };
    this.clampCentre();
    this.schedule();
  }

  /** As in every view, but what is refused is forgotten: it must not refuse the next change. */
  propose(changes) {
    const taken = super.propose(changes);
    this.drafts = {};
    return taken;
  }

  choosePicture(name) {
    this.album ??= readAlbum(this.model.get("_album"));
    if (name === "own") this.showPicture(name, this.ownPicture);
    else this.showPicture(name, writePicture(this.album[ALBUM.indexOf(name)]));
  }

  showPicture(name, image) {
    if (this.propose({ picture: name, image })) this.centre = null;
  }

  async load(file) {
    if (!file) return;
    const number = ++this.loads;
    const picture = await readPictureFile(file, LONGEST_FILE).catch(() => null);
    if (number !== this.loads || this.aborter.signal.aborted) return; // another one, or too late
    if (picture) this.showPicture("own", writePicture(picture));
    else
      this.say(
        `“${file.name}” is no picture that this browser can read: ` +
          `choose a file such as PNG, JPEG or WebP`,
      );
  }

  refresh() {
    const { kernel, _presets, filters, picture, image } = this.state();
    this.name = nameKernel(kernel, _presets, filters);
    // What is a person's own stays in the menus, so that they can come back to it.
    if (this.name === "own") this.ownKernel = kernel;
    if (picture === "own") this.ownPicture = image;
    const last = kernel.length - 1;
    this.cell = { row: Math.min(this.cell.row, last), column: Math.min(this.cell.column, last) };
    super.refresh();
  }

  chooseKernel(name) {
    const { kernel, _presets, filters } = this.state();
    if (name === "own") this.setKernel(this.ownKernel);
    else if (name in _presets) this.setKernel(_presets[name][kernel.length]);
    else this.setKernel(filters[Number(name.split(" ")[1])]);
  }

  /** Another kernel; where the padding keeps the picture's size, it goes on doing so. */
  setKernel(kernel) {
    const { kernel: before, padding } = this.state();
    const shift = halfOf(kernel) - halfOf(before);
    const keeps = shift !== 0 && padding === halfOf(before);
    if (!this.propose({ kernel, ...(keeps ? { padding: halfOf(kernel) } : {}) })) return;
    const move = (at) => Math.max(0, Math.min(kernel.length - 1, at + shift));
    this.selectCell(move(this.cell.row), move(this.cell.column));
  }

  setCell(row, column, number) {
    const change = (line) => line.map((value, j) => (j === column ? number : value));
    this.setKernel(this.model.get("kernel").map((line, i) => (i === row ? change(line) : line)));
  }

  selectCell(row, column) {
    this.cell = { row, column };
    this.kernel.moveTo(row, column);
    this.schedule();
  }

  normalize() {
    const kernel = this.model.get("kernel");
    const sum = sumOf(kernel);
    if (Math.abs(sum) < 1e-6)
      this.say("the kernel's numbers add up to 0, so they cannot be divided by their sum");
    else this.setKernel(kernel.map((row) => row.map((value) => value / sum)));
  }

  point(row, column) {
    this.pointed = row === null ? null : { row, column };
    this.schedule();
  }

  update() {
    const state = this.state();
    const isNew = (...names) => names.some((name) => this.seen[name] !== state[name]);
    if (isNew("image")) {
      this.picture = readPicture(state.image);
      this.range = greyRange(this.picture);
      this.input.draw(this.picture, "grey", this.range);
    }
    if (isNew("picture")) this.centre = null;
    if (isNew("image", "kernel", "padding")) {
      this.answers = filterPicture(this.picture, state.kernel, state.padding);
      this.measured = measure(this.answers, this.range);
    }
    if (isNew("image", "kernel", "padding", "display", "filters")) this.drawAnswers(state);
    this.seen = state;
    this.clampCentre();
    this.showWindow(state);
  }

  drawAnswers({ kernel, display }) {
    const { answers, measured, picture } = this;
    this.shown = chooseDisplay(display, kernel, measured);
    const strongest = Math.max(-measured.low, measured.high) || 1;
    this.limits = this.shown === "grey" ? this.range : [-strongest, strongest];
    this.answer.draw(answers, this.shown, this.limits);
    const rows = Math.max(picture.height, answers.height);
    const columns = Math.max(picture.width, answers.width);
    const scale = BOX / Math.max(rows, columns);
    this.input.lay(scale, rows, columns);
    this.answer.lay(scale, rows, columns);
    this.input.title.textContent = `picture, ${picture.height} × ${picture.width}`;
    this.answer.title.textContent = `answer, ${answers.height} × ${answers.width}`;
    this.scale.draw(this.shown, this.limits, measured, rows * scale);
    this.words.textContent = describeAnswers(this.name, answers, measured, this.range, this.shown);
  }

  /** Keep the window where there is an answer; at first, it lies on the strongest one. */
  clampCentre() {
    const { kernel, padding } = this.state();
    const { height, width } = this.answers;
    const shift = halfOf(kernel) - padding; // from an answer to the pixel below its middle
    if (this.centre === null) {
      const { row, column } = findStrongest(this.answers);
      this.centre = { row: row + shift, column: column + shift };
    }
    const clamp = (at, size) => Math.max(0, Math.min(size - 1, at - shift));
    this.row = clamp(this.centre.row, height);
    this.column = clamp(this.centre.column, width);
    this.centre = { row: this.row + shift, column: this.column + shift };
  }

  showWindow({ kernel, padding }) {
    const { row, column } = this;
    const cells = readWindow(this.picture, kernel.length, padding, row, column);
    const isPointed = (i, j) => this.pointed?.row === i && this.pointed.column === j;
    const key = [cells.flat(), kernel.length, this.pointed?.row, this.pointed?.column].join();
    if (key !== this.windowShown) this.showCells(cells, isPointed);
    this.windowShown = key; // while the slider is dragged it stays the same
    const isChosen = (i, j) => this.cell.row === i && this.cell.column === j;
    this.kernel.setTitle(`kernel, adds up to ${writeWeight(sumOf(kernel))}`);
    // Tinted by a power of two, so that the other cells stay as they are while one is dragged.
    const largest = Math.max(1e-9, ...kernel.flat().map(Math.abs));
    this.kernel.show(
      kernel.map((line, i) =>
        line.map((value, j) => ({
          value,
          text: writeWeight(value),
          classes: [isChosen(i, j) && "active", isPointed(i, j) && "window"],
        })),
      ),
      2 ** Math.ceil(Math.log2(largest)),
    );
    const answer = this.answers.values[row * this.answers.width + column];
    this.value.textContent = formatNumber(answer);
    Object.assign(this.value.style, this.answer.colourAt(row, column));
    this.input.mark(row - padding, column - padding, kernel.length, 10);
    this.answer.mark(row, column, 1, 10);
    this.reading.textContent = this.describeWindow(kernel.flat(), cells.flat(), answer);
  }

  showCells(cells, isPointed) {
    this.window.show(
      cells.map((line, i) =>
        line.map((value, j) => ({
          value: value ?? 0,
          classes: [value === null && "padding", isPointed(i, j) && "window"],
          label: `row ${i}, column ${j}: ${value === null ? "padding, 0" : formatNumber(value)}`,
        })),
      ),
    );
    const [black, white] = this.range;
    cells.forEach((line, i) =>
      line.forEach((value, j) => {
        const level = Math.round((255 * ((value ?? 0) - black)) / (white - black));
        const color = level > 117 ? "#000" : "#fff";
        const background = `rgb(${level} ${level} ${level})`;
        Object.assign(this.window.cells[i][j].style, { background, color });
      }),
    );
  }

  describeWindow(weights, cells, answer) {
    const values = cells.map((value) => value ?? 0); // null is padding
    const start = `Answer at row ${this.row}, column ${this.column}:`;
    const end = `${formatNumber(answer)}.`;
    const size = Math.sqrt(weights.length);
    const { row, column } = this.pointed ?? { row: size, column: size };
    if (row < size && column < size) {
      const at = row * size + column;
      const [term] = writeTerms([values[at]], [weights[at]]);
      const product = `${term} = ${formatNumber(values[at] * weights[at])}`;
      return `${start} ${product} is one of ${values.length} products, which add up to ${end}`;
    }
    if (size === 3) return `${start} ${writeTerms(values, weights).join(" + ")} = ${end}`;
    return `${start} the ${values.length} products of window and kernel add up to ${end}`;
  }
}

export default {
  render({ model, el }) {
    const view = new PlaygroundView(model, el);
    return () => view.close();
  },
};
