// The left pane: what there is to read, from top to bottom, with its parts named above.

function readerPane(view) {
  const head = h("header", { class: "lm-item-head" });
  const nav = h("nav", { class: "lm-jumps", "aria-label": "Parts" });
  const content = h("div", { class: "lm-reading", tabindex: "0", role: "region", "aria-label": "What was said" });
  const element = h("section", { class: "lm-pane lm-reader", "data-pane": "reader" }, head, content);
  keepWheel(view, content);
  let parts = [];

  const jump = (part) => { content.scrollTop += part.getBoundingClientRect().top - content.getBoundingClientRect().top - 6; };
  const section = (key, title, count, body) => ({ key, title, count, element: h("section", { class: "lm-part", "data-part": key },
    h("h3", {}, title, count ? h("span", { class: "lm-part-count" }, format.full(count)) : null), body) });

  function draw(item) {
    const more = (path, offset) => view.request("more", { trace_id: item.trace_id, span_id: item.span_id, path, offset });
    const detail = { ...item, span: item.span };
    const documents = item.retrieved.length ? item.retrieved[0].documents.length : 0;
    parts = [
      item.messages.length ? section("chat", "Chat", 0, chatSection(view, { ...detail, tool_calls: askedCalls(item) }, more))
        : section("io", "Input and output", 0, ioSection(view, detail, more, {})),
      documents && section("documents", "Documents", documents, retrievedSection(view, item, more)),
      item.tool_calls.length && section("tools", "Tool calls", item.tool_calls.length,
        item.tool_calls.map((call) => toolCard(view, call, more, null))),
    ].filter(Boolean);
    fill(content, parts.map((part) => part.element));
    fill(nav, parts.length > 1 ? parts.map((part) => h("button", {
      type: "button", class: "lm-jump", tabindex: "-1", onclick: () => jump(part.element),
    }, part.title, part.count ? h("span", { class: "lm-part-count" }, format.count(part.count)) : null)) : null);
    // The last question and its answer are what is judged; what led to them is above.
    const asked = [...content.querySelectorAll(".lm-message[data-role=user][data-direction=input]")].at(-1);
    content.scrollTop = 0;
    if (asked) jump(asked);
  }

  return {
    element,
    show(item) {
      fill(head, itemTitle(view, item), failureOf(item), nav);
      draw(item);
      element.dataset.trace = item.trace_id;
      element.dataset.span = item.span_id ?? "";
    },
    clear(...words) {
      fill(head);
      fill(content, notes(words));
    },
    scroll(pages) { content.scrollBy({ top: pages * content.clientHeight * 0.85 }); },
    // Go to the part after, or before, the one that is being read.
    part(step) {
      const top = content.getBoundingClientRect().top + 10;
      const at = parts.filter((part) => part.element.getBoundingClientRect().top <= top).length - 1;
      const to = parts[Math.max(0, Math.min(parts.length - 1, at + step))];
      if (to) jump(to.element);
    },
  };
}

// Of all tool calls the chat shows those of its own model call below the answer; the others are in its messages.
const askedCalls = (item) => item.tool_calls.filter((call) => call.requested_by === item.span.span_id);

function failureOf({ span }) {
  if (span.status !== "error") return null;
  const [name, type, message] = [span.name, span.error_type, span.status_message].map((text) => oneLine(textParts(text).text));
  const said = [`${name || "The call"} failed`, type, message].filter(Boolean).join(": ");
  return h("div", { class: "lm-row lm-failed lm-error", title: said }, icon("error"), h("span", { class: "lm-cut" }, said));
}

// The documents that were found last, then those of earlier steps behind a button: a reranker has the last word.
function retrievedSection(view, item, more) {
  const [last, ...earlier] = item.retrieved;
  const group = (found) => [
    h("div", { class: "lm-row lm-found" }, kindBadge(textParts(found.kind).text), h("span", { class: "lm-cut" }, oneLine(textParts(found.name).text)),
      h("span", { class: "lm-faint" }, many(found.documents.length, "document"))),
    documentsSection(view, found, more)];
  return [group(last), earlier.map((found) => {
    const holder = h("div", {}, h("button", {
      type: "button", class: "lm-button lm-quiet", onclick: () => fill(holder, group(found)),
    }, `Show ${many(found.documents.length, "document")} of ${oneLine(textParts(found.name).text, 60)}`));
    return holder;
  })];
}

function itemTitle(view, item) {
  const { head } = item;
  const name = oneLine(item.span_id ? textParts(item.span.name).text : head.name) || "(no name)";
  const facts = [
    [format.time(head.start), "start, UTC"],
    head.duration_s !== null && [format.ms(head.duration_s * 1000), "duration"],
    (head.cost_usd ?? null) !== null && [format.usd(head.cost_usd), "cost"],
    head.user_id && [oneLine(head.user_id, 40), "user"],
    item.span.model && [oneLine(textParts(item.span.model).text, 40), "model"],
  ].filter(Boolean);
  const path = item.path.slice(0, -1).map((part) => oneLine(textParts(part).text, 40)).join(" › ");
  return [
    h("div", { class: "lm-row" },
      item.span_id ? kindBadge(textParts(item.span.kind).text) : null, h("b", { class: "lm-cut lm-title", title: name }, name),
      head.feature && oneLine(head.feature) !== name && h("span", { class: "lm-tag" }, oneLine(head.feature, 40)),
      head.n_errors > 0 && h("span", { class: "lm-status lm-error" }, icon("error"), many(head.n_errors, "error")),
      h("span", { class: "lm-grow" }),
      copyButton(view.root, () => (item.span_id ? `trace_id=${item.trace_id} span_id=${item.span_id}` : item.trace_id), "Copy the id")),
    h("div", { class: "lm-facts lm-muted" }, facts.map(([text, title]) => h("span", { title }, text)),
      item.span_id && path ? h("span", { class: "lm-cut", title: path }, `in ${path}`) : null)];
}
