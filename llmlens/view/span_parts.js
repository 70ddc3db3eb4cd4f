// The parts of a span beside its chat: input and output as they are, documents, tool calls, events, scores.

const notes = (...children) => h("div", { class: "lm-empty" }, children);

function scoreText(score) {
  if (score.label !== null && score.label !== undefined) return oneLine(score.label, 60);
  if (score.value === null || score.value === undefined) return DASH;
  if (score.data_type === "boolean") return score.value ? "true" : "false";
  return String(Math.round(score.value * 1e4) / 1e4);
}

// Input and output with a switch between text as it is and JSON.
function ioSection(view, detail, more, memory) {
  const blocks = [["Input", detail.input], ["Output", detail.output]]
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([title, value]) => ioBlock(view, title, value, more, memory));
  return h("div", {}, blocks.length ? blocks : notes("No input and no output were recorded."));
}

function ioBlock(view, title, value, more, memory) {
  const { text, total } = textParts(value);
  const isJson = typeof parseJson(text) === "object" || (total > text.length && /^\s*[[{]/.test(text));
  const holder = h("div");
  const choices = [["Raw", false], ["JSON", true]].map(([label, json]) => h("button", {
    type: "button", class: "lm-button lm-quiet", "data-json": String(json),
    onclick: () => { memory.json = json; draw(json); },
  }, label));
  function draw(json) {
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.json === String(json)));
    fill(holder, foldedText(view, value, { more, json, limit: 4000 }));
  }
  draw(isJson && memory.json !== false);
  return h("section", { class: "lm-block" },
    h("div", { class: "lm-row lm-block-head" },
      h("b", {}, title), h("span", { class: "lm-faint lm-tiny" }, many(total, "character")), h("span", { class: "lm-grow" }),
      isJson && choices, copyButton(view.root, () => wholeText(value, more), `Copy the ${title.toLowerCase()}`)),
    holder);
}

function documentsSection(view, detail, more) {
  const top = Math.max(0, ...detail.documents.map((d) => d.score ?? 0));
  return h("div", {}, detail.documents.map((doc) => h("section", { class: "lm-card" },
    h("div", { class: "lm-row lm-card-head" },
      h("b", { class: "lm-rank" }, `#${doc.rank}`),
      h("span", { class: "lm-mono lm-cut lm-grow", title: oneLine(doc.document_id) },
        oneLine(doc.document_id) || h("span", { class: "lm-faint" }, "(no id)")),
      doc.score !== null && scoreBar(doc.score, top),
      copyButton(view.root, () => wholeText(doc.content, more), "Copy this document")),
    doc.content !== null && foldedText(view, doc.content, { more, limit: 600 }),
    aboutDocument(view, doc, more))));
}

function scoreBar(score, top) {
  const width = top > 0 ? Math.max(0, (score / top) * 100) : 0;
  return h("span", { class: "lm-score" },
    h("span", { class: "lm-score-bar" }, h("span", { style: { width: `${width.toFixed(1)}%` } })),
    h("span", { class: "lm-num" }, score.toFixed(3)));
}

// When a document was changed and what the store attached: on one line where that says it all.
function aboutDocument(view, doc, more) {
  const attached = parseJson(textParts(doc.metadata).text);
  const values = attached && typeof attached === "object" ? Object.values(attached) : [null, {}];
  const flat = values.every((v) => v === null || (typeof v !== "object" && String(v).length < 80));
  const updated = doc.updated_at ? [["updated", String(doc.updated_at).slice(0, 10)]] : [];
  const facts = flat ? [...updated, ...Object.entries(attached).slice(0, 12)] : updated;
  return [
    facts.length > 0 && h("div", { class: "lm-facts lm-about" }, facts.map(([key, value]) =>
      h("span", {}, h("span", { class: "lm-faint" }, `${oneLine(key, 60)} `), oneLine(value)))),
    doc.metadata && !flat && h("div", { class: "lm-arguments" }, foldedText(view, doc.metadata, { more, limit: 400 })),
  ];
}

const toolsSection = (view, detail, more) =>
  h("div", {}, detail.tool_calls.map((call) => toolCard(view, call, more, call.requested_by ? "asks for" : null)));

function scoresSection(view, detail, more, memory, scores) {
  return h("div", {}, scores.map((score) => h("section", { class: "lm-card" },
    h("div", { class: "lm-row lm-card-head" },
      h("b", { class: "lm-cut" }, oneLine(score.name)), h("span", { class: "lm-mono" }, scoreText(score)),
      h("span", { class: "lm-grow" }),
      h("span", { class: "lm-muted lm-cut" },
        [score.source, score.author].filter(Boolean).map((by) => oneLine(by, 60)).join(" · ")),
      !score.span_id && h("span", { class: "lm-tag" }, "whole trace")),
    score.comment && h("pre", { class: "lm-text" }, visible(score.comment)))));
}

// Events with the time since the start of the span, exceptions with their stack traces.
function eventsSection(view, detail, more) {
  const list = Array.isArray(detail.events) ? detail.events : [];
  return h("div", {}, list.map((event) => {
    if (!event || typeof event !== "object") return h("section", { class: "lm-card" }, foldedText(view, event, { more }));
    const name = textParts(event.name).text;
    const attributes = event.attributes && typeof event.attributes === "object" ? event.attributes : {};
    const at = Date.parse(event.time);
    return h("section", { class: "lm-card", "data-failed": /exception|error/i.test(name) ? "own" : null },
      h("div", { class: "lm-row lm-card-head" },
        h("b", { class: "lm-cut" }, oneLine(name) || "(no name)"), h("span", { class: "lm-grow" }),
        Number.isFinite(at) && h("span", { class: "lm-muted lm-tiny" }, `at +${format.ms(at - detail.span.start)}`)),
      pairs(view, Object.entries(attributes), more, 2000));
  }));
}

// Names and values in two columns.
function pairs(view, entries, more, limit) {
  return h("dl", { class: "lm-pairs" }, entries.map(([key, value]) => [
    h("dt", { class: "lm-mono" }, visible(key)), h("dd", {}, foldedText(view, value, { more, limit }))]));
}
