"""The tools that a model call was offered: where each convention says so, and the schema of their arguments."""

from __future__ import annotations

from typing import Any

import orjson

#: Attributes that hold the list of tools as JSON.
LISTS = ("gen_ai.tool.definitions", "gen_ai.request.tools", "ai.prompt.tools", "mlflow.chat.tools", "llm.tools")
_SCHEMAS = ("parameters", "input_schema", "inputSchema", "json_schema")


def definitions(listed: str) -> dict[str, dict[str, Any] | None]:
    """Read a list of tools, or one tool: name -> JSON schema of its arguments, None where there is none."""
    try:
        value = orjson.loads(listed)
    except orjson.JSONDecodeError:
        return {}
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
