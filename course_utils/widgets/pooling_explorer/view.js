// PoolingExplorer: one window of a pooling at a time, and what happens when the input moves.

import { h, setAttribute } from "../shared/view.js";
import { SteppingView } from "../shared/stepping.js";
import { button, menu, panel, slider, toggle } from "../shared/controls.js";
import { NumberGrid } from "../shared/grid.js";
import { formatNumber } from "../shared/numbers.js";
import { pool, poolNumbers, sayPlaces, sayReach, sayWindow } from "./pooling.js";
import { refusePooling, refusePosition } from "./pooling.js";
import { resize } from "../shared/convolution.js";
import { ShiftPanel } from "./shift.js";

const POOL_OPTIONS = [
  ...["mode", "kernel_size", "stride", "padding"],
  ...["ceil_mode", "count_include_pad"],
];

class PoolingView extends SteppingView {
  constructor(model, el) {
    super(model, el, {
      names: ["input", ...POOL_OPTIONS, "position", "shift", "kernel"],
      check: (state) => refusePooling(state) ?? refusePosition(state),
      title: "Pooling, window by window",
    });
    this.reader = null; // the input cell under the mouse, to see which outputs it reaches
    this.build();
    this.refresh();
  }

  build() {
    const padding = () => this.model.get("padding");
    const arrow = h("span", { class: "cu-sign" }, "→");
    this.root.classList.add("cu-pooling");
    this.input = new NumberGrid(this, {
      title: "input",
      edit: (row, column, number) => this.edit(row - padding(), column - padding(), number),
      hover: (row, column) =>
        this.read(row === null ? null : [row - padding(), column - padding()]),
    });
    this.output = new NumberGrid(this, {
      title: "output",
      select: (row, column) => this.goTo(row * this.width() + column),
      hover: (row, column) => this.point(row === null ? null : { row, column }),
    });
    this.legend = h("p", { class: "cu-legend" });
    this.shift = new ShiftPanel(this);
    this.root.append(
      this.options(),
      this.steps("window"),
      h("div", { class: "cu-stage" }, this.input.el, arrow, this.output.el),
      this.legend,
      this.words,
      this.refusal,
      this.sizes(),
      this.shift.el,
    );
  }

  options() {
    const size = { name: "kernel_size", low: 1, high: 5, help: "rows and columns of the window" };
    const stride = { name: "stride", low: 1, high: 4, help: "how far the window moves each time" };
    const padding = { name: "padding", low: 0, high: 2, help: "rows and columns around the input" };
    const modes = { name: "mode", options: ["max", "average"], help: "what a window gives" };
    const ceil = { name: "ceil_mode", help: "keep a last window that hangs over the end" };
    const counted = toggle(this, { name: "count_include_pad" });
    this.controls.push(() => {
      const isAverage = this.wanted("mode") === "average";
      counted.querySelector("input").disabled = !isAverage;
      counted.classList.toggle("cu-off", !isAverage);
      counted.title = isAverage
        ? "whether the cells of the padding count, as zeros"
        : "for average only: in a maximum the padding never wins";
    });
    return h(
      "div",
      {},
      panel(menu(this, modes), slider(this, size), slider(this, stride)),
      panel(slider(this, padding), toggle(this, ceil), counted),
    );
  }

  sizes() {
    const rows = () => this.wanted("input").length;
    const columns = () => this.wanted("input")[0].length;
    const resized = (...size) => ({ input: resize(this.wanted("input"), ...size) });
    const any = () => Math.floor(Math.random() * 13) - 3;
    return h(
      "details",
      {},
      h("summary", {}, "another input"),
      panel(
        this.sizeField("rows", 12, rows, (count) => resized(count, columns())),
        this.sizeField("columns", 12, columns, (count) => resized(rows(), count)),
        button(this, {
          label: "random numbers",
          help: "fill the input with whole numbers from −3 to 9",
          action: () => this.propose({ input: this.wanted("input").map((line) => line.map(any)) }),
        }),
      ),
    );
  }

  outputOf(state) {
    return refusePooling(state) === null ? poolNumbers(state).output : null;
  }

  edit(row, column, number) {
    const change = (value, i, j) => (i === row && j === column ? number : value);
    const input = this.model.get("input");
    this.propose({ input: input.map((line, i) => line.map((value, j) => change(value, i, j))) });
  }

  read(place) {
    this.reader = place;
    this.schedule();
  }

