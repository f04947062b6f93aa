// A small table of numbers that can be read, edited, hovered and stepped through with the arrow keys.

import { h, setAttribute } from "./view.js";
import { formatNumber, parseNumber } from "./numbers.js";

/**
 * A grid of numbers.
 *
 * `edit(row, column, number)` makes its cells editable: click or press Enter, type, Enter.
 * `select(row, column)` is called when a cell is clicked or reached with the arrow keys,
 * `hover(row, column)` when the mouse or the focus enters one, and `hover(null, null)` when it leaves.
 * Draw it with `show(cells)`: rows of `{ value, text, classes, label }`, where `value` tints the
 * cell (blue below zero, orange above), `text` is what it says (by default the value),
 * `classes` mark it, and `label` is read out by a screen reader.
 */
export class NumberGrid {
  constructor(view, { title, edit, select, hover }) {
    Object.assign(this, { view, edit, select, hover, at: [0, 0], cells: [], editing: null });
    this.caption = h("div", { class: "cu-title", id: `${view.id}-grid-${view.grids ?? 0}` });
    view.grids = (view.grids ?? 0) + 1;
    this.table = h("table", { class: "cu-grid", role: "grid", "aria-labelledby": this.caption.id });
    this.el = h("div", { class: "cu-grid-box" }, this.caption, this.table);
    this.setTitle(title);
    view.listen(this.table, "click", (event) => this.onClick(event));
    view.listen(this.table, "keydown", (event) => this.onKey(event));
    view.listen(this.table, "focusin", (event) => this.onEnter(event));
    view.listen(this.table, "focusout", (event) => this.onFocusLost(event));
    view.listen(this.table, "pointerover", (event) => this.onEnter(event));
    view.listen(this.table, "pointerleave", () => this.hover?.(null, null));
  }

  setTitle(title) {
    this.caption.textContent = title;
  }

  /** Draw the cells; elements are kept where the shape is the same, and so is the focus. */
  show(cells, scale) {
    const values = cells.flat().map((cell) => Math.abs(cell.value ?? 0));
    const largest = scale ?? Math.max(1e-12, ...values.filter(Number.isFinite));
    if (cells.length !== this.cells.length || cells[0].length !== this.cells[0]?.length)
      this.build(cells.length, cells[0].length);
    this.at = [Math.min(this.at[0], cells.length - 1), Math.min(this.at[1], cells[0].length - 1)];
    cells.forEach((row, i) => row.forEach((cell, j) => this.showCell(i, j, cell, largest)));
  }

  build(rows, columns) {
    this.editing = null;
    const held = this.table.contains(document.activeElement);
    this.cells = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: columns }, (_, j) =>
        h("td", { role: "gridcell", tabindex: "-1", "data-row": i, "data-column": j }),
      ),
    );
    this.table.replaceChildren(
      h("tbody", {}, ...this.cells.map((row) => h("tr", { role: "row" }, ...row))),
    );
    if (held) this.focus(Math.min(this.at[0], rows - 1), Math.min(this.at[1], columns - 1));
  }

  showCell(i, j, { value, text, classes = [], label }, largest) {
    const cell = this.cells[i][j];
    const written = text ?? formatNumber(value);
    const tab = i === this.at[0] && j === this.at[1] ? 0 : -1;
    if (cell.tabIndex !== tab) cell.tabIndex = tab;
    const names = classes.filter(Boolean).map((name) => `cu-${name}`);
    if (this.edit && !classes.includes("padding")) names.push("cu-editable");
    if (written.length > 4) names.push("cu-long");
    const className = names.join(" ");
    if (cell.className !== className) cell.className = className;
    const part = Number.isFinite(value) ? Math.min(1, Math.abs(value) / largest) : 0;
    const share = `${Math.round(part * 45)}%`;
    const sign = value < 0 ? "below" : "above";
    const said = label ?? `row ${i}, column ${j}: ${written}`;
    // Asking the page for little keeps a large grid within a frame: most cells stay as they are.
    if (cell.dataset.sign !== sign) cell.dataset.sign = sign;
    if (cell.getAttribute("aria-label") !== said) setAttribute(cell, "aria-label", said);
    if (cell.style.getPropertyValue("--share") !== share) cell.style.setProperty("--share", share);
    if (this.editing?.cell !== cell && cell.textContent !== written) cell.textContent = written;
  }

  /** Put the focus on a cell. */
  focus(row, column) {
    this.moveTo(row, column);
    this.cells[row][column].focus();
  }

  /** Make a cell the one that the Tab key reaches and that keys act on. */
  moveTo(row, column) {
    this.at = [row, column];
    for (const [i, cells] of this.cells.entries())
      for (const [j, cell] of cells.entries()) cell.tabIndex = i === row && j === column ? 0 : -1;
  }

  find(event) {
    const cell = event.target.closest?.("td");
    return cell ? [Number(cell.dataset.row), Number(cell.dataset.column)] : null;
  }

  onClick(event) {
    const place = this.find(event);
    if (!place || event.target.tagName === "INPUT") return;
    this.focus(...place);
    this.select?.(...place);
    this.begin(...place);
  }

  onEnter(event) {
    const place = this.find(event);
    if (place && event.type === "focusin") this.moveTo(...place);
    if (place) this.hover?.(...place);
  }

  onFocusLost(event) {
    if (!this.table.contains(event.relatedTarget)) this.hover?.(null, null);
  }

  onKey(event) {
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = this.at;
    const moves = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, this.cells[0].length - 1],
    };
    const place = moves[event.key];
    if (place) {
      event.preventDefault();
      if (this.cells[place[0]]?.[place[1]]) {
        this.focus(...place);
        this.select?.(...place);
      }
    } else if (event.key === "Enter" || event.key === "F2" || event.key === " ") {
      event.preventDefault();
      this.select?.(row, column);
      this.begin(row, column);
    } else if (/^[-−+.,\d]$/.test(event.key)) {
      event.preventDefault();
      this.begin(row, column, event.key);
    }
  }

  /** Open a cell for typing; with `typed`, that replaces what stands there. */
  begin(row, column, typed) {
    const cell = this.cells[row][column];
    if (!this.edit || !cell.classList.contains("cu-editable") || this.editing) return;
    const before = cell.textContent;
    const input = h("input", {
      class: "cu-cell-input",
      inputmode: "decimal",
      "aria-label": `new number for row ${row}, column ${column}`,
    });
    input.value = typed ?? before;
    this.editing = { cell, input };
    cell.replaceChildren(input);
    const finish = (keep, refocus) => {
      if (this.editing?.input !== input) return;
      this.editing = null;
      cell.textContent = before;
      const number = parseNumber(input.value);
      if (keep && Number.isFinite(number)) this.edit(row, column, number);
      else if (keep)
        this.view.say(`“${input.value}” is no number: type one such as 2, −1 or 0.5`);
      if (refocus) this.focus(row, column);
    };
    this.view.listen(input, "blur", () => finish(input.value !== before, false));
    this.view.listen(input, "keydown", (event) => {
      if (!["Enter", "Escape", "Tab"].includes(event.key)) return;
      if (event.key !== "Tab") event.preventDefault();
      finish(event.key !== "Escape" && input.value !== before, event.key !== "Tab");
    });
    input.focus();
    if (typed === undefined) input.select();
  }
}
