// DigitPad: draw a digit, and see what the network makes of it.

import { View, h, setAttribute } from "../shared/view.js";
import { button, panel, slider, toggle } from "../shared/controls.js";
import { formatNumber } from "../shared/numbers.js";
import { DrawingPad } from "./drawing.js";
import { FIELD } from "./ink.js";
import { MapsPicture, SeenPicture, greyPixels } from "./pictures.js";
import { mostProbable, percent, sayAnswer, sayCam } from "./answers.js";
import { gradCam, readNetwork, runNetwork, softmax } from "./network.js";

const SEND_MILLISECONDS = 100; // Python hears of a stroke under way no more often than this
const ANSWER_MILLISECONDS = 5000; // ask Python anew after waiting so long for `predict`
const MAPS_HEIGHT = 190; // pixels for the feature maps

/** The numbers in bytes from Python. */
function readFloats(bytes) {
  const start = bytes.byteOffset;
  return new Float32Array(bytes.buffer.slice(start, start + bytes.byteLength));
}

class DigitView extends View {
  constructor(model, el) {
    const names = ["pen", "show_cam", "explain", "layer", "cam_layer"];
    const given = ["_source", "_classes", "_network", "_weights", "_examples", "_answer"];
    super(model, el, { names: [...names, ...given], title: "Draw a digit" });
    this.unsent = false; // has the image changed since Python heard of it?
    this.sending = null; // the timer of the next message,
    this.waiting = null; // and of the question that is under way
    this.setting = false;
    this.pad = new DrawingPad(this, {
      width: () => this.model.get("pen"),
      changed: () => this.schedule(),
    });
    // Not among `names`: the view itself sets the image in every frame of a stroke.
    this.pictured = () => this.setting || this.pad.stroke || this.takePicture();
    model.on("change:image", this.pictured);
    this.build();
    this.takePicture();
    this.pad.before = [];
    this.refresh();
  }

  build() {
    this.seen = new SeenPicture();
    this.maps = new MapsPicture();
    this.legend = h("p", { class: "cu-dp-hint" });
    this.cam = panel(
      toggle(this, { name: "show_cam", label: "Grad-CAM", help: "shade what speaks for a class" }),
      this.choice("explain", "for", "the class whose reasons are shown", () => [
        ["", "the answer"],
        ...this.model.get("_classes").map((word, i) => [String(i), word]),
      ]),
      this.choice("cam_layer", "at", "the layer whose maps Grad-CAM adds up", () =>
        this.camLayers().map(({ name }) => [name, name]),
      ),
    );
    const columns = h("div", { class: "cu-dp-digit" }, this.buildLeft(), this.buildRight());
    this.root.classList.add("cu-dp");
    this.root.append(columns, this.words, this.refusal, this.buildMaps());
  }

  buildLeft() {
    const action = (label, help, name) =>
      (this[label] = button(this, { label, help, action: () => this.pad[name]() }));
    this.hint = h(
      "p",
      { class: "cu-dp-hint" },
      "By hand, or with the keys: arrows move the pen, Space puts it down or lifts it.",
    );
    this.penPlace = h("p", { class: "cu-dp-hint", role: "status" });
    return h(
      "div",
      { class: "cu-dp-left" },
      h("div", { class: "cu-title" }, "draw a digit here"),
      this.pad.canvas,
      panel(
        action("undo", "take back the last stroke", "undo"),
        action("clear", "clear the pad", "clear"),
        slider(this, { name: "pen", low: 8, high: 40, help: "the width of the pen" }),
      ),
      h("div", { class: "cu-dp-hints" }, this.hint, this.penPlace),
    );
  }

  buildRight() {
    const titled = (name, title, element) =>
      h("div", { class: name }, h("div", { class: "cu-title" }, title), element);
    this.examples = this.buildExamples();
    return h(
      "div",
      { class: "cu-dp-right" },
      h(
        "div",
        { class: "cu-dp-answer" },
        titled("cu-dp-sees", "what the network sees", this.seen.el),
        titled("cu-dp-shares", "probabilities", this.buildBars()),
      ),
      this.cam,
      this.legend,
      titled("cu-dp-tests", this.examples ? "or take a test image" : "", this.examples ?? ""),
    );
  }

  buildBars() {
    this.rows = this.model.get("_classes").map((class_) => {
      const word = h("span", { class: "cu-dp-word" }, class_);
      const bar = h("span", { class: "cu-dp-bar" });
      const share = h("span", { class: "cu-dp-share" });
      const track = h("span", { class: "cu-dp-track" }, bar);
      const shown = h("div", { class: "cu-dp-row", "aria-hidden": "true" }, word, track, share);
      const read = h("span", { class: "cu-dp-read" });
      return { row: h("div", { role: "listitem" }, shown, read), word, bar, share, read };
    });
    const rows = this.rows.map(({ row }) => row);
    const label = "probabilities";
    this.bars = h("div", { class: "cu-dp-bars", role: "list", "aria-label": label }, ...rows);
    return this.bars;
  }

