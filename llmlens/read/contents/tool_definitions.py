"""The tools that a model call was offered: where each convention says so, and the schema of their arguments."""

from __future__ import annotations

import re
from typing import Any

import orjson

#: Attributes that hold the list of tools as JSON.
LISTS = ("gen_ai.tool.definitions", "gen_ai.request.tools", "ai.prompt.tools", "mlflow.chat.tools", "llm.tools")
#: Attributes with one tool each, or a part of one; of each kind: a key that is there when any is, and all such keys.
#: The first is OpenInference's, the second that of Traceloop's OpenLLMetry.
SINGLE = {
    "llm.tools.0.tool.json_schema": r"llm\.tools\.\d+\.tool\.json_schema",
    "llm.request.functions.0.name": r"llm\.request\.functions\.\d+\.(?:name|parameters)",
}
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "json_schema")


def definitions(listed: str) -> dict[str, dict[str, Any] | None]:
    """Read a list of tools, one tool, or attributes with one each: name -> JSON schema of its arguments, or None."""
    try:
        value = orjson.loads(listed)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(value, dict) and any(re.fullmatch("|".join(SINGLE.values()), key) for key in value):
        value = _gathered(value)
    found: dict[str, dict[str, Any] | None] = {}
    for given in value if isinstance(value, list) else [value]:
        tool = given
        if isinstance(tool, str):
            found |= definitions(tool)
            continue
        if isinstance(tool, dict) and isinstance(tool.get("function"), dict):
            tool = tool["function"]
        if isinstance(tool, dict) and isinstance(tool.get("name"), str):
            schema = next((tool[key] for key in _SCHEMAS if isinstance(tool.get(key), dict)), None)
            found[tool["name"]] = schema
    return found


def _gathered(attributes: dict[str, Any]) -> list[Any]:
    """Put attributes such as `llm.request.functions.0.name` together: a tool each."""
    tools: dict[tuple[str, str], Any] = {}
    for key, value in attributes.items():
        kind, number, part = re.fullmatch(r"(.*?)\.(\d+)\.(.*)", key).groups()  # type: ignore[union-attr]  # of SINGLE
        if part == "tool.json_schema":
            tools[kind, number] = value
        else:
            tools.setdefault((kind, number), {})[part] = _read(value) if part == "parameters" else value
    return list(tools.values())


def _read(value: Any) -> Any:
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return None
