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
  keepWheel(view, content);

  function load(traceId, spanId, quiet = false) {
    const key = `${traceId} ${spanId}`;
    if (!cache.has(key)) {
      const promise = view.request("span", { trace_id: traceId, span_id: spanId }, { quiet });
      cache.set(key, promise);
      promise.catch(() => cache.delete(key));
      if (cache.size > KEPT_DETAILS) cache.delete(cache.keys().next().value);
    }
    return cache.get(key);
  }

  function drawTabs(detail, scores) {
    const { trace_id, span_id } = detail.span;
    const there = TABS.map((tab) => ({ ...tab, n: tab.count(detail, scores) })).filter((tab) => tab.n !== 0);
    const active = there.find((tab) => tab.key === memory.wanted) || there[0];
    const choose = (key) => {
      memory.wanted = key;
      drawTabs(detail, scores);
      tabs.querySelector("[aria-selected=true]").focus({ preventScroll: true });
    };
    fill(tabs, there.map(({ key, title, n }) => h("button", {
      type: "button", class: "lm-tab", role: "tab", id: `${view.uid}-tab-${key}`, "data-tab": key,
      "aria-selected": String(key === active.key), tabindex: key === active.key ? "0" : "-1", onclick: () => choose(key),
    }, title, n && h("span", { class: "lm-tab-count" }, format.count(n)))));
    const more = (path, offset) => view.request("more", { trace_id, span_id, path, offset });
    content.setAttribute("aria-labelledby", `${view.uid}-tab-${active.key}`);
    fill(content, failure(detail, more), active.draw(view, detail, more, memory, scores));
    content.scrollTop = 0;
    const found = mark(content)?.getBoundingClientRect();
    if (found) content.scrollTop = found.top - content.getBoundingClientRect().top - content.clientHeight / 3;
    element.dataset.tab = active.key;
    element.dataset.span = span_id;
    redraw = () => drawTabs(detail, scores);
  }

  function failure({ span }, more) {
    if (span.status !== "error") return null;
    return h("div", { class: "lm-failure" }, icon("error"), h("div", { class: "lm-grow" },
      h("b", {}, oneLine(textParts(span.error_type).text) || "Failed"),
      span.status_message && foldedText(view, span.status_message, { more, limit: 500, json: false })));
  }

  const pane = {
    element,
    focus: () => content.focus({ preventScroll: true }),
    // Show a row of a tree; its figures at once, its texts when they are here.
    async show(tree, row) {
      if (row < 0) {
        pane.clear();
        return;
      }
      const spanId = tree.index.span_id[row];
      const traceId = tree.index.trace.trace_id;
      const key = `${traceId} ${spanId}`;
      showing = key;
      element.dataset.waiting = "true";
      for (const part of [head, tabs]) part.hidden = false;
      const figures = h("div", { class: "lm-figures" }, spanFigures(tree, row, null));
      fill(head, spanTitle(view, tree, row), figures);
      const scores = tree.index.scores.filter((s) => s.span_id === spanId || (!s.span_id && tree.up[row] < 0));
      try {
        const detail = await load(traceId, spanId);
        if (showing !== key) return;
        fill(figures, spanFigures(tree, row, detail.span));
        drawTabs(detail, scores);
      } catch (error) {
        if (showing !== key) return;
        redraw = () => {};
        fill(tabs);
        fill(content, notes(error.isStatic ? "The texts of this span were not saved with this read-only copy."
          : "The texts of this span could not be read."));
        if (!error.isStatic) view.fail(error, () => pane.show(tree, row));
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
      delete element.dataset.waiting;
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
  return pane;
}