  update() {
    const state = this.state();
    // Values that Python set together may arrive one by one: wait until they fit each other.
    if (refusePooling(state) !== null) return;
    // Nothing is pooled anew where only the place is another.
    const asked = ["input", ...POOL_OPTIONS].map((name) => state[name]);
    if (!asked.every((value, i) => value === this.asked?.[i])) this.result = pool(state);
    this.asked = asked;
    const { row, column } = this.place();
    const reached = this.reader && this.result.reads[this.reader[0]]?.[this.reader[1]];
    this.showInput(state, row, column);
    this.showOutput(state, row, column, reached ?? []);
    this.words.textContent = reached
      ? `${sayReach(this.result, state, ...this.reader)}.`
      : `${this.sayPlace({ row, column })}${sayWindow(this.result, state.mode, row, column)}.`;
    const unread = this.result.reads.flat().filter((readers) => !readers.length).length;
    const cells = unread === 1 ? "The hatched cell is" : `The ${unread} hatched cells are`;
    if (unread && !reached) this.words.append(` ${cells} never read.`);
    this.shift.update(state);
  }

  showInput(state, row, column) {
    const { input, padding, mode, kernel_size, stride, count_include_pad } = state;
    const { reach, reads, wins, winners, isRead } = this.result;
    const [height, width] = [input.length, input[0].length];
    const isAverage = mode === "average";
    const [top, left] = [row * stride - padding, column * stride - padding];
    const isIn = (start, place) => start <= place && place < start + kernel_size;
    const winner = isAverage ? null : winners[row][column];
    const seen = new Set();
    const cellOf = (i, j) => {
      const value = input[i]?.[j];
      const isInput = value !== undefined;
      const isOutside = i >= height + padding || j >= width + padding;
      const inWindow = isIn(top, i) && isIn(left, j);
      const won = isInput && wins[i][j].length > 0;
      const isWinner = isInput && inWindow && i * width + j === winner;
      const isUnread = !isRead(i, j);
      const kind = isInput ? null : isOutside ? "outside" : "padding";
      if (kind) seen.add(kind);
      if (isInput && isUnread) seen.add("unread");
      const padded = isAverage ? (count_include_pad ? "0" : "") : "−∞";
      const text = isInput ? formatNumber(value) : isOutside ? "" : padded;
      const place = kind ?? `row ${i}, column ${j}`;
      const notes = [
        `${place}: ${text || "not counted"}`,
        inWindow && "in the window",
        isWinner && "the winner",
        won && `wins ${sayPlaces(wins[i][j])}`,
        isInput && !reads[i][j].length && "never read",
      ];
      return {
        value: isInput ? value : 0,
        text,
        classes: [
          kind && "padding",
          isOutside && "outside",
          kind && !text && "uncounted",
          isUnread && !isOutside && "unread",
          inWindow && "window",
          won && "won",
          isWinner && "winner",
          isWinner && "active",
        ],
        label: notes.filter(Boolean).join(", "),
      };
    };
    const across = (count) => Array.from({ length: count }, (_, i) => i - padding);
    this.input.setTitle(padding ? "input with its padding" : "input");
    this.input.show(across(reach[0]).map((i) => across(reach[1]).map((j) => cellOf(i, j))));
    this.input.table.classList.toggle("cu-small", reach[1] > 11);
    // How often a cell wins, in its corner, where that is more than once.
    for (const [i, line] of this.input.cells.entries())
      for (const [j, cell] of line.entries()) {
        const count = wins[i - padding]?.[j - padding]?.length ?? 0;
        setAttribute(cell, "data-wins", count > 1 ? count : null);
      }
    this.legend.replaceChildren(
      ...[
        ["window", "the window"],
        !isAverage && ["active", "its winner"],
        !isAverage && ["won", "wins somewhere"],
        seen.has("unread") && ["unread", "never read"],
        seen.has("padding") && ["padding", "padding"],
        seen.has("outside") && ["outside", "outside, not counted"],
      ]
        .filter(Boolean)
        .map(([name, text]) =>
          h("span", {}, h("span", { class: `cu-key cu-${name}` }, name === "won" ? "5" : ""), text),
        ),
    );
  }

  showOutput(state, row, column, reached) {
    const { output, winners } = this.result;
    const width = state.input[0].length;
    const among = (places, i, j) => places.some(([m, n]) => m === i && n === j);
    const won = reached.length ? this.result.wins[this.reader[0]][this.reader[1]] : [];
    this.output.setTitle(`output, ${output.length} × ${output[0].length}`);
    this.output.at = [row, column];
    this.output.table.classList.toggle("cu-small", output[0].length > 11);
    this.output.show(
      output.map((line, i) =>
        line.map((value, j) => {
          const from = winners && [Math.floor(winners[i][j] / width), winners[i][j] % width];
          const source = from ? `, from input row ${from[0]}, column ${from[1]}` : "";
          return {
            value,
            classes: [
              i === row && j === column && "window",
              among(reached, i, j) && "reader",
              among(won, i, j) && "winner",
            ],
            label: `row ${i}, column ${j}: ${formatNumber(value)}${source}`,
          };
        }),
      ),
    );
  }
}

export default {
  render({ model, el }) {
    const view = new PoolingView(model, el);
    return () => view.close();
  },
};
