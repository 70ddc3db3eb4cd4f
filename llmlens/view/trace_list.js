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
  const input = h("input", {
    class: "lm-input", type: "text", placeholder: "Search traces  ( / )", spellcheck: "false", autocomplete: "off",
    "aria-label": "Search traces by id, name, feature, user, model or text",
  });
  const heads = HEADS.map(([key, text, title]) => {
    const button = h("button", {
      type: "button", class: "lm-head", title: `Sort by: ${title}`, tabindex: "-1", onclick: () => sortBy(key),
    }, h("span", {}, text));
    return h("div", { role: "columnheader", class: `lm-c-${key}`, "data-sort": key }, button);
  });
  const list = virtualList(view, {
    height: 44, row, attributes: { role: "grid", "aria-label": "Traces", "data-list": "traces" },
  });
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
    fill(count, source.count === source.total ? many(source.total, "trace")
      : `${format.full(source.count)} of ${format.full(source.total)}`);
    const none = source.count === 0;
    empty.hidden = !none;
    list.element.hidden = none;
    if (none) fill(empty, source.total === 0 ? nothingHere() : nothingFound());
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

  const nothingHere = () => [h("b", {}, "0 traces"), "Nothing is selected in the view or the traces this one shows."];
  const nothingFound = () => [h("b", {}, "No trace matches"), h("button", {
    type: "button", class: "lm-button", onclick: () => { input.value = ""; search(""); },
  }, "Clear the search")];

  function clock(millis) {
    const text = format.time(millis);
    return text === DASH ? ["", ""] : [years ? text.slice(2, 10) : text.slice(5, 10), text.slice(11, 16)];
  }

  function row(position) {
    const trace = source.row(position);
    const base = { role: "row", "aria-rowindex": String(position + 1), id: `${view.uid}-t${position}` };
    if (!trace) return h("div", { ...base, class: "lm-trace-row lm-waiting" }, h("span", { class: "lm-c-name" }, "…"));
    const [day, time] = clock(trace.start);
    const label = oneLine(trace.name) || "(no name)";
    const feature = oneLine(trace.feature);
    const selected = trace.trace_id === current;
    if (selected) list.element.setAttribute("aria-activedescendant", base.id);
    const errors = trace.n_errors;
    const cell = (name, attributes, ...children) =>
      h("span", { role: "gridcell", ...attributes, class: `lm-c-${name} ${attributes.class || ""}` }, children);
    return h("div", {
      ...base, class: "lm-trace-row lm-pick", "aria-selected": String(selected), "data-trace": trace.trace_id,
      onclick: () => { onOpen(trace.trace_id); list.element.focus({ preventScroll: true }); },
    },
    cell("errors", { class: "lm-error", title: errors > 0 ? many(errors, "span with an error", "spans with an error") : null },
      errors > 0 && icon("error"), errors > 1 && h("span", { class: "lm-tiny" }, errors > 99 ? "99+" : errors)),
    cell("time", { class: "lm-muted", title: `${format.time(trace.start)} UTC` }, time),
    cell("name", { class: "lm-cut", title: [label, feature, oneLine(trace.models)].filter(Boolean).join("\n") }, h("b", {}, label)),
    cell("duration", { class: "lm-num" }, format.ms(trace.duration_s === null ? null : trace.duration_s * 1000)),
    cell("tokens", { class: "lm-num lm-muted" }, trace.tokens ? format.count(trace.tokens) : ""),
    cell("cost", { class: "lm-num lm-muted", title: trace.n_unpriced ? `${many(trace.n_unpriced, "call")} without a known price` : null },
      trace.cost_usd === null ? (trace.n_unpriced ? "?" : "") : `${trace.n_unpriced ? "≥" : ""}${format.usd(trace.cost_usd)}`),
    cell("day", { class: "lm-faint" }, day),
    cell("preview", { class: "lm-cut lm-muted" },
      feature && feature !== label && h("span", { class: "lm-feature" }, feature), oneLine(trace.preview)));
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
      const to = at < 0 && Number.isFinite(step) ? 0 : Math.max(0, Math.min(source.count - 1, at + step));
      return to === at ? null : source.row(to)?.trace_id ?? null;
    },
    get page() { return list.page; },
    nextSort() {
      const keys = HEADS.map(([key]) => key);
      sortBy(keys[(keys.indexOf(source.sort) + 1) % keys.length]);
    },
  };
}
