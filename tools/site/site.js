// What the pages do: colours, search, the list of lessons on a phone, copying, printing.

// Scripts that hold data hand it over here. A page opened from a disk may load scripts only.
window.courseSite = {
  parts: new Map(),
  put(name, value) {
    this.parts.set(name, value);
  },
  /** The value that the file `name` of the site puts; loads it once. */
  load(name) {
    this.loading ??= new Map();
    if (!this.loading.has(name)) {
      const loaded = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = name;
        script.onload = () => resolve(this.parts.get(name));
        script.onerror = () => reject(new Error(`${name} did not load`));
        document.head.append(script);
      });
      this.loading.set(name, loaded);
      loaded.catch(() => this.loading.delete(name)); // the next time may go well
    }
    return this.loading.get(name);
  },
};

// ---- Colours: what the system says, light, or dark

const theme = document.querySelector(".theme select");
theme.value = document.documentElement.dataset.theme ?? "";
theme.addEventListener("change", () => {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme.value) localStorage.setItem("course-theme", theme.value);
    else localStorage.removeItem("course-theme");
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
});

// ---- The list of lessons, on a phone

const menu = document.querySelector(".menu-switch");
menu?.addEventListener("click", () => {
  const isOpen = document.querySelector("#lessons").classList.toggle("open");
  menu.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) window.scrollTo({ top: 0 });
});

// ---- The contents of the page: open beside it, folded above it; where one is, is marked

const contents = document.querySelector(".contents details");
if (contents) {
  const isBeside = matchMedia("(min-width: 78.01rem)");
  const fold = () => (contents.open = isBeside.matches);
  fold();
  isBeside.addEventListener("change", fold);
  const links = [...contents.querySelectorAll("a")];
  const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
  const mark = () => {
    const passed = headings.findLastIndex((heading) => heading.getBoundingClientRect().top < 120);
    links.forEach((link, i) => link.classList.toggle("here", i === passed));
  };
  let waits = false;
  addEventListener("scroll", () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      mark();
    });
  }, { passive: true });
  mark();
}

// ---- Boxes that scroll sideways can be reached with the keyboard

function reachable(boxes) {
  for (const box of boxes) {
    if (box.scrollWidth <= box.clientWidth) {
      box.removeAttribute("tabindex");
      continue;
    }
    box.tabIndex = 0;
    if (box.matches("div")) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Scrolls sideways");
    }
  }
}
const boxes = document.querySelectorAll("pre, .scroll");
const watcher = new ResizeObserver((entries) => reachable(entries.map((entry) => entry.target)));
for (const box of boxes) watcher.observe(box);

// ---- Copy a cell

if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    code.append(button);
  }
}

// ---- On paper all hints are open

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("article details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});

// ---- Search: every section with all the words, those with a word in the heading first

const dialog = document.querySelector("dialog.search");
const field = dialog.querySelector("input");
const found = dialog.querySelector("#found");
const count = dialog.querySelector(".count");
let chosen = -1;

async function openSearch() {
  if (dialog.open) return;
  dialog.showModal();
  field.select();
  try {
    await courseSite.load("search.js");
    look();
  } catch {
    count.textContent = "The list of the sections did not load. Try again later.";
  }
}

const wordsOf = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

/** Finds words where a word begins: "rate" is in "rates" and not in "enumerate". */
function beginningWith(words) {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(?<![\\p{L}\\p{N}])(${escaped.join("|")})`, "giu");
}

/** The sections with every word: [page, title, anchor, heading, text], the best first. */
function findSections(sections, query) {
  const words = wordsOf(query);
  if (!words.length) return [];
  const [phrase, each] = [words.join(" "), words.map((word) => beginningWith([word]))];
  const results = [];
  sections.forEach((section, place) => {
    const [, title, , heading, text] = section;
    let score = 0;
    for (const pattern of each) {
      const inHeading = heading.match(pattern)?.length ?? 0;
      const elsewhere = `${title} ${text}`.match(pattern)?.length ?? 0;
      if (!inHeading && !elsewhere) return;
      score += 20 * inHeading + Math.min(elsewhere, 9);
    }
    if (heading.toLowerCase().includes(phrase)) score += 20;
    if (text.toLowerCase().includes(phrase)) score += 10;
    results.push({ section, score, place });
  });
  results.sort((a, b) => b.score - a.score || a.place - b.place);
  return results.map((result) => result.section);
}

/** The part of a text around the words together, or the first of them, with all of them marked. */
function extract(text, words) {
  const together = text.toLowerCase().indexOf(words.join(" "));
  const at = together >= 0 ? together : Math.max(0, text.search(beginningWith(words)));
  const first = at < 40 ? 0 : text.indexOf(" ", at - 40) + 1;
  return mark(`${first ? "… " : ""}${text.slice(first, first + 160)}`, words);
}

function mark(text, words) {
  const line = document.createDocumentFragment();
  if (!words.length) return text;
  text.split(beginningWith(words)).forEach((part, i) => {
    const element = i % 2 ? document.createElement("mark") : null;
    element?.append(part);
    line.append(element ?? part);
  });
  return line;
}

function look() {
  const sections = courseSite.parts.get("search.js");
  if (!sections) return;
  const words = wordsOf(field.value);
  const all = findSections(sections, field.value);
  const shown = all.slice(0, 30);
  found.replaceChildren(
    ...shown.map(([page, title, anchor, heading, text], i) => {
      const link = document.createElement("a");
      Object.assign(link, { href: `${page}#${anchor}`, id: `found-${i}`, role: "option", tabIndex: -1 });
      const parts = [["where", title], ["heading", mark(heading, words)], ["extract", extract(text, words)]];
      for (const [kind, content] of parts) {
        const span = document.createElement("span");
        span.className = kind;
        span.append(content);
        link.append(span);
      }
      link.addEventListener("click", () => dialog.close());
      return link;
    }),
  );
  found.hidden = !shown.length;
  field.setAttribute("aria-expanded", String(shown.length > 0));
  if (!words.length) count.textContent = "Words of a lesson, or of its code.";
  else if (!all.length) count.textContent = "No section has all of these words.";
  else count.textContent = `${all.length === 1 ? "1 section" : `${all.length} sections`}${all.length > shown.length ? `, the first ${shown.length} are shown` : ""}`;
  choose(shown.length ? 0 : -1);
}

function choose(place) {
  const links = found.querySelectorAll("a");
  chosen = links.length ? (place + links.length) % links.length : -1;
  links.forEach((link, i) => link.setAttribute("aria-selected", String(i === chosen)));
  if (chosen < 0) field.removeAttribute("aria-activedescendant");
  else {
    field.setAttribute("aria-activedescendant", links[chosen].id);
    links[chosen].scrollIntoView({ block: "nearest" });
  }
}

found.hidden = true;
field.addEventListener("input", look);
field.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    found.querySelectorAll("a")[chosen]?.click();
  } else if (event.key === "Escape") {
    event.preventDefault(); // a search field would only empty itself
    dialog.close();
  }
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
document.querySelector(".search-switch").addEventListener("click", openSearch);
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  const asks = (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey)
    || (event.key === "k" && (event.ctrlKey || event.metaKey));
  if (!asks) return;
  event.preventDefault();
  openSearch();
});
