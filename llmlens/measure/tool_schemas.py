"""Whether the arguments of a tool call keep to the schema that the model was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd

from llmlens.read.contents.tool_definitions import LISTS, SINGLE, definitions

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from llmlens.traces import Traces

_ID = ["trace_id", "span_id"]
#: A text in JSON.
_TEXT = r'"(?:[^"\\]|\\.)*"'


def offered(traces: Traces) -> ir.Table:
    """Give the lists of tools that model calls were offered: trace_id, span_id, tools (as it came), list (a number)."""
    return traces._selection.made_once("offered_tools", lambda: _read_offered(traces))  # noqa: SLF001  # kept beside the tables it is made of


def _read_offered(traces: Traces) -> ir.Table:
    import ibis

    extract_all = ibis.udf.scalar.builtin(
        lambda _, __: None, name="regexp_extract_all", signature=(("string", "string"), "array<string>")
    )
    spans = traces.table("spans")
    calls = spans.filter(spans.kind == "llm").select(*_ID)
    contents = traces.table("contents").select(*_ID, "attributes").semi_join(calls, _ID)
    texts = contents.attributes
    # Looking for the plain text first spares most calls the reading of their JSON.
    whole = [ibis.ifelse(texts.contains(f'"{name}"'), texts.cast("json")[f'"{name}"'].str, None) for name in LISTS]
    members = [
        ibis.ifelse(texts.contains(f'"{name}"'), extract_all(texts, f'"{keys}"\\s*:\\s*{_TEXT}'), None)
        for name, keys in SINGLE.items()
    ]
    found = contents.select(*_ID, tools=ibis.coalesce(*whole, *("{" + each.join(",") + "}" for each in members)))
    found = found.filter(found.tools.notnull())
    return found.mutate(list=found.tools.hash())


def judge(calls: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Say whether the tool of a call was offered (`known`), whether its arguments fit the schema (`fits`), and why not.

    `calls` have tool, arguments and `list`, the number of what was offered in `lists` (list, tools). NA where the list,
    or the schema, is not known. Each distinct (list, tool, arguments) is judged once.
    """
    keys = ["list", "tool", "arguments"]
    place = calls.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
    distinct = calls.iloc[np.unique(place, return_index=True)[1]][keys]
    read = {number: definitions(text) for number, text in lists[["list", "tools"]].itertuples(index=False, name=None)}
    checks: dict[tuple[int, str], Any] = {}
    rows = [
        _judged(number, tool, given, read, checks)
        for number, tool, given in distinct.itertuples(index=False, name=None)
    ]
    types = {"known": "boolean", "fits": "boolean", "why": "str"}
    judged = pd.DataFrame(rows, columns=[*types]).astype(types)
    return judged.iloc[place].set_index(calls.index)


def _judged(
    number: Any, tool: Any, given: Any, read: dict[int, Any], checks: dict[tuple[int, str], Any]
) -> tuple[bool | None, bool | None, str | None]:
    offered_tools = {} if pd.isna(number) else read[number]
    if not offered_tools or not isinstance(tool, str):
        return None, None, None
    if tool not in offered_tools:
        return False, None, f"there is no tool {tool!r}"
    schema = offered_tools[tool]
    if schema is None or not isinstance(given, str):
        return True, None, None
    try:
        value = orjson.loads(given)
    except orjson.JSONDecodeError:
        return True, False, "the arguments are no JSON"
    if (number, tool) not in checks:
        checks[number, tool] = _validator(schema)
    check = checks[number, tool]
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
