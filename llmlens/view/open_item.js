// What is open, as the synced traits `trace_id` and `span_id`: Python is told when it has rested for `wait` ms, and
// followed when it moves. What was told from here is no move of Python's, however late its event comes.

// `now()` gives [trace_id, span_id], or null when there is nothing to tell; returns the function that tells.
function syncOpenItem(view, wait, now, moved) {
  const { model } = view;
  let told = null;
  const inModel = () => [model.get("trace_id") ?? null, model.get("span_id") ?? null];
  const same = (a, b) => a !== null && b !== null && a[0] === b[0] && a[1] === b[1];
  const follow = debounce(() => {
    if (same(inModel(), told)) return;
    told = null;
    moved(...inModel());
  }, 0, view.signal);
  view.watch("trace_id", follow);
  view.watch("span_id", follow);
  return debounce(() => {
    const ids = now();
    if (!ids || same(ids, inModel())) return;
    told = ids;
    model.set("trace_id", ids[0]);
    model.set("span_id", ids[1]);
    model.save_changes();
  }, wait, view.signal);
}
