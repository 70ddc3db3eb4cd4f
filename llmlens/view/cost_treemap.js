// Where the money goes. Synced: `path_selected`, the labels of the open group. The groups themselves come on request;
// what has the cursor, the table and its order live here only.

const MEASURES = {
  cost_usd: { total: "cost", each: "cost per call", show: format.usd, lacks: "no price" },
  input_tokens: { total: "input tokens", each: "input tokens per call", show: format.count, lacks: "no input tokens" },
  output_tokens: { total: "output tokens", each: "output tokens per call", show: format.count, lacks: "no output tokens" },
  total_tokens: { total: "tokens", each: "tokens per call", show: format.count, lacks: "no tokens" },
  calls: { total: "calls", each: "cost per call", show: format.full, lacks: "" },
  duration_s: { total: "time", each: "time per call", show: (value) => format.ms(value * 1000), lacks: "no end" },
};

const percent = (share) => (share >= 0.9995 ? "100 %" : share >= 0.0995 ? `${(share * 100).toFixed(0)} %` : `${(share * 100).toFixed(share >= 0.001 ? 1 : 2)} %`);
const plural = (n, word) => `${format.full(n)} ${word}${n === 1 ? "" : "s"}`;

// The groups of one reply: rows by number, their children, their labels from the root.
function groups(reply) {
  const { rows, value } = reply;
  const measure = MEASURES[value];
  const below = rows.label.map(() => []);
  rows.parent.forEach((parent, i) => { if (parent >= 0) below[parent].push(i); });
  const byCost = value === "cost_usd" || value === "calls";
  const ratio = (amount, n) => (n > 0 ? amount / n : null);
  return {
    ...reply, measure, below,
    total: rows.value[0],
    labels: (i) => (rows.parent[i] < 0 ? [] : [...groupLabels(rows, i)]),
    share: (i) => (rows.value[0] > 0 ? rows.value[i] / rows.value[0] : 0),
    perCall: (i) => (byCost ? ratio(rows.cost_usd[i], rows.calls[i] - rows.n_unpriced[i]) : ratio(rows.value[i], rows.calls[i] - rows.n_missing[i])),
    showEach: byCost ? format.usd : measure.show,
    known: (i) => rows.calls[i] > rows.n_missing[i],
    costPerTrace: (i) => (rows.calls[i] > rows.n_unpriced[i] ? ratio(rows.cost_usd[i], rows.n_traces[i]) : null),
    // The row at these labels, or at as many of them as are here.
    find(labels) {
      let at = 0;
      for (const label of labels) {
        const next = below[at].find((i) => rows.label[i] === label);
        if (next === undefined) break;
        at = next;
      }
      return at;
    },
  };
}

function groupLabels(rows, i) {
  const labels = [];
  for (let at = i; rows.parent[at] >= 0; at = rows.parent[at]) labels.unshift(rows.label[at]);
  return labels;
}

// Colours for the cost per call against the average, on a logarithmic scale that all groups of the tree share.
function colouring(tree) {
  const average = tree.perCall(0);
  const step = (i) => {
    const each = tree.perCall(i);
    return each > 0 && average > 0 ? Math.log2(each / average) : null;
  };
  const steps = tree.rows.label.map((_, i) => (tree.below[i].length ? null : step(i))).filter((s) => s !== null);
  const low = Math.max(-6, Math.floor(Math.min(-1, ...steps)));
  const high = Math.min(6, Math.ceil(Math.max(1, ...steps)));
  return { average, low, high, place: (each) => (each > 0 && average > 0 ? Math.min(1, Math.max(0, (Math.log2(each / average) - low) / (high - low))) : null) };
}

function mixed(scale, place) {
  const at = place * (scale.length - 1);
  const i = Math.min(scale.length - 2, Math.floor(at));
  const part = (color, k) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
  return [0, 1, 2].map((k) => Math.round(part(scale[i], k) + (at - i) * (part(scale[i + 1], k) - part(scale[i], k))));
}

// Dark ink or white, whichever reads better on the colour (WCAG relative luminance).
function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#10151c" : "#ffffff";
}

const times = (power) => (power < 0 ? `1⁄${2 ** -power}×` : `${2 ** power}×`);

