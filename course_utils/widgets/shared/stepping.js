// What a view shares with others that show one output number, with its window, at a time.

import { View, h } from "./view.js";
import { button, panel, relabel } from "./controls.js";

const NEXT_MILLISECONDS = 900;

/**
 * A view with a `position` among output numbers, counted in reading order.
 *
 * A subclass keeps `this.result`, with `output` as rows of numbers, and says in `outputOf(state)`
 * what they would be in another state, null where there would be none.
 */
export class SteppingView extends View {
  constructor(model, el, options) {
    super(model, el, options);
    this.pointed = null; // the output cell under the mouse: { row, column }
    this.playing = null; // the timer that shows the next one
  }

  /** As in every view, and `position` stays where there is an output number. */
  propose(changes) {
    const state = { ...this.state(), ...this.drafts, ...changes };
    const output = this.outputOf(state);
    const last = output ? output.length * output[0].length - 1 : Infinity;
    return super.propose(state.position > last ? { ...changes, position: last } : changes);
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

  /** The output cell that is shown: the one under the mouse, else the one at `position`. */
  place() {
    const { row, column } = this.pointed ?? {};
    if (row < this.result.output.length && column < this.width()) return this.pointed;
    this.pointed = null; // or the output became smaller under the mouse
    const position = Math.min(this.model.get("position"), this.count() - 1);
    return { row: Math.floor(position / this.width()), column: position % this.width() };
  }

  /** Where that is, in the words that Python has as well. */
  sayPlace({ row, column }) {
    const [rows, columns] = [this.result.output.length, this.width()];
    return (
      `Number ${row * columns + column + 1} of ${rows} × ${columns}, in row ${row} and column ` +
      `${column} of the output: `
    );
  }

  /** The buttons that lead from one `noun` to the next, and `more` behind them. */
  steps(noun, ...more) {
    const step = (label, help, where) =>
      button(this, { label, help, action: () => this.goTo(where(this.model.get("position"))) });
    const play = button(this, {
      label: "▶ play",
      help: `show one ${noun} after the other`,
      action: () => this.togglePlay(),
    });
    this.controls.push(() => relabel(play, this.playing === null ? "▶ play" : "❚❚ pause"));
    return panel(
      step("first", `the first ${noun}`, () => 0),
      step("◀ back", `the ${noun} before`, (position) => position - 1),
      step("next ▶", `the next ${noun}`, (position) => position + 1),
      play,
      ...more,
    );
  }

  togglePlay() {
    if (this.playing !== null) return this.stop();
    if (this.model.get("position") === this.count() - 1) this.goTo(0);
    const next = () => {
      this.goTo(this.model.get("position") + 1);
      if (this.model.get("position") === this.count() - 1) this.stop();
      else this.playing = this.later(NEXT_MILLISECONDS, next);
    };
    this.playing = this.later(NEXT_MILLISECONDS, next);
    return this.schedule();
  }

  stop() {
    this.cancel(this.playing);
    this.playing = null;
    this.schedule();
  }

  /** A field for a whole number up to `high`, which is not a trait's: `write(number)` changes some. */
  sizeField(label, high, read, write) {
    const id = `${this.id}-${label.replaceAll(" ", "-")}`;
    const input = h("input", { type: "number", min: 1, max: high, class: "cu-field", id });
    this.listen(input, "change", () => {
      const wanted = Number(input.value);
      if (Number.isInteger(wanted) && 1 <= wanted && wanted <= high) this.propose(write(wanted));
      else this.say(`${label}=${input.value} is not possible: give a whole number from 1 to ${high}`);
    });
    this.controls.push(() => {
      if (document.activeElement !== input || !input.value) input.value = read();
    });
    return h("span", { class: "cu-control" }, h("label", { for: id }, label), input);
  }
}
