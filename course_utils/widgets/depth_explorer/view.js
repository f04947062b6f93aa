// DepthExplorer: what depth, width, kernel and input size cost, and what costs the same.

import { View, h, setAttribute } from "../shared/view.js";
import { button, menu, panel, slider } from "../shared/controls.js";
import {
  NETWORK_RANGES,
  countNetwork,
  describeLayer,
  describeNetwork,
  grouped,
  measuredOf,
  partnersOf,
  refuseNetwork,
  writeDifference,
  writeRatio,
  writeRuns,
} from "./counts.js";
import { columnAt, drawNetwork } from "./picture.js";
import { drawMeasured, writeInterval, writeMeasured } from "./measured.js";

const NETWORK = ["depth", "width", "kernel_size", "input_size"];
const TOTALS = [
  ["parameters", "parameters", (value) => grouped(value)],
  ["macs", "MACs for one image", (value) => grouped(value)],
  ["receptiveField", "receptive field, pixels", (value) => `${value} × ${value}`],
  ["activationBytes", "bytes kept for training", (value) => grouped(value)],
];
const WHAT = { parameters: "parameters", macs: "MACs" };

class DepthView extends View {
  constructor(model, el) {
    super(model, el, {
      names: [...NETWORK, "results", "equal"],
      check: refuseNetwork,
      title: "Depth, width and what they cost",
    });
    this.hovered = null; // the layer under the mouse, by its number
    this.chosen = null; // the layer that was clicked or reached with the keys, by its name
    this.pinned = null; // the network A
    this.measurements = null; // the results that the table of measurements was made for
    this.build();
    this.refresh();
    this.observer = new ResizeObserver(() => {
      if (this.available() !== this.drawnWidth) this.schedule();
    });
    this.observer.observe(this.root);
  }

  build() {
    const { depth, width, input_size: input } = NETWORK_RANGES;
    const range = ([low, high]) => ({ low, high });
    const square = (n) => `${n} × ${n}`;
    const sliders = panel(
      slider(this, { name: "depth", ...range(depth), help: "how many convolutions" }),
      slider(this, { name: "width", ...range(width), help: "channels of each convolution" }),
      slider(this, {
        ...{ name: "kernel_size", label: "kernel size", low: 1, high: 7, step: 2, text: square },
        help: "rows and columns of each kernel",
      }),
      slider(this, {
        ...{ name: "input_size", label: "input size", ...range(input), text: square },
        help: "rows and columns of the image",
      }),
    );
    sliders.classList.add("cu-depth-controls");
    this.root.append(sliders, this.buildTotals(), this.buildPicture(), this.words, this.refusal);
    this.root.append(this.buildPartners(), this.buildMeasured());
  }

  buildTotals() {
    this.totals = TOTALS.map(([key, title, text]) => {
      const [number, ratio] = [h("div", { class: "cu-total" }), h("div", { class: "cu-ratio" })];
      const el = h("div", { class: "cu-tile" }, h("div", { class: "cu-name" }, title), number, ratio);
      return { key, text, number, ratio, el };
    });
    this.pinWords = h("span", { role: "status" });
    const act = (label, help, action) => button(this, { label, help, action });
    const pinned = "keep this network, to compare others with it";
    this.pinButton = act("pin as A", pinned, () => this.pin(this.network()));
    this.swapButton = act("swap", "go to A, and pin this network instead", () => this.swap());
    this.unpinButton = act("remove A", "stop comparing", () => this.pin(null));
    return h(
      "div",
      {},
      h("div", { class: "cu-tiles" }, ...this.totals.map((total) => total.el)),
      panel(this.pinButton, this.swapButton, this.unpinButton, this.pinWords),
    );
  }

  /** The drawing is one slider over the layers: to the keyboard, and to a screen reader. */
  buildPicture() {
    const reader = { role: "slider", "aria-label": "layer", "aria-valuemin": 0 };
    this.picture = h("div", { class: "cu-network", tabindex: "0", ...reader });
    const under = (event) => {
      const left = this.picture.getBoundingClientRect().left;
      return columnAt(event.clientX - left, this.described.layers.length, this.drawnWidth);
    };
    const hover = (index) => {
      if (index === this.hovered) return;
      this.hovered = index;
      this.schedule();
    };
    this.listen(this.picture, "pointermove", (event) => {
      if (event.pointerType !== "touch") hover(under(event));
    });
    this.listen(this.picture, "pointerleave", () => hover(null));
    this.listen(this.picture, "click", (event) => {
      const index = under(event);
      if (index !== null) this.choose(index);
    });
    this.listen(this.picture, "keydown", (event) => {
      const last = this.described.layers.length - 1;
      const arrows = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
      const steps = { ...arrows, Home: -last, End: last };
      if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.hovered = null;
      this.choose(Math.max(0, Math.min(last, this.index() + steps[event.key])));
    });
    const hint =
      "Point at a layer, or click one and walk with ← and →. " +
      "Heights, thicknesses and bars are to scale.";
    return h("div", {}, this.picture, h("p", { class: "cu-hint" }, hint));
  }

