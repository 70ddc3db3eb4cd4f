// What is said of the whole trace above its tree.

function traceHead(view, tree, { nextError, previous, next, help }) {
  const { trace, scores } = tree.index;
  const ms = trace.duration_s === null ? null : trace.duration_s * 1000;
  const figures = [
    [format.ms(ms), "duration"],
    [many(tree.n, "span")],
    trace.n_llm_calls && [many(trace.n_llm_calls, "LLM call")],
    (trace.input_tokens || trace.output_tokens)
      && [`${format.count(trace.input_tokens ?? 0)} → ${format.count(trace.output_tokens ?? 0)} tokens`, "read → written"],
    trace.cost_usd !== null
      && [`${trace.n_unpriced ? "≥" : ""}${format.usd(trace.cost_usd)}`, trace.n_unpriced ? "partial cost" : "cost"],
  ].filter(Boolean);
  const about = [
    ["feature", trace.feature], ["user", trace.user_id], ["session", trace.session_id],
    ["environment", trace.environment], ["release", trace.release],
  ].filter(([, value]) => value);
  const ofTrace = scores.filter((score) => !score.span_id).slice(0, 6);
  const step = (label, name, onclick) =>
    h("button", { type: "button", class: "lm-button lm-quiet", title: label, "aria-label": label, onclick }, icon(name));
  return [
    h("div", { class: "lm-row" },
      h("b", { class: "lm-cut lm-title", title: oneLine(trace.name) }, oneLine(trace.name) || "(no name)"),
      trace.n_errors > 0 && h("button", { type: "button", class: "lm-button lm-errors", title: "Next error (e)", onclick: nextError },
        icon("error"), many(trace.n_errors, "error")),
      h("span", { class: "lm-grow" }),
      step("Previous trace ( [ )", "up", previous), step("Next trace ( ] )", "down", next), help),
    h("div", { class: "lm-facts lm-muted" },
      figures.map(([text, title]) => h("span", { title }, text)),
      about.map(([key, value]) => h("span", { class: "lm-cut", title: `${key}: ${oneLine(value)}` },
        h("span", { class: "lm-faint" }, `${key} `), oneLine(value, 60))),
      ofTrace.map((score) => h("span", { class: "lm-tag", title: oneLine(score.comment || score.source) },
        `${oneLine(score.name, 40)}: ${scoreText(score)}`))),
  ];
}
