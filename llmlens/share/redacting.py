"""The one gate that everything passes on its way out: a notebook, and what was collected of its widgets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .packed import is_packed
from .sanitising import sanitised
from .streams import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Outputs that are no text.
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
_PSEUDONYM = re.compile(r"<([A-Z][A-Z0-9_]*:[0-9a-f]+)>")


@runtime_checkable
class Redacts(Protocol):
    """What takes secrets and people out of texts; `llmlens.redaction.Redactor` does."""

    def text(self, text: str, where: str = "") -> str:
        """Redact one text."""
        ...

    def value(self, value: Any, where: str = "") -> Any:
        """Redact the texts in a JSON value, keys included."""
        ...

    def html(self, html: str, where: str = "") -> str:
        """Redact the texts in HTML."""
        ...


def redact_notebook(notebook: Any, redactor: Redacts) -> None:
    """Redact sources, outputs and metadata of a notebook, in place; HTML in it is sanitised on the way."""
    _update(notebook.metadata, _value(notebook.metadata, redactor, "metadata"))
    for cell in notebook.cells:
        words = cell.cell_type == "markdown"
        source = redactor.text(cell.source, "words" if words else "code")
        cell.source = _PSEUDONYM.sub(r"`\1`", source) if words else source
        _update(cell.metadata, _value(cell.metadata, redactor, "metadata"))
        for output in cell.get("outputs", []):
            _redact_output(output, redactor)


def _redact_output(output: Any, redactor: Redacts) -> None:
    if "data" in output:
        output["data"] = {kind: _data(kind, value, redactor) for kind, value in output["data"].items()}
    for key in ("text", "ename", "evalue"):
        if key in output:
            output[key] = redactor.text(whole(output[key]), "outputs")
    if "traceback" in output:
        output["traceback"] = redactor.text("\n".join(map(str, output["traceback"])), "outputs").split("\n")
    if "metadata" in output:
        _update(output["metadata"], _value(output["metadata"], redactor, "metadata"))


def _data(kind: str, value: Any, redactor: Redacts) -> Any:
    if kind in _BINARY:
        return value
    if kind == "text/html":
        return redactor.html(sanitised(whole(value)), "outputs")
    if kind == "image/svg+xml":
        return redactor.html(whole(value), "outputs")
    if isinstance(value, (str, list)) and not kind.endswith("json"):
        return redactor.text(whole(value), "outputs")
    return _labelled(value, redactor) if "plotly" in kind else _value(value, redactor, "outputs")


def redact_collected(collected: Mapping[str, Any], redactor: Redacts) -> dict[str, Any]:
    """Redact what was collected of widgets; their code stays as it is."""
    widgets = {model_id: _copy(copy, redactor) for model_id, copy in collected["widgets"].items()}
    return {**collected, "widgets": widgets, "loaded": _value(collected["loaded"], redactor, "head")}


def _copy(copy: Mapping[str, Any], redactor: Redacts) -> dict[str, Any]:
    clean = {**copy, "state": _value(copy["state"], redactor, "views")}
    if "replies" in copy:
        clean["replies"] = [_reply(reply, redactor) for reply in copy["replies"]]
        clean["html"] = redactor.html(sanitised(copy["html"]), "views")
    if copy.get("follows"):
        selections = [[_value(value, redactor, "views"), rows] for value, rows in copy["follows"]["selections"]]
        clean["follows"] = {**copy["follows"], "selections": selections}
    if "figure" in copy:
        clean["figure"] = _labelled(copy["figure"], redactor)
    return clean


def _reply(reply: Mapping[str, Any], redactor: Redacts) -> dict[str, Any]:
    result = reply["result"]
    if reply["kind"] == "figure" and isinstance(result, dict) and isinstance(result.get("figure"), str):
        figure = _labelled(json.loads(result["figure"]), redactor)  # a figure travels as JSON in a text
        result = {**result, "figure": json.dumps(figure, ensure_ascii=False, separators=(",", ":"))}
    else:
        result = _value(result, redactor, "views")
    return {"kind": reply["kind"], "arguments": _value(reply["arguments"], redactor, "views"), "result": result}


def _labelled(figure: Any, redactor: Redacts) -> Any:
    """Redact a plotly figure: its labels are read as HTML, in which a pseudonym would be a tag."""
    return _texts(_value(figure, redactor, "figures"), lambda text: _PSEUDONYM.sub(r"&#60;\1&#62;", text))


def _texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _texts(each, change) for key, each in value.items()}
    return [_texts(each, change) for each in value] if isinstance(value, list) else value


def _value(value: Any, redactor: Redacts, where: str) -> Any:
    """Redact a JSON value, leaving packed numbers alone."""
    kept: list[Any] = []
    redacted = redactor.value(_without_packed(value, kept), where)
    return _with_packed(redacted, kept) if kept else redacted


def _without_packed(value: Any, kept: list[Any]) -> Any:
    if isinstance(value, dict):
        if is_packed(value):
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


def _update(place: Any, values: Mapping[str, Any]) -> None:
    """Put other values into a part of a notebook."""
    place.clear()
    place.update(values)
