"""What traces are grouped by, and the rows of results: the columns of `by` and the period, then what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .shape import bucket
from .units import trace_units

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    import ibis.expr.types as ir

    from llmlens.traces import Traces

#: Columns to group by carry this until they are in a result, so that they are told from what is measured.
MARK = "by "
#: An embedding has a model too, but a trace is not told by it.
_OF_MODEL = ("provider", "model", "request_model")


def trace_groups(traces: Traces, names: list[str], every: str | None) -> ir.Table:
    """Give a row a trace: trace_id, session_id, start, and as marked columns the groups it is in.

    The groups are those of `trace_units`; the model of a trace is that of its chat calls. With `every` the last group
    is `period`, the beginning of the bucket that the trace started in.
    """
    import ibis

    spans = traces.table("spans")
    spans = spans.mutate({name: ibis.ifelse(spans.kind == "llm", spans[name], None) for name in _OF_MODEL})
    units = trace_units(spans, dict.fromkeys([*names, "session_id"]))
    groups = {MARK + name: units[name] for name in names}
    if every is not None:
        groups[MARK + "period"] = bucket(units.start, every)
    return units.select("trace_id", "session_id", "start", **groups)


def marked(names: list[str], every: str | None) -> list[str]:
    """Give what the columns of the groups are called in a frame of `trace_groups`."""
    return [MARK + name for name in (*names, *([] if every is None else ["period"]))]


def groups_in(frame: pd.DataFrame, keys: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Give the groups of a frame in their order, each with its keys; without keys all of it, even when empty."""
    if not keys:
        yield {}, frame
        return
    for values, rows in frame.groupby(keys, dropna=False, sort=True):
        yield dict(zip(keys, values, strict=True)), rows


def rows_of(
    rows: list[dict[str, Any]], like: pd.DataFrame, keys: list[str], columns: Mapping[str, str]
) -> pd.DataFrame:
    """Make the frame of a result: the keys with the dtypes they have in `like`, then `columns` by name and dtype."""
    made = pd.DataFrame(rows, columns=[*keys, *columns], dtype=object)  # else periods that are all NaT lose their zone
    types: dict[Hashable, Any] = {key: like[key].dtype for key in keys}
    return made.astype(types | dict(columns)).rename(columns={key: key.removeprefix(MARK) for key in keys})
