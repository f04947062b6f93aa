// GradientTracer: forward through convolution, ReLU and pooling, and every gradient backward.

import { View, h, setAttribute } from "../shared/view.js";
import { button, menu, panel, relabel, slider } from "../shared/controls.js";
import { NumberGrid } from "../shared/grid.js";
import { formatNumber } from "../shared/numbers.js";
import {
  fillOrder,
  finiteDifference,
  refuseTrace,
  tracerShapes,
  traceBackward,
  traceForward,
} from "./gradients.js";
import { GradientFilling } from "./filling.js";
import { backwardCells, forwardCells } from "./cells.js";
import { columnSize, layOut } from "./layout.js";
import {
  explainForward,
  explainGradient,
  gradientName,
  sourceName,
  summarize,
  writeDifference,
} from "./words.js";

const TRAITS = { x: "input", W: "kernel", b: "bias", t: "target" };
const FORWARD_HELP = "Click a number of x, W or b to change it, y or L to go backward from it.";
const PAGE_WIDTH = 676; // where the page does not say how wide it is
const EDGES = 8; // pixels left and right of everything
const COLUMNS = [["x"], ["W", "b"], ["z"], ["a"], ["y", "t"], ["L"]];

class TracerView extends View {
  constructor(model, el) {
    super(model, el, {
      names: [
        ...["input", "kernel", "bias", "stride", "padding", "pooling", "pool_size", "pool_stride"],
        ...["loss", "target", "source"],
      ],
      check: refuseTrace,
      title: "Gradients, step by step",
    });
    this.looked = null; // the cell whose sum is told: { back, name, row, column }
    this.filling = new GradientFilling(this);
    this.forwardGrids = {};
    this.backwardGrids = {};
    this.columns = []; // for each of `COLUMNS` its element in the forward and the backward row
    this.build();
    this.listen(window, "resize", () => this.schedule());
    this.refresh();
  }

  build() {
    const whole = (name, label, low, high, help) => slider(this, { name, label, low, high, help });
    this.poolControls = [
      whole("pool_size", "pool size", 1, 4, "rows and columns of a pooling window"),
      whole("pool_stride", "pool stride", 1, 4, "how far the pooling window moves each time"),
    ];
    this.zeros = button(this, {
      label: "target to zeros",
      help: "set every cell of the target to 0",
      action: () => this.propose({ target: null }),
    });
    this.lossNode = h("button", { type: "button", class: "cu-loss" });
    this.listen(this.lossNode, "click", () => this.propose({ source: "loss" }));
    const atLoss = () => this.look({ back: false, name: "L", row: 0, column: 0 });
    for (const type of ["pointerenter", "focus"]) this.listen(this.lossNode, type, atLoss);
    for (const type of ["pointerleave", "blur"])
      this.listen(this.lossNode, type, () => this.look(null));
    const seed = [h("div", { class: "cu-title" }, "dL/dL"), h("div", { class: "cu-seed" }, "1")];
    this.seed = h("div", { class: "cu-grid-box" }, ...seed);
    this.backTitle = h("span", { class: "cu-heading" });
    this.progress = h("span", { class: "cu-title" });
    this.play = button(this, { label: "▶ play", action: () => this.filling.toggle() });
    this.legend = h("p", { class: "cu-title cu-legend" });
    this.difference = h("p", { class: "cu-difference" });
    this.root.append(
      panel(
        whole("stride", "stride", 1, 4, "how far the kernel moves each time"),
        whole("padding", "padding", 0, 2, "rows and columns of zeros around x"),
        menu(this, { name: "pooling", options: ["max", "average", "none"] }),
        ...this.poolControls,
        menu(this, {
          name: "loss",
          options: [["sum", "sum of y"], "squared error"],
          help: "L: the sum of y, or the sum of (y − target)²",
        }),
        this.zeros,
      ),
      panel(
        h("span", { class: "cu-heading" }, "forward"),
        h("span", { class: "cu-title" }, FORWARD_HELP),
      ),
      this.buildRow(false),
      panel(
        this.backTitle,
        button(this, {
          label: "step",
          help: "fill the next gradient",
          action: () => this.filling.step(),
        }),
        this.play,
        button(this, {
          label: "all at once",
          help: "fill all gradients",
          action: () => this.filling.fillAll(),
        }),
        this.progress,
      ),
      this.buildRow(true),
      this.legend,
      this.words,
      this.difference,
      this.refusal,
    );
  }

