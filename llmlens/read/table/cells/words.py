"""Cells -> the words of the schema, whatever a stranger calls them: kind, status, true and false."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.read.table.aliases import aliases
from llmlens.schema import KINDS

from .plain import label

if TYPE_CHECKING:
    from .plain import Column, Mask


def kind(values: Column) -> tuple[Column, Mask]:
    """Read kinds of spans; what no one knows is bad."""
    known = {**aliases()["kinds"], **{name: name for name in KINDS}}
    keys = _squeezed(values).str.replace(r"^(?:spankind|openinferencespankind)", "", regex=True)
    read = keys.map(known, na_action="ignore").astype("str")
    return read, keys.notna() & read.isna()


def status(values: Column) -> tuple[Column, Mask]:
    """Read ok, error or unset from words, truth values, HTTP codes and OpenTelemetry's 0, 1, 2."""
    known = {word: name for name, spelled in aliases()["statuses"].items() for word in spelled}
    keys = _squeezed(values).str.replace(r"^(?:statuscode|tracestate)", "", regex=True)
    read = keys.map(known, na_action="ignore").astype("str")
    codes = pd.to_numeric(keys.where(keys.str.fullmatch(r"\d{1,3}").fillna(value=False)), errors="coerce").astype(
        "Float64"
    )
    read = read.mask((codes.between(100, 399)).fillna(value=False), "ok").mask(
        (codes >= 400).fillna(value=False), "error"
    )
    if codes.notna().any() and codes.dropna().isin([0, 1, 2]).all() and (codes == 2).any():
        read = read.fillna(codes.map({0: "unset", 1: "ok", 2: "error"}).astype("str"))
    return read, keys.notna() & read.isna()


def truth(values: Column) -> Column:
    """Read true and false as 1 and 0 from bools and words such as "yes", "down" or a thumb; NA where it is neither."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("Float64")
    words = {
        "true": 1.0, "yes": 1.0, "up": 1.0, "thumbsup": 1.0, "thumbup": 1.0, "pass": 1.0, "passed": 1.0,
        "positive": 1.0, "good": 1.0, "like": 1.0,
        "false": 0.0, "no": 0.0, "down": 0.0, "thumbsdown": 0.0, "thumbdown": 0.0, "fail": 0.0, "failed": 0.0,
        "negative": 0.0, "bad": 0.0, "dislike": 0.0,
    }  # fmt: skip
    read = _squeezed(values).map(words, na_action="ignore").astype("Float64")
    cells = label(values)
    for thumb, value in (("👍", 1.0), ("👎", 0.0)):
        read = read.mask(cells.str.contains(thumb, regex=False).fillna(value=False), value)
    return read


def _squeezed(values: Column) -> Column:
    return label(values).str.lower().str.replace(r"[\W_]+", "", regex=True)
