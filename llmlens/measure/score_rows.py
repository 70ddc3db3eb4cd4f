"""Scores as numbers: a row a judgement, with the kind it is of, what was judged, and the groups that is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.ordering import earliest

from .grouping import marked, trace_groups

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.traces import Traces


def score_rows(traces: Traces, by: list[str], every: str | None) -> tuple[pd.DataFrame, str]:
    """Give the scores that can be counted: unit, start, name, source, kind, value, label and the groups (marked).

    `unit` is the trace, or the session where a session was judged; a session is where its first trace is. `start` is
    the start of that trace: what is scored is how it behaved then, whenever it was scored. `kind` is numeric, boolean
    or categorical. Texts and corrections are not counted; a note says how many there are, or "".
    """
    groups = trace_groups(traces, by, every)
    scores = traces.table("scores")
    first = groups.filter(groups.session_id.notnull()).group_by("session_id")
    first = first.agg(first_trace=earliest(groups.trace_id, groups.start, groups.trace_id))
    judged = scores.left_join(first, "session_id")
    judged = judged.mutate(of_trace=judged.trace_id.coalesce(judged.first_trace))
    judged = judged.mutate(unit=judged.trace_id.coalesce("session " + judged.session_id))
    judged = judged.select("score_id", "unit", "of_trace", "name", "source", "value", "label", "data_type")
    joined = judged.left_join(groups.rename(of_trace="trace_id").drop("session_id"), "of_trace")
    keys = marked(by, every)
    rows = traces.fetch(
        joined.select("unit", "start", "name", "source", "value", "label", "data_type", *keys).order_by(
            ["start", "unit", "name"]
        )
    )
    rows = with_kinds(rows)
    usable = rows["usable"] & rows["name"].notna()
    n = int((~usable).sum())
    note = f"{n:,} of {len(rows):,} scores are texts or have no name or value: not counted." if n else ""
    return rows[usable].drop(columns=["data_type", "usable"]), note


def with_kinds(scores: pd.DataFrame) -> pd.DataFrame:
    """Add the `kind` each score is of (numeric, boolean or categorical) and whether it is `usable`: it can be counted.

    Texts and corrections are not, nor is a score without value and label.
    """
    labelled = scores["label"].notna() & ((scores["data_type"] == "categorical") | scores["value"].isna())
    kind = np.where(labelled, "categorical", np.where(scores["data_type"] == "boolean", "boolean", "numeric"))
    silent = scores["data_type"].isin(["text", "correction"]).astype(bool)
    usable = ~silent & (labelled | scores["value"].notna()).astype(bool)
    return scores.assign(kind=kind, usable=usable.astype(bool)).astype({"kind": "str"})


def averaged(rows: pd.DataFrame, keys: list[str], columns: list[str]) -> pd.DataFrame:
    """Average the judgements of one unit, so that what was judged often counts once; `keys` tell judgements apart."""
    values = rows[[*keys, "unit", *columns]].astype(dict.fromkeys(columns, float))
    return values.groupby([*keys, "unit"], dropna=False, sort=False)[columns].mean().reset_index()
