// The controls of KernelPlayground. `view` is its view, which knows what each of them does.

import { h, setAttribute } from "../shared/view.js";
import { button, menu } from "../shared/controls.js";
import { turn } from "../shared/convolution.js";
import { halfOf, recentre, writeWeight } from "./filtering.js";

const PICTURE_NAMES = [
  ["china", "photo: china"],
  ["flower", "photo: flower"],
  ["digit", "handwritten digit"],
];
const DISPLAYS = [
  ["automatic", "automatic"],
  ["signed", "blue – white – orange"],
  ["grey", "black – white"],
];
const REACH = 4; // the slider goes from −REACH to REACH, or as far as its number needs
const STEP = 0.1;

/** What chooses the picture and its colours. */
export function pictureControls(view) {
  const file = h("input", { type: "file", accept: "image/*", hidden: true, tabindex: "-1" });
  setAttribute(file, "aria-label", "a picture file");
  view.listen(file, "change", () => {
    view.load(file.files[0]);
    file.value = ""; // so that the same file can be chosen again
  });
  const pictures = choice(view, "picture", "which picture the kernel works on", (name) =>
    view.choosePicture(name),
  );
  pictures.options(() => [
    ...PICTURE_NAMES,
    ...(view.ownPicture ? [["own", "own picture"]] : []),
  ]);
  return [
    pictures.el,
    button(view, {
      label: "your own picture …",
      help: "a file from this computer; it can also be dropped on the picture",
      action: () => file.click(),
    }),
    file,
    menu(view, { name: "display", label: "colours", options: DISPLAYS }),
  ];
}

function keepSize(view) {
  const input = h("input", { type: "checkbox", id: `${view.id}-keep` });
  const label = h("label", { for: input.id });
  view.listen(input, "change", () =>
    view.propose({ padding: input.checked ? halfOf(view.model.get("kernel")) : 0 }),
  );
  view.controls.push(() => {
    const { kernel, padding } = view.state();
    input.checked = padding === halfOf(kernel);
    input.indeterminate = padding !== halfOf(kernel) && padding !== 0;
    const other = `zero padding of ${padding}`; // only Python sets one
    label.textContent = input.indeterminate ? other : "keep the size (zero padding)";
  });
  return h("span", { class: "cu-control" }, input, label);
}

/** What chooses the kernel and changes it. */
export function kernelControls(view) {
  const kernels = choice(view, "kernel", "a well-known kernel", (name) => view.chooseKernel(name));
  kernels.options(() => [
    ...Object.keys(view.model.get("_presets")).map((name) => [name, name]),
    ...view.model.get("filters").map((_, i) => [`filter ${i}`, `filter ${i} (learned)`]),
    ...(view.ownKernel ? [["own", "own"]] : []),
  ]);
  const sizes = [3, 5, 7].map((size) => {
    const press = button(view, {
      label: `${size} × ${size}`,
      help: `${size} × ${size}: more cells are filled with 0, fewer keep the middle`,
      action: () => view.setKernel(recentre(view.model.get("kernel"), size)),
    });
    view.controls.push(() =>
      setAttribute(press, "aria-pressed", String(view.model.get("kernel").length === size)),
    );
    return press;
  });
  const change = (label, help, action) => button(view, { label, help, action });
  return [
    kernels.el,
    h("span", { class: "cu-control", role: "group", "aria-label": "kernel size" }, ...sizes),
    h(
      "span",
      { class: "cu-control" },
      change("÷ sum", "divide the numbers by their sum, so that they add up to 1", () =>
        view.normalize(),
      ),
      change("turn 180°", "turn the kernel by 180°: a convolution in the strict sense", () =>
        view.setKernel(turn(view.model.get("kernel"))),
      ),
      change("reset", "the kernel as it was at first", () => view.setKernel(view.first)),
    ),
    keepSize(view),
    cellSlider(view),
  ];
}

/** A menu whose options and value are read at each redraw. */
function choice(view, name, help, choose) {
  const select = h("select", { id: `${view.id}-${name}-menu` });
  view.listen(select, "change", () => choose(select.value));
  let key = null;
  const options = (list) =>
    view.controls.push(() => {
      const wanted = list();
      if (wanted.join() !== key)
        select.replaceChildren(...wanted.map(([value, text]) => h("option", { value }, text)));
      key = wanted.join();
      select.value = name === "picture" ? view.model.get("picture") : view.name;
    });
  const label = h("label", { for: select.id }, name);
  return { el: h("span", { class: "cu-control", title: help }, label, select), options };
}

function cellSlider(view) {
  const input = h("input", { type: "range", step: STEP, id: `${view.id}-cell` });
  const label = h("label", { for: input.id });
  const value = h("output", { for: input.id });
  let reach = REACH;
  let place = null;
  const read = () => view.model.get("kernel")[view.cell.row][view.cell.column];
  const write = (number) => view.setCell(view.cell.row, view.cell.column, number);
  const nudge = (by) => write(Number((read() + by).toFixed(6)));
  view.listen(input, "input", () => write(Number(input.value)));
  view.listen(input, "keydown", (event) => {
    const by = { "+": STEP, "-": -STEP, "−": -STEP }[event.key];
    if (by) nudge(by);
  });
  view.controls.push(() => {
    const number = read();
    // It only grows while one cell is changed: the thumb must not jump away under the mouse.
    const where = `row ${view.cell.row}, column ${view.cell.column}`;
    reach = Math.max(where === place ? reach : REACH, Math.ceil(Math.abs(number)));
    place = where;
    setAttribute(input, "min", -reach);
    setAttribute(input, "max", reach);
    if (Number(input.value) !== number) input.value = number;
    label.textContent = `${where}:`;
    value.textContent = writeWeight(number);
    setAttribute(input, "aria-valuetext", `${where}: ${value.textContent}`);
  });
  const less = { label: "−", help: `${STEP} less`, action: () => nudge(-STEP) };
  const more = { label: "+", help: `${STEP} more`, action: () => nudge(STEP) };
  return h(
    "span",
    { class: "cu-control cu-cell", title: "change the marked cell of the kernel" },
    ...[label, value, button(view, less), input, button(view, more)],
  );
}
