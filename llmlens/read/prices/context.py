"""What a request asked for that changes its price: batch or priority processing, a service tier, a one-hour cache."""

from __future__ import annotations

import json

#: Key of a request's parameters -> the name that genai-prices has for it.
CONTEXT_KEYS: dict[str, str] = {
    "service_tier": "service_tier",
    "serviceTier": "service_tier",
    "processing_mode": "processing",
    "processing": "processing",
    "batch": "processing",
    "speed": "speed",
    "route": "route",
    "search_type": "search_type",
}
#: Values that ask for nothing special.
ORDINARY = frozenset({"", "default", "standard", "auto", "on_demand", "false", "0"})


def read_context(text: str | None) -> dict[str, str]:
    """Read what `context_sql` wrote into the context that genai-prices understands."""
    if not text:
        return {}
    context: dict[str, str] = {}
    params, _, column = text.partition("\n")
    values = json.loads(params) if params else []
    for key, raw in [("service_tier", column), *zip(CONTEXT_KEYS, values, strict=False)]:
        value = (raw or "").strip().lower()
        if value == "batch" or (key == "batch" and value in ("true", "1")):
            context["processing"] = "batch"
        elif value and key != "batch":
            context.setdefault(CONTEXT_KEYS[key], value)
    return context


def context_sql(columns: set[str]) -> str:
    """Give the SQL of a text that says which variant of the price a span asks for; NULL when there is nothing."""
    column = "s.service_tier" if "service_tier" in columns else None
    if "params" not in columns:
        return f"('' || chr(10) || nullif({column}, ''))" if column else "NULL::VARCHAR"
    paths = ", ".join(f"'$.{key}'" for key in CONTEXT_KEYS)
    params = f"""CASE WHEN regexp_matches(s.params, '"({"|".join(CONTEXT_KEYS)})"') THEN
        CASE WHEN json_valid(s.params) THEN to_json(json_extract_string(s.params, [{paths}]))::VARCHAR END END"""
    if not column:
        return f"({params})"
    return f"nullif(concat({params}, chr(10), nullif({column}, '')), chr(10))"


def cache_write_1h_sql(columns: set[str]) -> str:
    """Give the SQL of the tokens written to the one-hour cache; 0 when it is not said."""
    if "cache_write_1h_tokens" in columns:
        return "coalesce(s.cache_write_1h_tokens, 0)"
    if "params" not in columns:
        return "0"
    return """coalesce(CASE WHEN contains(s.params, '"cache_write_1h_tokens"') THEN CASE WHEN json_valid(s.params)
        THEN TRY_CAST(json_extract_string(s.params, '$.cache_write_1h_tokens') AS BIGINT) END END, 0)"""
