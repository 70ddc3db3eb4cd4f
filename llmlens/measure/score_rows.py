"""Scores as numbers: a row a judgement, with the kind it is of, what was judged, and the groups that is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .grouping import marked, trace_groups

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.traces import Traces


def score_rows(traces: Traces, by: list[str], every: str | None) -> pd.DataFrame:
    """Give the scores that can be counted: unit, start, name, source, kind, value, label and the groups (marked).

    `unit` is the trace, or the session where a session was judged; a session is where its first trace is. `start` is
    the start of that trace: what is scored is how it behaved then, whenever it was scored. `kind` is numeric, boolean
    or categorical. Texts and corrections are not counted.
    """
    groups = trace_groups(traces, by, every)
    scores = traces.table("scores")
    first = groups.filter(groups.session_id.notnull()).group_by("session_id")
    first = first.agg(first_trace=groups.trace_id.argmin(groups.start))
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
    labelled = rows["label"].notna() & ((rows["data_type"] == "categorical") | rows["value"].isna())
    kind = np.where(labelled, "categorical", np.where(rows["data_type"] == "boolean", "boolean", "numeric"))
    silent = rows["data_type"].isin(["text", "correction"]).astype(bool)
    usable = ~silent & rows["name"].notna() & (labelled | rows["value"].notna()).astype(bool)
    return rows.assign(kind=kind).astype({"kind": "str"}).drop(columns="data_type")[usable.astype(bool)]


def averaged(rows: pd.DataFrame, keys: list[str], columns: list[str]) -> pd.DataFrame:
    """Average the judgements of one unit, so that what was judged often counts once; `keys` tell judgements apart."""
    values = rows[[*keys, "unit", *columns]].astype(dict.fromkeys(columns, float))
    return values.groupby([*keys, "unit"], dropna=False, sort=False)[columns].mean().reset_index()
