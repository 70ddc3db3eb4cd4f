"""Which versions traces used: the columns that tell one, and within what one version replaces another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmlens.measure.shape import bucket
from llmlens.schema import USAGE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces


@dataclass(frozen=True, slots=True)
class Deployed:
    """A column that tells a version, and the column within whose values one version replaces another."""

    column: str
    within: str


#: What `versions` looks at. Append your own, such as `Deployed("agent_name", "feature")`.
DEPLOYED: list[Deployed] = [
    Deployed("release", "service"),
    Deployed("prompt_version", "prompt_name"),
    Deployed("prompt_name", "feature"),
    Deployed("model", "feature"),
    Deployed("convention", "service"),
]


def deployments(traces: Traces, deployed: Deployed) -> pd.DataFrame:
    """Give a row a trace and version it used, in order of time: `group`, `version`, `trace_id`, `start`, `feature`.

    `start` is that of the trace. A version counts once a trace, however often it was tried again. Models are those
    of model calls; traces without a start, and spans that do not tell the version, are left out.
    """
    return traces.fetch(_used(traces, deployed).order_by(["start", "trace_id", "version"]))


def deployment_shares(traces: Traces, deployed: Deployed, every: str) -> pd.DataFrame:
    """Give the traces of each version over time: `group`, `version`, `period`, `n`, and `share` of its group then."""
    used = _used(traces, deployed)
    used = used.mutate(period=bucket(used.start, every))
    counted = used.group_by(["group", "version", "period"]).agg(n=used.count())
    of_group = used.group_by(["group", "period"]).agg(of=used.trace_id.nunique())
    same = [counted.group.identical_to(of_group.group), counted.period == of_group.period]
    both = counted.join(of_group, same)
    columns = both.select(both.group, both.version, both.period, both.n, share=both.n / both.of)
    return traces.fetch(columns.order_by(["group", "period", "version"]))


def _used(traces: Traces, deployed: Deployed) -> ir.Table:
    spans = traces.table("spans")
    used = spans.filter(spans[deployed.column].notnull())
    if deployed.column == "model":
        used = used.filter(used.kind.isin(USAGE_KINDS))
    named = used.select("trace_id", "feature", group=used[deployed.within], version=used[deployed.column])
    once = named.group_by(["trace_id", "group", "version"]).agg(feature=named.feature.min())
    started = spans.group_by("trace_id").agg(start=spans.start.min())
    joined = once.inner_join(started.filter(started.start.notnull()), "trace_id")
    return joined.select("group", "version", "trace_id", "start", "feature")
