"""The one gate that everything passes on its way out: texts of a notebook and of its widgets, redacted in place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Outputs that are no text; what an SVG says is.
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
#: Numbers packed as base64 look like secrets, and are none: plotly's arrays, and those of our views.
_PACKED = ({"dtype", "bdata"}, {"type", "bytes"})
_CODE = ("esm", "css")


@runtime_checkable
class Redacts(Protocol):
    """What takes secrets and people out of texts."""

    def text(self, text: str) -> str:
        """Redact one text."""
        ...

    def value(self, value: Any) -> Any:
        """Redact the texts in a JSON value, keys included."""
        ...


def redact_notebook(notebook: Any, redactor: Redacts) -> None:
    """Redact sources, outputs and metadata of a notebook, in place."""
    notebook.metadata = _same(notebook.metadata, _value(notebook.metadata, redactor))
    for cell in notebook.cells:
        cell.source = redactor.text(cell.source)
        cell.metadata = _same(cell.metadata, _value(cell.metadata, redactor))
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = {kind: _data(kind, value, redactor) for kind, value in output["data"].items()}
            for key in ("text", "ename", "evalue"):
                if key in output:
                    output[key] = redactor.text(_whole(output[key]))
            if "traceback" in output:
                output["traceback"] = redactor.text("\n".join(map(str, output["traceback"]))).split("\n")


def redact_collected(collected: Mapping[str, Any], redactor: Redacts) -> dict[str, Any]:
    """Redact what was collected of widgets; their code stays as it is."""
    widgets = {}
    for model_id, copy in collected["widgets"].items():
        clean = {
            key: value if key in _CODE else _value(value, redactor) for key, value in copy.items() if key != "replies"
        }
        if "replies" in copy:
            clean["replies"] = [_reply(reply, redactor) for reply in copy["replies"]]
        widgets[model_id] = clean
    return {**collected, "widgets": widgets, "loaded": _value(collected["loaded"], redactor)}


def _reply(reply: Mapping[str, Any], redactor: Redacts) -> dict[str, Any]:
    result = reply["result"]
    if reply["kind"] == "figure" and isinstance(result, dict) and isinstance(result.get("figure"), str):
        figure = _value(json.loads(result["figure"]), redactor)  # a figure travels as JSON in a text
        result = {**result, "figure": json.dumps(figure, ensure_ascii=False, separators=(",", ":"))}
    else:
        result = _value(result, redactor)
    return {"kind": reply["kind"], "arguments": _value(reply["arguments"], redactor), "result": result}


def _data(kind: str, value: Any, redactor: Redacts) -> Any:
    if kind in _BINARY:
        return value
    if isinstance(value, (str, list)) and not kind.endswith("json"):
        return redactor.text(_whole(value))
    return _value(value, redactor)


def _value(value: Any, redactor: Redacts) -> Any:
    """Redact a JSON value, leaving packed numbers alone."""
    kept: list[Any] = []
    redacted = redactor.value(_without_packed(value, kept))
    return _with_packed(redacted, kept) if kept else redacted


def _without_packed(value: Any, kept: list[Any]) -> Any:
    if isinstance(value, dict):
        if any(names <= value.keys() and isinstance(value[max(names & {"bdata", "bytes"})], str) for names in _PACKED):
            kept.append(dict(value))
            return {"packed": len(kept) - 1, "shape": None}
        return {key: _without_packed(each, kept) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_packed(each, kept) for each in value]
    return value


def _with_packed(value: Any, kept: list[Any]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"packed", "shape"} and value["shape"] is None:
            return kept[value["packed"]]
        return {key: _with_packed(each, kept) for key, each in value.items()}
    return [_with_packed(each, kept) for each in value] if isinstance(value, list) else value


def _same(before: Any, after: Any) -> Any:
    return type(before)(after)


def _whole(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
