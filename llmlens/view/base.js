// The prelude of every view: safe elements, requests with ids, theme, error line, static copies, cleanup.
// Trace text is written by strangers: it enters the page as text nodes and whitelisted attributes only.

const TAGS = new Set(("div span button input label table thead tbody tr th td pre code ul li p b i kbd h3 h4 dl dt dd mark " +
  "section header footer nav select option textarea").split(" "));
const ATTRIBUTES = new Set(("class id title role tabindex type placeholder value disabled hidden spellcheck autocomplete " +
  "colspan scope for dir checked selected rows maxlength inputmode").split(" "));
const SVG = "http://www.w3.org/2000/svg";

// Make an element. Attributes: whitelisted names, aria-*, data-*, `style` as an object, `on<event>` as a function.
function h(tag, attributes, ...children) {
  if (!TAGS.has(tag)) throw new Error(`h: no element ${tag}`);
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, String(v));
    else if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (ATTRIBUTES.has(name) || name.startsWith("aria-") || name.startsWith("data-"))
      element.setAttribute(name, value === true ? "" : String(value));
    else throw new Error(`h: no attribute ${name}`);
  }
  return put(element, children);
}

// Append children: elements, arrays, or anything else as a text node; null, undefined and false are left out.
function put(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

// Replace all children.
function fill(element, ...children) {
  element.replaceChildren();
  return put(element, children);
}

const ICONS = {
  chevron: "M6 4l4 4-4 4",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.4 10.4l3.4 3.4",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  close: "M4 4l8 8M12 4l-8 8",
  error: "M8 1.8l6.6 11.9H1.4zM8 6v4M8 11.3v1",
  left: "M10 4L6 8l4 4",
  right: "M6 4l4 4-4 4",
  bars: "M2 4h6M5 8h6M8 12h6",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5L7.5 13a3 3 0 0 1-4.3-4.3l1.5-1.5",
  check: "M3 8.5l3.2 3.2L13 4.8",
  failed: "M8 1.8l6.6 11.9H1.4z",
};

// A small line icon; decoration only, so hidden from screen readers.
function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  for (const [k, v] of [["viewBox", "0 0 16 16"], ["class", `lm-icon ${className}`], ["aria-hidden", "true"]]) svg.setAttribute(k, v);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  return svg;
}

const INVISIBLE = new RegExp(
  "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\ufffb]" +
  "|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]", "g");

