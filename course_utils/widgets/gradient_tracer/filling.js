// How far GradientTracer's backward pass is filled in, cell by cell or all at once.

const FILL_MILLISECONDS = 12000; // playing fills all cells in about this time

/** The cells of `order` (see `fillOrder`) up to `count`; `view` gives time and is redrawn. */
export class GradientFilling {
  constructor(view) {
    Object.assign(this, { view, order: [], count: 0, playing: null, last: null });
    this.ranks = new Map();
  }

  get isWhole() {
    return this.count >= this.order.length;
  }

  /** Take a new order: who looks at all cells goes on doing so, who steps begins anew. */
  restart(order) {
    this.stop();
    this.count = this.isWhole ? order.length : 0;
    this.order = order;
    this.last = null;
    this.ranks = new Map(order.map(({ name, row, column }, i) => [`${name},${row},${column}`, i]));
  }

  has(name, row, column) {
    return this.ranks.get(`${name},${row},${column}`) < this.count;
  }

  /** Fill one more cell, which becomes `last`; where all are filled, begin anew. */
  fillNext() {
    this.count = this.isWhole ? 1 : this.count + 1;
    this.last = { back: true, ...this.order[this.count - 1] };
    this.view.schedule();
  }

  fillAll() {
    this.stop();
    this.count = this.order.length;
    this.last = null;
  }

  step() {
    this.stop();
    this.fillNext();
  }

  toggle() {
    if (this.playing !== null) return this.stop();
    const pause = Math.min(400, Math.max(60, FILL_MILLISECONDS / this.order.length));
    const next = () => {
      this.fillNext();
      if (this.isWhole) this.stop();
      else this.playing = this.view.later(pause, next);
    };
    next();
  }

  stop() {
    this.view.cancel(this.playing);
    this.playing = null;
    this.view.schedule();
  }
}