  buildPartners() {
    const heads = ["network", "difference", "parameters", "MACs", "sees", "bytes kept"];
    this.accuracyHead = h("th", { scope: "col" }, "accuracy");
    this.rows = [];
    const [shallow, deep] = NETWORK_RANGES.depth;
    for (let depth = shallow; depth <= deep; depth++) {
      const row = { depth, cells: heads.slice(1).map(() => h("td")), accuracy: h("td") };
      row.go = button(this, { label: "", action: () => row.network && this.propose(row.network) });
      row.el = h("tr", {}, h("th", { scope: "row" }, row.go), ...row.cells, row.accuracy);
      this.rows.push(row);
    }
    const head = heads.map((title) => h("th", { scope: "col" }, title));
    const body = this.rows.map((row) => row.el);
    const table = costTable([...head, this.accuracyHead], h("tbody", {}, ...body));
    const equal = menu(this, {
      ...{ name: "equal", label: "Other networks with nearly as many" },
      options: Object.entries(WHAT),
      help: "what the networks below have nearly the same number of",
    });
    this.left = h("p", { class: "cu-hint" });
    return h("section", {}, panel(equal), h("div", { class: "cu-scroll" }, table), this.left);
  }

  buildMeasured() {
    this.plot = h("div", { class: "cu-plot" });
    this.list = h("tbody");
    const titles = ["network", "kernel", "input", "accuracy"];
    const heads = titles.map((title) => h("th", { scope: "col" }, title));
    this.listBox = h(
      "details",
      {},
      h("summary", {}, "all measurements"),
      h("div", { class: "cu-scroll" }, costTable(heads, this.list)),
    );
    this.plotHint = h("p", { class: "cu-hint" });
    return h("section", {}, this.plot, this.plotHint, this.listBox);
  }

  network() {
    return Object.fromEntries(NETWORK.map((name) => [name, this.model.get(name)]));
  }

  /** Which layer is shown: the one under the mouse, else the chosen, else the last convolution. */
  index() {
    const { layers } = this.described;
    if (this.hovered !== null && this.hovered < layers.length) return this.hovered;
    const chosen = layers.findIndex((layer) => layer.name === this.chosen);
    return chosen >= 0 ? chosen : layers.findLastIndex((layer) => layer.kind === "convolution");
  }

  choose(index) {
    this.chosen = this.described.layers[index].name;
    this.schedule();
  }

  pin(network) {
    this.pinned = network;
    if (network === null) this.pinButton.focus();
    this.schedule();
  }

  swap() {
    const here = this.network();
    if (this.propose(this.pinned)) this.pin(here);
  }

  available() {
    return Math.max(280, Math.min(692, (this.root.clientWidth || 700) - 8));
  }

  update() {
    const network = this.network();
    const [what, results] = ["equal", "results"].map((name) => this.model.get(name));
    this.described = describeNetwork(network);
    this.drawnWidth = this.available();
    this.showTotals();
    this.showPicture();
    // Pointing at a layer changes nothing below the picture, and should not cost what that costs.
    const below = JSON.stringify([network, what, this.drawnWidth]);
    if (below === this.below && results === this.results) return;
    [this.below, this.results] = [below, results];
    const partners = partnersOf(network, what);
    this.showPartners(network, partners);
    this.showMeasured(network, partners);
  }

  showTotals() {
    const before = this.pinned && describeNetwork(this.pinned);
    for (const { key, text, number, ratio } of this.totals) {
      number.textContent = text(this.described[key]);
      setAttribute(ratio, "title", before && `A: ${text(before[key])}`);
      const times = before && writeRatio(before[key], this.described[key]);
      ratio.textContent = before ? `this ÷ A = ${times}` : "";
    }
    const { kernel_size: kernel, input_size: input } = this.pinned ?? {};
    const said = this.pinned ? `A: ${nameOf(this.pinned)}, kernel ${kernel}, input ${input}` : "";
    this.pinWords.textContent = said;
    this.swapButton.hidden = this.pinned === null;
    this.unpinButton.hidden = this.pinned === null;
  }

