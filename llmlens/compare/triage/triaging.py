"""`triage`: what went wrong, since when, where, and which traces show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.compare.selections import as_traces, check_seed
from llmlens.compare.versions import versions
from llmlens.errors import SelectionError
from llmlens.statistics.multiple import benjamini_hochberg

from .change import change_of
from .circumstances import deployed_then, set_apart
from .findings import Findings, findings
from .incidents import incidents
from .streams import streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmlens.traces import Traces

    from .change import Change
    from .streams import Stream

_LEVEL = 0.05
#: Of more traces a sample is looked at.
_MOST_TRACES = 50_000
#: What came with an incident is looked for in so many of them, the worst.
_MOST_INCIDENTS = 6


@explains_arguments
def triage(traces: Traces, baseline: Traces | None = None, *, seed: int = 0) -> Findings:
    """Find what went wrong in a load of traces: what, since when, in which slice, how sure, and which traces show it.

    Follows some twenty signs in each slice over time (`llmlens.compare.triage.signs.SIGNS`: errors, latency, cost,
    agents, retrieval, the form of outputs, shares of the traffic; and every score): a value a trace, by feature, model
    or tool. The stretch that is least like the rest is found in each (see `llmlens.statistics.segments`), the daily
    rhythm taken out; or with `baseline`, traces of a usual time, the stretch of `traces` that is least like them.
    What is left after the Benjamini-Hochberg correction over all of them (q <= 0.05) and is large enough to matter (a
    share by 2 points, anything else by 10 %) is put together: changes of the same traces are one incident.

    One row an incident, first what got worse: `finding` (in words), `kind` (errors, latency, cost, agents, tools,
    retrieval, output, quality, traffic), `slice` (NA: without one), `worse` (whether anything of it did; NA where
    neither way is), `since` and `until` (NA: to the end), `before` and `after` (means), `low` and `high` (95 % interval
    of the difference; of the stretch as it was found, so rather too narrow), `q`, `n` (traces of the stretch), `also`
    (what else moved then), `came_with` (versions that came into use about then), `set_apart` (what the affected traces
    of the stretch have in common, else what nearly all of the stretch have and before it nearly none had; see
    `llmlens.explain`).

    `.traces(i)` are the affected traces of an incident, `.series(i)` is what it was seen in, `.plot()` draws the worst.
    `notes` says what was not looked at. It is where to begin, not a verdict: coincidence in time is no cause.

    Slices of fewer than 60 traces are not followed; of more than 50,000 traces a sample is. Raises `SelectionError` for
    what is no selection, or an empty one.
    """
    check_seed(seed)
    ours = as_traces(traces, "triage", "traces")
    usual = None if baseline is None else as_traces(baseline, "triage", "baseline")
    for name, each in (("traces", ours), ("baseline", usual)):
        if each is not None and not len(each):
            raise SelectionError(f"{name} is empty: nothing to look at.")
    notes = []
    if len(ours) > _MOST_TRACES:
        notes.append(f"{_MOST_TRACES:,} of {len(ours):,} traces were looked at, chosen at random.")
        ours = ours.sample(_MOST_TRACES, seed)
    followed = list(streams(ours, usual))
    changes = [change for change in (change_of(stream, seed) for stream in followed) if change is not None]
    q = benjamini_hochberg([change.p for change in changes])
    sure = [(change, float(each)) for change, each in zip(changes, q, strict=True) if each <= _LEVEL and change.matters]
    found = incidents(sure, followed, seed)
    notes.append(
        f"{len(followed):,} series were followed." if followed else "No slice has traces enough to be followed."
    )
    notes.append(_nameless(ours))
    if followed and not found:
        notes.append("Nothing changed beyond chance.")
    closely = [incident.change for incident in found[:_MOST_INCIDENTS]]
    came_with = _came_with(closely, ours, followed) if closely else []
    apart = [set_apart(change, ours, usual, seed) for change in closely]
    rest = len(found) - len(closely)
    return findings(found, ours, [*came_with, *([[]] * rest)], [*apart, *([None] * rest)], filter(None, notes))


def _nameless(traces: Traces) -> str:
    rollup = traces.table("traces")
    (told,) = traces.fetch_arrow(rollup.agg(n=rollup.count(), without=rollup.feature.isnull().sum())).to_pylist()
    how = 'll.read(..., feature="a column or an attribute") names one by which they are told apart'
    return f"{told['without']:,} of {told['n']:,} traces have no feature: {how}." if told["without"] else ""


def _came_with(closely: Sequence[Change], traces: Traces, followed: Sequence[Stream]) -> list[list[str]]:
    deploys = versions(traces)
    length = max(each.start.max() for each in followed) - min(each.start.min() for each in followed)
    return [deployed_then(change, deploys, pd.Timedelta(length)) for change in closely]
