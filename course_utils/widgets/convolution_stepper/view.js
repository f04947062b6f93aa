// ConvolutionStepper: one output number of a convolution at a time, and the sum behind it.

import { h, withSign } from "../shared/view.js";
import { SteppingView } from "../shared/stepping.js";
import { button, menu, panel, slider } from "../shared/controls.js";
import { NumberGrid } from "../shared/grid.js";
import { formatNumber, writeTerms } from "../shared/numbers.js";
import { asChannels, convolve, refuseConvolution, resize } from "../shared/convolution.js";

const MODES = ["cross-correlation", "convolution"];

class StepperView extends SteppingView {
  constructor(model, el) {
    super(model, el, {
      names: ["input", "kernel", "stride", "padding", "dilation", "mode", "position"],
      check: refuseConvolution,
      title: "Convolution, step by step",
    });
    this.grids3 = []; // for each channel: input, kernel, turned kernel, products
    this.product = null; // the number of products shown, or null for all of them
    this.singled = null; // the product under the mouse, by its number
    this.reader = null; // the input cell under the mouse, to see which outputs read it
    this.build();
    this.refresh();
  }

  build() {
    this.stage = h("div", { class: "cu-stage" });
    this.channels = h("div", { class: "cu-column" });
    this.output = new NumberGrid(this, {
      title: "output",
      select: (row, column) => this.goTo(row * this.width() + column),
      hover: (row, column) => this.point(row === null ? null : { row, column }),
    });
    this.stage.append(this.channels, withSign("=", this.output.el));
    this.root.append(
      panel(
        slider(this, { name: "stride", low: 1, high: 5, help: "how far the window moves each time" }),
        slider(this, { name: "padding", low: 0, high: 3, help: "rows and columns of zeros around the input" }),
        slider(this, { name: "dilation", low: 1, high: 4, help: "the distance between neighbouring cells of the window" }),
        menu(this, { name: "mode", options: MODES, help: "convolution turns the kernel by 180° first" }),
      ),
      this.steps(
        "output number",
        button(this, {
          label: "+ one product",
          help: "add up the products one by one",
          action: () => this.nextProduct(),
        }),
      ),
      this.stage,
      this.words,
      this.refusal,
      this.sizes(),
    );
  }

  sizes() {
    const size = (name, axis) => {
      const grid = asChannels(this.wanted(name))[0];
      return axis === 0 ? grid.length : grid[0].length;
    };
    const reshape = (name, rows, columns) => ({
      [name]: this.each(name, (grid) => resize(grid, rows, columns)),
    });
    const axes = (name, label, high) => [
      this.sizeField(`${label} rows`, high, () => size(name, 0), (n) => reshape(name, n, size(name, 1))),
      this.sizeField(`${label} columns`, high, () => size(name, 1), (n) => reshape(name, size(name, 0), n)),
    ];
    return h(
      "details",
      {},
      h("summary", {}, "sizes, channels, other numbers"),
      panel(
        ...axes("input", "input", 12),
        ...axes("kernel", "kernel", 7),
        this.sizeField("channels", 3, () => asChannels(this.wanted("input")).length, (n) => this.withChannels(n)),
        button(this, { label: "random input", help: "fill the input with whole numbers from −3 to 9", action: () => this.randomize() }),
      ),
    );
  }

  /** The grid or grids of a trait, each changed by `change`. */
  each(name, change) {
    const grid = this.wanted(name);
    return Array.isArray(grid[0][0]) ? grid.map(change) : change(grid);
  }

  withChannels(count) {
    const several = (name) => {
      const channels = asChannels(this.wanted(name));
      const grids = Array.from({ length: count }, (_, c) => channels[Math.min(c, channels.length - 1)]);
      return count === 1 ? grids[0] : grids.map((grid) => grid.map((row) => [...row]));
    };
    return { input: several("input"), kernel: several("kernel") };
  }

  randomize() {
    const any = () => Math.floor(Math.random() * 13) - 3;
    this.propose({ input: this.each("input", (grid) => grid.map((row) => row.map(any))) });
  }

