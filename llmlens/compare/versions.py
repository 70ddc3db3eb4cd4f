"""`versions`: the deploys in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError
from llmlens.measure.shape import Result

from .deployed import DEPLOYED, Deployed, deployment_shares, deployments
from .deploys import deploys
from .selections import as_traces

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

    from llmlens.traces import Traces

_TEXTS = ["column", "of", "feature", "before", "after"]
_TIMES = ["since", "onset", "until", "last"]
_COUNTS = ["n_before", "n_after"]
_COLUMNS = ["column", "of", "feature", "before", "after", "onset", "until", "n_before", "n_after", "since", "last"]
_SEEN = ["column", "of", "feature", "version", "first", "last", "n", "share", "replaced"]
_TIME = "datetime64[us, UTC]"


class Versions(Result):
    """A row a change; `.selections(i)` gives the traces before and after it, `.seen` all versions."""

    _metadata = ["_figure", "_traces", "_seen"]  # noqa: RUF012  # the name and form that pandas asks for
    _traces: Traces | None = None
    _seen: pd.DataFrame | None = None

    @property
    def _constructor(self) -> type[Versions]:
        return Versions

    @property
    def seen(self) -> pd.DataFrame:
        """A row a version: when it was seen `first` and `last`, in `n` traces, their `share`, what it `replaced`."""
        if self._seen is None:
            raise SelectionError("This frame was made from versions by an operation that lost what was seen.")
        return self._seen

    def shares(self, every: str = "1D") -> pd.DataFrame:
        """Give the share of each version over time, in periods of `every`: a row a version and period.

        The columns are `column`, `group` (the service, prompt or feature), `version`, `period`, `n` traces and `share`
        of the traces of that group and period; a trace that used two versions counts for both.
        """
        traces = self._given()
        frames = [deployment_shares(traces, each, every).assign(column=each.column) for each in DEPLOYED]
        return pd.concat(frames, ignore_index=True)[["column", "group", "version", "period", "n", "share"]]

    def _given(self) -> Traces:
        if self._traces is None:
            raise SelectionError("This frame was made from versions by an operation that lost their traces.")
        return self._traces

    def selections(self, change: int = 0) -> tuple[Traces, Traces]:
        """Give the traces before and after a change, by its place in this frame: `ll.compare(*versions.selections(0))`.

        Before are the traces that used the former version while it was in use, after those of the new one; during a
        rollout each trace is where its version is. Strays are in neither. Where nothing was replaced, before are the
        traces of the same service, prompt or feature until then.

        Raises `SelectionError` for a change that there is not.
        """
        traces = self._given()
        if isinstance(change, bool) or not isinstance(change, int) or not -len(self) <= change < len(self):
            raise SelectionError(f"There is no change {change!r}: there are {len(self)}, counted from 0.")
        row: dict[str, Any] = {str(k): None if pd.isna(v) else v for k, v in self.iloc[change].items()}
        group = next(each.within for each in DEPLOYED if each.column == row["column"])
        within: dict[str, Any] = {group: row["feature"] if group == "feature" else row["of"]}
        former, new = ({**within, row["column"]: row[side]} for side in ("before", "after"))
        tick = pd.Timedelta("1us")
        after = traces.where(since=row["onset"], until=row["last"] + tick, **new)
        if row["before"] is None:
            return traces.where(until=row["onset"], **within), after
        until = None if row["until"] is None else row["until"] + tick
        return traces.where(since=row["since"], until=until, **former), after


@explains_arguments
def versions(traces: Traces) -> Versions:
    """Find the deploys in the data: where one version took the place of another, and when.

    Looked at are the columns of `llmlens.compare.deployed.DEPLOYED`: the release and the convention of each service,
    the version of each prompt, the model of each feature.

    One row a change, in order of time: `column` (what changed), `of` (the service or prompt), `feature` (where it is
    one), `before` (NA when the new version came beside the others), `after`, `onset` (first trace of the new
    version), `until` (last of the former one, the end of the rollout; NA while both go on), `n_before`, `n_after`
    (traces), `since` (the former version came into use), `last` (the new version was last used).

    A version is in use when it is seen more often than strays are, 1 in 100 traces; single stragglers, tests and
    retries begin and end nothing. A rollback is a change of its own. `.plot()` draws when each version was seen.

    >>> versions = ll.versions(traces)  # doctest: +SKIP
    >>> before, after = versions.selections(0)  # doctest: +SKIP
    """
    given = as_traces(traces, "versions", "traces")
    changes: list[dict[str, Any]] = []
    seen: list[dict[str, Any]] = []
    for deployed in DEPLOYED:
        for labels, used in _groups(given, deployed):
            found = deploys(used)
            changes += [{**labels, **{name: getattr(each, name) for name in _COLUMNS[3:]}} for each in found]
            seen += _seen_of(labels, used, {each.after: each.before for each in reversed(found)})
    frame = pd.DataFrame(changes, columns=_COLUMNS)
    dtypes = dict.fromkeys(_TEXTS, "str") | dict.fromkeys(_TIMES, _TIME) | dict.fromkeys(_COUNTS, "Int64")
    made = Versions(frame.astype(dtypes).sort_values(["onset", "column"], kind="stable", ignore_index=True))
    texts = dict.fromkeys(("column", "of", "feature", "version", "replaced"), "str")
    numbers = {"first": _TIME, "last": _TIME, "n": "Int64", "share": "Float64"}
    all_seen = pd.DataFrame(seen, columns=_SEEN).astype(texts | numbers)
    for attribute, value in (("_figure", _draw), ("_traces", given), ("_seen", all_seen)):
        object.__setattr__(made, attribute, value)
    return made


def _groups(traces: Traces, deployed: Deployed) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Give each service, prompt or feature with what it used."""
    used = deployments(traces, deployed)
    for group, rows in used.groupby("group", sort=True, dropna=False):
        features = rows["feature"].dropna().unique()
        of_feature = deployed.within == "feature"
        feature = group if of_feature else features[0] if len(features) == 1 else None
        yield {"column": deployed.column, "of": None if of_feature else group, "feature": feature}, rows


def _seen_of(labels: dict[str, Any], used: pd.DataFrame, replaced: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    n_traces = used["trace_id"].nunique()
    for version, starts in used.groupby("version", sort=False)["start"]:
        yield {
            **labels,
            "version": version,
            "first": starts.min(),
            "last": starts.max(),
            "n": len(starts),
            "share": len(starts) / n_traces,
            "replaced": replaced.get(str(version)),
        }


def _draw(frame: pd.DataFrame) -> go.Figure:
    from .timeline import timeline

    return timeline(frame)