  buildMaps() {
    this.mapWords = h("span", { class: "cu-sum" });
    this.scaleEnds = [h("span"), h("span")];
    const [low, high] = this.scaleEnds;
    this.key = h("span", { class: "cu-dp-key" }, low, h("span", { class: "cu-dp-scale" }), high);
    const named = () => this.layerList().filter((layer) => layer.kind !== "flatten");
    const menu = this.choice("layer", "feature maps of", "the layer whose outputs are shown", () =>
      named().map(({ name }) => [name, name]),
    );
    this.layers = h(
      "div",
      { class: "cu-dp-layers" },
      panel(menu, this.mapWords, this.key),
      this.maps.el,
    );
    return this.layers;
  }

  /** A button for each example; null where there is none. */
  buildExamples() {
    const pictures = readFloats(this.model.get("_examples"));
    const count = pictures.length / FIELD ** 2;
    if (!count) return null;
    const row = h("div", { class: "cu-dp-examples", role: "group", "aria-label": "test images" });
    for (let i = 0; i < count; i++) {
      const picture = pictures.slice(i * FIELD ** 2, (i + 1) * FIELD ** 2);
      const canvas = h("canvas", { width: FIELD, height: FIELD });
      canvas.getContext("2d").putImageData(greyPixels(picture), 0, 0);
      const help = `show test image ${i + 1} of ${count}`;
      row.append(button(this, { label: canvas, help, action: () => this.pad.show(picture) }));
    }
    return row;
  }

  /** A menu whose options depend on the network; an empty value stands for null. */
  choice(name, label, help, options) {
    const input = h("select", { id: `${this.id}-${name}` });
    let written = "";
    this.listen(input, "change", () => {
      const value = name === "explain" ? (input.value ? Number(input.value) : null) : input.value;
      this.propose({ [name]: value });
    });
    this.controls.push(() => {
      const now = options();
      if (JSON.stringify(now) !== written) {
        written = JSON.stringify(now);
        input.replaceChildren(...now.map(([value, text]) => h("option", { value }, text)));
      }
      input.value = String(this.model.get(name) ?? "");
    });
    const labelled = h("label", { for: input.id }, label);
    return h("span", { class: "cu-control", title: help }, labelled, input);
  }

  layerList() {
    return this.model.get("_network").layers ?? [];
  }

  /** The last convolution and what follows it, as long as that has maps: where Grad-CAM works. */
  camLayers() {
    const layers = this.layerList();
    const last = layers.findLastIndex((layer) => layer.kind === "conv");
    return last < 0 ? [] : layers.slice(last).filter((layer) => layer.shape.length === 3);
  }

  /** Show the picture that Python, or another view, has set. */
  takePicture() {
    const picture = readFloats(this.model.get("image"));
    if (picture.every((value, i) => value === this.pad.image[i])) return;
    this.pad.show(picture);
    this.pad.prepare(); // it is known already: nothing to send
    this.unsent = false;
  }

  update() {
    if (this.pad.prepare()) {
      this.setting = true;
      this.model.set("image", new DataView(this.pad.image.slice().buffer));
      this.setting = false;
      this.unsent = true;
    }
    this.queue();
    this.pad.paint();
    this.undo.disabled = !this.pad.before.length;
    this.clear.disabled = this.pad.isEmpty();
    this.hint.hidden = this.pad.keyboard;
    this.penPlace.textContent = this.pad.keyboard ? this.pad.say() : "";
    const began = performance.now();
    const answer = this.answer();
    const cam = this.explain(answer);
    this.root.dataset.milliseconds = (performance.now() - began).toFixed(2);
    this.showSeen(cam);
    this.showBars(answer);
    this.showMaps(answer);
    this.words.textContent = this.describe(answer);
  }

  /** Tell Python of the image: at the end of a stroke at once, in a stroke now and then. */
  queue() {
    if (!this.unsent) return;
    if (!this.pad.stroke) this.send();
    else this.sending ??= this.later(SEND_MILLISECONDS, () => this.send());
  }

  send() {
    if (this.sending !== null) this.cancel(this.sending);
    this.sending = null;
    const { model } = this;
    if (model.get("_source") === "python") {
      // One question at a time: what is drawn meanwhile goes with the next, the latest only.
      if (this.waiting !== null && model.get("_asked") !== model.get("_answer").asked) return;
      if (this.waiting !== null) this.cancel(this.waiting);
      model.set("_asked", model.get("_asked") + 1);
      this.waiting = this.later(ANSWER_MILLISECONDS, () => {
        this.waiting = null;
        this.queue();
      });
    }
    this.unsent = false;
    model.save_changes();
  }

