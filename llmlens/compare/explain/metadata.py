"""The keys of a JSON column, flattened, as columns of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.store import Store

#: Keys are looked for in so many rows; of the keys that are there, so many are judged.
_LOOKED, _KEYS = 100_000, 200


def flatten(store: Store, spans: str, column: str, n_rows: int, *, single: bool) -> tuple[pa.Table, list[str]]:
    """Give `trace_id` and a text column for each key of the JSON objects in `column`, and notes.

    `spans` is SQL that gives `n_rows` rows with a `trace_id`, each once if `single`; keys within objects are written
    `a.b`. What is no object is NA.
    """
    objects = f"""
        SELECT {"" if single else "DISTINCT"} trace_id, {column} AS object FROM ({spans}) WHERE {column} LIKE '{{%'
    """
    part = f"WHERE hash(trace_id) % {-(-n_rows // _LOOKED)} = 0 AND json_valid(object)"
    found = store.arrow(f"SELECT json_group_structure(object::JSON) AS shape FROM ({objects}) {part}")
    shape = json.loads(found.column("shape")[0].as_py() or "{}")
    keys = list(_leaves(shape)) if isinstance(shape, dict) else []
    notes = []
    if n_rows > _LOOKED:
        notes.append(f"{column}: keys that only a few of the traces have may have been missed.")
    if len(keys) > _KEYS:
        notes.append(f"{column}: {_KEYS} of {len(keys)} keys were judged, the others not.")
        keys = keys[:_KEYS]
    if not keys:
        return pa.table({"trace_id": pa.array([], pa.string())}), []
    pointers = ", ".join("'" + _pointer(key).replace("'", "''") + "'" for key in keys)
    held = f"SELECT trace_id, TRY(json_extract_string(object, [{pointers}])) AS held FROM ({objects})"
    cells = ", ".join(f"held[{place}]" for place in range(1, len(keys) + 1))
    rows = store.arrow(f"SELECT trace_id, {cells} FROM ({held})")
    return rows.rename_columns(["trace_id", *(f"{column}.{'.'.join(key)}" for key in keys)]), notes


def _leaves(shape: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in shape.items():
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, (*above, key))
        else:
            yield (*above, key)


def _pointer(key: tuple[str, ...]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in key)