export default defineView("cost", (view) => {
  const { body, root, model } = view;
  const replies = new Map();
  let asked = 0;
  let tree = null;     // the groups drawn
  let colours = null;
  let open = 0;        // the row whose children are drawn
  let selected = -1;   // the row that is selected: the open one, or a leaf in it
  let cursor = -1;
  let asTable = false;
  let sort = { column: "value", down: true };

  const crumbs = h("nav", { class: "lm-row lm-grow lm-crumbs", "aria-label": "Open group" });
  const facts = h("div", { class: "lm-facts lm-grow" });
  const legend = h("div", { class: "lm-row lm-legend" });
  const notes = h("div", { class: "lm-notes" });
  const says = h("div", { class: "lm-offscreen", "aria-live": "polite" });
  const outline = h("div", { class: "lm-cursor", hidden: true, "aria-hidden": "true" });
  const chosen = h("div", { class: "lm-cursor lm-chosen", hidden: true, "aria-hidden": "true" });
  const area = plotArea(view, figure, { displayModeBar: false });
  const map = h("div", { class: "lm-map", tabindex: "0", role: "application", "data-pane": "map" }, area.element, chosen, outline);
  const table = h("div", { class: "lm-cost-table", "data-pane": "table", hidden: true });
  const empty = h("div", { class: "lm-empty", hidden: true });
  const toggle = h("button", { type: "button", class: "lm-button", title: "Treemap or table (t)", "aria-pressed": "false", onclick: () => flip() }, "Table");
  const clear = h("button", { type: "button", class: "lm-button lm-quiet", title: "Clear the selection", "aria-label": "Clear the selection", onclick: () => go([]) }, icon("close"));

  // Opening -------------------------------------------------------------------------------------------------------

  const labelsOf = (row) => (row <= 0 ? [] : groupLabels(tree.rows, row));

  function go(labels) {
    model.set("path_selected", labels);
    model.save_changes();
  }

  // A closed fold and a group with children open; a leaf is selected where it is, and again to let it go.
  function press(row) {
    if (row === open) return up();
    return go(row === selected ? labelsOf(open) : labelsOf(row));
  }

  function up() {
    if (selected > 0) go(labelsOf(selected).slice(0, -1));
    else return false;
  }

  async function ask(path) {
    const key = JSON.stringify(path);
    if (!replies.has(key)) replies.set(key, groups(await view.request("view", { path })));
    return replies.get(key);
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
      selected = tree.find(path);
      open = tree.below[selected].length || selected === 0 ? selected : tree.rows.parent[selected];
      cursor = tree.below[open].find((i) => i === selected) ?? -1;
      head();
      await paint();
      if (turn === asked) view.ready({ rows: tree.rows.label.length, path: JSON.stringify(path), mode: asTable ? "table" : "map" });
    } catch (error) {
      if (turn === asked && !view.signal.aborted) view.fail(error, show);
    }
  }

  async function paint() {
    const nothing = !tree.rows.calls[0];
    const flat = !nothing && !(tree.rows.value[open] > 0);
    empty.hidden = !(nothing || (flat && !asTable));
    table.hidden = nothing || !asTable;
    map.hidden = nothing || flat || asTable;
    toggle.disabled = nothing;
    if (!empty.hidden) {
      fill(empty, h("b", {}, nothing ? "No model calls here" : `None of ${plural(tree.rows.calls[open], "call")} has a ${tree.measure.total}`),
        h("span", {}, nothing ? "These traces have no llm, embedding or reranker span." : "See them as a table (t)."));
    }
    if (!table.hidden) drawTable();
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
    const way = [[], ...labelsOf(selected).map((_, i, all) => all.slice(0, i + 1))];
    fill(crumbs, way.map((labels, i) => [
      i > 0 && h("span", { class: "lm-muted", "aria-hidden": "true" }, "›"),
      h("button", { type: "button", class: "lm-button lm-quiet lm-cut", "aria-current": i === way.length - 1 ? "true" : null,
        title: i ? oneLine(labels[i - 1]) : "All calls", onclick: () => go(labels) },
      i ? oneLine(labels[i - 1], 120) : `All ${measure.total}`)]),
    selected > 0 && clear);
    const amount = tree.known(selected) ? measure.show(rows.value[selected]) : DASH;
    fill(facts, h("b", { class: "lm-amount" }, amount),
      selected > 0 && h("span", {}, `${percent(tree.share(selected))} of ${measure.show(tree.total)}`),
      tree.value !== "calls" && h("span", {}, plural(rows.calls[selected], "call")),
      rows.n_traces[selected] !== null && h("span", {}, plural(rows.n_traces[selected], "trace")),
      rows.n_missing[selected] > 0 && tree.value !== "calls" && h("span", { class: "lm-warn" }, `${format.full(rows.n_missing[selected])} with ${measure.lacks}`),
      tree.since !== null && h("span", {}, `${format.time(tree.since).slice(0, 16)} – ${format.time(tree.until).slice(0, 16)} UTC`));
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
    legend.hidden = !(colours.average > 0);
    fill(legend, h("span", {}, tree.measure.each), h("span", { class: "lm-muted" }, times(colours.low)),
      h("span", { class: "lm-scale", style: { background: `linear-gradient(to right, ${scale.join(", ")})` } }),
      h("span", { class: "lm-muted" }, times(colours.high)),
      h("span", { class: "lm-muted" }, `of the average ${tree.showEach(colours.average)}`));
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
        labels: ids.map((i) => plotText(rows.label[i], 60)),
        parents: ids.map((i) => (i === open ? "" : String(rows.parent[i]))),
        values: ids.map((i) => rows.value[i]),
        text: ids.map((i) => caption(i)), hovertext: ids.map(hover), textinfo: "text", hoverinfo: "text",
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
    const name = plotText(i === 0 ? `All ${tree.measure.total}` : tree.rows.label[i], 40);
    return tree.below[i].length ? `<b>${name}</b>  ${amount}` : `<b>${name}</b><br>${amount}`;
  }

  function hover(i) {
    const { rows, measure } = tree;
    const lines = [["share", percent(tree.share(i))], ["calls", format.full(rows.calls[i])], [measure.each, tree.showEach(tree.perCall(i))]];
    if (tree.costPerTrace(i) !== null) lines.push(["cost per trace", format.usd(tree.costPerTrace(i))]);
    lines.push(["tokens", format.count(rows.tokens[i])]);
    if (tree.value !== "cost_usd") lines.push(["cost", format.usd(rows.cost_usd[i])]);
    if (rows.n_unpriced[i]) lines.push(["calls without a price", format.full(rows.n_unpriced[i])]);
    const name = labelsOf(i).map((label) => plotText(label, 60)).join(" › ") || "All";
    const hint = rows.folded[i] ? "<br><i>click to see them one by one</i>" : "";
    return `<b>${name}</b><br>${plotText(measure.show(rows.value[i]))}<br>${lines.map(([k, v]) => `${k}: ${plotText(v)}`).join("<br>")}${hint}`;
  }

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
    place(outline, root.ownerDocument.activeElement === map || map.matches(":focus") ? cursor : -1);
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

  view.listen(map, "focus", () => { if (cursor < 0) move(0, 0); else place(outline, cursor); });
  view.listen(map, "blur", () => { outline.hidden = true; });
  const watchSize = new ResizeObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => { if (tree && !map.hidden) outlines(); })));
  watchSize.observe(map);
  const watchTheme = new MutationObserver(() => { if (tree) colourLegend(); });
  watchTheme.observe(root, { attributes: true, attributeFilter: ["data-theme"] });

  // Table ---------------------------------------------------------------------------------------------------------

  const columns = () => [
    { key: "label", title: tree.columns.join(" › "), of: (i) => tree.rows.label[i] },
    { key: "value", title: tree.measure.total, of: (i) => (tree.known(i) ? tree.rows.value[i] : null), show: tree.measure.show },
    { key: "share", title: "share", of: (i) => (tree.known(i) ? tree.share(i) : null), show: percent, bar: true },
    tree.value !== "calls" && { key: "calls", title: "calls", of: (i) => tree.rows.calls[i], show: format.full },
    { key: "each", title: tree.measure.each, of: tree.perCall, show: tree.showEach },
    { key: "trace", title: "cost per trace", of: tree.costPerTrace, show: format.usd },
    { key: "tokens", title: "tokens", of: (i) => tree.rows.tokens[i], show: format.count },
    { key: "unpriced", title: "no price", of: (i) => tree.rows.n_unpriced[i], show: (n) => (n ? format.full(n) : "") },
  ].filter(Boolean);

  function drawTable() {
    const all = columns();
    const by = all.find((c) => c.key === sort.column) || all[1];
    const compare = (a, b) => {
      const [x, y] = [by.of(a), by.of(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      const order = typeof x === "string" ? x.localeCompare(y) : x - y;
      return sort.down ? -order : order;
    };
    const rows = [];
    const walk = (i, depth) => [...tree.below[i]].sort(compare).forEach((child) => { rows.push([child, depth]); walk(child, depth + 1); });
    walk(open, 0);
    const heading = (c) => h("th", { scope: "col", class: c.key === "label" ? null : "lm-num", "aria-sort": c !== by ? "none" : sort.down ? "descending" : "ascending" },
      h("button", { type: "button", class: "lm-button lm-quiet", "data-sort": c.key, onclick: () => {
        sort = { column: c.key, down: c.key === by.key ? !sort.down : c.key !== "label" };
        drawTable();
        table.querySelector(`[data-sort="${c.key}"]`)?.focus();
      } }, c.title, c === by && h("span", { "aria-hidden": "true" }, sort.down ? " ↓" : " ↑")));
    const cell = (c, i) => {
      const value = c.of(i);
      return h("td", { class: "lm-num" }, c.bar && value !== null && h("span", { class: "lm-bar", style: { width: `${Math.max(1, 60 * value)}px` } }),
        value === null ? DASH : c.show(value));
    };
    fill(table, h("table", {}, h("thead", {}, h("tr", {}, all.map(heading))),
      h("tbody", {}, rows.map(([i, depth]) => h("tr", { "data-row": i, class: i === selected ? "lm-on" : tree.below[i].length ? "lm-group" : null },
        h("th", { scope: "row", style: { "padding-left": `${6 + 18 * depth}px` } },
          h("button", { type: "button", class: "lm-button lm-quiet lm-cut", title: oneLine(tree.rows.label[i]), onclick: () => press(i) }, oneLine(tree.rows.label[i], 120))),
        all.slice(1).map((c) => cell(c, i)))))));
  }

  function flip() {
    asTable = !asTable;
    toggle.setAttribute("aria-pressed", String(asTable));
    paint().then(() => {
      root.dataset.mode = asTable ? "table" : "map";
      (asTable ? table.querySelector("tbody button") : map)?.focus({ preventScroll: true });
    }, (error) => view.fail(error));
  }

  function step(by) {
    const buttons = [...table.querySelectorAll("tbody button")];
    const at = buttons.indexOf(root.ownerDocument.activeElement);
    buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
  }

  const keys = keyboard(view, [
    { keys: ["ArrowLeft"], does: "Move to the group on the left", in: "map", group: "Treemap", run: () => move(-1, 0) },
    { keys: ["ArrowRight"], does: "Move to the group on the right", in: "map", group: "Treemap", run: () => move(1, 0) },
    { keys: ["ArrowUp"], does: "Move to the group above", in: "map", group: "Treemap", run: () => move(0, -1) },
    { keys: ["ArrowDown"], does: "Move to the group below", in: "map", group: "Treemap", run: () => move(0, 1) },
    { keys: ["Enter", " "], does: "Open and select the group", in: "map", group: "Treemap", run: () => (cursor > 0 ? press(cursor) : false) },
    { keys: ["ArrowUp"], does: "Row above", in: "table", group: "Table", run: () => step(-1) },
    { keys: ["ArrowDown"], does: "Row below", in: "table", group: "Table", run: () => step(1) },
    { keys: ["Backspace", "Escape"], does: "Back to the group around", run: up },
    { keys: ["t"], does: "Treemap or table", run: () => (toggle.disabled ? false : flip()) },
  ]);

  fill(body, h("header", { class: "lm-cost-head" },
    h("div", { class: "lm-row" }, crumbs, toggle, keys.button),
    h("div", { class: "lm-row lm-cost-facts" }, facts, legend), notes), h("div", { class: "lm-cost-main" }, map, table, empty), says);
  view.watch("path_selected", show);
  view.watch("revision", () => { replies.clear(); show(); });
  show();
  return () => { watchSize.disconnect(); watchTheme.disconnect(); };
});
