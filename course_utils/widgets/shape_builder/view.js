// A stack of layers to build and to mend: shapes, parameters, MACs and receptive fields by layer.

import { View, h } from "../shared/view.js";
import { button, panel } from "../shared/controls.js";
import { labelLayer, refuseInput, refuseLayers } from "./catalogue.js";
import { writeShape } from "./mismatch.js";
import { followLayers, freshLayer, mendLayers, writeCode } from "./shapes.js";
import { findBoxScale } from "./box.js";
import { InputRow, LayerRow, TotalRow, headingRow, writeCount } from "./row.js";

const PALETTE = {
  weights: ["Conv2d", "ConvTranspose2d", "Linear", "BatchNorm2d", "BatchNorm1d"],
  size: ["MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Flatten"],
  activation: ["ReLU", "LeakyReLU", "GELU", "Sigmoid", "Tanh", "Softmax"],
  other: ["Dropout", "Dropout2d", "Identity"],
};
const MOST_STEPS = 100; // that can be taken back

class ShapeBuilderView extends View {
  constructor(model, el) {
    super(model, el, {
      names: ["layers", "input_size"],
      check: ({ layers, input_size }) => refuseLayers(layers) ?? refuseInput(input_size),
      title: "Layers and their shapes",
    });
    this.rows = [];
    this.past = []; // states to go back to
    this.lastEdit = null; // which field was typed into: one step back takes all of it
    this.focusNext = null; // [row, "head" or the name of a tool], once the rows are drawn
    this.chosen = Math.max(0, model.get("layers").length - 1);
    const { mismatch } = followLayers(model.get("layers"), model.get("input_size"));
    if (mismatch) this.chosen = mismatch.index;
    this.build();
    this.refresh();
  }

  build() {
    this.input = new InputRow(this);
    this.total = new TotalRow();
    this.list = h("div", { class: "sb-list", role: "rowgroup" });
    this.table = h(
      "div",
      { class: "sb-table", role: "table", "aria-label": "layers" },
      headingRow(),
      this.input.el,
      this.list,
      this.total.el,
    );
    this.adding = h("div", { class: "sb-adding" });
    const help = "take the last change back";
    this.undo = button(this, { label: "↶ undo", help, action: () => this.goBack() });
    this.code = h("code", {});
    this.root.classList.add("sb");
    this.root.append(
      this.table,
      this.words,
      this.refusal,
      h("div", { class: "sb-palette" }, panel(this.adding, this.undo), ...this.buildPalette()),
      h(
        "details",
        {},
        h("summary", {}, "Show the code"),
        h("pre", { class: "sb-code", tabindex: "0", "aria-label": "the Python code" }, this.code),
      ),
    );
  }

  buildPalette() {
    return Object.entries(PALETTE).map(([group, types]) =>
      h(
        "div",
        { class: "sb-group", role: "group", "aria-label": `add: ${group}` },
        h("span", { class: "sb-label" }, group),
        ...types.map((type) =>
          button(this, { label: `+ ${type}`, action: () => this.add(type) }),
        ),
      ),
    );
  }

  /** Change traits, if that is possible, and remember what was. `edit` names a field typed into. */
  change(changes, edit = null) {
    const sentence = this.check({ ...this.state(), ...changes });
    if (sentence !== null) {
      this.say(sentence);
      return false;
    }
    if (edit === null || edit !== this.lastEdit) this.past.push(this.state());
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.lastEdit = edit;
    return this.propose(changes);
  }

  goBack() {
    if (!this.past.length) return;
    this.lastEdit = null;
    this.propose(this.past.pop());
  }

  layers() {
    return structuredClone(this.model.get("layers"));
  }

  choose(index) {
    this.chosen = index;
    this.schedule();
  }

  focusRow(index) {
    if (!this.rows[index]) return;
    this.choose(index);
    this.rows[index].head.focus();
  }

  edit(index, name, value) {
    const layers = this.layers();
    if (String(layers[index].options[name]) === String(value)) return;
    layers[index].options[name] = value;
    this.change({ layers }, `${index} ${name}`);
  }

  add(type) {
    const layers = this.layers();
    const { shapes } = followLayers(layers, this.model.get("input_size"));
    const index = layers.length ? Math.min(this.chosen, layers.length - 1) + 1 : 0;
    layers.splice(index, 0, freshLayer(type, shapes[Math.min(index, shapes.length - 1)]));
    if (this.change({ layers })) this.choose(index);
  }

