// The right pane: one span, its figures, and its parts in tabs.

const TABS = [
  { key: "chat", title: "Chat", count: (d) => d.messages.length, draw: chatSection },
  { key: "documents", title: "Documents", count: (d) => d.documents.length, draw: documentsSection },
  { key: "tools", title: "Tool calls", count: (d) => d.tool_calls.length, draw: toolsSection },
  { key: "io", title: "Input/Output", count: () => null, draw: ioSection },
  { key: "events", title: "Events", count: (d) => (Array.isArray(d.events) ? d.events.length : 0), draw: eventsSection },
  { key: "scores", title: "Scores", count: (d, scores) => scores.length, draw: scoresSection },
  { key: "attributes", title: "Attributes", count: () => null, draw: attributesSection },
];
const KEPT_DETAILS = 200;

function detailPane(view) {
  const cache = new Map();
  const memory = { wanted: null };
  const mark = highlighter(view);
  let showing = null;
  let redraw = () => {};
  const head = h("header", { class: "lm-detail-head" });
  const tabs = h("div", { class: "lm-tabs", role: "tablist", "aria-label": "Parts of the span" });
  const content = h("div", { class: "lm-content", role: "tabpanel", tabindex: "0" });
  const element = h("section", { class: "lm-pane lm-detail", "data-pane": "detail", "aria-label": "Span" }, head, tabs, content);
  view.listen(content, "wheel", (event) => { if (content.scrollHeight > content.clientHeight) event.stopPropagation(); }, { passive: true });

  const load = (traceId, spanId, quiet = false) => {
    const key = `${traceId} ${spanId}`;
    if (!cache.has(key)) {
      const promise = view.request("span", { trace_id: traceId, span_id: spanId }, { quiet });
      cache.set(key, promise);
      promise.catch(() => cache.delete(key));
      if (cache.size > KEPT_DETAILS) cache.delete(cache.keys().next().value);
    }
    return cache.get(key);
  };

  function drawHead(tree, row) {
    const { index } = tree;
    const ms = index.end[row] === null || index.start[row] === null ? null : index.end[row] - index.start[row];
    const status = decode(index.status, row);
    const model = oneLine(decode(index.model, row));
    const agent = oneLine(decode(index.agent_name, row));
    fill(head, h("div", { class: "lm-row" }, kindBadge(tree.kind(row)), h("b", { class: "lm-cut lm-title", title: oneLine(tree.name(row)) }, oneLine(tree.name(row))),
      tree.failed[row] ? h("span", { class: "lm-status lm-error" }, icon("error"), "error") : status === "ok" ? h("span", { class: "lm-status lm-ok" }, "ok") : null,
      h("span", { class: "lm-grow" }), copyButton(view.root, () => index.span_id[row], "Copy the span id (c)")),
    model || agent ? h("div", { class: "lm-muted lm-cut" }, [model, agent && `agent ${agent}`].filter(Boolean).join(" · ")) : null);
    const figures = h("div", { class: "lm-figures" });
    put(head, figures);
    fill(figures, figureList(tree, row, ms, null));
    return (span) => fill(figures, figureList(tree, row, ms, span));
  }

  function figureList(tree, row, ms, span) {
    const { index } = tree;
    const own = USAGE_KINDS.has(tree.kind(row));
    const figure = (label, value, note) => value && h("div", { class: "lm-figure" }, h("span", { class: "lm-faint" }, label), h("span", {}, value, note && h("span", { class: "lm-muted lm-tiny" }, ` ${note}`)));
    const tokensIn = index.input_tokens[row];
    const tokensOut = index.output_tokens[row];
    const cached = span?.cache_read_tokens ? `${format.full(span.cache_read_tokens)} cached` : "";
    const reasoning = span?.reasoning_tokens ? `${format.full(span.reasoning_tokens)} reasoning` : "";
    const cost = index.cost_usd[row];
    return [
      figure("Start", index.start[row] === null ? DASH : `+${format.ms(index.start[row] - tree.first)}`),
      figure("Duration", ms === null ? "never ended" : format.ms(ms)),
      index.ttft_ms[row] !== null && figure("First token", format.ms(index.ttft_ms[row])),
      tokensIn !== null && figure("Input", format.full(tokensIn), cached || null),
      tokensOut !== null && figure("Output", format.full(tokensOut), reasoning || null),
      own && (cost !== null || index.used[row] > 0) && figure("Cost", cost === null ? "unknown" : format.usd(cost, true), span?.cost_source && cost !== null ? span.cost_source : null),
      !own && tree.tokens[row] > 0 && figure("Calls below", `${format.count(tree.tokens[row])} tokens`, tree.priced[row] ? `${tree.unpriced[row] ? "≥" : ""}${format.usd(tree.cost[row])}` : null),
      span?.finish_reason && figure("Finish", oneLine(span.finish_reason, 40)),
      span?.prompt_name && figure("Prompt", oneLine(span.prompt_name, 60), span.prompt_version && `v${oneLine(span.prompt_version, 20)}`),
    ];
  }

  function drawTabs(detail, scores) {
    const there = TABS.filter((tab) => tab.count(detail, scores) !== 0);
    const preferred = there.find((tab) => tab.key === memory.wanted);
    const active = preferred || there[0];
    fill(tabs, there.map((tab) => {
      const count = tab.count(detail, scores);
      return h("button", { type: "button", class: "lm-tab", role: "tab", id: `${view.uid}-tab-${tab.key}`, "aria-selected": String(tab === active), tabindex: tab === active ? "0" : "-1", "data-tab": tab.key,
        onclick: () => { memory.wanted = tab.key; drawTabs(detail, scores); tabs.querySelector("[aria-selected=true]")?.focus({ preventScroll: true }); } },
      tab.title, count ? h("span", { class: "lm-tab-count" }, format.count(count)) : null);
    }));
    const more = (path, offset) => view.request("more", { trace_id: detail.span.trace_id, span_id: detail.span.span_id, path, offset });
    content.setAttribute("aria-labelledby", `${view.uid}-tab-${active.key}`);
    fill(content, failure(detail), active.draw(view, detail, more, memory, scores));
    content.scrollTop = 0;
    const range = mark(content);
    if (range) content.scrollTop = range.getBoundingClientRect().top - content.getBoundingClientRect().top - content.clientHeight / 3;
    redraw = () => drawTabs(detail, scores);
    element.dataset.tab = active.key;
    element.dataset.span = detail.span.span_id;
  }

  function failure({ span }) {
    if (span.status !== "error") return null;
    return h("div", { class: "lm-failure" }, icon("error"), h("div", { class: "lm-grow" }, h("b", {}, oneLine(textParts(span.error_type).text) || "Failed"),
      span.status_message && foldedText(view, span.status_message, { limit: 500, json: false })));
  }

  return {
    element,
    focus: () => content.focus({ preventScroll: true }),
    // Show a row of a tree; its figures at once, its texts when they are here.
    async show(tree, row) {
      if (row < 0) return this.clear();
      const spanId = tree.index.span_id[row];
      const traceId = tree.index.trace.trace_id;
      const key = `${traceId} ${spanId}`;
      showing = key;
      element.dataset.waiting = "true";
      for (const part of [head, tabs]) part.hidden = false;
      const refine = drawHead(tree, row);
      const scores = tree.index.scores.filter((s) => s.span_id === spanId || (!s.span_id && tree.up[row] < 0));
      try {
        const detail = await load(traceId, spanId);
        if (showing !== key) return;
        refine(detail.span);
        drawTabs(detail, scores);
      } catch (error) {
        if (showing !== key) return;
        fill(tabs);
        fill(content, h("div", { class: "lm-empty" }, error.isStatic ? "The texts of this span were not saved with this read-only copy." : "The texts of this span could not be read."));
        if (!error.isStatic) view.fail(error, () => this.show(tree, row));
      } finally {
        if (showing === key) delete element.dataset.waiting;
      }
    },
    // Fetch the texts of a span that will probably be asked for next.
    prefetch(traceId, spanId) { load(traceId, spanId, true).catch(() => {}); },
    // Mark `view.needle` in what is shown.
    find: () => redraw(),
    forget: () => cache.clear(),
    clear() {
      showing = null;
      redraw = () => {};
      for (const part of [head, tabs]) part.hidden = true;
      fill(content);
    },
    // Open the tab `step` further.
    nextTab(step) {
      const all = [...tabs.children];
      const at = all.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
      const next = all[(at + step + all.length) % all.length];
      if (!next) return false;
      const inside = tabs.contains(view.root.ownerDocument.activeElement);
      next.click();
      if (!inside) content.focus({ preventScroll: true });
      return true;
    },
  };
}
