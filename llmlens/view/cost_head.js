// Over the groups: the way to the one that is selected, what it costs, the scale of colours, and what is not in the sum.

// `shown()` gives {tree, selected, colours}; `go(labels)` opens a group, `buttons` stand at the end of the way.
function costHead(view, shown, go, ...buttons) {
  const crumbs = h("nav", { class: "lm-row lm-grow lm-crumbs", "aria-label": "Open group" });
  const facts = h("div", { class: "lm-facts lm-grow" });
  const legend = h("div", { class: "lm-row lm-legend" });
  const notes = h("div", { class: "lm-notes" });
  const clear = h("button", { type: "button", class: "lm-button lm-quiet", title: "Clear the selection", "aria-label": "Clear the selection", onclick: () => go([]) }, icon("close"));
  const element = h("header", { class: "lm-cost-head" }, h("div", { class: "lm-row" }, crumbs, ...buttons),
    h("div", { class: "lm-row lm-cost-facts" }, facts, legend), notes);

  function draw() {
    const { tree, selected } = shown();
    const { rows, measure } = tree;
    const way = [[], ...tree.labels(selected).map((_, i, all) => all.slice(0, i + 1))];
    fill(crumbs, way.map((labels, i) => [
      i > 0 && h("span", { class: "lm-muted", "aria-hidden": "true" }, "›"),
      h("button", { type: "button", class: "lm-button lm-quiet lm-cut", "aria-current": i === way.length - 1 ? "true" : null,
        title: i ? oneLine(labels[i - 1]) : "All calls", onclick: () => go(labels) },
      i ? oneLine(labels[i - 1], 120) : "All calls")]),
    selected > 0 ? clear : h("span", { class: "lm-muted lm-cut" }, `by ${tree.columns.join(" › ")}`));
    const amount = tree.known(selected) ? measure.show(rows.value[selected]) : DASH;
    fill(facts, h("b", { class: "lm-amount" }, amount), h("span", {}, measure.total),
      selected > 0 && h("span", {}, `${percent(tree.share(selected))} of ${measure.show(tree.total)}`),
      tree.value !== "calls" && h("span", {}, plural(rows.calls[selected], "call")),
      rows.n_traces[selected] !== null && h("span", {}, plural(rows.n_traces[selected], "trace")),
      selected > 0 && rows.n_missing[selected] > 0 && tree.value !== "calls" && h("span", { class: "lm-warn" }, `${format.full(rows.n_missing[selected])} with ${measure.lacks}`),
      tree.since !== null && h("span", {}, period(tree.since, tree.until)));
    const short = tree.missing.slice(0, 3).map(([label, n]) => `${plural(n, "call")} of '${oneLine(label, 60)}'`);
    const rest = tree.missing.slice(3).reduce((sum, [, n]) => sum + n, 0);
    if (rest) short.push(`${plural(rest, "call")} of other models`);
    const many = tree.missing.reduce((sum, [, n]) => sum + n, 0) !== 1;
    notes.hidden = !short.length;
    fill(notes, short.length > 0 && [icon("error"), `${short.join(", ")} ${many ? "have" : "has"} ${measure.lacks}: not in the sum`]);
    drawLegend();
  }

  function drawLegend() {
    const { tree, colours } = shown();
    const { scale } = tree.looks[view.root.dataset.theme === "dark" ? "dark" : "light"];
    legend.hidden = !(colours.high > 0);
    const mark = colours.average > 0 && colours.average < colours.high
      && h("span", { class: "lm-average", style: { left: `${(100 * colours.average) / colours.high}%` } });
    fill(legend, h("span", {}, tree.measure.each),
      h("span", { class: "lm-scale", style: { background: `linear-gradient(to right, ${scale.join(", ")})` } }, mark),
      h("span", {}, `${tree.showEach(colours.high)}`), h("span", { class: "lm-muted" }, `average ${tree.showEach(colours.average)}`));
  }

  return { element, draw, drawLegend };
}
