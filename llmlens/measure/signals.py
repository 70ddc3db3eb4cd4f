"""What users show of their content: thumbs, and what they do after an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.texts import text_table

from .asking import takes_traces
from .estimates import interval_dtypes, share_columns
from .follow_ups import SIGNALS, follow_ups
from .grouping import groups_in, marked, rows_of, trace_groups
from .interval_figures import intervals
from .shape import Result, columns_by, result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir
    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: Names of scores that are a user's thumb: 1 is up; 0 or -1 is down. Other names for it can be added.
THUMBS = {"thumbs", "thumb", "thumbs_up", "thumbs_down", "user_feedback", "feedback", "like", "user_thumbs"}
_DOWN = "thumbs_down"
_MEASURED = {"n": "Int64", "hits": "Int64", **interval_dtypes("rate")}
_SCORES = ["trace_id", "name", "value", "data_type", "source", "author", "created"]


@takes_traces
def signals(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Say how often users show that an answer was not what they needed.

    One row a group, bucket and `signal`, the columns of `by`, `period` (with `every`), `signal`, `n` (traces that could
    have had it), `hits` (that had it), `rate` with a 95 % interval (Wilson). The signals:

    - `thumbs_down`: of the traces with a thumb (scores named as in `llmlens.measure.signals.THUMBS`);
    - `regenerated`: the same question again in the session, in the same words or nearly so, within an hour;
    - `rephrased`: the next question within ten minutes shares much of its words;
    - `doubted`: the next message within ten minutes says so ("are you sure?", see `llmlens.phrases.DOUBTS`);
    - `abandoned`: of the last turns of sessions that are over: it failed, got a thumb down, or was itself such a
      reaction to the answer before.

    They are guesses by rules, good for a comparison of groups and times. `.beside["scores"]` has them by trace as
    scores for `traces.with_scores(...)`: 1 or 0, source `user` (thumbs) or `code`.

    `.notes` says what is missing: sessions, texts or thumbs. Raises `UnknownNameError` for a column, `SelectionError`
    for a period that does not exist.
    """
    names = columns_by(by, taken=("signal", *_MEASURED, "start", "end"))
    keys = marked(names, every)
    groups = trace_groups(traces, names, every)
    rollup = traces.table("traces").select("trace_id", "status")
    units = traces.fetch(groups.left_join(rollup, "trace_id").select(*groups.columns, "status"))
    thumbs, odd = _thumbs(traces)
    said = traces.fetch(_asked(traces))
    turns = units[units["session_id"].notna() & units["start"].notna()].merge(said, on="trace_id")
    unhappy = (turns["status"] == "error").to_numpy(dtype=bool) | (turns["trace_id"].map(thumbs) == 1).to_numpy(
        dtype=bool
    )
    shown = follow_ups(turns, unhappy, units["start"].max())
    told = units[["trace_id", "start", *keys]].merge(shown, on="trace_id", how="left")
    told[_DOWN] = told["trace_id"].map(thumbs).astype(float)
    rows = [
        {**key, "signal": signal, "n": int(values.count()), "hits": int(values.sum())}
        | share_columns("rate", float(values.sum()), int(values.count()))
        for key, members in groups_in(told, keys)
        for signal in (_DOWN, *SIGNALS)
        for values in [members[signal]]
    ]
    frame = rows_of(rows, units, keys, {"signal": "str", **_MEASURED})
    timeless = int(units["start"].isna().sum())
    notes = [
        "" if len(thumbs) else "No trace has a thumb.",
        f"{odd:,} scores of users are no thumbs (1, 0 or -1): left out." if odd else "",
        "" if units["session_id"].notna().any() else "No trace has a session: what follows on an answer is not known.",
        f"{timeless:,} of {len(units):,} traces have no time: what follows on their answers is not known."
        if timeless
        else "",
        "" if len(said) else "No trace says what the user asked.",
    ]
    return result(frame, _draw, notes, {"scores": _as_scores(told)})


def _asked(traces: Traces) -> ir.Table:
    """Give what the user asked in each trace: trace_id, text."""
    asked = traces._selection.made_once("asked_texts", lambda: text_table(traces, "input").select("trace_id", "text"))  # noqa: SLF001  # kept beside the tables it is made of
    return asked.select("trace_id", "text")


def _thumbs(traces: Traces) -> tuple[pd.Series[Any], int]:
    """Give 1 for each trace with a thumb down, 0 for one with thumbs up alone; and how many scores are no thumbs."""
    scores = traces.table("scores")
    name = scores.name.lower().replace("-", "_").replace(" ", "_")
    asked = scores.filter(scores.trace_id.notnull() & scores.value.notnull() & name.isin(sorted(THUMBS)))
    found = traces.fetch(asked.select("trace_id", "value", called=name))
    is_thumb = found["value"].isin([-1, 0, 1]).to_numpy(dtype=bool)
    kept = found[is_thumb]
    down = np.where(kept["called"] == _DOWN, kept["value"] == 1, kept["value"] != 1)
    return pd.Series(down.astype(float), index=kept["trace_id"]).groupby(level=0).max(), int((~is_thumb).sum())


def _as_scores(told: pd.DataFrame) -> pd.DataFrame:
    long = told.melt(["trace_id", "start"], [_DOWN, *SIGNALS], var_name="name", value_name="value")
    long = long[long["value"].notna()].rename(columns={"start": "created"})
    source = np.where(long["name"] == _DOWN, "user", "code")
    return long.assign(data_type="boolean", source=source, author="llmlens signals")[_SCORES].reset_index(drop=True)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    return intervals(frame[frame["rate"].notna()], "rate", names, title="Signals of users", unit="share")
