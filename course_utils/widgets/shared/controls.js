// Labelled controls that are bound to a trait. Each returns its element; the view redraws it.

import { h, setAttribute } from "./view.js";
import { formatNumber } from "./numbers.js";

/** A slider with its value beside it. `text(value)` writes the value. */
export function slider(view, { name, label = name, low, high, step = 1, help, text = formatNumber }) {
  const input = h("input", { type: "range", min: low, max: high, step, id: `${view.id}-${name}` });
  const value = h("output", { for: input.id });
  view.listen(input, "input", () => view.propose({ [name]: Number(input.value) }));
  view.controls.push(() => {
    const wanted = view.wanted(name);
    if (Number(input.value) !== wanted) input.value = wanted;
    value.textContent = text(wanted);
    setAttribute(input, "aria-valuetext", text(wanted));
    setAttribute(input, "aria-invalid", name in view.drafts ? "true" : null);
  });
  return labelled(input, label, help, value);
}

/** A menu of words. `options` are words, or pairs of a value and how it is written. */
export function menu(view, { name, label = name, options, help }) {
  const input = h("select", { id: `${view.id}-${name}` });
  for (const option of options) {
    const [value, written] = Array.isArray(option) ? option : [option, option];
    input.append(h("option", { value }, written));
  }
  view.listen(input, "change", () => view.propose({ [name]: input.value }));
  view.controls.push(() => {
    input.value = view.wanted(name);
    setAttribute(input, "aria-invalid", name in view.drafts ? "true" : null);
  });
  return labelled(input, label, help);
}

/** A check box. */
export function toggle(view, { name, label = name, help }) {
  const input = h("input", { type: "checkbox", id: `${view.id}-${name}` });
  view.listen(input, "change", () => view.propose({ [name]: input.checked }));
  view.controls.push(() => {
    input.checked = view.wanted(name);
    setAttribute(input, "aria-invalid", name in view.drafts ? "true" : null);
  });
  return labelled(input, label, help);
}

/**
 * A button. `label` is what it says, or a picture; `help` what it does, if that takes more words.
 * Its name has both: who speaks to a computer says what can be read.
 */
export function button(view, { label, help, action }) {
  const element = h("button", { type: "button", title: help, "aria-label": help }, label);
  if (typeof label === "string") relabel(element, label);
  view.listen(element, "click", action);
  return element;
}

/** Change what a button says. */
export function relabel(element, label) {
  element.textContent = label;
  if (element.title) element.setAttribute("aria-label", `${label}: ${element.title}`);
}

/** A row of controls; it wraps where there is no room. */
export function panel(...children) {
  return h("div", { class: "cu-panel" }, ...children);
}

function labelled(input, label, help, ...more) {
  return h(
    "span",
    { class: "cu-control", title: help },
    h("label", { for: input.id }, label),
    input,
    ...more,
  );
}
