"""The keys of a JSON column, flattened, as columns of text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.store import Store

#: Keys are looked for in so many rows; of the keys that are there, so many are judged.
_LOOKED, _KEYS = 50_000, 200


@dataclass(frozen=True)
class Keys:
    """The keys of the JSON objects of a column; keys within objects are written `a.b`."""

    column: str
    keys: list[tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """Give each key a name of its own among columns."""
        return [f"{self.column}.{'.'.join(key)}" for key in self.keys]

    @property
    def sql(self) -> str:
        """Give SQL for the list of the texts at these keys; NULL for what is no object."""
        pointers = ", ".join("'" + _pointer(key).replace("'", "''") + "'" for key in self.keys)
        return f"CASE WHEN {self.column} LIKE '{{%' THEN TRY(json_extract_string({self.column}, [{pointers}])) END"


def find_keys(store: Store, spans: str, column: str, n_rows: int) -> tuple[Keys, list[str]]:
    """Find the keys of the JSON objects in `column` of the SQL `spans`, which gives `n_rows` rows, and notes."""
    found = store.arrow(f"""
        WITH looked AS MATERIALIZED (  -- or else all of them are parsed before some are taken
            SELECT {column} AS object FROM ({spans})
            WHERE {column} LIKE '{{%' AND hash(trace_id) % {-(-n_rows // _LOOKED)} = 0)
        SELECT json_group_structure(object::JSON) AS shape FROM looked WHERE json_valid(object)""")
    shape = json.loads(found.column("shape")[0].as_py() or "{}")
    keys = sorted(_leaves(shape)) if isinstance(shape, dict) else []  # threads find them in any order
    notes = []
    if n_rows > _LOOKED:
        notes.append(f"{column}: keys that only a few of the traces have may have been missed.")
    if len(keys) > _KEYS:
        notes.append(f"{column}: {_KEYS} of {len(keys)} keys were judged, the others not.")
    return Keys(column, keys[:_KEYS]), notes if keys else []


def _leaves(shape: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in shape.items():
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, (*above, key))
        else:
            yield (*above, key)


def _pointer(key: tuple[str, ...]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in key)
