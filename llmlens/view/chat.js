// Messages as a chat: who said what, tool calls with their arguments, and what came of them.

const ROLE_TEXT = {
  system: "System", developer: "Developer", user: "User", assistant: "Assistant", tool: "Tool result", function: "Tool result",
};
const QUIET_ROLES = new Set(["system", "developer"]);
const SYSTEM_FOLD = 280;
const LAST_SHOWN = 4;

function chatSection(view, detail, more) {
  const { messages } = detail;
  const calls = new Map();
  for (const call of [...messages.flatMap((m) => m.calls || []), ...detail.tool_calls]) if (call.call_id) calls.set(call.call_id, call);
  const inputs = messages.filter((m) => m.direction !== "output");
  const outputs = messages.filter((m) => m.direction === "output");
  const calling = detail.tool_calls.filter((call) => call.requested_by === detail.span.span_id);
  const bubble = (message) => messageBubble(view, message, calls, more);

  // A long history is folded: instructions, the last question and the latest messages matter.
  const latest = Math.max(0, inputs.length - LAST_SHOWN);
  const asked = inputs.findLastIndex((m) => m.role === "user");
  const opening = inputs.findIndex((m) => !QUIET_ROLES.has(m.role));
  const known = inputs.map((_, i) => opening < 0 || i < opening || i === asked || i >= latest || Boolean(view.needle));
  return h("div", { class: "lm-chat" },
    runs(known).map(([from, to]) => {
      const part = inputs.slice(from, to);
      if (known[from] || part.length <= 2) return part.map(bubble);
      const gap = h("div", { class: "lm-break" }, h("button", {
        type: "button", class: "lm-button lm-quiet", "data-earlier": part.length,
        onclick: () => gap.replaceWith(...part.map(bubble)),
      }, `Show ${part.length} earlier messages`));
      return gap;
    }),
    outputs.length || calling.length ? h("div", { class: "lm-break" }, "Output") : null,
    outputs.filter((m) => textParts(m.content).total || !calling.length).map(bubble),
    calling.map((call) => toolCard(view, call, more, "calls")));
}

// Where a list of flags changes, as [from, to) of each stretch of equal ones.
function runs(flags) {
  const starts = flags.map((_, i) => i).filter((i) => i === 0 || flags[i] !== flags[i - 1]);
  return starts.map((from, n) => [from, starts[n + 1] ?? flags.length]);
}

function messageBubble(view, message, calls, more) {
  const role = String(message.role || "message").toLowerCase();
  const { total } = textParts(message.content);
  const asks = message.direction === "output" ? [] : message.calls || [];
  const tool = message.name || calls.get(message.tool_call_id)?.tool;
  const known = Object.hasOwn(ROLE_TEXT, role);
  const limit = QUIET_ROLES.has(role) ? SYSTEM_FOLD : FOLD;
  return h("div", { class: "lm-message", "data-role": known ? role : "other", "data-direction": message.direction },
    h("div", { class: "lm-row lm-message-head" },
      h("b", {}, known ? ROLE_TEXT[role] : oneLine(role, 40)),
      tool && h("span", { class: "lm-mono lm-muted lm-cut" }, oneLine(tool, 80)),
      h("span", { class: "lm-grow" }),
      total > 200 && h("span", { class: "lm-faint lm-tiny" }, `${format.full(total)} characters`),
      total > 0 && copyButton(view.root, () => wholeText(message.content, more), "Copy this message")),
    total > 0 && foldedText(view, message.content, { more, limit }),
    total === 0 && !asks.length && h("div", { class: "lm-muted" }, "(no text)"),
    asks.map((call) => h("div", { class: "lm-arguments" },
      h("div", { class: "lm-row" }, h("span", { class: "lm-muted lm-tiny" }, "calls"),
        h("b", { class: "lm-mono lm-cut" }, oneLine(call.tool) || "(no name)")),
      call.arguments && foldedText(view, call.arguments, { more, limit: 400 }))));
}

// One tool call: its name, arguments and result.
function toolCard(view, call, more, verb) {
  const failed = call.status === "error";
  return h("div", { class: "lm-card", "data-failed": failed ? "own" : null },
    h("div", { class: "lm-row lm-card-head" },
      verb && h("span", { class: "lm-muted" }, verb), kindBadge("tool"),
      h("b", { class: "lm-mono lm-cut" }, oneLine(call.tool) || "(no name)"), h("span", { class: "lm-grow" }),
      failed && h("span", { class: "lm-error lm-row" }, icon("error"), "error"),
      call.call_id && h("span", { class: "lm-faint lm-mono lm-cut", title: oneLine(call.call_id) }, oneLine(call.call_id, 24))),
    call.arguments ? [h("div", { class: "lm-caption" }, "Arguments"), foldedText(view, call.arguments, { more })] : null,
    (call.result ?? null) !== null
      ? [h("div", { class: "lm-caption" }, "Result"), foldedText(view, call.result, { more })]
      : verb && h("div", { class: "lm-caption" },
        call.span_id ? "It gave no result." : "No span shows that it was carried out."));
}
