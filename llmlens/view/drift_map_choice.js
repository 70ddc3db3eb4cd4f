// Which points are selected: in the browser a mask, in Python the traces of these points.

// `relight()` shows another selection, `say(text)` tells those who do not see it.
function mapChoice(view, state, relight, say) {
  const { root } = view;

  function mark(mask, size) {
    Object.assign(state, { selected: mask, nSelected: size });
    root.dataset.selected = String(size);
    relight();
  }

  function tell(rows) {
    view.request("choose", { rows }).then((count) => {
      root.dataset.traces = String(count);
      say(rows.length ? `${many(count, "trace")} selected` : "Nothing selected");
    }, (error) => { if (!error.isStatic) view.fail(error, () => tell(rows)); });
  }

  function choose(rows, add = false) {
    const mask = new Uint8Array(state.n);
    if (add && state.selected && rows.length) state.selected.forEach((value, i) => { mask[i] = value; });
    for (const i of rows) mask[i] = 1;
    const all = [];
    mask.forEach((value, i) => { if (value) all.push(i); });
    if (!view.isStatic) tell(all);
    mark(all.length ? mask : null, all.length);
  }

  return {
    choose,
    cluster(number, add = false) {
      const rows = [];
      for (let i = 0; i < state.n; i++) if (state.cluster?.[i] === number) rows.push(i);
      choose(rows, add);
    },
    // Python has selected: show which points these are.
    async chosen() {
      if (!state.n) return;
      const reply = await view.request("chosen", {}, { quiet: true }).catch(() => undefined);
      if (reply === undefined || view.signal.aborted) return;
      const rows = reply ? unpack(reply) : [];
      const mask = new Uint8Array(state.n);
      for (const i of rows) mask[i] = 1;
      mark(reply ? mask : null, rows.length);
    },
  };
}
