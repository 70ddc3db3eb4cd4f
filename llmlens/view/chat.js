// Messages as a chat: who said what, tool calls with their arguments beside their results.

const ROLE_TEXT = { system: "System", developer: "Developer", user: "User", assistant: "Assistant", tool: "Tool result", function: "Tool result" };
const SYSTEM_FOLD = 280;

function chatSection(view, detail, more) {
  const calls = new Map(detail.tool_calls.filter((c) => c.call_id).map((c) => [c.call_id, c]));
  const answered = new Map();
  for (const m of detail.messages) if (m.tool_call_id && ["tool", "function"].includes(m.role)) answered.set(m.tool_call_id, m);
  const inputs = detail.messages.filter((m) => m.direction !== "output");
  const outputs = detail.messages.filter((m) => m.direction === "output");
  const asked = detail.tool_calls.filter((c) => c.requested_by === detail.span.span_id && !answered.has(c.call_id));
  const bubble = (message) => {
    const role = String(message.role || "message").toLowerCase();
    const call = calls.get(message.tool_call_id);
    const quiet = role === "system" || role === "developer";
    const title = ROLE_TEXT[role] || oneLine(role, 40);
    const text = textParts(message.content);
    return h("div", { class: "lm-message", "data-role": role in ROLE_TEXT ? role : "other", "data-direction": message.direction },
      h("div", { class: "lm-row lm-message-head" }, h("b", {}, title),
        message.name && h("span", { class: "lm-muted lm-cut" }, oneLine(message.name, 80)),
        call?.tool && h("span", { class: "lm-mono lm-cut" }, oneLine(call.tool, 80)),
        h("span", { class: "lm-grow" }), text.total > 200 && h("span", { class: "lm-faint lm-tiny" }, `${format.full(text.total)} chars`),
        copyButton(view.root, () => wholeText(message.content, more), "Copy this message")),
      call?.arguments && answered.has(call.call_id) && h("div", { class: "lm-arguments" }, foldedText(view, call.arguments, { more, limit: 400 })),
      text.total ? foldedText(view, message.content, { more, limit: quiet ? SYSTEM_FOLD : FOLD }) : h("div", { class: "lm-muted" }, "(no text)"));
  };
  return h("div", { class: "lm-chat" },
    inputs.map(bubble),
    outputs.length || asked.length ? h("div", { class: "lm-break" }, h("span", {}, "Output")) : null,
    outputs.filter((m) => textParts(m.content).total || !asked.length).map(bubble),
    asked.map((call) => toolCard(view, call, more, "asks for")));
}

// One tool call: its name, arguments and result.
function toolCard(view, call, more, verb) {
  return h("div", { class: "lm-card", "data-failed": call.status === "error" ? "own" : null },
    h("div", { class: "lm-row lm-card-head" }, kindBadge("tool"), verb && h("span", { class: "lm-muted" }, verb), h("b", { class: "lm-mono lm-cut" }, oneLine(call.tool) || "(no name)"),
      h("span", { class: "lm-grow" }), call.status === "error" && h("span", { class: "lm-error lm-tiny" }, "error"),
      call.call_id && h("span", { class: "lm-faint lm-mono lm-cut", title: oneLine(call.call_id) }, oneLine(call.call_id, 24))),
    call.arguments ? [h("div", { class: "lm-caption" }, "Arguments"), foldedText(view, call.arguments, { more })] : null,
    call.result !== null && call.result !== undefined ? [h("div", { class: "lm-caption" }, "Result"), foldedText(view, call.result, { more })] : null);
}
