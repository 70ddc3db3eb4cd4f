"""Columns <-> JSON: rows written as objects without a loop over them, objects in cells taken apart into columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from . import cells
from .aliases import aliases, squeeze
from .rows import column, dump

if TYPE_CHECKING:
    from collections.abc import Mapping

    Column = pd.Series[Any]

_DEPTH = 3
_MANY_KEYS = 300
_BREAKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROLS = {chr(code): f"\\u{code:04x}" for code in range(32)}


def objects(columns: Mapping[str, Column], length: int) -> Column:
    """Write each row as a JSON object; cells that are NA are left out."""
    if not columns:
        return pd.Series(["{}"] * length, dtype="str")
    parts = [pc.fill_null(_joined(f",{dump(name)}:", _json(values)), _scalar("")) for name, values in columns.items()]
    rows = pc.replace_substring(_joined("{", *parts, "}"), "{,", "{", max_replacements=1)
    return pd.Series(rows.to_pandas(), dtype="str")


def _scalar(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def _joined(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(
        *(_scalar(part) if isinstance(part, str) else part for part in parts), _scalar("")
    )


def _json(values: Column) -> pa.Array:
    if cells.is_json(values):
        return pa.array(values, pa.large_string(), from_pandas=True)
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_integer_dtype(values):
        return pa.array(values, from_pandas=True).cast(pa.large_string())
    if pd.api.types.is_float_dtype(values):
        finite = values.where(np.isfinite(values.astype("float64")))
        return pa.array(finite, pa.float64(), from_pandas=True).cast(pa.large_string())
    texts = pa.array(values.astype("str"), pa.large_string(), from_pandas=True)
    return _joined('"', _escaped(texts), '"')


def _escaped(texts: pa.Array) -> pa.Array:
    """Escape what JSON wants escaped."""
    for mark in ("\\", '"'):
        if _any(pc.match_substring(texts, mark)):
            texts = pc.replace_substring(texts, mark, "\\" + mark)
    for marks in (_BREAKS, _CONTROLS):
        if not _any(pc.match_substring_regex(texts, r"[\x00-\x1f]")):
            break
        for mark, escaped in marks.items():
            texts = pc.replace_substring(texts, mark, escaped)
    return texts


def _any(found: pa.Array) -> bool:
    return bool(pc.any(found).as_py())


def taken_apart(frame: pd.DataFrame) -> dict[str, Column]:
    """Make columns of what is inside containers such as `usage` or `metadata`: `usage.prompt_tokens`, ...

    Containers are named in aliases.toml; only three levels deep, and not where the keys are too many to be fields.
    """
    found: dict[str, Column] = {}
    for name in frame.columns:
        values = frame[name]
        if squeeze(name) not in aliases()["containers"] or not _holds_objects(values):
            continue
        inner: dict[str, list[Any]] = {}
        for row, cell in enumerate(values):
            parsed = cells.parse(cell) if isinstance(cell, str) and cell[:1] == "{" else None
            if isinstance(parsed, dict):
                for path, value in _leaves(parsed, name, _DEPTH):
                    if path not in inner:
                        inner[path] = [None] * len(values)
                    inner[path][row] = value
            if len(inner) > _MANY_KEYS:
                break
        else:
            found.update({path: column(items) for path, items in inner.items() if path not in frame.columns})
    return found


def _holds_objects(values: Column) -> bool:
    if not cells.is_json(values) and values.dtype != "str":
        return False
    given = values.dropna()
    return bool(len(given)) and bool(given.str.startswith("{").any())


def _leaves(value: Mapping[Any, Any], path: str, depth: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        where = f"{path}.{key}"
        if isinstance(item, dict) and item and depth > 1:
            found.extend(_leaves(item, where, depth - 1))
        elif item is not None:
            found.append((where, item))
    return found


def merged(own: Column, rest: Column, name: str) -> Column:
    """Put JSON objects of `own` and `rest` together; keys of `own` win. What is no object goes under `name`."""
    texts = cells.text(own)
    if not texts.notna().any():
        return rest
    together = []
    for mine, other in zip(texts, rest, strict=True):
        if not isinstance(mine, str):
            together.append(other)
            continue
        parsed = cells.parse(mine)
        base = orjson.loads(other)
        together.append(
            dump({**base, **parsed} if isinstance(parsed, dict) else {**base, name: mine if parsed is None else parsed})
        )
    return pd.Series(together, index=own.index, dtype="str")
