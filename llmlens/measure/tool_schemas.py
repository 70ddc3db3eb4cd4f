"""Whether the arguments of a tool call keep to the schema that the model was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens.read.contents.tool_definitions import LISTS, definitions

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.traces import Traces

_ID = ["trace_id", "span_id"]


def offered(traces: Traces) -> pd.DataFrame:
    """Give the lists of tools that model calls were offered, as they came: trace_id, span_id, tools."""
    import ibis

    spans = traces.table("spans")
    calls = spans.filter(spans.kind == "llm").select(*_ID)
    contents = traces.table("contents").select(*_ID, "attributes").semi_join(calls, _ID)
    held = contents.filter(contents.attributes.re_search("|".join(name.replace(".", r"\.") for name in LISTS)))
    texts = [held.attributes.cast("json")[f'"{name}"'].str for name in LISTS]
    found = held.select(*_ID, tools=ibis.coalesce(*texts))
    return traces.fetch(found.filter(found.tools.notnull()))


def judge(calls: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Say whether the tool of a call was offered (`known`), whether its arguments fit the schema (`fits`), and why not.

    NA where the list, or the schema, is not known. Each distinct (list, tool, arguments) is judged once.
    """
    joined = calls[["trace_id", "requested_by", "tool", "arguments"]].merge(
        lists.rename(columns={"span_id": "requested_by"}), on=["trace_id", "requested_by"], how="left"
    )
    distinct = joined[["tools", "tool", "arguments"]].drop_duplicates()
    read = {text: definitions(text) for text in distinct["tools"].dropna().unique()}
    checks: dict[tuple[str, str], Any] = {}
    rows = [
        _judged(tools, tool, given, read, checks) for tools, tool, given in distinct.itertuples(index=False, name=None)
    ]
    distinct["known"], distinct["fits"], distinct["why"] = zip(*rows, strict=True) if rows else ((), (), ())
    made = joined.merge(distinct, on=["tools", "tool", "arguments"], how="left")
    return (
        made[["known", "fits", "why"]]
        .astype({"known": "boolean", "fits": "boolean", "why": "str"})
        .set_index(calls.index)
    )


def _judged(
    tools: Any, tool: Any, given: Any, read: dict[str, Any], checks: dict[tuple[str, str], Any]
) -> tuple[bool | None, bool | None, str | None]:
    if not isinstance(tools, str) or not read[tools] or not isinstance(tool, str):
        return None, None, None
    if tool not in read[tools]:
        return False, None, f"there is no tool {tool!r}"
    schema = read[tools][tool]
    if schema is None or not isinstance(given, str):
        return True, None, None
    try:
        value = orjson.loads(given)
    except orjson.JSONDecodeError:
        return True, False, "the arguments are no JSON"
    if (tools, tool) not in checks:
        checks[tools, tool] = _validator(schema)
    check = checks[tools, tool]
    if check is None:
        return True, None, None
    try:
        wrong = next(check.iter_errors(value), None)
    except Exception:  # noqa: BLE001  # a schema of strangers can refer to what there is not
        return True, None, None
    return True, wrong is None, None if wrong is None else str(wrong.message)[:200]


def _validator(schema: dict[str, Any]) -> Any:
    """Make a validator that fetches nothing and runs no regular expression of strangers; None for what is no schema."""
    from jsonschema import Draft202012Validator, SchemaError, validators
    from referencing import Registry

    def nothing(*_: Any) -> tuple[()]:
        return ()

    careful = validators.extend(Draft202012Validator, {"pattern": nothing, "patternProperties": nothing})
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return None
    return careful(schema, registry=Registry())
