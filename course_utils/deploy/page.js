// The widget without a notebook: its state stands in the page, and nobody hears of its changes.

/** What a view asks of a notebook's model: get, set, on, off, save_changes. */
class PageModel {
  constructor(state) {
    Object.assign(this, { state, handlers: [] });
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    this.state[name] = value;
    for (const [on, handler] of [...this.handlers]) if (on === `change:${name}`) handler();
  }
  on(name, handler) {
    this.handlers.push([name, handler]);
  }
  off(name, handler) {
    this.handlers = this.handlers.filter((one) => one[0] !== name || one[1] !== handler);
  }
  save_changes() {}
}

const pageState = JSON.parse(document.getElementById("state").textContent);
for (const name of ["image", "_weights", "_examples"]) {
  const bytes = Uint8Array.from(atob(pageState[name]), (letter) => letter.charCodeAt(0));
  pageState[name] = new DataView(bytes.buffer);
}
widget.render({ model: new PageModel(pageState), el: document.getElementById("pad") });

// For the browser's console, and for tests: the logits for 784 numbers from 0 to 1.
const pageNetwork = readNetwork(pageState._network, readFloats(pageState._weights));
window.answer = (pixels) => Array.from(runNetwork(pageNetwork, Float32Array.from(pixels)));
