// The second panel of PoolingExplorer: the input moves, and three outputs are compared.

import { h, setAttribute } from "../shared/view.js";
import { menu, slider } from "../shared/controls.js";
import { formatNumber } from "../shared/numbers.js";
import { POOL_RIVALS, makeKernel, moveRight, reportShift } from "./pooling.js";

const MINI_WIDTH = 104; // pixels of a small picture, at most
const MINI_CELL = [34, 24]; // width and height of its cells, at most
const MINI_READABLE = 21; // the narrowest cell that a number fits into

/** A small picture of a grid, with numbers where they fit. */
class MiniGrid {
  constructor() {
    this.el = h("div", { class: "cu-mini", role: "img" });
    this.canvas = h("canvas");
    this.keys = [];
  }

  /** Draw rows of numbers. `marks`, rows of true and false, frames some cells. */
  show(values, label, marks = null, width = MINI_WIDTH) {
    const [rows, columns] = [values.length, values[0].length];
    const across = Math.min(MINI_CELL[0], Math.floor(width / Math.max(columns, rows)));
    this.isTiny = across < MINI_READABLE;
    const shape = `${rows} ${columns} ${across}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.keys = [];
      this.el.style.setProperty("--across", `${across}px`);
      this.el.style.setProperty("--down", `${Math.min(MINI_CELL[1], across)}px`);
      this.el.style.setProperty("--columns", columns);
      this.el.classList.toggle("cu-tiny", this.isTiny);
      this.el.replaceChildren(
        ...(this.isTiny ? [this.canvas] : values.flatMap((line) => line.map(() => h("span")))),
      );
    }
    const largest = Math.max(1e-12, ...values.flat().map(Math.abs));
    const cells = values.flatMap((line, i) =>
      line.map((value, j) => ({
        ...{ value, row: i, column: j },
        share: Math.round((Math.abs(value) / largest) * 45),
        isMarked: marks?.[i][j] ?? false,
      })),
    );
    if (this.isTiny) this.paint(cells, rows, columns, across);
    else cells.forEach((cell, i) => this.write(cell, i));
    const said = values.map((line) => line.map(formatNumber).join(" ")).join("; ");
    setAttribute(this.el, "aria-label", `${label}: ${said}`);
  }

  write({ value, share, isMarked }, i) {
    const text = formatNumber(value);
    const key = `${text} ${isMarked} ${share}`;
    if (key === this.keys[i]) return;
    this.keys[i] = key;
    const cell = this.el.children[i];
    cell.textContent = text;
    cell.classList.toggle("cu-changed", isMarked);
    cell.classList.toggle("cu-long", text.length > 3);
    cell.dataset.sign = value < 0 ? "below" : "above";
    cell.style.setProperty("--share", `${share}%`);
  }

  /** Many cells as one picture: elements would take longer than a frame. Fit for both themes. */
  paint(cells, rows, columns, size) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [columns * size + 1, rows * size + 1];
    this.canvas.width = width * ratio; // clears it, too
    this.canvas.height = height * ratio;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.strokeStyle = "rgba(128, 128, 128, 0.55)";
    for (const { value, share, isMarked, row, column } of cells) {
      const [x, y] = [column * size, row * size];
      pen.globalAlpha = share / 45;
      pen.fillStyle = value < 0 ? "#2b7bba99" : "#ef7d2299";
      pen.fillRect(x, y, size, size);
      pen.globalAlpha = 1;
      pen.strokeRect(x + 0.5, y + 0.5, size, size);
      if (!isMarked) continue;
      for (const [colour, radius] of [
        ["white", Math.min(3, size / 3)],
        ["black", Math.min(2, size / 4.5)],
      ]) {
        pen.fillStyle = colour;
        pen.beginPath();
        pen.arc(x + size / 2 + 0.5, y + size / 2 + 0.5, radius, 0, 7);
        pen.fill();
      }
    }
  }
}

/** A bar with its number beside it. */
class Bar {
  constructor(label, help) {
    this.fill = h("span", { class: "cu-fill" });
    this.value = h("span", { class: "cu-value" });
    this.el = h(
      "div",
      { class: "cu-bar", title: help },
      h("span", { class: "cu-name" }, label),
      h("span", { class: "cu-track", "aria-hidden": "true" }, this.fill),
      this.value,
    );
  }

  show(share, text) {
    this.fill.style.width = `${100 * share}%`;
    this.value.textContent = text;
  }
}

/** The panel "Move the input" of a view; `update(state)` redraws it. */
export class ShiftPanel {
  constructor(view) {
    this.moved = new MiniGrid();
    this.kernel = new MiniGrid();
    this.movedTitle = h("div", { class: "cu-title" });
    this.words = h("p", { class: "cu-words", role: "status" });
    this.lines = Array.from({ length: 3 }, () => this.line());
    const shift = {
      name: "shift",
      low: 0,
      high: 4,
      help: "how many columns the input moves to the right; zeros enter from the left",
      text: sayColumns,
    };
    const kernel = {
      name: "kernel",
      label: "kernel of the convolution",
      options: POOL_RIVALS,
      help: "its window, stride and padding are those of the pooling",
    };
    const title = h("h3", { class: "cu-heading", id: `${view.id}-move` }, "Move the input");
    this.el = h(
      "div", // a landmark would have to have a name of its own, on a page with several widgets
      { class: "cu-move", role: "group", "aria-labelledby": title.id },
      title,
      h(
        "div",
        { class: "cu-stage" },
        h("div", {}, this.movedTitle, this.moved.el),
        h(
          "div",
          { class: "cu-column cu-settings" },
          slider(view, shift),
          menu(view, kernel),
          this.words,
        ),
        h("div", {}, h("div", { class: "cu-title" }, "kernel"), this.kernel.el),
      ),
      h(
        "div",
        { class: "cu-lines", role: "table", "aria-label": "how much each output changes" },
        ...this.lines.map((line) => line.el),
      ),
    );
  }

  line() {
    const [before, after] = [new MiniGrid(), new MiniGrid()];
    const count = new Bar("cells changed", "output cells that hold another number than before");
    const size = new Bar(
      "size of change",
      "the length of the difference over the length of the output before, both as vectors",
    );
    const name = h("div", { class: "cu-operation", role: "rowheader" });
    const note = h("div", { class: "cu-note" });
    const title = h("div", { class: "cu-title" });
    const picture = (caption, mini) =>
      h("div", { class: "cu-picture", role: "cell" }, caption, mini.el);
    const bars = h("div", { class: "cu-bars", role: "cell" }, count.el, size.el, note);
    const el = h(
      "div",
      { class: "cu-line", role: "row" },
      name,
      picture(h("div", { class: "cu-title" }, "before"), before),
      picture(title, after),
      bars,
    );
    return { el, name, before, after, title, count, size, note };
  }

  update({ position, ...state }) {
    const asked = Object.values(state);
    if (asked.every((value, i) => value === this.asked?.[i])) return;
    this.asked = asked;
    const { shift, kernel, kernel_size, ceil_mode } = state;
    const report = reportShift(state);
    this.movedTitle.textContent = shift ? `input, moved by ${shift}` : "input, not moved";
    this.moved.show(moveRight(state.input, shift), "moved input", null, 6 * MINI_CELL[1]);
    this.kernel.show(makeKernel(kernel, kernel_size), "kernel", null, 5 * MINI_CELL[1]);
    const largest = Math.max(1, ...report.map((one) => one.relative ?? 0));
    report.forEach((one, i) => {
      const { el, name, before, after, title, count, size, note } = this.lines[i];
      const ending = ceil_mode ? `${kernel}, no ceil_mode` : kernel;
      const role = ["as set above", "the other pooling", ending][i];
      name.replaceChildren(
        h("strong", {}, `${one.name} ${kernel_size} × ${kernel_size}`),
        h("span", {}, role),
      );
      const isThere = !one.refusal;
      el.classList.toggle("cu-missing", !isThere);
      if (isThere) {
        const all = one.differs.flat().length;
        before.show(one.before, `${one.name} before`);
        after.show(one.after, `${one.name} after`, one.differs);
        title.replaceChildren("after");
        if (one.count) title.append(" ", h("span", { class: "cu-change-key" }), " changed");
        title.classList.toggle("cu-dots", after.isTiny);
        count.show(one.changed, `${one.count} of ${all}`);
        const text = one.relative === null ? "not defined" : one.relative.toFixed(2);
        size.show((one.relative ?? 0) / largest, text);
      }
      note.textContent = sayNote(one, state);
    });
    this.words.textContent = sayShift(report, shift);
  }
}

function sayColumns(count) {
  return `${count} column${count === 1 ? "" : "s"}`;
}

function sayNote(one, { shift, stride }) {
  if (one.refusal) return `There is none: ${one.refusal}.`;
  if (shift === 0) return "";
  if (one.relative === null) return "The output was 0 everywhere before: no size to compare with.";
  if (one.count === 0) return "The output has not changed.";
  if (one.moved) return `The output moved by ${sayColumns(one.moved)} and is otherwise the same.`;
  const steps = shift / stride;
  if (!one.kept) return "";
  return (
    `${one.kept} of ${one.before[0].length - steps} columns only moved, by ${steps}; ` +
    `the others lie at the border.`
  );
}

function sayShift(report, shift) {
  if (shift === 0)
    return (
      "Move the slider: the input moves right, and zeros enter from the left. " +
      "Which output changes least?"
    );
  const said = report
    .filter((one) => !one.refusal)
    .map((one) => `${one.name} changed in ${one.count} of ${one.differs.flat().length} cells`);
  return `Moved right by ${sayColumns(shift)}; zeros entered from the left: ${said.join(", ")}.`;
}
