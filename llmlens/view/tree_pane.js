// The middle pane: the tree of the open trace with waterfall bars on one time axis.

const INDENT = 13;
const LEAST_INDENT = 5;

// `onSelect(spanId, row)`: the user moved to a span. `onStep(step)`: to another trace. `onFind(text)`: searches.
function treePane(view, { onSelect, onStep, onFind, helpButton }) {
  let tree = null;
  let rows = [];
  let current = -1;
  let collapsed = new Set();
  let hits = [];
  let named = new Set();
  let kept = null;
  let filtering = true;
  let searched = "";
  let indent = { step: INDENT, levels: 16 };

  const quiet = (attributes, ...children) => h("button", { type: "button", class: "lm-button lm-quiet", ...attributes }, ...children);
  const head = h("header", { class: "lm-tree-head" });
  const input = h("input", {
    class: "lm-input", type: "text", placeholder: "Find in trace  ( / )", "aria-label": "Find in this trace",
    spellcheck: "false", autocomplete: "off",
  });
  const tally = h("span", { class: "lm-tally lm-muted", "aria-live": "polite" });
  const filter = quiet({
    "aria-pressed": "true", title: "Show only matches and their ancestors",
    onclick: () => { setFiltering(!filtering); arrange(); },
  }, "Filter");
  const wide = quiet({
    "aria-pressed": "false", title: "Wide timeline (t)", "aria-label": "Wide timeline", onclick: () => pane.toggleTimeline(),
  }, icon("bars"));
  const bar = h("div", { class: "lm-bar" }, h("div", { class: "lm-search" }, icon("search"), input), tally, filter, wide);
  const axis = h("div", { class: "lm-axis" });
  const heads = h("div", { class: "lm-span-row lm-heads", "aria-hidden": "true" },
    h("span", { class: "lm-c-span" }, "Span"), h("span", { class: "lm-num lm-c-ms" }, "Duration"),
    h("span", { class: "lm-num lm-c-tok" }, "Tokens"), h("span", { class: "lm-num lm-c-usd" }, "Cost"), axis);
  const list = virtualList(view, {
    height: 26, row: draw, attributes: { role: "tree", "aria-label": "Spans of the trace", "data-list": "spans" },
  });
  const empty = h("div", { class: "lm-empty" });
  const element = h("section", { class: "lm-pane lm-tree", "data-pane": "tree" }, head, bar, heads, list.element, empty);

  const search = debounce(find, 160, view.signal);
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      if (input.value !== searched) find(input.value);
      else pane.nextHit(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      if (input.value) { input.value = ""; find(""); }
      list.element.focus();
    } else if (event.key === "ArrowDown") list.element.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function setFiltering(on) {
    filtering = on;
    filter.setAttribute("aria-pressed", String(on));
  }

  // Names are searched here, texts by the kernel.
  async function find(text) {
    searched = text;
    onFind(text);
    if (!tree) return;
    const mine = tree;
    named = new Set(namedLike(tree, text));
    setHits([...named], text);
    if (!text.trim() || view.isStatic) return;
    try {
      const ids = await view.request("find", { trace_id: tree.index.trace.trace_id, text });
      if (mine !== tree || searched !== text) return;
      const others = ids.map((id) => tree.rowOf.get(id)).filter((row) => row !== undefined);
      setHits([...new Set([...named, ...others])], text);
    } catch (error) {
      view.fail(error);
    }
  }

  function setHits(found, text) {
    hits = found.sort((a, b) => tree.place[a] - tree.place[b]);
    kept = text.trim() ? withAncestors(tree, hits) : null;
    element.dataset.hits = kept ? String(hits.length) : "";
    arrange();
    if (hits.length && !hits.includes(current)) select(besideRow(tree, hits, current, 1));
    showTally();
  }

  function showTally() {
    const at = hits.indexOf(current);
    fill(tally, !kept ? "" : hits.length ? `${at < 0 ? DASH : at + 1} of ${hits.length}` : "no match");
    filter.hidden = !kept;
  }

  function arrange() {
    rows = tree ? visibleRows(tree, collapsed, filtering ? kept : null) : [];
    list.setCount(rows.length);
    const at = rows.indexOf(current);
    if (at >= 0) list.reveal(at);
  }

  function select(row, silent = false) {
    if (row < 0 || !tree) return;
    const before = rows.indexOf(current);
    let hidden = false;
    for (let above = tree.up[row]; above >= 0; above = tree.up[above]) hidden = collapsed.delete(above) || hidden;
    if (kept && filtering && !kept[row]) { setFiltering(false); hidden = true; }
    current = row;
    if (hidden) arrange();
    else {
      const at = rows.indexOf(row);
      list.update(before);
      list.update(at);
      list.reveal(at);
    }
    showTally();
    if (!silent) onSelect(tree.index.span_id[row], row);
  }

  function fold(row, open) {
    if (tree.size[row] < 2 || (kept && filtering) || open === !collapsed.has(row)) return false;
    if (open) collapsed.delete(row);
    else collapsed.add(row);
    const top = list.element.scrollTop;
    arrange();
    list.element.scrollTop = top;
    list.reveal(rows.indexOf(row));
    return true;
  }

  function draw(position) {
    const row = rows[position];
    const narrowed = Boolean(kept && filtering);
    const hit = kept && hits.includes(row);
    const state = {
      id: `${view.uid}-s${row}`, selected: row === current, folded: collapsed.has(row) && !narrowed, indent,
      hit: hit ? (named.has(row) ? "name" : "text") : null, dim: narrowed && !hit,
    };
    if (state.selected) list.element.setAttribute("aria-activedescendant", state.id);
    return spanRow(tree, row, state, {
      select: () => { select(row); list.element.focus({ preventScroll: true }); },
      fold: () => fold(row, state.folded),
    });
  }

  // The axis and the indentation follow the width there is.
  function drawAxis() {
    if (!tree) return;
    const length = tree.last - tree.first;
    const marks = ticks(length, Math.max(1, Math.min(8, axis.clientWidth / 64)));
    const place = (at) => `${((at / length) * 100).toFixed(4)}%`;
    fill(axis, marks.map((at) => h("span", { class: "lm-tick", style: { left: place(at) } }, tickText(at))));
    element.style.setProperty("--lm-step", marks.length ? place(marks[0]) : "100%");
  }

  // Indent by as much as leaves room for the names; what is deeper than that shows its level as a number.
  function measure() {
    if (!tree) return false;
    const room = Math.max(52, list.element.clientWidth * 0.2);
    const step = Math.max(LEAST_INDENT, Math.min(INDENT, Math.floor(room / Math.max(1, tree.deepest))));
    const levels = Math.floor((step * tree.deepest > room ? Math.min(room, 60) : room) / step);
    if (step === indent.step && levels === indent.levels) return false;
    indent = { step, levels };
    element.style.setProperty("--lm-indent", `${step}px`);
    return true;
  }

  const observer = new ResizeObserver(() => {
    drawAxis();
    if (measure()) list.refresh();
  });
  observer.observe(element);
  observer.observe(axis);
  view.signal.addEventListener("abort", () => observer.disconnect());

  const pane = {
    element, input,
    get tree() { return tree; },
    get current() { return current; },
    get page() { return list.page; },
    focus: () => list.element.focus({ preventScroll: true }),
    // Show a trace; `spanId` (or its first root) becomes the current span, whose row is given.
    show(index, spanId) {
      const started = performance.now();
      tree = buildTree(index);
      collapsed = new Set();
      hits = [];
      kept = null;
      current = tree.rowOf.get(spanId) ?? tree.order[0] ?? -1;
      empty.hidden = true;
      for (const part of [head, bar, heads, list.element]) part.hidden = false;
      fill(head, traceHead(view, tree, {
        nextError: () => pane.nextError(1), previous: () => onStep(-1), next: () => onStep(1), help: helpButton(),
      }));
      drawAxis();
      measure();
      list.element.scrollTop = 0;
      arrange();
      showTally();
      if (input.value.trim()) find(input.value);
      view.root.dataset.spans = String(tree.n);
      view.root.dataset.treeMs = (performance.now() - started).toFixed(1);
      return current;
    },
    // Show that there is nothing, and why.
    clear(...words) {
      tree = null;
      current = -1;
      for (const part of [head, bar, heads, list.element]) part.hidden = true;
      empty.hidden = false;
      fill(empty, words);
      view.root.dataset.spans = "0";
    },
    selectId(spanId) {
      const row = tree?.rowOf.get(spanId);
      if (row === undefined) return false;
      if (row !== current) select(row, true);
      return true;
    },
    move(step) {
      const at = rows.indexOf(current);
      select(rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))] ?? -1);
    },
    open() {
      if (current < 0 || fold(current, true)) return;
      const child = rows[rows.indexOf(current) + 1];
      if (tree.size[current] > 1 && child !== undefined) select(child);
    },
    close() {
      if (current >= 0 && !fold(current, false)) select(tree.up[current]);
    },
    // Open or close all spans of the current one's level.
    toggleLevel() {
      if (current < 0) return;
      const level = tree.depth[current];
      const peers = [...tree.order].filter((row) => tree.depth[row] === level && tree.size[row] > 1);
      const close = peers.some((row) => !collapsed.has(row));
      for (const row of peers) {
        if (close) collapsed.add(row);
        else collapsed.delete(row);
      }
      arrange();
    },
    nextHit(step) {
      if (tree) select(besideRow(tree, hits, current, step));
    },
    nextError(step) {
      if (tree) select(besideRow(tree, [...tree.order].filter((row) => tree.failed[row]), current, step));
    },
    toggleTimeline() {
      const on = element.toggleAttribute("data-timeline");
      wide.setAttribute("aria-pressed", String(on));
      list.refresh();
    },
  };
  return pane;
}