// Show control, bidi and zero-width characters instead of obeying them; newlines and tabs stay.
function visible(text) {
  return String(text ?? "").replace(INVISIBLE, (character) => {
    const code = character.charCodeAt(0);
    if (code === 13) return "";
    return code < 32 ? String.fromCharCode(0x2400 + code) : `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

// The same on one line, for names and labels.
const oneLine = (text, limit = 300) => visible(String(text ?? "").slice(0, limit)).replace(/\s+/g, " ").trim();

// Follow the theme of JupyterLab, VS Code or the browser as `data-theme` on the root.
function followTheme(root, listen, signal) {
  const media = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
  const dark = () => {
    for (const element of [document.body, document.documentElement]) {
      const { jpThemeLight, vscodeThemeKind } = element.dataset;
      if (jpThemeLight) return jpThemeLight === "false";
      if (vscodeThemeKind) return /dark|high-contrast$/.test(vscodeThemeKind);
      if (element.classList.contains("vscode-dark") || element.classList.contains("dark")) return true;
    }
    return media?.matches ?? false;
  };
  const apply = () => { root.dataset.theme = dark() ? "dark" : "light"; };
  const observer = new MutationObserver(apply);
  for (const element of [document.body, document.documentElement])
    observer.observe(element, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "class"] });
  signal.addEventListener("abort", () => observer.disconnect());
  if (media) listen(media, "change", apply);
  apply();
}

// Requests `{id, kind, ...}` to the kernel, each with its reply or an error. In a static copy the host's
// `model.reply(kind, arguments)` answers from what was saved with the page. `quiet` requests show no progress.
// How long an answer takes depends on what else the kernel does, so none comes too late: `onLate(again)` is called when
// some are waited for longer than LATE, with what sends them once more, and with null when there are none any more.
function requests(model, uid, signal, onBusy, onLate) {
  const open = new Map();
  const late = new Set();
  let last = 0;
  const waiting = () => [...open.entries()].filter(([id, entry]) => !entry.quiet && !late.has(id)).length;
  const settle = (id, act) => {
    const entry = open.get(id);
    if (!entry) return;
    open.delete(id);
    clearTimeout(entry.timer);
    onBusy(waiting());
    if (late.delete(id) && !late.size) onLate(null);
    act(entry);
  };
  const send = (id) => {
    const entry = open.get(id);
    late.delete(id);
    entry.timer = setTimeout(() => {
      late.add(id);
      onBusy(waiting());
      onLate(() => [...late].forEach(send));
    }, LATE);
    onBusy(waiting());
    try {
      model.send(entry.message);
    } catch {
      settle(id, () => entry.reject(Object.assign(new Error("No kernel is connected."), { isStatic: true })));
    }
  };
  const onMessage = (message) => {
    if (!message || typeof message !== "object") return;
    settle(message.id, (entry) =>
      message.ok ? entry.resolve(message.result) : entry.reject(new Error(message.error?.message || "The kernel refused.")));
  };
  model.on("msg:custom", onMessage);
  signal.addEventListener("abort", () => {
    model.off("msg:custom", onMessage);
    for (const entry of open.values()) clearTimeout(entry.timer);
    open.clear();
    late.clear();
  });
  return (kind, values = {}, { quiet = false } = {}) => {
    if (model.is_static) {
      return Promise.resolve(model.reply?.(kind, values)).then((result) => {
        if (result === undefined) throw Object.assign(new Error("This part was not saved with the read-only copy."), { isStatic: true });
        return result;
      });
    }
    return new Promise((resolve, reject) => {
      const id = `${uid}:${++last}`;
      open.set(id, { resolve, reject, quiet, message: { ...values, id, kind } });
      send(id);
    });
  };
}

const SLOW = 8000;
const LATE = 60000;
let views = 0;

// Make a widget of `build(view)`, which fills `view.body`, may return a cleanup, and calls `view.ready()` when it shows something.
function defineView(name, build) {
  return {
    render({ model, el, signal: outer }) {
      const controller = new AbortController();
      const { signal } = controller;
      const uid = `lm${++views}-${Math.random().toString(36).slice(2, 8)}`;
      let failed = null;
      const errorLine = h("div", { class: "lm-fail", role: "alert", hidden: true });
      const body = h("div", { class: "lm-body" });
      const root = h("div", { class: `llmlens lm-${name}`, "data-view": name, "data-lm-suppress-shortcuts": "true", tabindex: "-1" },
        h("div", { class: "lm-progress", "aria-hidden": "true" }), body, errorLine,
        h("div", { class: "lm-slow", role: "status" }, "Waiting for the kernel. It may be busy, or stopped."));
      const listen = (target, type, handler, options) => target.addEventListener(type, handler, { ...options, signal });
      // JupyterLab honours the attribute only on the element that has the focus: keys pressed deeper inside stop here,
      // all but the combinations that belong to the browser and to the notebook (Ctrl+S).
      listen(root, "keydown", (event) => { if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation(); });
      const view = {
        model, root, body, uid, signal, listen,
        isStatic: Boolean(model.is_static),
        watch(trait, handler) {
          model.on(`change:${trait}`, handler);
          signal.addEventListener("abort", () => model.off(`change:${trait}`, handler));
        },
        // Show what went wrong, with a way to try again; null clears the line.
        fail(error, retry) {
          failed = error;
          errorLine.hidden = !error;
          if (!error) return;
          const again = () => { view.fail(null); retry(); };
          const dismiss = { "aria-label": "Dismiss", onclick: () => view.fail(null) };
          fill(errorLine, icon("error"), h("span", { class: "lm-grow" }, visible(error.message || error)),
            retry && !error.isStatic && h("button", { type: "button", class: "lm-button", onclick: again }, "Try again"),
            h("button", { type: "button", class: "lm-button lm-quiet", ...dismiss }, icon("close")));
        },
        ready(hooks = {}) {
          for (const [key, value] of Object.entries(hooks)) root.dataset[key] = String(value);
          root.dataset.ready = "true";
        },
      };
      let slow = 0;
      let late = null; // the error that says so
      view.request = requests(model, uid, signal, (open) => {
        root.toggleAttribute("data-busy", open > 0);
        if (open > 0) slow ||= setTimeout(() => root.toggleAttribute("data-slow", true), SLOW);
        else {
          clearTimeout(slow);
          slow = 0;
          root.removeAttribute("data-slow");
        }
      }, (again) => {
        if (again) view.fail(late = new Error(`The kernel has not answered for ${LATE / 1000} s. It may be busy, or stopped.`), again);
        else if (failed === late) view.fail(null);
      });
      signal.addEventListener("abort", () => clearTimeout(slow));
      const size = () => root.style.setProperty("--lm-height", `${model.get("height") || 560}px`);
      view.watch("height", size);
      size();
      followTheme(root, listen, signal);
      if (view.isStatic) root.dataset.static = "true";
      el.replaceChildren(root);
      const dispose = build(view);
      let closed = false;
      const close = () => {
        if (closed) return;
        closed = true;
        controller.abort();
        dispose?.();
        root.remove();
      };
      outer?.addEventListener("abort", close, { once: true });
      return close;
    },
  };
}
