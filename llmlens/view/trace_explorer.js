// The explorer: the open trace and span are synced, all else (folds, searches, sizes, scroll) stays in this view.

const KEPT_TRACES = 30;

export default defineView("trace-explorer", (view) => {
  const { model } = view;
  const trees = new Map();
  let open = null;
  let turn = 0;

  const detail = detailPane(view);
  const list = traceList(view, { onOpen: (id) => openTrace(id), onLoaded: () => {} });
  const tree = treePane(view, {
    onSelect: (spanId, row) => { showSpan(row); sync(); },
    onStep: (step) => stepTrace(step),
    onFind: (text) => { view.needle = text; detail.find(); },
    helpButton: () => keys.button,
  });
  const inPane = (name, group) => ([keys, does, run, more]) => ({ keys, does, run, in: name, group, ...more });
  const atEnd = (event, back) => (event.key === back ? -Infinity : Infinity);
  const onButton = (event) => event.target.tagName === "BUTTON";
  const searchHere = (event) => {
    const pane = event.target.closest("[data-pane]")?.dataset.pane;
    (pane === "traces" ? list.input : tree.input).focus();
  };
  const keys = keyboard(view, [
    ...[
      [["ArrowUp"], "Previous trace", () => stepTrace(-1)],
      [["ArrowDown"], "Next trace", () => stepTrace(1)],
      [["PageUp", "PageDown"], "A page up, down", (e) => stepTrace(e.key === "PageUp" ? -list.page : list.page)],
      [["Home", "End"], "First, last trace", (e) => stepTrace(atEnd(e, "Home"))],
      [["Enter", "ArrowRight"], "Go to the tree", (e) => (onButton(e) ? false : tree.focus())],
      [["o"], "Sort by the next column", () => list.nextSort()],
    ].map(inPane("traces", "List of traces")),
    ...[
      [["ArrowUp"], "Previous span", () => tree.move(-1)],
      [["ArrowDown"], "Next span", () => tree.move(1)],
      [["ArrowRight"], "Open, or go to the first child", () => tree.open()],
      [["ArrowLeft"], "Close, or go to the parent", () => tree.close()],
      [["PageUp", "PageDown"], "A page up, down", (e) => tree.move(e.key === "PageUp" ? -tree.page : tree.page)],
      [["Home", "End"], "First, last span", (e) => tree.move(atEnd(e, "Home"))],
      [["Enter"], "Go to the detail", (e) => (onButton(e) ? false : detail.focus())],
      [["Escape"], "Back to the list", () => list.focus()],
      [["*"], "Open or close all spans of this level", () => tree.toggleLevel()],
    ].map(inPane("tree", "Tree")),
    ...[
      [["ArrowLeft", "ArrowRight"], "Previous, next part", (e) => detail.nextTab(e.key === "ArrowLeft" ? -1 : 1)],
      [["Escape"], "Back to the tree", () => tree.focus(), { typing: true }],
    ].map(inPane("detail", "Detail")),
    { keys: ["/"], does: "Search the list, or find in the trace", run: searchHere },
    { keys: ["n"], does: "Next match", run: () => tree.nextHit(1) },
    { keys: ["N"], does: "Previous match", run: () => tree.nextHit(-1) },
    { keys: ["e"], does: "Next error", run: () => tree.nextError(1) },
    { keys: ["E"], does: "Previous error", run: () => tree.nextError(-1) },
    { keys: ["["], does: "Previous trace of the list", run: () => stepTrace(-1) },
    { keys: ["]"], does: "Next trace of the list", run: () => stepTrace(1) },
    { keys: ["t"], does: "Wide timeline", run: () => tree.toggleTimeline() },
    { keys: ["c"], does: model.link ? "Copy a link to this span" : "Copy trace id and span id", run: () => copyIds() },
  ]);
  if (view.isStatic)
    put(view.body, h("div", { class: "lm-note" }, "Read-only copy: what was not saved with it cannot be opened here."));
  put(view.body, threePanes(view, list.element, tree.element, detail.element));

  const sync = syncOpenItem(view, 200, () => [open, tree.tree?.index.span_id[tree.current] ?? null], (traceId, spanId) => {
    if (traceId && traceId !== open) openTrace(traceId, spanId, true);
    else if (spanId && tree.selectId(spanId)) showSpan(tree.current);
  });

  function load(traceId, quiet = false) {
    if (!trees.has(traceId)) {
      const promise = view.request("trace", { trace_id: traceId }, { quiet });
      trees.set(traceId, promise);
      promise.catch(() => trees.delete(traceId));
      if (trees.size > KEPT_TRACES) trees.delete(trees.keys().next().value);
    }
    return trees.get(traceId);
  }

  function showSpan(row) {
    detail.show(tree.tree, row);
    prefetchSpans(tree.tree, row);
  }

  const prefetchSpans = debounce((of, row) => {
    if (tree.tree !== of || view.isStatic) return;
    for (const at of [of.place[row] + 1, of.place[row] - 1])
      if (at >= 0 && at < of.n) detail.prefetch(of.index.trace.trace_id, of.index.span_id[of.order[at]]);
  }, 150, view.signal);

  const prefetchTraces = debounce(() => {
    if (view.isStatic) return;
    for (const step of [1, -1]) {
      const id = list.beside(step);
      if (id) load(id, true).catch(() => {});
    }
  }, 250, view.signal);

  // Show a trace; `quiet` when it was not the user's wish, so that nothing is synced.
  async function openTrace(traceId, spanId = null, quiet = false) {
    const mine = ++turn;
    open = traceId;
    list.open(traceId);
    if (!quiet) sync();
    try {
      const index = await load(traceId);
      if (mine !== turn) return;
      showSpan(tree.show(index, spanId));
      view.root.dataset.trace = traceId;
      if (!quiet) sync();
      prefetchTraces();
    } catch (error) {
      if (mine !== turn) return;
      detail.clear();
      tree.clear(h("b", {}, "This trace could not be shown"), error.isStatic ? "It was not saved with this read-only copy." : "");
      if (!error.isStatic) view.fail(error, () => openTrace(traceId, spanId, quiet));
    }
    view.ready();
  }

  function stepTrace(step) {
    const id = list.beside(step);
    if (id) openTrace(id);
  }

  async function copyIds() {
    if (!open) return false;
    const span = tree.tree?.index.span_id[tree.current];
    const ids = span ? `trace_id=${open} span_id=${span}` : `trace_id=${open}`;
    const done = await copyText(model.link?.(open, span) ?? ids, view.root);
    view.root.dataset.copied = String(done);
  }

  async function start() {
    try {
      await list.source.load();
    } catch (error) {
      view.fail(error, start);
      view.ready();
      return;
    }
    const wished = model.get("trace_id") || (open && list.source.position(open) >= 0 ? open : null);
    const traceId = wished || list.source.row(0)?.trace_id;
    if (traceId) await openTrace(traceId, model.get("span_id"), true);
    else {
      turn++;
      open = null;
      detail.clear();
      tree.clear(h("b", {}, "No trace to show"), "Nothing is selected.");
      view.ready();
    }
  }

  view.watch("revision", () => {
    trees.clear();
    detail.forget();
    start();
  });
  start();
});
