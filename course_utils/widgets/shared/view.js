// What every view of a widget shares: its elements, its listeners, and how it changes the state.

/** An element: `h("td", { class: "cell", "aria-label": "3" }, "3")`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  // JupyterLab would take the arrow keys away from a control; this attribute leaves them to it.
  if (["button", "input", "select", "summary", "textarea"].includes(tag) || "tabindex" in attributes)
    element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

/** Set an attribute, or take it away: null, undefined and false mean that it is not there. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** An element behind the sign that leads to it; the two stay on one line. */
export function withSign(sign, element) {
  return h("div", { class: "cu-signed" }, h("span", { class: "cu-sign" }, sign), element);
}

let views = 0;

/**
 * One view of a widget.
 *
 * `check(state)` returns the sentence that says why a state is impossible, or null. `names` are
 * the traits that the view reads and that `check` gets. A subclass builds its elements into
 * `this.root` and redraws them in `update()`, which runs at most once a frame.
 */
export class View {
  constructor(model, el, { names, check = () => null, title }) {
    Object.assign(this, { model, el, names, check, drafts: {}, controls: [] });
    this.id = `cu-${++views}-${Math.random().toString(36).slice(2, 8)}`; // two views, two sets of ids
    this.aborter = new AbortController();
    this.timers = new Set();
    this.frame = null;
    this.isDue = false; // to redraw
    this.root = h("div", { class: `cu ${model.get("_root")}`, role: "group", "aria-label": title });
    this.words = h("p", { class: "cu-words", role: "status" });
    this.refusal = h("p", { class: "cu-refusal", role: "alert", hidden: true });
    el.replaceChildren(this.root);
    // Keys pressed inside belong to the widget, not to the notebook around it.
    this.listen(this.root, "keydown", (event) => event.stopPropagation());
    this.changed = () => this.schedule();
    for (const name of names) model.on(`change:${name}`, this.changed);
  }

  /** A listener that goes when the view is closed. */
  listen(target, type, handler, options = {}) {
    target.addEventListener(type, handler, { ...options, signal: this.aborter.signal });
  }

  /** Call `action` after `milliseconds`, unless the view is closed or the timer cleared first. */
  later(milliseconds, action) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, milliseconds);
    this.timers.add(timer);
    return timer;
  }

  cancel(timer) {
    clearTimeout(timer);
    this.timers.delete(timer);
  }

  /** The state as the kernel has it: every trait in `names`. */
  state() {
    return Object.fromEntries(this.names.map((name) => [name, this.model.get(name)]));
  }

  /** What a control shows: the kernel's value, or what was asked for and refused. */
  wanted(name) {
    return name in this.drafts ? this.drafts[name] : this.model.get(name);
  }

  /**
   * Change some traits. Where the new state is impossible, say why, keep the last possible one
   * on the screen, and remember what was asked for: the next change may make it possible.
   */
  propose(changes) {
    this.drafts = { ...this.drafts, ...changes };
    const sentence = this.check({ ...this.state(), ...this.drafts });
    this.say(sentence);
    if (sentence === null) {
      for (const [name, value] of Object.entries(this.drafts)) this.model.set(name, value);
      this.drafts = {};
      this.model.save_changes();
    }
    this.schedule();
    return sentence === null;
  }

  /** Show the sentence that refuses something; null takes it away. */
  say(sentence) {
    this.refusal.hidden = sentence === null;
    this.refusal.textContent = sentence === null ? "" : `Not possible: ${sentence}.`;
    this.root.classList.toggle("cu-refused", sentence !== null);
  }

  /**
   * Redraw when the code that runs now is done; but once a frame at most, so that what comes
   * thicker waits for the next frame.
   */
  schedule() {
    if (this.isDue) return;
    this.isDue = true;
    if (this.frame === null) queueMicrotask(() => this.redraw());
  }

  redraw() {
    if (!this.isDue || this.aborter.signal.aborted) return;
    this.isDue = false;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.redraw();
    });
    this.refresh();
  }

  refresh() {
    for (const control of this.controls) control();
    this.update();
  }

  update() {}

  close() {
    this.aborter.abort();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    for (const name of this.names) this.model.off(`change:${name}`, this.changed);
    this.el.replaceChildren();
  }
}
