// The sort of a span as a coloured badge.

const KIND_LABELS = {
  llm: "LLM", embedding: "EMB", retriever: "RETR", reranker: "RANK", tool: "TOOL", agent: "AGENT", chain: "CHAIN",
  guardrail: "GUARD", evaluator: "EVAL", event: "EVENT", span: "SPAN",
};
const knownKind = (kind) => (Object.hasOwn(KIND_LABELS, kind) ? kind : "span");
const kindBadge = (kind) =>
  h("span", { class: "lm-kind", "data-kind": knownKind(kind), title: oneLine(kind) }, KIND_LABELS[knownKind(kind)]);
