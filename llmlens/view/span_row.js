// One row of the tree: name with its marks, figures rolled up over the calls below, and a bar on the time axis.

// The length of a span in ms; null when it never ended.
const spanMs = ({ index }, row) =>
  (index.end[row] === null || index.start[row] === null ? null : index.end[row] - index.start[row]);

// `state` says how the row looks now: {id, selected, folded, hit ("name", "text" or null), dim, indent: {step, levels}};
// `act` has `select()` and `fold()`.
function spanRow(tree, row, state, act) {
  const { index } = tree;
  const kind = tree.kind(row);
  const ms = spanMs(tree, row);
  const parent = tree.size[row] > 1;
  return h("div", {
    role: "treeitem", id: state.id, class: "lm-span-row lm-pick", "aria-level": String(tree.depth[row] + 1),
    "aria-selected": String(state.selected), "aria-expanded": parent ? String(!state.folded) : null,
    "data-span": index.span_id[row], "data-hit": state.hit, "data-dim": state.dim ? "true" : null,
    "data-failed": tree.failed[row] ? "own" : tree.failedBelow[row] ? "below" : null,
    onclick: act.select, ondblclick: act.fold,
  },
  nameCell(tree, row, kind, state, act),
  h("span", { class: "lm-num lm-c-ms" },
    ms === null ? h("span", { class: "lm-error", title: "It never ended" }, "open") : format.ms(ms)),
  h("span", { class: "lm-num lm-c-tok lm-muted" }, tree.tokens[row] ? format.count(tree.tokens[row]) : ""),
  costCell(tree, row, parent),
  barCell(tree, row, kind, ms));
}

function nameCell(tree, row, kind, { folded, indent }, act) {
  const { index } = tree;
  const depth = tree.depth[row];
  const inset = `${Math.min(depth, indent.levels) * indent.step}px`;
  const name = oneLine(tree.name(row));
  const model = oneLine(decode(index.model, row));
  const repeat = tree.repeat(row);
  const below = tree.size[row] - 1;
  const twist = (event) => { event.stopPropagation(); act.fold(); };
  return h("span", { class: "lm-c-span", style: { "padding-left": inset, "--lm-guides": inset } },
    below > 0
      ? h("span", { class: "lm-twist", "data-open": String(!folded), "aria-hidden": "true", onclick: twist }, icon("chevron"))
      : h("span", { class: "lm-twist" }),
    depth > indent.levels && h("span", { class: "lm-deep", title: `Level ${depth + 1}` }, `${depth + 1}`),
    kindBadge(kind),
    h("span", { class: "lm-cut lm-name", title: name }, name),
    model && model !== name && h("span", { class: "lm-cut lm-model lm-muted", title: model }, model),
    repeat && h("span", { class: "lm-repeat", title: `Call ${repeat[0]} of ${repeat[1]} with the same arguments` },
      `×${repeat[1]}`),
    tree.orphan[row] > 0 && h("span", {
      class: "lm-tag",
      title: tree.orphan[row] === 2 ? "Its parents form a circle; shown as a root" : "Its parent is not in the trace",
    }, "orphan"),
    folded && h("span", { class: "lm-hidden", title: `${many(below, "span")} hidden` }, `+${format.count(below)}`),
    errorMark(tree, row));
}

function errorMark(tree, row) {
  const below = tree.failedBelow[row];
  if (tree.failed[row]) {
    const title = oneLine(`Error: ${decode(tree.index.error_type, row) || "failed"}`);
    return h("span", { class: "lm-own", title }, icon("failed"));
  }
  if (!below) return null;
  return h("span", { class: "lm-below", title: `${many(below, "failed span")} below` },
    icon("error"), h("span", { class: "lm-tiny" }, format.count(below)));
}

function costCell(tree, row, parent) {
  const unpriced = tree.unpriced[row];
  const text = tree.priced[row] ? `${unpriced ? "≥" : ""}${format.usd(tree.cost[row])}` : unpriced ? "?" : "";
  const title = unpriced ? `Partial: ${many(unpriced, "call has", "calls have")} no known price`
    : parent && text ? "Sum of all calls below" : null;
  return h("span", { class: "lm-num lm-c-usd lm-muted", title, "data-partial": unpriced ? "true" : null }, text);
}

function barCell(tree, row, kind, ms) {
  const { index, first, last } = tree;
  const start = index.start[row];
  if (start === null) return h("span", { class: "lm-c-bar" });
  const length = Math.max(last - first, 0.001);
  const left = ((start - first) / length) * 100;
  const width = Math.min(((ms === null ? last - start : Math.max(0, ms)) / length) * 100, 100 - left);
  const ttft = index.ttft_ms[row];
  const percent = (value) => `${value.toFixed(3)}%`;
  const after = left + width < 82;
  const inside = !after && left < 18;
  return h("span", { class: "lm-c-bar" },
    h("span", {
      class: "lm-wave", "data-kind": knownKind(kind), "data-failed": tree.failed[row] ? "own" : null,
      "data-open": ms === null ? "true" : null, style: { left: percent(left), width: percent(width) },
    }, ttft > 0 && ms > 0 && ttft < ms
      && h("span", { class: "lm-ttft", title: `First token after ${format.ms(ttft)}`, style: { left: percent((ttft / ms) * 100) } })),
    h("span", {
      class: "lm-wave-text", "data-inside": inside ? "true" : null,
      style: after ? { left: percent(left + width) } : { right: percent(inside ? 100 - left - width : 100 - left) },
    }, ms === null ? "" : format.ms(ms)));
}
