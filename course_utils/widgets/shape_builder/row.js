// The rows of a ShapeBuilder: one for the input, one for each layer.

import { h, setAttribute } from "../shared/view.js";
import { LAYER_TYPES, formatValue, labelLayer } from "./catalogue.js";
import { parseOption, refuseInput, refuseOption, writeOption } from "./catalogue.js";
import { writeShape } from "./mismatch.js";
import { drawBox } from "./box.js";

/** A whole number with commas between the thousands, also a BigInt. */
export function writeCount(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What stands in the columns on the right, by the name of the column. */
const COLUMNS = { shape: "output shape", parameters: "parameters", macs: "MACs", field: "sees" };

/** The line of one row: its name, its picture, its numbers. */
class Line {
  constructor(name) {
    this.box = h("div", { class: "sb-box", role: "cell" });
    this.cells = Object.entries(COLUMNS).map(([column, label]) =>
      h("div", { class: `sb-cell sb-${column}`, role: "cell", "data-label": label }),
    );
    this.name = h("div", { class: "sb-name", role: "rowheader" }, name);
    const parts = [this.name, this.box, ...this.cells];
    this.el = h("div", { class: "sb-line", role: "presentation" }, ...parts);
    this.drawn = "";
  }

  show(shape, texts, scale) {
    const wanted = JSON.stringify([shape, scale]);
    if (this.drawn !== wanted) this.box.replaceChildren(...(shape ? [drawBox(shape, scale)] : []));
    this.drawn = wanted;
    this.cells.forEach((cell, i) => {
      if (cell.textContent !== texts[i]) cell.textContent = texts[i];
      cell.classList.toggle("sb-empty", texts[i] === "" || texts[i] === "—");
    });
  }
}

/** The heading of the columns. */
export function headingRow() {
  const words = ["layer", "to scale", "output shape", "parameters", "MACs", "receptive field"];
  const help = {
    "to scale": "height and depth: rows and columns; thickness: channels",
    MACs: "multiply-accumulate operations for one input",
    "receptive field": "the input cells that one output cell can see",
  };
  const cells = words.map((word, i) =>
    h("div", { class: i > 2 ? "sb-cell" : "", role: "columnheader", title: help[word] }, word),
  );
  return h("div", { class: "sb-line sb-heading", role: "row" }, ...cells);
}

/** The last row: what comes out, and the sums. */
export class TotalRow {
  constructor() {
    this.line = new Line("total");
    this.el = this.line.el;
    this.el.classList.add("sb-total");
    this.el.setAttribute("role", "row");
  }

  show({ shapes, mismatch, parameters, macs }, scale) {
    this.line.name.textContent = mismatch ? "total of those that fit" : "total";
    const shape = mismatch ? "—" : writeShape(shapes.at(-1));
    this.line.show(null, [shape, writeCount(parameters), writeCount(macs), ""], scale);
  }
}

/** A text field for an option; it keeps what was typed until that can be used. */
class OptionField {
  constructor(view, { label, id, wide, read, step, write, refuse }) {
    Object.assign(this, { view, wide, read, write, refuse });
    this.input = h("input", { class: "cu-field", id, autocomplete: "off", spellcheck: "false" });
    this.input.style.setProperty("--sb-signs", wide);
    this.el = h("span", { class: "sb-option" }, h("label", { for: id }, label), this.input);
    this.pending = false; // holds a text that is not in the state
    view.listen(this.input, "input", () => this.take(false));
    view.listen(this.input, "change", () => this.take(true));
    view.listen(this.input, "keydown", (event) => {
      const turn = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (event.key === "Enter") this.take(true);
      else if (event.key === "Escape") this.reset();
      else if (turn && step) {
        event.preventDefault();
        this.input.value = step(this.value, turn);
        this.take(true);
      }
    });
  }

  /** Use what is in the field, or with `aloud` say why not. */
  take(aloud) {
    if (!this.input.isConnected) return; // a row that goes away says a last word: not to be heard
    const value = this.read(this.input.value);
    const sentence = this.refuse(value);
    this.pending = sentence !== null;
    setAttribute(this.input, "aria-invalid", this.pending ? "true" : null);
    if (sentence === null && String(value) !== String(this.value)) {
      this.value = value;
      this.write(value);
    }
    if (aloud || sentence === null) this.view.say(sentence);
  }

  reset() {
    this.pending = false;
    setAttribute(this.input, "aria-invalid", null);
    this.view.say(null);
    this.input.value = writeOption(this.value);
  }

  show(value) {
    const changed = String(value) !== String(this.value);
    this.value = value;
    if (this.pending && !changed) return;
    this.pending = false;
    setAttribute(this.input, "aria-invalid", null);
    const typing = document.activeElement === this.input;
    if (typing && String(this.read(this.input.value)) === String(value)) return;
    const written = writeOption(value);
    if (this.input.value !== written) this.input.value = written;
    this.input.style.setProperty("--sb-signs", Math.max(this.wide, written.length));
  }
}

/** The row of the input: an image or features, and how many. */
export class InputRow {
  constructor(view) {
    this.view = view;
    const kinds = { 3: "image", 1: "features" };
    this.kind = h("select", { "aria-label": "the input is", class: "sb-kind" });
    for (const [axes, word] of Object.entries(kinds).reverse())
      this.kind.append(h("option", { value: axes }, word));
    view.listen(this.kind, "change", () => this.turn(Number(this.kind.value)));
    this.options = h("div", { class: "sb-options", role: "cell" });
    this.line = new Line("input");
    this.el = h("div", { class: "sb-row sb-input", role: "row" }, this.line.el, this.options);
    this.fields = [];
  }

  turn(axes) {
    const size = this.view.model.get("input_size");
    const cells = size.reduce((product, n) => product * n, 1);
    this.view.change({ input_size: axes === 1 ? [Math.min(cells, 2 ** 20)] : [1, 28, 28] });
  }

  build(size) {
    const names = size.length === 3 ? ["channels C", "height H", "width W"] : ["features"];
    this.fields = names.map((label, axis) => {
      const changed = (value) =>
        this.view.model.get("input_size").map((n, i) => (i === axis ? value : n));
      const read = (text) => parseOption({ kind: "whole" }, text);
      return new OptionField(this.view, {
        label,
        read,
        id: `${this.view.id}-input-${label.replaceAll(" ", "-")}`,
        wide: size.length === 3 ? 4 : 7,
        step: (value, turn) => String(value + turn),
        write: (value) => this.view.change({ input_size: changed(value) }, `input ${axis}`),
        refuse: (value) => refuseInput(changed(value)),
      });
    });
    this.options.replaceChildren(this.kind, ...this.fields.map((field) => field.el));
  }

  show(size, scale) {
    if (this.fields.length !== size.length) this.build(size);
    this.kind.value = size.length;
    size.forEach((n, axis) => this.fields[axis].show(n));
    this.line.show(size, [writeShape(size), "", "", ""], scale);
  }
}

/** The row of one layer. */
export class LayerRow {
  constructor(view, index, type) {
    Object.assign(this, { view, index, type });
    this.head = h("button", { type: "button", class: "sb-head" });
    this.line = new Line(this.head);
    this.options = h("div", { class: "sb-options", role: "cell" });
    this.kept = h("span", { class: "sb-kept" });
    this.tools = this.buildTools();
    this.sentence = h("span", {});
    this.mend = h("button", { type: "button", class: "sb-mend" }, "Mend it");
    const said = [h("b", {}, "✕ "), this.sentence, " ", this.mend];
    this.problem = h("div", { class: "sb-problem", role: "cell" }, ...said);
    const parts = [this.line.el, this.options, this.problem];
    this.el = h("div", { class: "sb-row", role: "row" }, ...parts);
    this.fields = LAYER_TYPES[type]
      .filter(({ place }) => place !== "kept")
      .map((option) => this.buildField(option));
    this.options.append(...this.fields.map(({ field }) => field.el), this.kept, this.tools);
    view.listen(this.mend, "click", () => view.mend());
    view.listen(this.head, "click", () => view.choose(this.index));
    view.listen(this.head, "keydown", (event) => this.onKey(event));
    // Not on focus: who goes through the fields by Tab keeps the chosen row.
    view.listen(this.options, "click", ({ target }) => {
      if (!this.tools.contains(target)) view.choose(this.index);
    });
  }

  buildField(option) {
    const { name, kind } = option;
    const id = `${this.view.id}-${this.index}-${name}`;
    const write = (value) => this.view.edit(this.index, name, value);
    if (kind === "yesno") {
      const input = h("input", { type: "checkbox", id });
      this.view.listen(input, "change", () => write(input.checked));
      const el = h("span", { class: "sb-option" }, h("label", { for: id }, name), input);
      return { option, field: { el, show: (value) => (input.checked = value) } };
    }
    const by = name === "p" ? 0.1 : kind === "number" ? 0.01 : 1;
    const one = (number, turn) => Math.round((number + turn * by) * 100) / 100;
    const field = new OptionField(this.view, {
      label: name,
      id,
      wide: name.endsWith("features") ? 5 : 4,
      read: (text) => parseOption(option, text),
      step: (value, turn) =>
        value === "same" ? value : writeOption([value].flat().map((number) => one(number, turn))),
      write,
      refuse: (value) =>
        refuseOption(option, value, labelLayer(this.view.model.get("layers"), this.index)),
    });
    return { option, field };
  }

  buildTools() {
    const tool = (text, help, action) => {
      const button = h("button", { type: "button", title: help }, text);
      this.view.listen(button, "click", () => action());
      return button;
    };
    const { view } = this;
    const up = "let this layer run before the one above (Alt + ↑)";
    const down = "let this layer run after the one below (Alt + ↓)";
    this.up = tool("↑ move up", up, () => view.move(this.index, -1));
    this.down = tool("↓ move down", down, () => view.move(this.index, 1));
    this.remove = tool("delete", "take this layer out (Delete)", () => view.remove(this.index));
    return h("span", { class: "sb-tools" }, this.up, this.down, this.remove);
  }

  onKey(event) {
    const turn = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (turn && event.altKey) this.view.move(this.index, turn, "head");
    else if (turn) this.view.focusRow(this.index + turn);
    else if (["Delete", "Backspace"].includes(event.key)) this.view.remove(this.index);
    else return;
    event.preventDefault();
  }

  /** Show a layer, what it makes (`row`, or null), and why it does not fit (`mismatch`, or null). */
  show({ layer, row, mismatch, isChosen, count, size, scale }) {
    const title = layer.name ?? String(this.index);
    if (this.head.dataset.title !== title) {
      this.head.replaceChildren(h("span", { class: "sb-title" }, title), " ", this.type);
      this.head.dataset.title = title;
    }
    setAttribute(this.head, "aria-expanded", String(isChosen));
    this.el.classList.toggle("sb-chosen", isChosen);
    this.el.classList.toggle("sb-wrong", mismatch !== null);
    this.el.classList.toggle("sb-after", row === null && mismatch === null);
    this.problem.hidden = mismatch === null;
    if (mismatch) {
      this.sentence.textContent = `${mismatch.sentence}.`;
      this.mend.textContent = `Mend it: ${mismatch.mend}`;
    }
    for (const { option, field } of this.fields) {
      const value = layer.options[option.name];
      const isUsual = String(value) === String(option.default);
      field.el.hidden = option.place === "more" && !isChosen && isUsual;
      field.show(value);
    }
    this.kept.textContent = LAYER_TYPES[this.type]
      .filter((o) => o.place === "kept" && layer.options[o.name] !== o.default)
      .map(({ name }) => `${name}=${formatValue(layer.options[name])}`)
      .join("  ");
    this.tools.hidden = !isChosen;
    this.up.disabled = this.index === 0;
    this.down.disabled = this.index === count - 1;
    this.line.show(row?.shape ?? null, textsOf(row, size), scale);
  }
}

function textsOf(row, size) {
  if (!row) return ["—", "—", "—", "—"];
  const sides = row.field === null ? ["?"] : [row.field].flat();
  const both = size.length === 3 && sides.length === 1 && row.field !== null;
  const field = (both ? [sides[0], sides[0]] : sides).join(" × ");
  return [writeShape(row.shape), writeCount(row.parameters), writeCount(row.macs), field];
}
