// The left pane: the list of traces with its search box and sortable head.

const HEADS = [
  ["errors", "Err", "errors"], ["time", "Time", "start, UTC"], ["name", "Trace", "name"], ["duration", "Duration", "duration"],
  ["tokens", "Tokens", "tokens read and written"], ["cost", "Cost", "cost in US dollars"],
];

// `onOpen(traceId)` is called when the user opens a trace.
function traceList(view, { onOpen, onLoaded }) {
  let current = null;
  let years = false;
  let shownOrder = "time true";
  const source = traceSource(view, (pageOnly) => changed(pageOnly));
  const count = h("div", { class: "lm-count lm-muted", "aria-live": "polite" });
  const input = h("input", { class: "lm-input", type: "text", placeholder: "Search traces  ( / )", "aria-label": "Search traces by id, name, feature, user, model or text",
    spellcheck: "false", autocomplete: "off" });
  const heads = HEADS.map(([key, text, title]) => {
    const button = h("button", { type: "button", class: "lm-head", title: `Sort by: ${title}`, tabindex: "-1",
      onclick: () => sortBy(key) }, h("span", {}, text));
    return h("div", { role: "columnheader", class: `lm-c-${key}`, "data-sort": key }, button);
  });
  const list = virtualList(view, { height: 44, row, attributes: { role: "grid", "aria-label": "Traces", "data-list": "traces" } });
  const empty = h("div", { class: "lm-empty", hidden: true });
  const element = h("section", { class: "lm-pane lm-traces", "data-pane": "traces" },
    h("div", { class: "lm-bar" }, h("div", { class: "lm-search" }, icon("search"), input), count),
    h("div", { class: "lm-trace-row lm-heads", role: "row" }, heads), list.element, empty);

  const search = debounce((text) => source.setSearch(text).catch((error) => view.fail(error)), 180, view.signal);
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value) { input.value = ""; search(""); }
    else if (event.key !== "Escape" && event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== "Escape" || !input.value) list.element.focus();
  });

  function sortBy(key) {
    source.setSort(key).catch((error) => view.fail(error));
  }

  function changed(pageOnly) {
    for (const head of element.querySelectorAll("[data-sort]")) {
      const active = head.dataset.sort === source.sort;
      head.setAttribute("aria-sort", active ? (source.descending ? "descending" : "ascending") : "none");
    }
    fill(count, source.count === source.total ? `${format.full(source.total)} ${source.total === 1 ? "trace" : "traces"}`
      : `${format.full(source.count)} of ${format.full(source.total)}`);
    const none = source.count === 0;
    empty.hidden = !none;
    list.element.hidden = none;
    if (none) fill(empty, source.total === 0 ? [h("b", {}, "0 traces"), "Nothing is selected here. Choose something in the view this one follows."]
      : [h("b", {}, "No trace matches"), h("button", { type: "button", class: "lm-button", onclick: () => { input.value = ""; search(""); } }, "Clear the search")]);
    list.element.setAttribute("aria-rowcount", String(source.count));
    if (pageOnly) list.refresh();
    else {
      const starts = [source.row(0)?.start, source.row(source.count - 1)?.start].filter(Number.isFinite);
      years = starts.some((s) => Math.abs(s - starts[0]) > 300 * 86400e3);
      list.setCount(source.count);
      const order = `${source.sort} ${source.descending}`;
      const at = order === shownOrder ? source.position(current) : -1;
      if (at >= 0) list.reveal(at);
      else list.top();
      shownOrder = order;
    }
    view.root.dataset.traces = String(source.count);
    onLoaded(source);
  }

  function clock(millis) {
    const text = format.time(millis);
    return text === DASH ? ["", ""] : [years ? text.slice(2, 10) : text.slice(5, 10), text.slice(11, 16)];
  }

  function row(position) {
    const trace = source.row(position);
    const base = { role: "row", class: "lm-trace-row lm-pick", "aria-rowindex": String(position + 1), id: `${view.uid}-t${position}` };
    if (!trace) return h("div", { ...base, class: "lm-trace-row lm-waiting" }, h("span", { class: "lm-c-name" }, "…"));
    const [day, time] = clock(trace.start);
    const label = oneLine(trace.name) || "(no name)";
    const feature = oneLine(trace.feature);
    const selected = trace.trace_id === current;
    if (selected) list.element.setAttribute("aria-activedescendant", base.id);
    const failed = trace.n_errors > 0;
    return h("div", { ...base, "aria-selected": String(selected), "data-trace": trace.trace_id, onclick: () => { onOpen(trace.trace_id); list.element.focus({ preventScroll: true }); } },
      h("span", { role: "gridcell", class: "lm-c-errors lm-error", title: failed ? `${trace.n_errors} spans with an error` : null },
        failed && [icon("error"), trace.n_errors > 1 && h("span", { class: "lm-tiny" }, trace.n_errors > 99 ? "99+" : trace.n_errors)]),
      h("span", { role: "gridcell", class: "lm-c-time lm-muted", title: `${format.time(trace.start)} UTC` }, time),
      h("span", { role: "gridcell", class: "lm-c-name lm-cut", title: [label, feature, oneLine(trace.models)].filter(Boolean).join("\n") }, h("b", {}, label)),
      h("span", { role: "gridcell", class: "lm-c-duration lm-num" }, format.ms(trace.duration_s === null ? null : trace.duration_s * 1000)),
      h("span", { role: "gridcell", class: "lm-c-tokens lm-num lm-muted" }, trace.tokens ? format.count(trace.tokens) : ""),
      h("span", { role: "gridcell", class: "lm-c-cost lm-num lm-muted", title: trace.n_unpriced ? `${trace.n_unpriced} calls have no known price` : null },
        trace.cost_usd === null ? (trace.n_unpriced ? "?" : "") : `${trace.n_unpriced ? "≥" : ""}${format.usd(trace.cost_usd)}`),
      h("span", { role: "gridcell", class: "lm-c-day lm-faint" }, day),
      h("span", { role: "gridcell", class: "lm-c-preview lm-cut lm-muted" }, feature && feature !== label && h("span", { class: "lm-feature" }, feature), oneLine(trace.preview)));
  }

  return {
    element, input, source,
    focus: () => list.element.focus({ preventScroll: true }),
    sortBy,
    // Mark a trace as the open one.
    open(traceId) {
      if (current === traceId) return;
      const before = source.position(current);
      current = traceId;
      const at = source.position(traceId);
      list.update(before);
      list.update(at);
      list.reveal(at);
    },
    // The id of the trace `step` rows further, or null at an end; a number that is not finite goes to that end.
    beside(step) {
      if (source.count === 0) return null;
      const at = source.position(current);
      const to = step === Infinity ? source.count - 1 : step === -Infinity ? 0 : at < 0 ? 0 : Math.max(0, Math.min(source.count - 1, at + step));
      return to === at ? null : source.row(to)?.trace_id ?? null;
    },
    get page() { return list.page; },
    nextSort() {
      const keys = HEADS.map(([key]) => key);
      sortBy(keys[(keys.indexOf(source.sort) + 1) % keys.length]);
    },
  };
}
