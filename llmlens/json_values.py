"""What a JSON object holds under a key, as text; and the keys of the JSON of spans, by name (`metadata.tenant`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import SPANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

HOLDERS = tuple(column.name for column in SPANS.columns if column.dtype == "json")


def is_key(name: object) -> bool:
    """Say whether a name is that of a key: `metadata.tenant`, `params.temperature`.

    >>> is_key("metadata.tenant"), is_key("metadata"), is_key("feature")
    (True, False, False)
    """
    holder, _, key = name.partition(".") if isinstance(name, str) else ("", "", "")
    return bool(key) and holder in HOLDERS


def text_at(document: ir.StringValue, keys: Sequence[str]) -> ir.StringValue:
    """Give what is under `keys`, each within the one before; NA where there is none, or no valid JSON."""
    import ibis

    builtin = ibis.udf.scalar.builtin
    valid = builtin(lambda _: None, name="json_valid", signature=(("string",), "boolean"))
    extract = builtin(lambda _, __: None, name="json_extract_string", signature=(("string", "string"), "string"))
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
    found: ir.StringValue = ibis.ifelse(valid(document), extract(document, pointer), None)
    return found


def text_under(document: ir.StringValue, name: str) -> ir.StringValue:
    """Give what is under a name whose dots may be part of a key (`"http.route"`) or lead into an inner object."""
    whole, parts = text_at(document, [name]), name.split(".")
    return whole.coalesce(text_at(document, parts)) if len(parts) > 1 else whole