  /** What is known of the image: { probabilities }, `pending` or not, or else a `sentence`. */
  answer() {
    const source = this.model.get("_source");
    if (source === "none")
      return { sentence: "No network is connected: give one in Python, DigitPad(model)." };
    if (!this.pad.image.some((value) => value > 0)) return { sentence: "Draw a digit." };
    if (source === "python") {
      const { asked, scores, sentence } = this.model.get("_answer");
      const pending = this.unsent || asked !== this.model.get("_asked");
      if (!scores) return { sentence: sentence ? `${sentence}.` : "Python is computing …" };
      return { probabilities: softmax(scores), pending };
    }
    const [description, weights] = [this.model.get("_network"), this.model.get("_weights")];
    if (this.description !== description || this.weights !== weights) {
      Object.assign(this, { description, weights });
      this.network = readNetwork(description, readFloats(weights));
    }
    const scores = runNetwork(this.network, this.pad.image);
    if (!scores.every(Number.isFinite))
      return { sentence: "The network's answer is not finite: its weights are too large." };
    return { probabilities: softmax(scores), layers: this.network.layers };
  }

  /** Grad-CAM of the class that is asked for, where there is any: { map, …, digit, layer }. */
  explain({ probabilities, layers }) {
    if (!layers || !this.model.get("show_cam") || this.network.lastConvolution < 0) return null;
    const digit = this.model.get("explain") ?? mostProbable(probabilities);
    const name = this.model.get("cam_layer");
    const layer = layers.findIndex((one) => one.name === name);
    // For a moment the name can be older than the network.
    return layer < 0 ? null : { ...gradCam(this.network, digit, layer), digit, name };
  }

  showSeen(cam) {
    this.seen.show(this.pad.image, cam);
    const convolutions = this.camLayers().length > 0;
    this.cam.hidden = !convolutions;
    const said = this.explainInWords(cam, convolutions);
    this.legend.textContent = said;
    const label = `what the network sees, 28 × 28 pixels. ${said}`;
    setAttribute(this.seen.el, "aria-label", label);
  }

  explainInWords(cam, convolutions) {
    const source = this.model.get("_source");
    if (source === "python") return "Grad-CAM and feature maps need the network: DigitPad(model).";
    if (source === "network" && !convolutions)
      return "Grad-CAM needs a convolution; this network has none.";
    return cam ? sayCam(cam, this.model.get("_classes")[cam.digit], cam.name) : "";
  }

  showBars({ probabilities, pending }) {
    const best = probabilities ? mostProbable(probabilities) : -1;
    this.bars.classList.toggle("cu-dp-old", Boolean(pending));
    this.rows.forEach(({ row, word, bar, share, read }, i) => {
      const class_ = this.model.get("_classes")[i];
      const text = probabilities ? percent(probabilities[i]) : "–";
      bar.style.width = `${probabilities ? 100 * probabilities[i] : 0}%`;
      row.classList.toggle("cu-dp-best", i === best);
      word.textContent = i === best ? `► ${class_}` : class_;
      share.textContent = text.replace("under ", "< ").replace("over ", "> ");
      read.textContent = `${class_}: ${text}${i === best ? ", the answer" : ""}`;
    });
  }

  showMaps({ layers }) {
    const layer = layers?.find((one) => one.name === this.model.get("layer"));
    this.layers.hidden = this.model.get("_source") !== "network";
    for (const element of [this.maps.el, this.mapWords, this.key]) element.hidden = !layer;
    if (!layer) return;
    const [count, height = 1, width = 1] = layer.shape;
    let [low, high] = [Infinity, -Infinity];
    for (const value of layer.output) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const largest = Math.max(-low, high, 1e-12);
    const room = Math.min(680, this.layers.clientWidth || 680);
    const shape = [count, height, width];
    const shown = this.maps.show(layer.output, shape, largest, room, MAPS_HEIGHT);
    const what = layer.shape.length > 1 ? `maps of ${height} × ${width}` : "numbers";
    this.mapWords.textContent =
      `${shown < count ? `the first ${shown} of ` : ""}${count} ${what}, ` +
      `from ${formatNumber(low)} to ${formatNumber(high)}`;
    this.scaleEnds[0].textContent = formatNumber(-largest);
    this.scaleEnds[1].textContent = formatNumber(largest);
    setAttribute(this.maps.el, "aria-label", `${layer.name}: ${this.mapWords.textContent}`);
  }

  describe({ probabilities, pending, sentence }) {
    if (sentence) return sentence;
    const said = sayAnswer(probabilities, this.model.get("_classes"));
    return pending ? `${said} Python is computing …` : said;
  }

  close() {
    this.model.off("change:image", this.pictured);
    super.close();
  }
}

export default {
  render({ model, el }) {
    const view = new DigitView(model, el);
    return () => view.close();
  },
};
