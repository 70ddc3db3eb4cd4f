// All attributes of a span and what else was attached, as one table that can be filtered.

const OWN_FIELDS = (
  "trace_id span_id parent_id session_id user_id service environment release feature agent_name request_model " +
  "finish_reason prompt_name prompt_version usage_source cost_source convention source"
).split(" ");

function attributesSection(view, detail, more, memory) {
  const groups = attributeGroups(detail);
  const table = h("div");
  const input = h("input", {
    class: "lm-input", type: "text", placeholder: "Filter keys and values", "aria-label": "Filter attributes",
    spellcheck: "false", autocomplete: "off", value: memory.attribute || null,
  });
  const draw = () => {
    memory.attribute = input.value;
    const needle = input.value.trim().toLowerCase();
    const fits = ([key, value]) => `${key}\n${textParts(value).text}`.toLowerCase().includes(needle);
    const shown = groups.map(([title, all]) => ({ title, all, rows: all.filter(fits) })).filter(({ rows }) => rows.length);
    fill(table, shown.length ? shown.map(({ title, all, rows }) => h("section", { class: "lm-block" },
      h("div", { class: "lm-block-head lm-row" }, h("b", {}, title),
        h("span", { class: "lm-faint lm-tiny" }, rows.length === all.length ? all.length : `${rows.length} of ${all.length}`)),
      pairs(view, rows, more, 300))) : notes("Nothing matches."));
  };
  input.addEventListener("input", draw);
  draw();
  return h("div", {}, h("div", { class: "lm-filter" }, input), table);
}

function attributeGroups(detail) {
  const { span } = detail;
  const own = OWN_FIELDS.filter((key) => (span[key] ?? null) !== null).map((key) => [key, span[key]]);
  if (span.tags?.length) own.push(["tags", span.tags.join(", ")]);
  const entries = (value) => {
    if (value && typeof value === "object" && !("clipped" in value)) return Object.entries(value);
    return value ? [["", value]] : [];
  };
  const links = Array.isArray(detail.links) ? detail.links : [];
  return [
    ["Span", own], ["Attributes", entries(detail.attributes)], ["Metadata", entries(detail.metadata)],
    ["Parameters", entries(detail.params)], ["Resource", entries(detail.resource)],
    ["Links", links.map((link) => [`span ${link?.span_id ?? ""}`, link?.trace_id ?? ""])],
  ];
}
