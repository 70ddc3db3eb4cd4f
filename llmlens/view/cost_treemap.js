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
  let cursor = -1;
  let asTable = false;

  const crumbs = h("nav", { class: "lm-row lm-grow lm-crumbs", "aria-label": "Open group" });
  const facts = h("div", { class: "lm-facts lm-grow" });
  const legend = h("div", { class: "lm-row lm-legend" });
  const notes = h("div", { class: "lm-notes" });
  const says = h("div", { class: "lm-offscreen", "aria-live": "polite" });
  const outline = h("div", { class: "lm-cursor", hidden: true, "aria-hidden": "true" });
  const chosen = h("div", { class: "lm-cursor lm-chosen", hidden: true, "aria-hidden": "true" });
  const tip = h("div", { class: "lm-tip", role: "tooltip", hidden: true });
  const area = plotArea(view, figure, { displayModeBar: false });
  const map = h("div", { class: "lm-map", tabindex: "0", role: "application", "data-pane": "map" }, area.element, chosen, outline, tip);
  const table = costTable(view, () => ({ tree, open, selected }), press);
  const empty = h("div", { class: "lm-empty", hidden: true });
  const toggle = h("button", { type: "button", class: "lm-button", title: "Treemap or table (t)", "aria-pressed": "false", onclick: () => flip() }, "Table");
  const clear = h("button", { type: "button", class: "lm-button lm-quiet", title: "Clear the selection", "aria-label": "Clear the selection", onclick: () => go([]) }, icon("close"));

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
      delete tip.dataset.row;
      tip.hidden = true;
      cursor = tree.below[open].find((i) => i === selected) ?? -1;
      const held = holdFocus();
      head();
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
    const rows = asTable ? table.element : map;
    const target = rows.hidden ? toggle : asTable ? rows.querySelector(".lm-on button") || rows.querySelector("tbody button") : map;
    if (root.ownerDocument.activeElement === root) target?.focus({ preventScroll: true });
  }

  async function paint() {
    const nothing = !tree.rows.calls[0];
    const flat = !nothing && !(tree.rows.value[open] > 0);
    empty.hidden = !(nothing || (flat && !asTable));
    table.element.hidden = nothing || !asTable;
    map.hidden = nothing || flat || asTable;
    toggle.disabled = nothing;
    if (!empty.hidden) {
      fill(empty, h("b", {}, nothing ? "No model calls here" : `None of ${plural(tree.rows.calls[open], "call")} has a ${tree.measure.total}`),
        h("span", {}, nothing ? "These traces have no llm, embedding or reranker span." : "See them as a table (t)."));
    }
    if (!table.element.hidden) table.draw();
    if (!map.hidden) {
      await area.draw();
      area.element.removeAllListeners("plotly_treemapclick");
      area.element.on("plotly_treemapclick", (event) => {
        const id = event.points?.[0]?.id;
        if (id !== undefined) press(Number(id));
        return false; // opening is ours: the kernel may have more groups to show
      });
      outlines();
    }
  }

  // Header --------------------------------------------------------------------------------------------------------

  function head() {
    const { rows, measure } = tree;
    const way = [[], ...tree.labels(selected).map((_, i, all) => all.slice(0, i + 1))];
    fill(crumbs, way.map((labels, i) => [
      i > 0 && h("span", { class: "lm-muted", "aria-hidden": "true" }, "›"),
      h("button", { type: "button", class: "lm-button lm-quiet lm-cut", "aria-current": i === way.length - 1 ? "true" : null,
        title: i ? oneLine(labels[i - 1]) : "All calls", onclick: () => go(labels) },
      i ? oneLine(labels[i - 1], 120) : "All calls")]),
    selected > 0 ? clear : h("span", { class: "lm-muted lm-cut" }, `by ${tree.columns.join(" › ")}`));
    const amount = tree.known(selected) ? measure.show(rows.value[selected]) : DASH;
    fill(facts, h("b", { class: "lm-amount" }, amount), h("span", {}, measure.total),
      selected > 0 && h("span", {}, `${percent(tree.share(selected))} of ${measure.show(tree.total)}`),
      tree.value !== "calls" && h("span", {}, plural(rows.calls[selected], "call")),
      rows.n_traces[selected] !== null && h("span", {}, plural(rows.n_traces[selected], "trace")),
      selected > 0 && rows.n_missing[selected] > 0 && tree.value !== "calls" && h("span", { class: "lm-warn" }, `${format.full(rows.n_missing[selected])} with ${measure.lacks}`),
      tree.since !== null && h("span", {}, period(tree.since, tree.until)));
    const short = tree.missing.slice(0, 3).map(([label, n]) => `${plural(n, "call")} of '${oneLine(label, 60)}'`);
    const rest = tree.missing.slice(3).reduce((sum, [, n]) => sum + n, 0);
    if (rest) short.push(`${plural(rest, "call")} of other models`);
    const many = tree.missing.reduce((sum, [, n]) => sum + n, 0) !== 1;
    notes.hidden = !short.length;
    fill(notes, short.length > 0 && [icon("error"), `${short.join(", ")} ${many ? "have" : "has"} ${measure.lacks}: not in the sum`]);
    colourLegend();
  }

  function colourLegend() {
    const { scale } = tree.looks[root.dataset.theme === "dark" ? "dark" : "light"];
    legend.hidden = !(colours.high > 0);
    const mark = colours.average > 0 && colours.average < colours.high
      && h("span", { class: "lm-average", style: { left: `${(100 * colours.average) / colours.high}%` } });
    fill(legend, h("span", {}, tree.measure.each),
      h("span", { class: "lm-scale", style: { background: `linear-gradient(to right, ${scale.join(", ")})` } }, mark),
      h("span", {}, `${tree.showEach(colours.high)}`), h("span", { class: "lm-muted" }, `average ${tree.showEach(colours.average)}`));
  }

  // Treemap -------------------------------------------------------------------------------------------------------

  function figure(mode) {
    const look = tree.looks[mode];
    const { rows } = tree;
    const ids = [];
    const walk = (i) => { if (rows.value[i] > 0) { ids.push(i); tree.below[i].forEach(walk); } };
    walk(open);
    const ink = look.layout.font.color;
    const ground = mode === "dark" ? ["#262b32", "#2f353d", "#383f48"] : ["#f3f5f8", "#e9edf2", "#dfe5ec"];
    const depth = new Map([[open, 0]]);
    const fills = ids.map((i) => {
      if (i !== open) depth.set(i, depth.get(rows.parent[i]) + 1);
      if (tree.below[i].length) return { color: ground[Math.min(2, depth.get(i))], ink };
      const place = colours.place(tree.perCall(i));
      if (place === null) return { color: mode === "dark" ? "#4a4f57" : "#c9ced6", ink };
      const rgb = mixed(look.scale, place);
      return { color: `rgb(${rgb.join(",")})`, ink: inkOn(rgb) };
    });
    return {
      data: [{
        type: "treemap", branchvalues: "total", sort: true, ids: ids.map(String),
        labels: ids.map(caption), // plotly shows labels as headings, texts on leaves
        parents: ids.map((i) => (i === open ? "" : String(rows.parent[i]))),
        values: ids.map((i) => rows.value[i]),
        text: ids.map(caption), textinfo: "text", hoverinfo: "none",
        textfont: { size: 13, color: fills.map((f) => f.ink) },
        marker: { colors: fills.map((f) => f.color), line: { width: 1, color: mode === "dark" ? "#14171d" : "#ffffff" }, cornerradius: 3,
          pad: { t: 24, l: 3, r: 3, b: 3 } },
        tiling: { packing: "squarify", squarifyratio: 1.4, pad: 2 },
        pathbar: { visible: false }, root: { color: "rgba(0,0,0,0)" },
      }],
      layout: { template: { layout: look.layout }, margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 10, mode: "hide" } },
    };
  }

  function caption(i) {
    const amount = `${tree.measure.show(tree.rows.value[i])} · ${percent(tree.share(i))}`;
    const said = named(i);
    const name = plotText(said, 40);
    if (!tree.below[i].length) return `<b>${name}</b><br>${amount}`;
    // A heading that does not fit is not drawn at all: the amount comes with it only where there is room.
    const side = Math.sqrt((map.clientWidth * map.clientHeight * tree.rows.value[i]) / tree.rows.value[open]);
    return side > 11 * (said.length + amount.length) ? `<b>${name}</b>\u2002${amount}` : `<b>${name}</b>`;
  }

  // A bare number says little: it comes with the name of its column.
  function named(i) {
    const { label, parent, folded } = tree.rows;
    if (!/^[\d.]+$/.test(label[i])) return label[i];
    let level = -1;
    for (let at = i; parent[at] >= 0; at = parent[at]) level += folded[at] ? 0 : 1;
    return `${tree.columns[level]} ${label[i]}`;
  }

  // What plotly would show on hover, as text nodes of our own.
  function explain(i) {
    const { rows, measure } = tree;
    const facts = [["share of all", tree.known(i) ? percent(tree.share(i)) : DASH], ["calls", format.full(rows.calls[i])], [measure.each, tree.showEach(tree.perCall(i))]];
    if (tree.value !== "cost_usd") facts.push(["cost", format.usd(rows.cost_usd[i])]);
    if (rows.n_traces[i] !== null) facts.push(["traces", format.full(rows.n_traces[i])], ["cost per trace", format.usd(tree.costPerTrace(i))]);
    if (tree.value !== "total_tokens") facts.push(["tokens", format.count(rows.tokens[i])]);
    if (rows.n_unpriced[i]) facts.push(["without a price", format.full(rows.n_unpriced[i])]);
    fill(tip, h("div", { class: "lm-tip-name" }, tree.labels(i).map((label) => oneLine(label, 80)).join(" › ")),
      h("b", { class: "lm-tip-amount" }, `${measure.show(rows.value[i])} ${measure.total}`),
      h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      rows.folded[i] > 0 && h("div", { class: "lm-muted" }, "Click to see them one by one."));
  }

  view.listen(map, "mousemove", (event) => {
    const row = Number(event.target.closest?.("g.slice")?.dataset.row ?? -1);
    tip.hidden = !(row > 0 && row !== open);
    if (tip.hidden) return;
    if (tip.dataset.row !== String(row)) explain(row);
    tip.dataset.row = String(row);
    const here = map.getBoundingClientRect();
    const [x, y] = [event.clientX - here.left, event.clientY - here.top];
    tip.style.setProperty("left", `${x + 16 + tip.offsetWidth > here.width ? Math.max(4, x - 12 - tip.offsetWidth) : x + 16}px`);
    tip.style.setProperty("top", `${Math.max(4, Math.min(y + 14, here.height - tip.offsetHeight - 4))}px`);
  });
  view.listen(map, "mouseleave", () => { tip.hidden = true; });

  // plotly keeps its datum on each tile.
  const tiles = () => [...area.element.querySelectorAll("g.slice")].map((slice) => ({ row: Number(slice.__data__?.data?.data?.id), slice }));

  function boxOf(row) {
    const tile = tiles().find((t) => t.row === row);
    const rect = tile?.slice.querySelector("path.surface")?.getBoundingClientRect();
    const here = map.getBoundingClientRect();
    return rect && { left: rect.left - here.left, top: rect.top - here.top, width: rect.width, height: rect.height };
  }

  function place(mark, row) {
    const box = row > 0 && row !== open ? boxOf(row) : null;
    mark.hidden = !box;
    if (box) for (const [key, v] of Object.entries(box)) mark.style.setProperty(key, `${v}px`);
  }

  function outlines() {
    for (const { row, slice } of tiles()) slice.setAttribute("data-row", String(row));
    place(chosen, selected === open ? -1 : selected);
    place(outline, map.matches(":focus-visible") ? cursor : -1);
    map.setAttribute("aria-label", `Treemap of ${tree.measure.total}. Arrow keys move, Enter opens, Backspace goes back, t shows a table.`);
  }

  // Arrow keys go to the nearest sibling on that side.
  function move(dx, dy) {
    const siblings = tree.below[open].filter((i) => tree.rows.value[i] > 0);
    if (!siblings.length) return false;
    const from = siblings.includes(cursor) ? boxOf(cursor) : null;
    if (!from) return point(siblings[0]);
    const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
    const [x, y] = middle(from);
    let best = null;
    for (const i of siblings) {
      const box = i === cursor ? null : boxOf(i);
      if (!box) continue;
      const [bx, by] = middle(box);
      const along = (bx - x) * dx + (by - y) * dy;
      const aside = Math.abs((bx - x) * dy) + Math.abs((by - y) * dx);
      if (along > 1 && (!best || along + 2 * aside < best.far)) best = { i, far: along + 2 * aside };
    }
    return best ? point(best.i) : undefined;
  }

  function point(row) {
    cursor = row;
    place(outline, row);
    root.dataset.cursor = tree.rows.label[row];
    fill(says, `${oneLine(tree.rows.label[row])}, ${tree.measure.show(tree.rows.value[row])}, ${percent(tree.share(row))}`);
  }

  // plotly keeps a click from moving the focus; without it the notebook would take the keys.
  view.listen(map, "pointerdown", () => map.focus({ preventScroll: true }));
  view.listen(map, "focus", () => {
    if (map.matches(":focus-visible")) return cursor < 0 ? move(0, 0) : place(outline, cursor);
  });
  view.listen(map, "blur", () => { outline.hidden = true; });
  const watchSize = new ResizeObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => { if (tree && !map.hidden) outlines(); })));
  watchSize.observe(map);
  const watchTheme = new MutationObserver(() => { if (tree) colourLegend(); });
  watchTheme.observe(root, { attributes: true, attributeFilter: ["data-theme"] });

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
    { keys: ["ArrowLeft"], does: "Move to the group on the left", in: "map", group: "Treemap", run: () => move(-1, 0) },
    { keys: ["ArrowRight"], does: "Move to the group on the right", in: "map", group: "Treemap", run: () => move(1, 0) },
    { keys: ["ArrowUp"], does: "Move to the group above", in: "map", group: "Treemap", run: () => move(0, -1) },
    { keys: ["ArrowDown"], does: "Move to the group below", in: "map", group: "Treemap", run: () => move(0, 1) },
    { keys: ["Enter", " "], does: "Open and select the group", in: "map", group: "Treemap", run: () => (cursor > 0 ? press(cursor) : false) },
    { keys: ["ArrowUp"], does: "Row above", in: "table", group: "Table", run: () => table.step(-1) },
    { keys: ["ArrowDown"], does: "Row below", in: "table", group: "Table", run: () => table.step(1) },
    { keys: ["Backspace", "Escape"], does: "Back to the group around", run: up },
    { keys: ["t"], does: "Treemap or table", run: () => (toggle.disabled ? false : flip()) },
  ]);

  fill(body, h("header", { class: "lm-cost-head" },
    h("div", { class: "lm-row" }, crumbs, toggle, keys.button),
    h("div", { class: "lm-row lm-cost-facts" }, facts, legend), notes), h("div", { class: "lm-cost-main" }, map, table.element, empty), says);
  view.watch("path_selected", show);
  view.watch("revision", () => { replies = new Map(); show(); });
  show();
  return () => { watchSize.disconnect(); watchTheme.disconnect(); };
});
