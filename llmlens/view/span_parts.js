// The other parts of a span: input and output as they are, documents, tool calls, attributes, scores.

const scoreText = (score) => (score.label ?? null) !== null ? oneLine(score.label, 60) : score.value === null ? DASH
  : score.data_type === "boolean" ? (score.value ? "true" : "false") : String(Math.round(score.value * 1e4) / 1e4);

// Input and output with a switch between text as it is and JSON.
function ioSection(view, detail, more, memory) {
  const block = (title, value) => {
    if (value === null || value === undefined) return null;
    const { text, total } = textParts(value);
    const isJson = typeof parseJson(text) === "object" || (total > text.length && /^\s*[[{]/.test(text));
    const holder = h("div");
    const raw = h("button", { type: "button", class: "lm-button lm-quiet" }, "Raw");
    const pretty = h("button", { type: "button", class: "lm-button lm-quiet" }, "JSON");
    const draw = (json) => {
      raw.setAttribute("aria-pressed", String(!json));
      pretty.setAttribute("aria-pressed", String(json));
      fill(holder, foldedText(view, value, { more, json, limit: 4000 }));
    };
    const choose = (json) => { memory.json = json; draw(json); };
    raw.addEventListener("click", () => choose(false));
    pretty.addEventListener("click", () => choose(true));
    draw(isJson && memory.json !== false);
    return h("section", { class: "lm-block" },
      h("div", { class: "lm-row lm-block-head" }, h("b", {}, title), h("span", { class: "lm-faint lm-tiny" }, `${format.full(total)} characters`), h("span", { class: "lm-grow" }),
        isJson && [raw, pretty], copyButton(view.root, () => wholeText(value, more), `Copy the ${title.toLowerCase()}`)), holder);
  };
  const blocks = [block("Input", detail.input), block("Output", detail.output)].filter(Boolean);
  return h("div", {}, blocks.length ? blocks : h("div", { class: "lm-empty" }, "No input and no output were recorded."));
}

function documentsSection(view, detail, more) {
  const scores = detail.documents.map((d) => d.score).filter((s) => s !== null && Number.isFinite(s));
  const top = Math.max(...scores, 0);
  return h("div", {}, detail.documents.map((doc) => h("section", { class: "lm-card" },
    h("div", { class: "lm-row lm-card-head" }, h("b", { class: "lm-rank" }, `#${doc.rank}`),
      h("span", { class: "lm-mono lm-cut lm-grow", title: oneLine(doc.document_id) }, oneLine(doc.document_id) || h("span", { class: "lm-faint" }, "(no id)")),
      doc.score !== null && h("span", { class: "lm-score" }, h("span", { class: "lm-score-bar" },
        h("span", { style: { width: `${top > 0 ? Math.max(0, (doc.score / top) * 100).toFixed(1) : 0}%` } })), h("span", { class: "lm-num" }, doc.score.toFixed(3))),
      copyButton(view.root, () => wholeText(doc.content, more), "Copy this document")),
    doc.content !== null && foldedText(view, doc.content, { more, limit: 600 }),
    aboutDocument(view, doc, more))));
}

// When it was changed and what the store attached: on one line where that says it all.
function aboutDocument(view, doc, more) {
  const meta = parseJson(textParts(doc.metadata).text);
  const flat = meta && typeof meta === "object" && Object.values(meta).every((v) => (typeof v !== "object" || v === null) && String(v).length < 80);
  const facts = [doc.updated_at && ["updated", String(doc.updated_at).slice(0, 10)], ...(flat ? Object.entries(meta).slice(0, 12) : [])].filter(Boolean);
  return [facts.length > 0 && h("div", { class: "lm-facts lm-about" }, facts.map(([key, value]) => h("span", {}, h("span", { class: "lm-faint" }, `${oneLine(key, 60)} `), oneLine(value)))),
    doc.metadata && !flat && h("div", { class: "lm-arguments" }, foldedText(view, doc.metadata, { more, limit: 400 }))];
}

const toolsSection = (view, detail, more) => h("div", {}, detail.tool_calls.map((call) => toolCard(view, call, more, call.span_id === null ? "asks for" : null)));

function scoresSection(view, detail, more, memory, scores) {
  return h("div", {}, scores.map((score) => h("section", { class: "lm-card" },
    h("div", { class: "lm-row lm-card-head" }, h("b", { class: "lm-cut" }, oneLine(score.name)), h("span", { class: "lm-mono" }, scoreText(score)), h("span", { class: "lm-grow" }),
      h("span", { class: "lm-muted lm-cut" }, [score.source, score.author].filter(Boolean).map((x) => oneLine(x, 60)).join(" · ")), !score.span_id && h("span", { class: "lm-tag" }, "whole trace")),
    score.comment && h("pre", { class: "lm-text" }, visible(score.comment)))));
}

// Attributes and everything like them as a searchable table; events with their stack traces; links.
function attributesSection(view, detail, more, memory) {
  const { span } = detail;
  const own = ["trace_id", "span_id", "parent_id", "session_id", "user_id", "service", "environment", "release", "feature", "agent_name", "request_model", "finish_reason", "prompt_name",
    "prompt_version", "usage_source", "cost_source", "convention", "source"].filter((k) => span[k] !== null && span[k] !== undefined).map((k) => [k, span[k]]);
  if (span.tags?.length) own.push(["tags", span.tags.join(", ")]);
  const entries = (value) => (value && typeof value === "object" && !("clipped" in value) ? Object.entries(value) : value ? [["", value]] : []);
  const groups = [["Span", own], ["Attributes", entries(detail.attributes)], ["Metadata", entries(detail.metadata)], ["Parameters", entries(detail.params)], ["Resource", entries(detail.resource)]];
  const table = h("div");
  const input = h("input", { class: "lm-input", type: "text", placeholder: "Filter keys and values", "aria-label": "Filter attributes", spellcheck: "false", value: memory.attribute || null });
  const draw = () => {
    const needle = input.value.trim().toLowerCase();
    memory.attribute = input.value;
    const fits = ([key, value]) => !needle || key.toLowerCase().includes(needle) || textParts(value).text.toLowerCase().includes(needle);
    const shown = groups.map(([title, rows]) => [title, rows.filter(fits), rows.length]).filter(([, rows]) => rows.length);
    fill(table, shown.map(([title, rows, all]) => h("section", { class: "lm-block" },
      h("div", { class: "lm-block-head lm-row" }, h("b", {}, title), h("span", { class: "lm-faint lm-tiny" }, rows.length === all ? all : `${rows.length} of ${all}`)),
      h("dl", { class: "lm-pairs" }, rows.map(([key, value]) => [h("dt", { class: "lm-mono", title: oneLine(key) }, visible(key)),
        h("dd", {}, foldedText(view, value, { more, limit: 300 }))])))),
    !shown.length && h("div", { class: "lm-empty" }, "Nothing matches."));
  };
  input.addEventListener("input", draw);
  draw();
  return h("div", {}, h("div", { class: "lm-filter" }, input), table, linksBlock(detail));
}

function eventsSection(view, detail, more) {
  const start = Date.parse(detail.span.start_iso) || detail.span.start;
  const list = Array.isArray(detail.events) ? detail.events : [];
  return h("div", {}, list.map((event) => {
    if (!event || typeof event !== "object") return h("section", { class: "lm-card" }, foldedText(view, event, { more }));
    const attributes = event.attributes && typeof event.attributes === "object" ? event.attributes : {};
    const failed = /exception|error/i.test(textParts(event.name).text);
    const at = Date.parse(event.time);
    return h("section", { class: "lm-card", "data-failed": failed ? "own" : null },
      h("div", { class: "lm-row lm-card-head" }, h("b", { class: "lm-cut" }, oneLine(textParts(event.name).text) || "(no name)"), h("span", { class: "lm-grow" }),
        Number.isFinite(at) && h("span", { class: "lm-muted lm-tiny" }, `at +${format.ms(at - start)}`)),
      h("dl", { class: "lm-pairs" }, Object.entries(attributes).map(([key, value]) => [h("dt", { class: "lm-mono" }, visible(key)), h("dd", {}, foldedText(view, value, { more, limit: 2000 }))])));
  }));
}

function linksBlock(detail) {
  const links = Array.isArray(detail.links) ? detail.links : [];
  if (!links.length) return null;
  return h("section", { class: "lm-block" }, h("div", { class: "lm-block-head" }, h("b", {}, "Links")),
    links.map((link) => h("div", { class: "lm-mono lm-cut" }, `trace ${oneLine(link?.trace_id)}  span ${oneLine(link?.span_id)}`)));
}