  move(index, turn, part = turn < 0 ? "up" : "down") {
    const layers = this.layers();
    const to = index + turn;
    if (!layers[to]) return;
    layers.splice(to, 0, ...layers.splice(index, 1));
    if (!this.change({ layers })) return;
    this.focusNext = [to, part];
    this.choose(to);
  }

  remove(index) {
    const layers = this.layers();
    layers.splice(index, 1);
    if (!this.change({ layers })) return;
    this.focusNext = [Math.min(index, layers.length - 1), "head"];
    this.choose(Math.max(0, Math.min(index, layers.length - 1)));
  }

  mend() {
    const { mismatch } = followLayers(this.model.get("layers"), this.model.get("input_size"));
    if (!mismatch || !this.change({ layers: mendLayers(this.layers(), mismatch) })) return;
    this.focusNext = [mismatch.index, "mend"];
    this.choose(Math.min(mismatch.index, this.model.get("layers").length - 1));
  }

  /** Wait for the frame: rows that move at once would slip away from under a click. */
  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.refresh();
    });
  }

  update() {
    const { layers, input_size: size } = this.state();
    const followed = followLayers(layers, size);
    const { shapes, rows, mismatch } = followed;
    const scale = findBoxScale(shapes);
    this.buildRows(layers);
    this.chosen = Math.max(0, Math.min(this.chosen, layers.length - 1));
    this.input.show(size, scale);
    this.rows.forEach((row, index) =>
      row.show({
        layer: layers[index],
        row: rows[index] ?? null,
        mismatch: mismatch?.index === index ? mismatch : null,
        isChosen: index === this.chosen,
        count: layers.length,
        size,
        scale,
      }),
    );
    this.total.show(followed, scale);
    this.adding.textContent = layers.length
      ? `Add below ${labelLayer(layers, this.chosen)}:`
      : "Add the first layer:";
    this.undo.disabled = !this.past.length;
    this.code.textContent = writeCode(layers);
    this.fitColumns(followed);
    this.describe(followed, layers, size);
    this.settleFocus();
  }

  /** Make the columns of numbers as wide as their sum. */
  fitColumns({ parameters, macs }) {
    const wide = (count) => Math.ceil(9.1 * writeCount(count).length);
    const set = (name, pixels) => this.table.style.setProperty(name, `${pixels}px`);
    set("--sb-wide-parameters", Math.max(80, wide(parameters)));
    set("--sb-wide-macs", Math.max(92, wide(macs)));
  }

  /** A row for each layer; rows whose type is the same stay, with their focus. */
  buildRows(layers) {
    while (this.rows.length > layers.length) this.rows.pop().el.remove();
    layers.forEach(({ type }, index) => {
      if (this.rows[index]?.type === type) return;
      const row = new LayerRow(this, index, type);
      if (this.rows[index]) this.rows[index].el.replaceWith(row.el);
      else this.list.append(row.el);
      this.rows[index] = row;
    });
  }

  settleFocus() {
    if (!this.focusNext) return;
    const [index, part] = this.focusNext;
    this.focusNext = null;
    const row = this.rows[Math.min(index, this.rows.length - 1)];
    if (part === "mend") {
      // The next mend is one press away; without one, the row that was mended.
      const next = this.rows.find((one) => !one.problem.hidden);
      (next?.mend ?? row?.head ?? this.undo).focus();
      return;
    }
    const wanted = row?.[part];
    (wanted && !wanted.disabled ? wanted : (row?.head ?? this.undo)).focus();
  }

  describe({ shapes, rows, mismatch, parameters, macs }, layers, size) {
    const counts = `${writeCount(parameters)} parameters and ${writeCount(macs)} MACs`;
    const plural = (n) => (n === 1 ? "1 layer" : `${n} layers`);
    const made = `${writeShape(size)} in, ${writeShape(shapes.at(-1))} out`;
    if (!mismatch) {
      this.words.textContent = `${plural(layers.length)}: ${made}, with ${counts} for one input.`;
      return;
    }
    const me = labelLayer(layers, mismatch.index);
    const fit = rows.length === 1 ? "layer before it fits" : `${rows.length} layers before it fit`;
    const before = rows.length ? ` The ${fit}: ${made}, with ${counts}.` : "";
    this.words.textContent = `${me} does not fit: ${mismatch.mend}.${before}`;
  }
}

export default {
  render({ model, el }) {
    const view = new ShapeBuilderView(model, el);
    return () => view.close();
  },
};