  outputOf(state) {
    return refuseConvolution(state) === null ? convolve(state).output : null;
  }

  goTo(position) {
    this.product = null;
    super.goTo(position);
  }

  single(number) {
    this.singled = number;
    this.schedule();
  }

  nextProduct() {
    const all = this.cells.length;
    if (this.product === null) this.product = 1;
    else if (this.product < all) this.product += 1;
    else {
      const next = this.model.get("position") + 1;
      this.goTo(next < this.count() ? next : 0);
      this.product = 1;
    }
    this.schedule();
  }

  edit(name, channel, row, column, number) {
    const grid = this.model.get(name);
    const change = (rows) =>
      rows.map((line, i) => line.map((value, j) => (i === row && j === column ? number : value)));
    const several = Array.isArray(grid[0][0]);
    this.propose({
      [name]: several ? grid.map((rows, c) => (c === channel ? change(rows) : rows)) : change(grid),
    });
  }

  /** The grids of the channels: made anew when there are more or fewer. */
  buildChannels(count) {
    const padding = () => this.model.get("padding");
    const termAt = (channel, row, column) =>
      this.cells.findIndex((cell) => cell.channel === channel && cell.row === row && cell.column === column);
    const kernelTerm = (channel, row, column, turned) => {
      if (row === null) return null;
      const kernel = asChannels(this.model.get("kernel"))[0];
      const [m, n] = turned ? [kernel.length - 1 - row, kernel[0].length - 1 - column] : [row, column];
      return this.cells.findIndex((cell) => cell.channel === channel && cell.m === m && cell.n === n);
    };
    this.grids3 = Array.from({ length: count }, (_, channel) => ({
      input: new NumberGrid(this, {
        title: "input",
        edit: (row, column, number) => this.edit("input", channel, row - padding(), column - padding(), number),
        hover: (row, column) => {
          this.reader = row === null ? null : { row, column };
          this.single(row === null ? null : termAt(channel, row, column));
        },
      }),
      kernel: new NumberGrid(this, {
        title: "kernel",
        edit: (row, column, number) => this.edit("kernel", channel, row, column, number),
        hover: (row, column) => this.single(kernelTerm(channel, row, column, this.model.get("mode") === MODES[1])),
      }),
      turned: new NumberGrid(this, {
        title: "turned by 180°",
        hover: (row, column) => this.single(kernelTerm(channel, row, column, false)),
      }),
      products: new NumberGrid(this, {
        title: "products",
        hover: (row, column) => this.single(kernelTerm(channel, row, column, false)),
      }),
    }));
    this.channels.replaceChildren(
      ...this.grids3.map(({ input, kernel, turned, products }) =>
        h(
          "div",
          { class: "cu-stage" },
          input.el,
          withSign("∗", h("div", { class: "cu-column" }, kernel.el, turned.el)),
          withSign("→", products.el),
        ),
      ),
    );
  }

  update() {
    const state = this.state();
    this.result = convolve(state);
    const { padded, laid, output, read, window } = this.result;
    const { row, column } = this.place();
    this.cells = window(row, column);
    const count = this.product === null || this.pointed ? this.cells.length : this.product;
    const singled = this.singled !== null && this.singled >= 0 ? this.singled : null;
    const single = singled ?? (count < this.cells.length ? count - 1 : null);
    if (this.grids3.length !== padded.length) this.buildChannels(padded.length);
    padded.forEach((grid, channel) => this.showChannel(channel, { state, grid, laid, read, count, single }));
    this.showOutput(output, row, column, count);
    this.describe(row, column, count, single);
  }

