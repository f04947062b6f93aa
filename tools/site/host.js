// The widgets of the course on a page with no kernel: each module gets a model that holds its state
// here. The interface is anywidget's (get, set, save_changes, on, off, send).

(() => {
  /** The state of one widget. Names of events are Backbone's: "change", "change:name", "msg:custom". */
  class Model {
    #state;
    #handlers = [];

    constructor(state) {
      this.#state = state;
    }

    get(name) {
      return this.#state[name];
    }

    /** Set a trait, or several: `set({ stride: 2, padding: 1 })`. */
    set(name, value) {
      const changes = typeof name === "object" ? name : { [name]: value };
      const changed = Object.keys(changes).filter((key) => !Object.is(this.#state[key], changes[key]));
      Object.assign(this.#state, changes);
      for (const key of changed) this.#trigger(`change:${key}`, this, changes[key]);
      if (changed.length) this.#trigger("change", this);
    }

    save_changes() {} // there is no one to tell

    send() {}

    on(names, handler) {
      for (const name of names.split(/\s+/)) this.#handlers.push([name, handler]);
    }

    /** Without a name: of all events; without a handler: all handlers. */
    off(names, handler) {
      const listed = names?.split(/\s+/);
      this.#handlers = this.#handlers.filter(([name, other]) =>
        (listed && !listed.includes(name)) || (handler && other !== handler));
    }

    #trigger(name, ...all) {
      for (const [other, handler] of [...this.#handlers]) if (other === name) handler(...all);
    }
  }

  const modules = new Map();

  /** What the module of a kind of widget exports, with its style sheet in the page. */
  function moduleOf(kind) {
    if (!modules.has(kind)) {
      const loading = courseSite.load(`widgets/${kind}.js`).then(async ({ module, style }) => {
        const sheet = document.createElement("style");
        sheet.textContent = style;
        document.head.append(sheet);
        // A module from a text: also a page opened from a disk may import that.
        const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
        try {
          const { default: exported } = await import(url);
          return typeof exported === "function" ? await exported() : exported;
        } finally {
          URL.revokeObjectURL(url);
        }
      });
      modules.set(kind, loading);
      loading.catch(() => modules.delete(kind));
    }
    return modules.get(kind);
  }

  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

  /** Put a widget in the place of its picture. Returns a function that takes it away again. */
  async function mount(figure) {
    const { widget, state, buffers } = await courseSite.load(`widgets/${figure.dataset.widget}.js`);
    const { initialize, render } = await moduleOf(widget);
    const first = structuredClone(state);
    for (const [name, text] of Object.entries(buffers)) first[name] = bytes(text);
    const model = new Model(first);
    const el = document.createElement("div");
    const picture = figure.querySelector("img");
    const closers = [];
    const close = () => {
      for (const closer of closers.splice(0).reverse()) closer?.();
      el.remove();
      picture.hidden = false;
      delete figure.dataset.live;
    };
    try {
      closers.push(await initialize?.({ model }));
      figure.prepend(el);
      closers.push(await render({ model, el }));
      picture.hidden = true;
      figure.dataset.live = "yes";
    } catch (error) {
      close();
      throw error;
    }
    return Object.assign(close, { model });
  }

  /** Mount the widget of a figure, with a button that begins anew. */
  async function start(figure) {
    let close;
    try {
      close = await mount(figure);
    } catch (error) {
      console.warn(`The widget stays a picture: ${error.message}`);
      return;
    }
    courseSite.live.set(figure, close);
    const line = document.createElement("div");
    line.className = "live";
    const words = document.createElement("span");
    words.textContent = "Works here, in your browser.";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Start again";
    button.addEventListener("click", async () => {
      close();
      close = await mount(figure);
      courseSite.live.set(figure, close);
    });
    line.append(words, button);
    figure.append(line);
  }

  courseSite.live = new Map(); // from a figure to what closes its widget
  // Loaded when they come near: a network's weights are larger than the page.
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        start(target);
      }
    },
    { rootMargin: "800px" },
  );
  for (const figure of document.querySelectorAll("figure[data-widget]")) near.observe(figure);
})();
