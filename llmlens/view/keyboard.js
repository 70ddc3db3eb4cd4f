// Shortcuts as data: the handlers and the help sheet come from the same table, so they cannot disagree.

const KEY_NAMES = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", PageUp: "PgUp", PageDown: "PgDn", " ": "Space",
};
const isTyping = (target) => target?.matches?.("input, textarea, select, [contenteditable=true]") ?? false;

// A key as it is printed on the keyboard; combinations are two of them.
const keyCaps = (name) =>
  name.split(/(?<=.)\+/).map((key) => h("kbd", {}, key === "Ctrl" && IS_MAC ? "⌘" : KEY_NAMES[key] || key));
const IS_MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

// `table` is a list of {keys, does, run, in?, typing?, shown?}: `in` names the `data-pane` it belongs to (all when absent),
// `typing` allows it inside an input, `shown` stands for many keys in the sheet, `run(event)` returns false when it did
// nothing. "Ctrl+" before a key is Ctrl, or Cmd.
// Gives `{open, button}`: a function that shows the help sheet, and a button for it.
function keyboard(view, table) {
  const { root } = view;
  const help = { keys: ["?"], does: "Show or hide this help", run: () => toggle() };
  const all = [...table, help];
  const sheet = h("div", {
    class: "lm-sheet", role: "dialog", "aria-label": "Keyboard shortcuts", tabindex: "-1", hidden: true,
  });
  const groups = new Map();
  for (const entry of all) {
    const group = entry.group || "Everywhere";
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(entry);
  }
  put(sheet, h("div", { class: "lm-sheet-card" },
    h("header", { class: "lm-row" }, h("b", { class: "lm-grow" }, "Keyboard shortcuts"),
      h("button", { type: "button", class: "lm-button lm-quiet", "aria-label": "Close", onclick: () => toggle(false) }, icon("close"))),
    h("div", { class: "lm-sheet-groups" }, [...groups].map(([title, entries]) => h("section", {}, h("h4", {}, title),
      h("dl", {}, entries.map((entry) => [
        h("dt", {}, (entry.shown || entry.keys).map(keyCaps)), h("dd", {}, entry.does)])))))));
  root.appendChild(sheet);

  let before = null;
  function toggle(show = sheet.hidden) {
    if (show === !sheet.hidden) return;
    sheet.hidden = !show;
    if (show) {
      before = root.ownerDocument.activeElement;
      sheet.focus({ preventScroll: true });
    } else before?.focus?.({ preventScroll: true });
  }

  view.listen(root, "keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const key = event.ctrlKey || event.metaKey ? `Ctrl+${event.key}` : event.key;
    const target = event.composedPath()[0];
    if (!sheet.hidden) {
      if (key !== "Escape" && key !== "?") return;
      toggle(false);
    } else {
      const typing = isTyping(target);
      const pane = target?.closest?.("[data-pane]")?.dataset.pane;
      const entry = all.find((e) => e.keys.includes(key) && (!typing || e.typing) && (!e.in || e.in === pane));
      if (!entry || entry.run(event) === false) return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  const button = h("button", {
    type: "button", class: "lm-button lm-quiet", title: "Keyboard shortcuts (?)", "aria-label": "Keyboard shortcuts",
    onclick: () => toggle(),
  }, "?");
  return { open: toggle, button };
}
