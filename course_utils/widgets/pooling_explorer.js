// PoolingExplorer: one window of a pooling at a time, and what happens when the input moves.

import { View, h, setAttribute } from "./shared/view.js";
import { button, menu, panel, relabel, slider, toggle } from "./shared/controls.js";
import { NumberGrid } from "./shared/grid.js";
import { formatNumber } from "./shared/numbers.js";
import { pool, poolNumbers, sayPlaces, sayReach, sayWindow } from "./arithmetic/pooling.js";
import { refusePooling, refusePosition } from "./arithmetic/pooling.js";
import { resize } from "./arithmetic/convolution.js";
import { ShiftPanel } from "./pooling_shift.js";

const NEXT_WINDOW_MILLISECONDS = 900;
const POOL_OPTIONS = [
  ...["mode", "kernel_size", "stride", "padding"],
  ...["ceil_mode", "count_include_pad"],
];

class PoolingView extends View {
  constructor(model, el) {
    super(model, el, {
      names: ["input", ...POOL_OPTIONS, "position", "shift", "kernel"],
      check: (state) => refusePooling(state) ?? refusePosition(state),
      title: "Pooling, window by window",
    });
    this.pointed = null; // the output cell under the mouse: { row, column }
    this.reader = null; // the input cell under the mouse, to see which outputs it reaches
    this.playing = null;
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
      this.steps(),
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

  steps() {
    const step = (label, help, where) =>
      button(this, { label, help, action: () => this.goTo(where(this.model.get("position"))) });
    this.play = button(this, {
      label: "▶ play",
      help: "show one window after the other",
      action: () => this.togglePlay(),
    });
    return panel(
      step("first", "the first window", () => 0),
      step("◀ back", "the window before", (position) => position - 1),
      step("next ▶", "the next window", (position) => position + 1),
      this.play,
    );
  }

  sizes() {
    const field = (label, read, write) => {
      const id = `${this.id}-${label}`;
      const input = h("input", { type: "number", min: 1, max: 12, class: "cu-field", id });
      this.listen(input, "change", () => {
        const wanted = Number(input.value);
        if (Number.isInteger(wanted) && 1 <= wanted && wanted <= 12)
          this.propose({ input: resize(this.wanted("input"), ...write(wanted)) });
        else this.say(`${label}=${input.value} is not possible: give a whole number from 1 to 12`);
      });
      this.controls.push(() => {
        if (document.activeElement !== input || !input.value) input.value = read();
      });
      return h("span", { class: "cu-control" }, h("label", { for: input.id }, label), input);
    };
    const rows = () => this.wanted("input").length;
    const columns = () => this.wanted("input")[0].length;
    const any = () => Math.floor(Math.random() * 13) - 3;
    return h(
      "details",
      {},
      h("summary", {}, "another input"),
      panel(
        field("rows", rows, (count) => [count, columns()]),
        field("columns", columns, (count) => [rows(), count]),
        button(this, {
          label: "random numbers",
          help: "fill the input with whole numbers from −3 to 9",
          action: () => this.propose({ input: this.wanted("input").map((line) => line.map(any)) }),
        }),
      ),
    );
  }

  /** As in every view, and `position` stays where there is an output number. */
  propose(changes) {
    const state = { ...this.state(), ...this.drafts, ...changes };
    if (refusePooling(state) === null) {
      const { output } = poolNumbers(state);
      const last = output.length * output[0].length - 1;
      if (state.position > last) changes = { ...changes, position: last };
    }
    return super.propose(changes);
  }

  edit(row, column, number) {
    const change = (value, i, j) => (i === row && j === column ? number : value);
    const input = this.model.get("input");
    this.propose({ input: input.map((line, i) => line.map((value, j) => change(value, i, j))) });
  }

  width() {
    return this.result.output[0].length;
  }

  count() {
    return this.result.output.length * this.width();
  }

  goTo(position) {
    this.pointed = null;
    if (0 <= position && position < this.count()) this.propose({ position });
    else this.schedule();
  }

  point(place) {
    this.pointed = place;
    this.schedule();
  }

  read(place) {
    this.reader = place;
    this.schedule();
  }

  togglePlay() {
    if (this.playing !== null) return this.stop();
    if (this.model.get("position") === this.count() - 1) this.goTo(0);
    const next = () => {
      this.goTo(this.model.get("position") + 1);
      if (this.model.get("position") === this.count() - 1) this.stop();
      else this.playing = this.later(NEXT_WINDOW_MILLISECONDS, next);
    };
    this.playing = this.later(NEXT_WINDOW_MILLISECONDS, next);
    return this.schedule();
  }

  stop() {
    this.cancel(this.playing);
    this.playing = null;
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
    const [rows, columns] = [this.result.output.length, this.width()];
    if (this.pointed && (this.pointed.row >= rows || this.pointed.column >= columns))
      this.pointed = null; // the output became smaller under the mouse
    const position = Math.min(state.position, rows * columns - 1);
    const { row, column } = this.pointed ?? {
      row: Math.floor(position / columns),
      column: position % columns,
    };
    const reached = this.reader && this.result.reads[this.reader[0]]?.[this.reader[1]];
    this.showInput(state, row, column);
    this.showOutput(state, row, column, reached ?? []);
    this.words.textContent = reached
      ? `${sayReach(this.result, state, ...this.reader)}.`
      : `Number ${row * columns + column + 1} of ${rows} × ${columns}, in row ${row} and column ` +
        `${column} of the output: ${sayWindow(this.result, state.mode, row, column)}.`;
    const unread = this.result.reads.flat().filter((readers) => !readers.length).length;
    const cells = unread === 1 ? "The hatched cell is" : `The ${unread} hatched cells are`;
    if (unread && !reached) this.words.append(` ${cells} never read.`);
    relabel(this.play, this.playing === null ? "▶ play" : "❚❚ pause");
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