  showChannel(channel, { state, grid, laid, read, count, single }) {
    const { input, kernel, turned, products } = this.grids3[channel];
    const { padding } = state;
    const which = this.grids3.length > 1 ? `, channel ${channel}` : "";
    const mine = this.cells.filter((cell) => cell.channel === channel);
    const chosen = single === null ? null : this.cells[single];
    const isChosen = (test) => chosen !== null && chosen.channel === channel && test(chosen);
    const [high, wide] = [grid.length, grid[0].length];
    input.setTitle(padding ? `input with its padding${which}` : `input${which}`);
    input.show(
      grid.map((line, i) =>
        line.map((value, j) => {
          const outside = i < padding || j < padding || i >= high - padding || j >= wide - padding;
          const inside = mine.some((cell) => cell.row === i && cell.column === j);
          const name = outside ? "padding" : `row ${i - padding}, column ${j - padding}`;
          return {
            value,
            classes: [
              outside && "padding",
              inside && "window",
              !read[i][j] && "unread",
              isChosen((cell) => cell.row === i && cell.column === j) && "active",
            ],
            label: `${name}: ${formatNumber(value)}${inside ? ", in the window" : ""}${read[i][j] ? "" : ", never read"}`,
          };
        }),
      ),
    );
    const isConvolution = state.mode === MODES[1];
    const own = asChannels(state.kernel)[channel];
    kernel.setTitle(`kernel${which}`);
    kernel.show(
      own.map((line, m) =>
        line.map((value, n) => ({
          value,
          classes: [!isConvolution && isChosen((cell) => cell.m === m && cell.n === n) && "active"],
        })),
      ),
    );
    turned.el.hidden = !isConvolution;
    turned.show(
      laid[channel].map((line, m) =>
        line.map((value, n) => ({ value, classes: [isChosen((cell) => cell.m === m && cell.n === n) && "active"] })),
      ),
    );
    products.setTitle(`products${which}`);
    products.show(
      laid[channel].map((line, m) =>
        line.map((_, n) => {
          const number = this.cells.findIndex((c) => c.channel === channel && c.m === m && c.n === n);
          const { value, weight, product } = this.cells[number];
          const hidden = number >= count;
          return {
            value: hidden ? 0 : product,
            text: hidden ? "" : undefined,
            classes: [hidden ? "pending" : "window", isChosen((c) => c.m === m && c.n === n) && "active"],
            label: hidden ? "still to come" : `${formatNumber(value)} times ${formatNumber(weight)} is ${formatNumber(product)}`,
          };
        }),
      ),
    );
  }

  showOutput(output, row, column, count) {
    const partial = this.cells.slice(0, count).reduce((sum, cell) => sum + cell.product, 0);
    const reads = (i, j) =>
      this.reader &&
      this.result.window(i, j).some((c) => c.row === this.reader.row && c.column === this.reader.column);
    if (!this.output.table.contains(document.activeElement)) this.output.at = [row, column];
    this.output.show(
      output.map((line, i) =>
        line.map((value, j) => {
          const here = i === row && j === column;
          return {
            value: here ? partial : value,
            text: here && count < this.cells.length ? `${formatNumber(partial)}…` : undefined,
            classes: [here && "window", !here && reads(i, j) && "reader"],
          };
        }),
      ),
    );
  }

  describe(row, column, count, single) {
    const terms = writeTerms(
      this.cells.map((cell) => cell.value),
      this.cells.map((cell) => cell.weight),
    );
    const pieces = terms.slice(0, count).flatMap((term, i) => [
      i ? " + " : "",
      h("span", i === single ? { class: "cu-term" } : {}, term),
    ]);
    const sum = this.cells.slice(0, count).reduce((total, cell) => total + cell.product, 0);
    const end = count < this.cells.length ? " so far." : ".";
    const said = [this.sayPlace({ row, column }), ...pieces, " = ", h("strong", {}, formatNumber(sum)), end];
    const unread = this.result.read.flat().filter((cell) => !cell).length;
    if (unread) said.push(` ${unread === 1 ? "The hatched cell is" : `The ${unread} hatched cells are`} never read.`);
    this.words.replaceChildren(...said);
  }
}

export default {
  render({ model, el }) {
    const view = new StepperView(model, el);
    return () => view.close();
  },
};
