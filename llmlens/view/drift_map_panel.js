// Beside the picture: the numbers of the full space. The table of clusters is also the picture for who does not see it.

const points = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(100 * value).toFixed(1)}`;
const shareOf = (value) => (value === null ? DASH : `${(100 * value).toFixed(1)} %`);

// The clusters of a reply as rows, with what the picture needs of them.
function clusterRows(columns, compared, level = 0.05) {
  const rows = columns.cluster.map((cluster, k) => {
    const row = Object.fromEntries(Object.keys(columns).map((key) => [key, columns[key][k]]));
    const clear = compared && row.q !== null && row.q <= level && row.difference !== 0;
    const parts = row.name.split(" · ");
    return { ...row, clear, change: row.difference > 0 ? "grew" : "shrank", size: row.n_before + row.n_after,
      short: parts.length > 2 ? parts.slice(0, 2).join(" · ") : row.name };
  });
  return { rows, byNumber: new Map(rows.filter((row) => row.cluster >= 0).map((row) => [row.cluster, row.short])) };
}

// `on` has cluster(number, add), point(number or null).
function mapPanel(view, state, on) {
  const drift = h("section", { class: "lm-drift", "aria-label": "Drift" });
  const clusters = h("section", { class: "lm-clusters", "aria-label": "Clusters", "data-pane": "clusters" });
  const notes = h("section", { class: "lm-about" });
  const element = h("div", { class: "lm-side", tabindex: "-1" }, drift, clusters, notes);
  keepWheel(view, element);

  // Drift -------------------------------------------------------------------------------------------------------

  function showDrift() {
    drift.hidden = !state.windows;
    if (drift.hidden) return;
    const found = state.facts?.drift;
    if (!found) {
      fill(drift, h("h4", {}, "Drift"), h("p", { class: "lm-muted" }, ["stopped", "failed"].includes(state.at) ? `Not tested: the work ${state.at === "failed" ? "failed" : "was stopped"}.` : "Not tested yet."));
      return;
    }
    const { overall, mix, moved, n_moved, n_judged, level } = found;
    const judged = overall?.p !== null && overall?.p !== undefined;
    const changed = judged && overall.p <= level;
    const verdict = !judged ? "Too little to judge" : changed || n_moved ? "Outputs have changed" : "No change found";
    fill(drift, h("h4", {}, "Drift, given what was asked"),
      h("div", { class: "lm-verdict", "data-changed": String(Boolean(changed || n_moved)) }, h("b", {}, verdict),
        judged && h("span", { class: "lm-muted" }, `p ${small(overall.p)}`)),
      changed && !n_moved && h("p", {}, oneLine(overall.moved, 400)),
      judged && !changed && !n_moved && overall.detectable !== null
        && h("p", { class: "lm-muted" }, `A change that tells the windows apart ${Math.round(100 * overall.detectable)} % of the time would have been seen.`),
      moved.map((row) => h("div", { class: "lm-slice" },
        h("div", { class: "lm-row" }, h("b", { class: "lm-cut lm-grow" }, oneLine(row.slice, 80)),
          h("span", { class: "lm-muted lm-tiny" }, `told apart ${Math.round(100 * row.effect)} % · q ${small(row.q)}`)),
        h("p", {}, oneLine(row.moved, 400) || "moved; no single word or figure says how"))),
      n_judged > 1 && h("p", { class: "lm-muted lm-tiny" }, `${n_moved} of ${n_judged} slices moved.`),
      mix && mix.p !== null && mix.p <= level && h("p", { class: "lm-muted" }, h("b", {}, "Traffic: "), oneLine(mix.moved, 300) || "the mix of what was asked moved",
        ". This alone is no drift."),
      found.notes.map((note) => h("p", { class: "lm-muted lm-tiny" }, oneLine(note, 300))));
  }

  const small = (value) => (value < 0.001 ? "< 0.001" : value.toFixed(3));

  // Clusters ----------------------------------------------------------------------------------------------------

  const press = (event) => on.cluster(Number(event.currentTarget.closest("tr").dataset.cluster), event.shiftKey);

  function line(row, largest) {
    const compared = Boolean(state.windows) && row.difference !== null;
    const title = [oneLine(row.name, 200), compared && `${shareOf(row.share_before)} → ${shareOf(row.share_after)}, ${points(row.difference)} points (95 %: ${points(row.low)} to ${points(row.high)}), q ${small(row.q)}`,
      row.main_slice && `mostly ${oneLine(row.main_slice, 80)}`].filter(Boolean).join("\n");
    const colour = row.cluster < 0 ? null : state.swatch(row.cluster, view.root.dataset.theme);
    return h("tr", { "data-cluster": row.cluster, "data-clear": row.clear ? row.change : null, title,
      onmouseenter: () => on.point(row.cluster), onmouseleave: () => on.point(null) },
    h("th", { scope: "row" }, h("button", { type: "button", class: "lm-button lm-quiet", onclick: press, onfocus: () => on.point(row.cluster), onblur: () => on.point(null) },
      colour && h("span", { class: "lm-dot", style: { background: colour } }),
      h("span", { class: "lm-name" }, h("span", { class: "lm-cut" }, row.cluster < 0 ? "in no cluster" : oneLine(row.name, 90)),
        row.main_slice && h("span", { class: "lm-cut lm-muted lm-tiny" }, oneLine(row.main_slice, 60))))),
    state.windows
      ? [h("td", { class: "lm-num" }, shareOf(row.share_before)), h("td", { class: "lm-num" }, shareOf(row.share_after)),
        h("td", { class: "lm-num lm-change" }, row.difference === null ? DASH : row.clear ? h("b", {}, points(row.difference)) : points(row.difference),
          h("span", { class: "lm-diff", "aria-hidden": "true" }, row.difference !== null && h("span", { style: {
            width: `${Math.max(2, (50 * Math.abs(row.difference)) / largest)}%`, [row.difference < 0 ? "right" : "left"]: "50%" } })))]
      : h("td", { class: "lm-num" }, format.full(row.size)));
  }

  function showClusters() {
    const { rows } = state.clusters ?? { rows: null };
    const head = h("div", { class: "lm-row" }, h("h4", { class: "lm-grow" }, "Clusters"), rows && h("span", { class: "lm-muted lm-tiny" }, "Enter selects"));
    if (!rows) {
      fill(clusters, head, h("p", { class: "lm-muted" }, "Not found yet."));
      return;
    }
    const held = clusters.contains(view.root.ownerDocument.activeElement) ? view.root.ownerDocument.activeElement.closest("tr")?.dataset.cluster : null;
    const largest = Math.max(1e-9, ...rows.map((row) => Math.abs(row.difference ?? 0)));
    const columns = state.windows ? ["cluster", "before", "after", "points"] : ["cluster", many(2, state.unit).slice(2)];
    fill(clusters, head, h("table", {}, h("thead", {}, h("tr", {}, columns.map((name, k) => h("th", { scope: "col", class: k ? "lm-num" : null }, name)))),
      h("tbody", {}, rows.map((row) => line(row, largest)))));
    if (held) clusters.querySelector(`tr[data-cluster="${held}"] button`)?.focus({ preventScroll: true });
  }

  // Trust -------------------------------------------------------------------------------------------------------

  function showNotes() {
    const trust = state.facts?.trust;
    const known = trust && trust.trustworthiness !== null;
    fill(notes, h("h4", {}, "How far to trust the picture"),
      h("p", { class: "lm-muted" }, known
        ? [h("b", { class: "lm-strong" }, `${trust.trustworthiness.toFixed(3)} `), "trustworthiness; ", h("b", { class: "lm-strong" }, `${Math.round(100 * trust.overlap)} %`),
          ` of the ${trust.k} nearest points are nearest in truth. Drift and clusters come from the full space, not from the picture.`]
        : "Not measured yet. Drift and clusters come from the full space, not from the picture."),
      (state.facts?.notes ?? []).map((note) => h("p", { class: "lm-muted lm-tiny" }, oneLine(note, 300))));
  }

  // Move the focus `by` rows.
  function step(by) {
    const buttons = [...clusters.querySelectorAll("tbody button")];
    const at = buttons.indexOf(view.root.ownerDocument.activeElement);
    buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
    return buttons.length > 0;
  }

  return {
    element, step,
    draw() { showDrift(); showClusters(); showNotes(); },
    mark(number) {
      for (const row of clusters.querySelectorAll("tbody tr")) row.classList.toggle("lm-on", Number(row.dataset.cluster) === number);
    },
  };
}
