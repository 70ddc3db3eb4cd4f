// Where the money goes. Synced: `path_selected`, the labels of the open group. The groups themselves come on request;
// what has the cursor, the table and its order live here only.

export default defineView("cost", (view) => {
  const { body, root, model } = view;
  let replies = new Map(); // by path; a new one for other traces, so that late answers about the former ones are lost
  let asked = 0;
  let tree = null;     // the groups drawn
  let colours = null;
  let open = 0;        // the row whose children are drawn
  let selected = -1;   // the row that is selected: the open one, or a leaf in it
  let asTable = false;

  const says = h("div", { class: "lm-offscreen", "aria-live": "polite" });
  const shown = () => ({ tree, open, selected, colours });
  const map = costMap(view, shown, press, (text) => fill(says, text));
  const table = costTable(view, shown, press);
  const empty = h("div", { class: "lm-empty", hidden: true });
  const toggle = h("button", { type: "button", class: "lm-button", title: "Treemap or table (t)", "aria-pressed": "false", onclick: () => flip() }, "Table");

  // Opening -------------------------------------------------------------------------------------------------------

  function go(labels) {
    model.set("path_selected", labels);
    model.save_changes();
  }

  // A group with children opens; a leaf is selected where it is, and again to let it go. A fold further down opens the
  // group that it is in: there is more room then.
  function press(row) {
    const { folded, parent } = tree.rows;
    if (folded[row] && parent[row] !== open) go(tree.labels(parent[row]));
    else if (row !== open) go(row === selected ? tree.labels(open) : tree.labels(row));
  }

  function up() {
    if (selected > 0) go(tree.labels(selected).slice(0, -1));
    else return false;
  }

  async function ask(path) {
    const key = JSON.stringify(path);
    const kept = replies;
    if (!kept.has(key)) kept.set(key, groups(await view.request("view", { path })));
    return kept.get(key);
  }

  async function show() {
    const turn = ++asked;
    const path = model.get("path_selected") || [];
    try {
      const whole = await ask([]);
      const found = whole.complete || !path.length ? whole : await ask(path).catch((error) => {
        if (error.isStatic) return whole;
        throw error;
      });
      if (turn !== asked || view.signal.aborted) return;
      view.fail(null);
      tree = found;
      colours = colouring(whole);
      selected = tree === whole ? tree.find(path) : tree.selected;
      open = tree.below[selected].length || selected === 0 ? selected : tree.rows.parent[selected];
      map.reset(tree.below[open].find((i) => i === selected) ?? -1);
      const held = holdFocus();
      head.draw();
      await paint();
      if (held) restFocus();
      if (turn === asked) view.ready({ rows: tree.rows.label.length, path: JSON.stringify(path), mode: asTable ? "table" : "map" });
    } catch (error) {
      if (turn === asked && !view.signal.aborted) view.fail(error, show);
    }
  }

  // What has the focus may be about to go: the widget keeps it meanwhile, else the notebook would take the next keys.
  function holdFocus() {
    const held = root.contains(root.ownerDocument.activeElement);
    if (held) root.focus({ preventScroll: true });
    return held;
  }

  function restFocus() {
    const rows = asTable ? table.element : map.element;
    const target = rows.hidden ? toggle : asTable ? rows.querySelector(".lm-on button") || rows.querySelector("tbody button") : rows;
    if (root.ownerDocument.activeElement === root) target?.focus({ preventScroll: true });
  }

  async function paint() {
    const nothing = !tree.rows.calls[0];
    const flat = !nothing && !(tree.rows.value[open] > 0);
    empty.hidden = !(nothing || (flat && !asTable));
    table.element.hidden = nothing || !asTable;
    map.element.hidden = nothing || flat || asTable;
    toggle.disabled = nothing;
    if (!empty.hidden) {
      fill(empty, h("b", {}, nothing ? "No model calls here" : `None of ${plural(tree.rows.calls[open], "call")} has a ${tree.measure.total}`),
        h("span", {}, nothing ? "These traces have no llm, embedding or reranker span." : "See them as a table (t)."));
    }
    if (!table.element.hidden) table.draw();
    if (!map.element.hidden) await map.draw();
  }

  function flip() {
    asTable = !asTable;
    toggle.setAttribute("aria-pressed", String(asTable));
    root.focus({ preventScroll: true });
    paint().then(() => {
      root.dataset.mode = asTable ? "table" : "map";
      restFocus();
    }, (error) => view.fail(error));
  }

  const keys = keyboard(view, [
    { keys: ["ArrowLeft"], does: "Move to the group on the left", in: "map", group: "Treemap", run: () => map.move(-1, 0) },
    { keys: ["ArrowRight"], does: "Move to the group on the right", in: "map", group: "Treemap", run: () => map.move(1, 0) },
    { keys: ["ArrowUp"], does: "Move to the group above", in: "map", group: "Treemap", run: () => map.move(0, -1) },
    { keys: ["ArrowDown"], does: "Move to the group below", in: "map", group: "Treemap", run: () => map.move(0, 1) },
    { keys: ["Enter", " "], does: "Open and select the group", in: "map", group: "Treemap", run: () => (map.cursor > 0 ? press(map.cursor) : false) },
    { keys: ["ArrowUp"], does: "Row above", in: "table", group: "Table", run: () => table.step(-1) },
    { keys: ["ArrowDown"], does: "Row below", in: "table", group: "Table", run: () => table.step(1) },
    { keys: ["Backspace", "Escape"], does: "Back to the group around", run: up },
    { keys: ["t"], does: "Treemap or table", run: () => (toggle.disabled ? false : flip()) },
  ]);

  const head = costHead(view, shown, go, toggle, keys.button);
  const watchTheme = new MutationObserver(() => { if (tree) head.drawLegend(); });
  watchTheme.observe(root, { attributes: true, attributeFilter: ["data-theme"] });

  fill(body, head.element, h("div", { class: "lm-cost-main" }, map.element, table.element, empty), says);
  view.watch("path_selected", show);
  view.watch("revision", () => { replies = new Map(); show(); });
  show();
  return () => watchTheme.disconnect();
});
