"""What an incident came with: versions that changed then, and what sets its worst traces apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.compare.explain import explain
from llmlens.compare.explain.attributes import OUTCOMES
from llmlens.compare.explain.figure import said

if TYPE_CHECKING:
    import numpy.typing as npt

    from llmlens.compare.versions import Versions
    from llmlens.traces import Traces

    from .change import Change

#: Versions count as near that came into use within this share of the whole time, or so many hours, if that is more.
_NEAR_SHARE, _NEAR_HOURS = 0.03, 4
#: Where nearly all traces of a stretch are affected, or nearly none, nothing sets them apart.
_FEW, _MOST = 0.04, 0.96
#: A condition is told where it is so much commoner among the affected than the others of the stretch, or in the stretch
#: than before: what only goes along with the time is told when it came with the change, not when it crept in.
_LEAST_DIFFERENCE, _NEARLY_ALL = 0.3, 0.8
#: So many versions are named.
_TOLD = 3


def affected(change: Change) -> npt.NDArray[np.bool_]:
    """Mark the traces of the stretch whose value is beyond what 95 % of the usual ones have, on the side it moved to.

    Where that is as far as values go, as with what is true or false, those that are there.
    """
    sign = 1 if change.after > change.before else -1
    values = sign * change.stream.numbers
    usual = np.quantile(values[change.stream.usual(change.inside)], 0.95)
    return change.inside & (values > usual if usual < values.max() else values >= usual)


def deployed_then(change: Change, deploys: Versions, length: pd.Timedelta) -> list[str]:
    """Name the versions that came into use about when the stretch began, those of its own slice, nearest first."""
    since = pd.Timestamp(change.since, tz="UTC")
    reach = max(length * _NEAR_SHARE, pd.Timedelta(hours=_NEAR_HOURS))
    told = []
    for row in deploys.to_dict("records"):
        distance = abs(row["onset"] - since)
        of_another = not pd.isna(row["feature"]) and change.stream.sign.slice == "feature"
        if distance <= reach and not (of_another and row["feature"] != change.stream.slice):
            of = "" if pd.isna(row["of"]) else f" of {row['of']}"
            told.append((distance, f"{row['column']} {row['after']}{of}"))
    return list(dict.fromkeys(words for _, words in sorted(told)))[:_TOLD]


def set_apart(change: Change, traces: Traces, usual: Traces | None, seed: int) -> str | None:
    """Say what the affected traces of the stretch have in common that the others of the stretch have not.

    Where that is nothing, as where all of them are affected: what the stretch has that was not there before.
    """
    hit = affected(change)
    if _FEW <= hit.sum() / max(change.inside.sum(), 1) <= _MOST:
        ours, others = (_marked(traces, change, which) for which in (hit, change.inside & ~hit))
        if found := _condition(ours, others, _LEAST_DIFFERENCE, seed):
            return "{said}: {selection:.0%} of the affected, {baseline:.0%} of the others".format(**found)
    before = _marked(traces if usual is None else usual, change, change.stream.usual(change.inside))
    found = _condition(_marked(traces, change, change.inside), before, _NEARLY_ALL, seed)
    return "{said}: {selection:.0%} then, {baseline:.0%} of the usual".format(**found) if found else None


def _marked(traces: Traces, change: Change, which: npt.NDArray[np.bool_]) -> Traces:
    return traces.where(trace_id=list(change.stream.trace_ids[which]))


def _condition(selection: Traces, baseline: Traces, least: float, seed: int) -> dict[str, Any] | None:
    """Give the first circumstance that explains, if it is commoner in the selection by at least so much."""
    for row in explain(selection, baseline, top=5, seed=seed).to_dict("records"):
        alone = row["explained_by"] is None and not _is_outcome(row["condition"])
        if alone and row["difference"] >= least:
            shares = {"selection": row["share_selection"], "baseline": row["share_baseline"]}
            return {"said": said(row["condition"]), **shares}
    return None


def _is_outcome(condition: dict[str, Any]) -> bool:
    return any(name in OUTCOMES for name in condition)