  showPicture() {
    const index = this.index();
    const { layers } = this.described;
    const said = describeLayer(layers[index], this.described);
    const drawing = drawNetwork(this.described, index, this.drawnWidth);
    drawing.setAttribute("aria-label", `${nameOf(this.network())}, to scale. ${said}`);
    this.picture.replaceChildren(drawing);
    setAttribute(this.picture, "aria-valuemax", layers.length - 1);
    setAttribute(this.picture, "aria-valuenow", index);
    setAttribute(this.picture, "aria-valuetext", said);
    if (this.words.textContent !== said) this.words.textContent = said;
  }

  showPartners(network, partners) {
    const [results, what] = [this.model.get("results") ?? [], this.model.get("equal")];
    this.accuracyHead.hidden = results.length === 0;
    const missing = [];
    for (const row of this.rows) {
      const here = row.depth === network.depth;
      const partner = here ? network : partners.find((p) => p.depth === row.depth);
      row.el.hidden = partner === undefined;
      row.network = partner && { depth: row.depth, width: partner.width };
      if (!partner) {
        missing.push(row.depth);
        continue;
      }
      const other = { ...network, ...row.network };
      const costs = describeNetwork(other);
      row.go.textContent = nameOf(other);
      setAttribute(row.go, "aria-current", here ? "true" : null);
      row.el.className = here ? "cu-now" : "";
      const texts = [
        here ? "this network" : writeDifference(partner.difference),
        grouped(costs.parameters),
        grouped(costs.macs),
        `${costs.receptiveField} × ${costs.receptiveField}`,
        grouped(costs.activationBytes),
      ];
      row.cells.forEach((cell, i) => (cell.textContent = texts[i]));
      row.cells[1].className = what === "parameters" ? "cu-strong" : "";
      row.cells[2].className = what === "macs" ? "cu-strong" : "";
      row.accuracy.hidden = results.length === 0;
      const measured = measuredOf(results, other);
      row.accuracy.textContent = measured ? writeInterval(measured) : "not measured";
    }
    const own = `${grouped(countNetwork(network, what))} ${WHAT[what]}`;
    const depths = writeRuns(missing);
    this.left.textContent =
      depths && `Not listed: depth ${depths}. No width there comes within 10 % of ${own}.`;
  }

  showMeasured(network, partners) {
    const [results, what] = [this.model.get("results") ?? [], this.model.get("equal")];
    const any = results.length > 0;
    this.listBox.hidden = !any;
    this.plotHint.textContent = any
      ? "Measured accuracy; the number in a mark is the depth, the bar its interval. Diamond: " +
        `this network. Squares: nearly as many ${WHAT[what]}. Circles: others. ` +
        "Click a mark to go there."
      : "No measurements loaded.";
    if (this.measurements !== this.results) this.listMeasured(results);
    const go = (point, row) => this.listen(point, "click", () => this.goTo(row));
    const told = { results, network, partners, what, width: this.drawnWidth, go };
    this.plot.replaceChildren(...(any ? [drawMeasured(told)] : []));
  }

  listMeasured(results) {
    this.measurements = this.results;
    this.list.replaceChildren(
      ...results.map((row) => {
        const go = button(this, { label: nameOf(row), action: () => this.goTo(row) });
        const texts = [row.kernel_size, row.input_size, writeMeasured(row)];
        const cells = texts.map((text) => h("td", {}, String(text)));
        return h("tr", {}, h("th", { scope: "row" }, go), ...cells);
      }),
    );
  }

  goTo(row) {
    this.propose(Object.fromEntries(NETWORK.map((name) => [name, row[name]])));
  }

  close() {
    this.observer.disconnect();
    super.close();
  }
}

function costTable(heads, body) {
  return h("table", { class: "cu-costs" }, h("thead", {}, h("tr", {}, ...heads)), body);
}

function nameOf({ depth, width }) {
  return `depth ${depth} × width ${width}`;
}

export default {
  render({ model, el }) {
    const view = new DepthView(model, el);
    return () => view.close();
  },
};
