"""The table of a drift: a row for all outputs, one a slice, one for the mix; with the pairs and clusters behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.measure.shape import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

    from llmlens.compare.clusters.result import Clusters

    from .verdict import Test

COLUMNS = (
    "slice", "statistic", "effect", "low", "high", "p", "q", "n_before", "n_after", "moved", "view", "detectable",
)  # fmt: skip
OVERALL, MIX = "overall", "mix"
DAY_COLUMNS = ("period", "slice", "statistic", "effect", "low", "high", "p", "n_before", "n_after")
CHANGE_COLUMNS = ("slice", "onset", "low", "high", "seen", "p", "n_since", "moved")
PAIR_COLUMNS = (
    "slice", "same_prompt", "prompt_before", "output_before", "prompt_after", "output_after", "trace_before",
    "trace_after", "span_before", "span_after",
)  # fmt: skip


class Drift(Result):
    """A `Result` that also gives `examples` (pairs of outputs), `clusters` (groups that moved) and `notes`."""

    _metadata = ["_figure", "_test", "notes"]  # noqa: RUF012  # the name and form that pandas asks for
    _test: Test | None = None
    _clusters: Clusters | None = None
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[Drift]:
        return Drift

    @property
    def examples(self) -> pd.DataFrame:
        """Pairs of outputs before and after, with the same or the nearest prompt, of the slices that moved."""
        from .examples import examples

        if self._test is None:
            return pd.DataFrame(columns=list(PAIR_COLUMNS))
        named = {name: number for number, name in enumerate(self._test.windows.names)}
        judged = self[self["slice"].isin(list(named)) & self["p"].notna()].sort_values("p", kind="stable")
        return examples(self._test, [named[name] for name in judged["slice"]])

    @property
    def clusters(self) -> Clusters | None:
        """The groups of outputs, by their words or by the encoder that drift was given, and which grew and shrank.

        None where nothing was judged.
        """
        from llmlens.compare.clusters.clustering import clusters_in

        if self._clusters is None and self._test is not None:
            made = clusters_in(self._test.windows, vectors=self._test.vectors, seed=self._test.seed)
            object.__setattr__(self, "_clusters", made)
        return self._clusters


class DriftSeries(Result):
    """The same over days; `.changes` has the onsets, `.notes` what could not be judged."""

    _metadata = ["_figure", "_changes", "notes"]  # noqa: RUF012  # the name and form that pandas asks for
    _changes: Result | None = None
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[DriftSeries]:
        return DriftSeries

    @classmethod
    def of(
        cls, frame: pd.DataFrame, changes: pd.DataFrame, notes: list[str], figure: Callable[[pd.DataFrame], go.Figure]
    ) -> DriftSeries:
        """Make one of its rows and its changes."""
        typed = frame.astype(dict.fromkeys(("statistic", "effect", "low", "high", "p"), "Float64"))
        made = cls(typed.astype({"n_before": "Int64", "n_after": "Int64", "slice": "str"}))
        for name, value in (("_figure", figure), ("_changes", Result(changes)), ("notes", tuple(notes))):
            object.__setattr__(made, name, value)
        return made

    @property
    def changes(self) -> pd.DataFrame:
        """Since when, for all outputs and each slice that moved: the onset, its interval, when it was seen, what."""
        return pd.DataFrame(columns=list(CHANGE_COLUMNS)) if self._changes is None else self._changes
