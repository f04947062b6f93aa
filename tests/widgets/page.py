"""A widget in a real browser without a notebook around it: its own modules, on a model of ours.

The model here does what a notebook's does (get, set, on, off, save_changes), and counts listeners.
"""

import base64
import json
import os
import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM = None if os.environ.get("COURSE_NO_BROWSER") else CHROMIUM
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
# What JupyterLab's two themes say of the colours that the widgets take from them.
THEMES = {
    "light": {"--jp-content-font-color1": "rgba(0, 0, 0, 0.87)", "--jp-layout-color0": "white"},
    "dark": {"--jp-content-font-color1": "rgba(255, 255, 255, 1)", "--jp-layout-color0": "#111"},
}

_MODEL = """
// What a widget, which is loaded from a blob, leaves with the page around it: listeners, and
// timers and frames that are still to come.
window.listening = 0;
window.waiting = new Set();
const ofWidget = () => new Error().stack.includes("blob:");
for (const [ask, cancel] of [
  ["setTimeout", "clearTimeout"],
  ["setInterval", "clearInterval"],
  ["requestAnimationFrame", "cancelAnimationFrame"],
]) {
  const [askFor, cancelIt] = [window[ask].bind(window), window[cancel].bind(window)];
  window[ask] = (action, ...rest) => {
    const key = {};
    key.id = askFor((...all) => {
      if (ask !== "setInterval") waiting.delete(key);
      return action(...all);
    }, ...rest);
    if (ofWidget()) waiting.add(key);
    return key.id;
  };
  window[cancel] = (id) => {
    for (const key of waiting) if (key.id === id) waiting.delete(key);
    cancelIt(id);
  };
}
for (const target of [window, document, document.documentElement, document.body]) {
  const add = target.addEventListener.bind(target);
  target.addEventListener = (type, handler, options) => {
    if (ofWidget()) {
      window.listening += 1;
      options?.signal?.addEventListener("abort", () => { window.listening -= 1; });
    }
    return add(type, handler, options);
  };
  const remove = target.removeEventListener.bind(target);
  target.removeEventListener = (...all) => {
    if (ofWidget()) window.listening -= 1;
    return remove(...all);
  };
}
window.Model = class {
  constructor(state) { this.state = state; this.handlers = []; this.saved = []; this.dirty = {}; }
  get(name) { return this.state[name]; }
  set(name, value) {
    this.state[name] = value;
    this.dirty[name] = value;
    this.trigger(`change:${name}`);
    this.trigger("change");
  }
  save_changes() { this.saved.push(this.dirty); this.dirty = {}; }
  on(name, handler) { this.handlers.push([name, handler]); }
  off(name, handler) {
    this.handlers = this.handlers.filter(([n, f]) =>
      !((name == null || n === name) && (handler == null || f === handler)));
  }
  trigger(name, ...all) { for (const [n, f] of [...this.handlers]) if (n === name) f(...all); }
  send(content) { (this.sent ??= []).push(content); }
};
window.toBase64 = (bytes) => {
  let text = "";  // piece by piece: a function takes no 100,000 arguments
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};
window.fromBytes = (text) =>
  new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
"""


def open_browser(playwright):
    """Chromium without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)


def mount(browser, widget, theme="light", width=760, height=1000, views=1):
    """A page that shows `widget` (a Python object) `views` times; returns Playwright's page.

    In the page, `model` is the model and `closers` the functions that close the views. Console
    errors are collected in `page.errors`.
    """
    page = browser.new_page(viewport={"width": width, "height": height})
    page.errors = []
    page.on("console", lambda m: m.type == "error" and page.errors.append(m.text))
    page.on("pageerror", lambda e: page.errors.append(str(e)))
    colours = ";".join(f"{name}: {value}" for name, value in THEMES[theme].items())
    page.set_content(
        f"<!doctype html><html style='{colours}; background: var(--jp-layout-color0)'>"
        f"<style>{widget._css}</style><body></body></html>"
    )
    page.evaluate(_MODEL)
    state, buffers = {}, {}
    for name, value in widget.get_state().items():
        if isinstance(value, (bytes, bytearray, memoryview)):
            buffers[name] = base64.b64encode(bytes(value)).decode()
        elif not name.startswith("_") or name not in ("_esm", "_css"):
            state[name] = value
    state = json.loads(json.dumps(state, default=str))
    page.evaluate(
        """async ([code, state, buffers, views]) => {
          for (const [name, text] of Object.entries(buffers)) state[name] = fromBytes(text);
          const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
          const widget = (await import(url)).default;
          window.model = new Model(state);
          window.closers = [];
          for (let i = 0; i < views; i++) {
            const el = document.body.appendChild(document.createElement("div"));
            closers.push(await widget.render({ model, el }));
          }
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        [widget._esm, state, buffers, views],
    )
    return page


def settle(page):
    """Wait until what was changed is on the screen."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")


def until(page, happened):
    """Wait for `happened()`, with a busy machine's patience; returns what it gave in the end."""
    answer = happened()
    for _ in range(2000):
        if answer:
            break
        page.wait_for_timeout(50)
        answer = happened()
    return answer


def pull(page, widget):
    """Take what the browser has saved into the Python object, as a kernel does."""
    saved = page.evaluate(
        """() => Object.fromEntries(Object.entries(Object.assign({}, ...model.saved)).map(
          ([name, value]) => [name, value instanceof DataView || ArrayBuffer.isView(value)
            ? { bytes: toBase64(new Uint8Array(value.buffer)) } : value]))"""
    )
    for name, value in saved.items():
        if isinstance(value, dict) and set(value) == {"bytes"}:
            saved[name] = base64.b64decode(value["bytes"])
    page.evaluate("() => { model.saved = []; }")
    widget.set_state(saved)
    return saved


def push(page, widget, *names):
    """Show in the browser what Python has set, as a kernel does."""
    for name, value in widget.get_state(list(names)).items():
        if isinstance(value, (bytes, bytearray, memoryview)):
            text = base64.b64encode(bytes(value)).decode()
            page.evaluate("([n, t]) => model.set(n, fromBytes(t))", [name, text])
        else:
            page.evaluate("([n, v]) => model.set(n, v)", [name, value])
    # What the view has set and not saved yet is still to come.
    page.evaluate("(names) => { for (const name of names) delete model.dirty[name]; }", names)
    settle(page)


def close(page):
    """Close every view; returns what is left of them.

    Three counts: listeners on the model; listeners on the page, timers and frames; elements.
    """
    return page.evaluate(
        """() => { for (const f of closers) f();
          return [model.handlers.length, window.listening + waiting.size,
                  document.querySelectorAll(".cu").length]; }"""
    )


def looks(page, folder, name):
    """Save a picture of the page for a person to look at, where COURSE_PICTURES asks for it."""
    folder = os.environ.get("COURSE_PICTURES", folder)
    if folder:
        page.screenshot(path=os.path.join(folder, f"{name}.png"), full_page=True)