  /** The grids of one direction, side by side; both rows have the same columns. */
  buildRow(back) {
    const columns = COLUMNS.map((names, i) => {
      const sign = h("span", { class: "cu-sign cu-operator", "aria-hidden": "true" });
      const boxes = names
        .filter((name) => name !== "L" && !(back && name === "t"))
        .map((name) => this.buildGrid(back, name).el);
      if (names[0] === "L" && !back) {
        const title = h("div", { class: "cu-title" }, "L");
        boxes.push(h("div", { class: "cu-grid-box" }, title, this.lossNode));
      }
      if (names[0] === "L" && back) boxes.push(this.seed);
      const column = h("div", { class: "cu-trace-column" }, sign, h("div", {}, ...boxes));
      (this.columns[i] ??= []).push(column);
      return column;
    });
    const side = back ? "backward" : "forward";
    const names = `cu-stage cu-trace cu-${side}`;
    const row = h("div", { class: names, role: "group", "aria-label": side });
    row.append(...columns.slice(0, 3), h("span", { class: "cu-break" }), ...columns.slice(3));
    return row;
  }

  buildGrid(back, name) {
    const grid = new NumberGrid(this, {
      title: name === "b" ? "+ b" : name,
      edit: !back && name in TRAITS ? (i, j, number) => this.edit(name, i, j, number) : undefined,
      hover: (row, column) => {
        const edge = back && name === "x" ? this.model.get("padding") : 0;
        this.look(row === null ? null : { back, name, row: row - edge, column: column - edge });
      },
    });
    (back ? this.backwardGrids : this.forwardGrids)[name] = grid;
    if (!back && name === "y") {
      const choose = (place) => place && this.propose({ source: place });
      this.listen(grid.table, "click", (event) => choose(grid.find(event)));
      this.listen(grid.table, "keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") choose(grid.at);
      });
    }
    return grid;
  }

  /** As in every view; a chosen output that a smaller y no longer has gives way to the loss. */
  propose(changes) {
    const state = { ...this.state(), ...this.drafts, ...changes };
    const [rows, columns] = tracerShapes(state).y;
    const gone = state.source[0] >= rows || state.source[1] >= columns; // never of "loss"
    const mended = { ...changes, source: "loss" };
    const possible = refuseTrace({ ...state, ...mended }) === null;
    return super.propose(gone && possible ? mended : changes);
  }

  edit(name, row, column, number) {
    if (name === "b") return this.propose({ bias: number });
    const trait = TRAITS[name];
    const shift = name === "x" ? this.model.get("padding") : 0;
    const grid = this.wanted(trait) ?? this.forward.t;
    return this.propose({
      [trait]: grid.map((line, i) =>
        line.map((value, j) => (i === row - shift && j === column - shift ? number : value)),
      ),
    });
  }

  look(cell) {
    this.looked = cell;
    this.schedule();
  }

  /** Compute anew what a changed state asks for. */
  trace() {
    const state = this.state();
    const key = JSON.stringify(state);
    if (key === this.key) return;
    this.key = key;
    this.traced = state;
    this.forward = traceForward(state);
    this.gradients = traceBackward(state, this.forward);
    this.filling.restart(fillOrder(this.gradients));
  }

  update() {
    const room = (this.root.clientWidth || PAGE_WIDTH) - EDGES; // read before anything is changed
    this.trace();
    const explained = this.explain();
    this.marks = new Map();
    for (const [grid, places] of Object.entries(explained.cells))
      for (const [row, column, zero] of places)
        this.marks.set(`${grid},${row},${column}`, zero ? "faint" : "window");
    this.showGrids();
    this.showControls();
    this.showColumns(room);
    if (this.words.textContent !== explained.text) this.words.textContent = explained.text;
    this.difference.textContent = explained.difference;
  }

  /** What is said: { text, cells, difference }. */
  explain() {
    const { traced: state, forward, gradients } = this;
    const cell = this.cell();
    const text = summarize(state, forward, gradients, this.filling.isWhole);
    const said = { text, cells: {}, difference: "" };
    if (!cell) return said;
    const { back, name, row, column } = cell;
    const values = back ? gradients[name] : { ...this.forwardValues(), L: [[forward.loss]] }[name];
    if (values[row]?.[column] === undefined) {
      if (back && name === "x") said.text = "Padding: its zeros are constants and get no gradient.";
      return said;
    }
    if (!back) return { ...said, ...explainForward(state, forward, name, row, column) };
    if (!this.filling.has(name, row, column)) {
      said.text = `${gradientName(state, name, row, column)} is still to come: press step.`;
      return said;
    }
    const explained = explainGradient(state, forward, gradients, name, row, column);
    if (!["x", "W", "b"].includes(name)) return { ...said, ...explained };
    const exact = gradients[name][row][column];
    const found = finiteDifference(state, name, row, column, exact);
    return { ...explained, difference: writeDifference(state, name, row, column, exact, found) };
  }

  /** The cell that is told now: the one pointed at, else the one filled last, else null. */
  cell() {
    return this.looked ?? this.filling.last;
  }

  forwardValues() {
    const { padded, z, a, y, t } = this.forward;
    return { x: padded, W: this.traced.kernel, b: [[this.traced.bias]], z, a, y, t };
  }

  showGrids() {
    const { traced: state, forward, gradients, marks } = this;
    const traced = { state, forward, gradients, marks, told: this.cell() };
    const show = (grid, cells) => {
      const key = JSON.stringify(cells);
      if (grid.key !== key) grid.show(cells); // pointing at a cell changes few grids
      grid.key = key;
    };
    for (const [name, values] of Object.entries(this.forwardValues()))
      show(this.forwardGrids[name], forwardCells(traced, name, values));
    for (const [name, grid] of Object.entries(this.backwardGrids)) {
      const isFilled = (row, column) => this.filling.has(name, row, column);
      grid.setTitle(`d${sourceName(state)[0]}/d${name}`);
      show(grid, backwardCells(traced, name, isFilled));
    }
  }

  /** Signs between the columns, and cells as wide as their numbers ask and the page allows. */
  showColumns(room) {
    if (this.laidOut === `${room} ${this.key}`) return;
    this.laidOut = `${room} ${this.key}`;
    const { pooling, loss } = this.traced;
    const squared = loss === "squared error";
    const pooled = { max: "max →", average: "mean →", none: "→" }[pooling];
    const signs = ["", "∗", "=", "ReLU →", pooled, squared ? "Σ( )² →" : "sum →"];
    const values = this.forwardValues();
    const sizes = COLUMNS.map((names) =>
      columnSize(names.flatMap((name) => [values[name], this.gradients[name]]).filter(Boolean)),
    );
    const { widths, broken, small } = layOut(sizes, room);
    this.root.classList.toggle("cu-broken", broken);
    this.root.classList.toggle("cu-small", small);
    this.columns.forEach(([forward, backward], i) => {
      for (const column of [forward, backward]) {
        column.style.setProperty("--cell", `${widths[i]}px`);
        column.style.setProperty("--cells", sizes[i].columns);
      }
      forward.firstChild.textContent = signs[i];
      const arrow = i > 1 && !(i === COLUMNS.length - 1 && this.seed.hidden);
      backward.firstChild.textContent = arrow ? "←" : "";
    });
  }

  showControls() {
    const { pooling, loss, padding, source } = this.traced;
    const { count, order, playing } = this.filling;
    for (const control of this.poolControls) control.hidden = this.wanted("pooling") === "none";
    this.zeros.hidden = this.wanted("loss") === "sum";
    this.forwardGrids.t.el.hidden = loss === "sum";
    this.lossNode.textContent = formatNumber(this.forward.loss);
    const say = `L = ${formatNumber(this.forward.loss)}: go backward from the loss`;
    setAttribute(this.lossNode, "aria-label", say);
    setAttribute(this.lossNode, "aria-pressed", String(source === "loss"));
    this.lossNode.classList.toggle("cu-chosen", source === "loss");
    this.backTitle.textContent = `backward from ${sourceName(this.traced)}`;
    this.seed.hidden = source !== "loss";
    this.progress.textContent = `${count} of ${order.length} gradients`;
    relabel(this.play, playing === null ? "▶ play" : "❚❚ pause");
    // Every cell said aloud would never come to an end.
    setAttribute(this.words, "aria-live", playing === null ? null : "off");
    this.legend.textContent = [
      "Hatched: shut by ReLU.",
      pooling === "max" && "Underlined: wins its pooling window.",
      padding > 0 && "Dashed: padding.",
      "Outlined: what goes into the number pointed at, dotted where it adds 0.",
    ]
      .filter(Boolean)
      .join(" ");
  }
}

export default {
  render({ model, el }) {
    const view = new TracerView(model, el);
    return () => view.close();
  },
};
