"""Columns that are judgements, and the rows of the `scores` table they make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.errors import unknown
from llmlens.schema import SCORES

from . import cells
from .aliases import aliases, find, squeeze, words
from .rows import dump
from .tidy_frames import empty, tidy

if TYPE_CHECKING:
    Column = pd.Series[Any]

_LONG_LABEL = 64


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """The columns that make up one score: `value` (a number, truth or category), `label`, `comment`."""

    name: str
    value: str
    label: str | None = None
    comment: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made of."""
        return tuple(s for s in (self.value, self.label, self.comment) if s is not None)


def given_scores(scores: Mapping[str, str] | list[str] | None, headers: Mapping[str, Any]) -> list[ScoreColumns]:
    """Find the columns that the user names as scores; raises `UnknownNameError` for one that is not there."""
    named = scores if isinstance(scores, Mapping) else {name: name for name in scores or ()}
    found = []
    for name, header in named.items():
        source = find(headers, header)
        if source is None:
            what = f"column (given for the score {name!r}):"
            raise unknown(what, header, headers)
        found.append(ScoreColumns(name, source))
    return found


def score_columns(samples: Mapping[str, Column]) -> Iterator[ScoreColumns]:
    """Find the columns that are judgements, by name and by what is in them."""
    known = aliases()["scores"]
    groups: dict[str, dict[str, str]] = {}
    for header in samples:
        base, _, last = _snake(header).rpartition("_")
        if base and last in known["group"]:
            groups.setdefault(base, {})[last] = header
    in_group = set()
    for base, parts in groups.items():
        if len(parts) > 1 and ("score" in parts or "passed" in parts):
            value = parts.get("score") or parts["passed"]
            label = parts.get("label") or (parts.get("passed") if "score" in parts else None)
            yield ScoreColumns(base, value, label, parts.get("details"))
            in_group |= set(parts.values())
    for header, values in samples.items():
        parts_of = words(header)
        named = bool(parts_of) and (
            squeeze(header) in known["names"]
            or parts_of[-1] in known["suffixes"]
            or (parts_of[0] in known["prefixes"] and len(parts_of) > 1)
        )
        if named and header not in in_group and values.notna().any() and not cells.is_json(values):
            inside = any(header.lower().startswith(f"{prefix}.") for prefix in known["prefixes"])
            yield ScoreColumns(header.partition(".")[2] if inside else header, header)


def _snake(header: str) -> str:
    """Spell a header in snake_case."""
    return "_".join(words(header))


def score_rows(
    scores: tuple[ScoreColumns, ...], samples: Mapping[str, Column], spans: pd.DataFrame, *, whole_trace: bool
) -> pd.DataFrame:
    """Make the `scores` table: a row for each cell that judges. `whole_trace`: a trace repeats its scores on all rows.

    Ids are made of the trace, the span and the name, so that reading again makes the same ones.
    """
    found = [_rows(score, samples, spans, whole_trace=whole_trace) for score in scores]
    found = [table for table in found if len(table)]
    return pd.concat(found, ignore_index=True) if found else empty(SCORES)


def _rows(
    score: ScoreColumns, samples: Mapping[str, Column], spans: pd.DataFrame, *, whole_trace: bool
) -> pd.DataFrame:
    nothing = cells.blank(spans)
    values = samples.get(score.value, nothing)
    number, _ = cells.number(values)
    truth = cells.truth(values)
    label = cells.label(values).where(number.isna())
    if score.label is not None and score.label in samples:
        label = cells.label(samples[score.label]).fillna(label)
    comment = None if score.comment is None else samples.get(score.comment)
    long = label.str.len().gt(_LONG_LABEL).fillna(value=False)
    data_type = long.map({True: "text", False: "categorical"}).astype("str")
    columns = {
        "trace_id": spans["trace_id"],
        "span_id": nothing if whole_trace else spans["span_id"],
        "name": pd.Series(score.name, index=spans.index, dtype="str"),
        "value": number.fillna(truth),
        "label": label,
        "data_type": data_type.mask(truth.notna(), "boolean").mask(number.notna(), "numeric"),
        "comment": nothing if comment is None else cells.text(comment),
    }
    table = tidy(SCORES, columns, spans.index)
    table = table[table["value"].notna() | table["label"].notna()]
    if whole_trace:
        table = table.drop_duplicates("trace_id")
    keys = zip(table["trace_id"], table["span_id"].where(table["span_id"].notna(), ""), strict=True)
    ids = [
        hashlib.blake2b(dump([trace, span, score.name]).encode(), digest_size=16).hexdigest() for trace, span in keys
    ]
    return table.assign(score_id=pd.Series(ids, index=table.index, dtype="str"))
