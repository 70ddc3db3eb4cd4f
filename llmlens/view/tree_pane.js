// The middle pane: the tree of the open trace with waterfall bars on one time axis.

const KIND_LABELS = {
  llm: "LLM", embedding: "EMB", retriever: "RETR", reranker: "RANK", tool: "TOOL", agent: "AGENT", chain: "CHAIN",
  guardrail: "GUARD", evaluator: "EVAL", event: "EVENT", span: "SPAN",
};
const INDENT = 13;
const LEAST_INDENT = 5;
const kindBadge = (kind) => h("span", { class: "lm-kind", "data-kind": KIND_LABELS[kind] ? kind : "span", title: oneLine(kind) }, KIND_LABELS[kind] || "SPAN");

// `onSelect(spanId)` is called when the user moves to a span.
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

  const head = h("header", { class: "lm-tree-head" });
  const input = h("input", { class: "lm-input", type: "text", placeholder: "Find in trace  ( / )", "aria-label": "Find in this trace", spellcheck: "false", autocomplete: "off" });
  const tally = h("span", { class: "lm-tally lm-muted", "aria-live": "polite" });
  const filter = h("button", { type: "button", class: "lm-button lm-quiet", "aria-pressed": "true", title: "Show only matches and their ancestors", onclick: () => {
    filtering = !filtering;
    filter.setAttribute("aria-pressed", String(filtering));
    arrange();
  } }, "Filter");
  const timelineButton = h("button", { type: "button", class: "lm-button lm-quiet", "aria-pressed": "false", title: "Wide timeline (t)", "aria-label": "Wide timeline", onclick: () => pane.toggleTimeline() }, icon("bars"));
  const bar = h("div", { class: "lm-bar" }, h("div", { class: "lm-search" }, icon("search"), input),
    tally, filter, timelineButton);
  const axis = h("div", { class: "lm-axis" });
  const heads = h("div", { class: "lm-span-row lm-heads", "aria-hidden": "true" }, h("span", { class: "lm-c-span" }, "Span"), h("span", { class: "lm-num lm-c-ms" }, "Duration"),
    h("span", { class: "lm-num lm-c-tok" }, "Tokens"), h("span", { class: "lm-num lm-c-usd" }, "Cost"), axis);
  const list = virtualList(view, { height: 26, row: draw, attributes: { role: "tree", "aria-label": "Spans of the trace", "data-list": "spans" } });
  const empty = h("div", { class: "lm-empty" });
  const element = h("section", { class: "lm-pane lm-tree", "data-pane": "tree" }, head, bar, heads, list.element, empty);

  const search = debounce(find, 160, view.signal);
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { if (input.value !== searched) find(input.value); else pane.nextHit(event.shiftKey ? -1 : 1); }
    else if (event.key === "Escape") { if (input.value) { input.value = ""; find(""); } list.element.focus(); }
    else if (event.key === "ArrowDown") list.element.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

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
      const all = new Set([...named, ...ids.map((id) => tree.rowOf.get(id)).filter((row) => row !== undefined)]);
      setHits([...all], text);
    } catch (error) {
      view.fail(error);
    }
  }

  function setHits(found, text) {
    hits = found.sort((a, b) => tree.place[a] - tree.place[b]);
    kept = text.trim() ? withAncestors(tree, hits) : null;
    element.dataset.hits = text.trim() ? String(hits.length) : "";
    arrange();
    if (hits.length && !hits.includes(current)) select(besideRow(tree, hits, current, 1));
    showTally();
  }

  function showTally() {
    const at = hits.indexOf(current);
    fill(tally, !kept ? "" : hits.length ? `${at < 0 ? "–" : at + 1} of ${hits.length}` : "no match");
    filter.hidden = !kept;
  }

  function arrange() {
    rows = tree ? visibleRows(tree, collapsed, filtering ? kept : null) : [];
    list.setCount(rows.length);
    element.dataset.shown = String(rows.length);
    const at = rows.indexOf(current);
    if (at >= 0) list.reveal(at);
  }

  function select(row, quiet = false) {
    if (row < 0 || !tree) return;
    for (let above = tree.up[row]; above >= 0; above = tree.up[above]) if (collapsed.delete(above)) rows = [];
    const before = rows.indexOf(current);
    current = row;
    if (!rows.includes(row)) { if (kept && filtering && !kept[row]) { filtering = false; filter.setAttribute("aria-pressed", "false"); } arrange(); }
    else { list.update(before); list.update(rows.indexOf(row)); list.reveal(rows.indexOf(row)); }
    showTally();
    if (!quiet) onSelect(tree.index.span_id[row], row);
  }

  function fold(row, open) {
    if (tree.size[row] < 2 || (kept && filtering)) return false;
    if (open === !collapsed.has(row)) return false;
    if (open) collapsed.delete(row); else collapsed.add(row);
    const top = list.element.scrollTop;
    arrange();
    list.element.scrollTop = top;
    list.reveal(rows.indexOf(row));
    return true;
  }

  function draw(position) {
    const row = rows[position];
    const { index } = tree;
    const depth = tree.depth[row];
    const kind = tree.kind(row);
    const name = oneLine(tree.name(row));
    const parent = tree.size[row] > 1;
    const folded = collapsed.has(row) && !(kept && filtering);
    const failed = tree.failed[row];
    const below = tree.failedBelow[row];
    const repeat = tree.repeat(row);
    const hit = kept && hits.includes(row);
    const model = oneLine(decode(index.model, row));
    const inset = Math.min(depth, indent.levels) * indent.step;
    const ms = index.end[row] === null || index.start[row] === null ? null : index.end[row] - index.start[row];
    const id = `${view.uid}-s${row}`;
    if (row === current) list.element.setAttribute("aria-activedescendant", id);
    const error = failed ? h("span", { class: "lm-own", title: oneLine(`Error: ${decode(index.error_type, row) || "failed"}`) }, icon("failed"))
      : below ? h("span", { class: "lm-below", title: `${below} failed ${below === 1 ? "span" : "spans"} below` }, icon("error"), h("span", { class: "lm-tiny" }, format.count(below))) : null;
    return h("div", {
      role: "treeitem", id, class: "lm-span-row lm-pick", "aria-level": String(depth + 1), "aria-selected": String(row === current),
      "aria-expanded": parent ? String(!folded) : null, "data-span": index.span_id[row], "data-hit": hit ? (named.has(row) ? "name" : "text") : null,
      "data-dim": kept && filtering && !hit ? "true" : null, "data-failed": failed ? "own" : below ? "below" : null,
      onclick: () => { select(row); list.element.focus({ preventScroll: true }); },
      ondblclick: () => fold(row, folded),
    },
    h("span", { class: "lm-c-span", style: { "padding-left": `${inset}px`, "--lm-guides": `${inset}px` } },
      parent ? h("span", { class: "lm-twist", "data-open": String(!folded), "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); fold(row, folded); } }, icon("chevron")) : h("span", { class: "lm-twist" }),
      depth > indent.levels && h("span", { class: "lm-deep", title: `Level ${depth + 1}` }, `${depth + 1}`),
      kindBadge(kind),
      h("span", { class: "lm-cut lm-name", title: name }, name),
      model && model !== name && h("span", { class: "lm-cut lm-model lm-muted", title: model }, model),
      repeat && h("span", { class: "lm-repeat", title: `Call ${repeat[0]} of ${repeat[1]} with the same arguments` }, `×${repeat[1]}`),
      tree.orphan[row] ? h("span", { class: "lm-tag", title: tree.orphan[row] === 2 ? "Its parents form a circle; shown as a root" : "Its parent is not in the trace" }, "orphan") : null,
      folded && h("span", { class: "lm-hidden", title: `${tree.size[row] - 1} spans hidden` }, `+${format.count(tree.size[row] - 1)}`),
      error),
    h("span", { class: "lm-num lm-c-ms" }, ms === null ? h("span", { class: "lm-error", title: "It never ended" }, "open") : format.ms(ms)),
    h("span", { class: "lm-num lm-c-tok lm-muted" }, tree.tokens[row] ? format.count(tree.tokens[row]) : ""),
    costCell(row, parent),
    waterfall(row, kind, ms));
  }

  function costCell(row, parent) {
    const unpriced = tree.unpriced[row];
    const text = tree.priced[row] ? `${unpriced ? "≥" : ""}${format.usd(tree.cost[row])}` : unpriced ? "?" : "";
    const title = unpriced ? `Partial: ${unpriced} ${unpriced === 1 ? "call has" : "calls have"} no known price` : parent && text ? "Sum of all calls below" : null;
    return h("span", { class: "lm-num lm-c-usd lm-muted", title, "data-partial": unpriced ? "true" : null }, text);
  }

  function waterfall(row, kind, ms) {
    const { index, first, last } = tree;
    const length = Math.max(last - first, 0.001);
    if (index.start[row] === null) return h("span", { class: "lm-c-bar" });
    const left = ((index.start[row] - first) / length) * 100;
    const width = ((ms === null ? last - index.start[row] : Math.max(0, ms)) / length) * 100;
    const ttft = index.ttft_ms[row];
    return h("span", { class: "lm-c-bar" },
      h("span", { class: "lm-wave", "data-kind": KIND_LABELS[kind] ? kind : "span", "data-failed": tree.failed[row] ? "own" : null, "data-open": ms === null ? "true" : null,
        style: { left: `${left.toFixed(3)}%`, width: `${Math.min(width, 100 - left).toFixed(3)}%` } },
      ttft > 0 && ms > 0 && ttft < ms ? h("span", { class: "lm-ttft", title: `First token after ${format.ms(ttft)}`, style: { left: `${((ttft / ms) * 100).toFixed(2)}%` } }) : null),
      h("span", { class: "lm-wave-text", "data-inside": left + width >= 82 && left < 18 ? "true" : null,
        style: left + width < 82 ? { left: `${(left + width).toFixed(3)}%` } : { right: `${(left < 18 ? 100 - left - width : 100 - left).toFixed(3)}%` } }, ms === null ? "" : format.ms(ms)));
  }

  function drawHead() {
    const { trace } = tree.index;
    const facts = [
      [format.ms(trace.duration_s === null ? null : trace.duration_s * 1000), "duration"],
      [`${format.full(tree.n)} ${tree.n === 1 ? "span" : "spans"}`],
      trace.n_llm_calls ? [`${format.full(trace.n_llm_calls)} LLM ${trace.n_llm_calls === 1 ? "call" : "calls"}`] : null,
      (trace.input_tokens || trace.output_tokens) ? [`${format.count(trace.input_tokens ?? 0)} → ${format.count(trace.output_tokens ?? 0)} tokens`, "read → written"] : null,
      trace.cost_usd !== null ? [`${trace.n_unpriced ? "≥" : ""}${format.usd(trace.cost_usd)}`, trace.n_unpriced ? "partial" : "cost"] : null,
    ].filter(Boolean);
    const whole = tree.index.scores.filter((score) => !score.span_id);
    fill(head, h("div", { class: "lm-row" },
      h("b", { class: "lm-cut lm-title", title: oneLine(trace.name) }, oneLine(trace.name) || "(no name)"),
      trace.n_errors > 0 && h("button", { type: "button", class: "lm-button lm-errors", title: "Next error (e)", onclick: () => pane.nextError(1) }, icon("error"), `${format.full(trace.n_errors)} ${trace.n_errors === 1 ? "error" : "errors"}`),
      h("span", { class: "lm-grow" }),
      h("button", { type: "button", class: "lm-button lm-quiet", title: "Previous trace ( [ )", "aria-label": "Previous trace", onclick: () => onStep(-1) }, icon("up")),
      h("button", { type: "button", class: "lm-button lm-quiet", title: "Next trace ( ] )", "aria-label": "Next trace", onclick: () => onStep(1) }, icon("down")),
      helpButton()),
    h("div", { class: "lm-facts lm-muted" },
      facts.map(([text, title]) => h("span", { title }, text)),
      [["feature", trace.feature], ["user", trace.user_id], ["session", trace.session_id], ["environment", trace.environment], ["release", trace.release]]
        .filter(([, value]) => value).map(([key, value]) => h("span", { class: "lm-cut", title: `${key}: ${oneLine(value)}` }, h("span", { class: "lm-faint" }, `${key} `), oneLine(value, 60))),
      whole.slice(0, 6).map((score) => h("span", { class: "lm-tag", title: oneLine(score.comment || score.source) }, `${oneLine(score.name, 40)}: ${scoreText(score)}`))));
  }

  // The axis and the depth of indentation follow the width there is.
  function drawAxis() {
    if (!tree) return;
    const length = tree.last - tree.first;
    const marks = ticks(length, Math.max(1, Math.min(8, axis.clientWidth / 64)));
    fill(axis, marks.map((at) => h("span", { class: "lm-tick", style: { left: `${((at / length) * 100).toFixed(3)}%` } }, tickText(at))));
    const [step] = marks;
    element.style.setProperty("--lm-step", step ? `${((step / length) * 100).toFixed(4)}%` : "100%");
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
    // Show a trace; `spanId` (or its first root) becomes the current span.
    show(index, spanId) {
      const started = performance.now();
      tree = buildTree(index);
      collapsed = new Set();
      hits = [];
      kept = null;
      current = tree.rowOf.get(spanId) ?? tree.order[0] ?? -1;
      empty.hidden = true;
      for (const part of [head, bar, heads, list.element]) part.hidden = false;
      drawHead();
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
      for (const row of peers) if (close) collapsed.add(row); else collapsed.delete(row);
      arrange();
    },
    nextHit(step) { if (tree) select(besideRow(tree, hits, current, step)); },
    nextError(step) {
      if (!tree) return;
      select(besideRow(tree, [...tree.order].filter((row) => tree.failed[row]), current, step));
    },
    toggleTimeline() {
      const wide = element.toggleAttribute("data-timeline");
      timelineButton.setAttribute("aria-pressed", String(wide));
      list.refresh();
    },
  };
  return pane;
}
