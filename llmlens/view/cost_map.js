// The treemap: the groups in the open one, which of them has the cursor, and what the one under the mouse says.

// `shown()` gives {tree, open, selected, colours}; `press(row)` is called for a tile that is clicked.
function costMap(view, shown, press, say) {
  const outline = h("div", { class: "lm-cursor", hidden: true, "aria-hidden": "true" });
  const chosen = h("div", { class: "lm-cursor lm-chosen", hidden: true, "aria-hidden": "true" });
  const tip = h("div", { class: "lm-tip", role: "tooltip", hidden: true });
  const area = plotArea(view, figure, { displayModeBar: false });
  const element = h("div", { class: "lm-map", tabindex: "0", role: "application", "data-pane": "map" }, area.element, chosen, outline, tip);
  let cursor = -1;

  function figure(mode) {
    const { tree, open, colours } = shown();
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
    const { tree, open } = shown();
    const amount = `${tree.measure.show(tree.rows.value[i])} · ${percent(tree.share(i))}`;
    const said = named(tree, i);
    const name = plotText(said, 40);
    if (!tree.below[i].length) return `<b>${name}</b><br>${amount}`;
    // A heading that does not fit is not drawn at all: the amount comes with it only where there is room.
    const side = Math.sqrt((element.clientWidth * element.clientHeight * tree.rows.value[i]) / tree.rows.value[open]);
    return side > 11 * (said.length + amount.length) ? `<b>${name}</b>\u2002${amount}` : `<b>${name}</b>`;
  }

  // A bare number says little: it comes with the name of its column.
  function named(tree, i) {
    const { label, parent, folded } = tree.rows;
    if (!/^[\d.]+$/.test(label[i])) return label[i];
    let level = -1;
    for (let at = i; parent[at] >= 0; at = parent[at]) level += folded[at] ? 0 : 1;
    return `${tree.columns[level]} ${label[i]}`;
  }

  // What plotly would show on hover, as text nodes of our own.
  function explain(i) {
    const { tree } = shown();
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

  view.listen(element, "mousemove", (event) => {
    const row = Number(event.target.closest?.("g.slice")?.dataset.row ?? -1);
    tip.hidden = !(row > 0 && row !== shown().open);
    if (tip.hidden) return;
    if (tip.dataset.row !== String(row)) explain(row);
    tip.dataset.row = String(row);
    const here = element.getBoundingClientRect();
    const [x, y] = [event.clientX - here.left, event.clientY - here.top];
    tip.style.setProperty("left", `${x + 16 + tip.offsetWidth > here.width ? Math.max(4, x - 12 - tip.offsetWidth) : x + 16}px`);
    tip.style.setProperty("top", `${Math.max(4, Math.min(y + 14, here.height - tip.offsetHeight - 4))}px`);
  });
  view.listen(element, "mouseleave", () => { tip.hidden = true; });

  // plotly keeps its datum on each tile.
  const tiles = () => [...area.element.querySelectorAll("g.slice")].map((slice) => ({ row: Number(slice.__data__?.data?.data?.id), slice }));

  function boxOf(row) {
    const tile = tiles().find((t) => t.row === row);
    const rect = tile?.slice.querySelector("path.surface")?.getBoundingClientRect();
    const here = element.getBoundingClientRect();
    return rect && { left: rect.left - here.left, top: rect.top - here.top, width: rect.width, height: rect.height };
  }

  function place(mark, row) {
    const box = row > 0 && row !== shown().open ? boxOf(row) : null;
    mark.hidden = !box;
    if (box) for (const [key, v] of Object.entries(box)) mark.style.setProperty(key, `${v}px`);
  }

  function outlines() {
    const { tree, open, selected } = shown();
    for (const { row, slice } of tiles()) slice.setAttribute("data-row", String(row));
    place(chosen, selected === open ? -1 : selected);
    place(outline, element.matches(":focus-visible") ? cursor : -1);
    element.setAttribute("aria-label", `Treemap of ${tree.measure.total}. Arrow keys move, Enter opens, Backspace goes back, t shows a table.`);
  }

  // Arrow keys go to the nearest sibling on that side.
  function move(dx, dy) {
    const { tree, open } = shown();
    const siblings = tree.below[open].filter((i) => tree.rows.value[i] > 0);
    if (!siblings.length) return false;
    const from = siblings.includes(cursor) ? boxOf(cursor) : null;
    if (!from) return point(siblings[0]);
    const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
    const others = siblings.filter((i) => i !== cursor).map((i) => ({ i, box: boxOf(i) })).filter(({ box }) => box);
    const best = nearestOnSide(middle(from), others.map(({ i, box }) => ({ i, at: middle(box) })), dx, dy);
    return best ? point(best.i) : undefined;
  }

  function point(row) {
    const { tree } = shown();
    cursor = row;
    place(outline, row);
    view.root.dataset.cursor = tree.rows.label[row];
    say(`${oneLine(tree.rows.label[row])}, ${tree.measure.show(tree.rows.value[row])}, ${percent(tree.share(row))}`);
  }

  // plotly keeps a click from moving the focus; without it the notebook would take the keys.
  view.listen(element, "pointerdown", () => element.focus({ preventScroll: true }));
  view.listen(element, "focus", () => {
    if (element.matches(":focus-visible")) return cursor < 0 ? move(0, 0) : place(outline, cursor);
  });
  view.listen(element, "blur", () => { outline.hidden = true; });

  const watchSize = new ResizeObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => { if (shown().tree && !element.hidden) outlines(); })));
  watchSize.observe(element);
  view.signal.addEventListener("abort", () => watchSize.disconnect());

  return {
    element, move,
    get cursor() { return cursor; },
    async draw() {
      await area.draw();
      area.element.removeAllListeners("plotly_treemapclick");
      area.element.on("plotly_treemapclick", (event) => {
        const id = event.points?.[0]?.id;
        if (id !== undefined) press(Number(id));
        return false; // opening is ours: the kernel may have more groups to show
      });
      outlines();
    },
    // Other groups are shown: the cursor is at this row, -1 for nowhere.
    reset(row) {
      delete tip.dataset.row;
      tip.hidden = true;
      cursor = row;
    },
  };
}
