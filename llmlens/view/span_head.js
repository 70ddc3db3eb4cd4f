// What is said of a span above its parts: name, status and figures.

function spanTitle(view, tree, row) {
  const { index } = tree;
  const name = oneLine(tree.name(row));
  const model = oneLine(decode(index.model, row));
  const agent = oneLine(decode(index.agent_name, row));
  const said = [model, agent && `agent ${agent}`].filter(Boolean).join(" · ");
  const ok = decode(index.status, row) === "ok";
  return [
    h("div", { class: "lm-row" },
      kindBadge(tree.kind(row)), h("b", { class: "lm-cut lm-title", title: name }, name),
      tree.failed[row] ? h("span", { class: "lm-status lm-error" }, icon("error"), "error")
        : ok && h("span", { class: "lm-status lm-ok" }, "ok"),
      h("span", { class: "lm-grow" }), copyButton(view.root, () => index.span_id[row], "Copy the span id")),
    said && h("div", { class: "lm-muted lm-cut", title: said }, said),
  ];
}

// The figures of a span; some are only known once its row (`span`) is here.
function spanFigures(tree, row, span) {
  const { index } = tree;
  const ms = spanMs(tree, row);
  const start = index.start[row];
  const cost = index.cost_usd[row];
  const calls = USAGE_KINDS.has(tree.kind(row));
  const below = tree.priced[row] ? `${tree.unpriced[row] ? "≥" : ""}${format.usd(tree.cost[row])}` : null;
  const known = (value, text) => ((value ?? null) === null ? null : text(value));
  const some = (count, what) => (count ? `${format.full(count)} ${what}` : null);
  return [
    ["Start", start === null ? DASH : `+${format.ms(start - tree.first)}`],
    ["Duration", ms === null ? "never ended" : format.ms(ms)],
    ["First token", known(index.ttft_ms[row], format.ms)],
    ["Input", known(index.input_tokens[row], format.full), some(span?.cache_read_tokens, "cached")],
    ["Output", known(index.output_tokens[row], format.full), some(span?.reasoning_tokens, "reasoning")],
    ["Cost", calls && (cost !== null || index.used[row]) ? known(cost, (v) => format.usd(v, true)) ?? "unknown" : null,
      cost !== null && span?.cost_source],
    ["Calls below", !calls && tree.tokens[row] > 0 ? `${format.count(tree.tokens[row])} tokens` : null, below],
    ["Finish", span?.finish_reason && oneLine(span.finish_reason, 40)],
    ["Prompt", span?.prompt_name && oneLine(span.prompt_name, 60), span?.prompt_version && oneLine(span.prompt_version, 20)],
  ].filter(([, value]) => value).map(([label, value, note]) => h("div", { class: "lm-figure" },
    h("span", { class: "lm-faint" }, label),
    h("span", {}, value, note && h("span", { class: "lm-muted lm-tiny" }, ` ${note}`))));
}
