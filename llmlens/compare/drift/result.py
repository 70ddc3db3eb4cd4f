"""The table of a drift: a row for all outputs, one a slice, one for the mix; with the pairs and clusters behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.measure.shape import Result

if TYPE_CHECKING:
    from .verdict import Test

COLUMNS = (
    "slice", "statistic", "effect", "low", "high", "p", "q", "n_before", "n_after", "moved", "view", "detectable",
)  # fmt: skip
OVERALL, MIX = "overall", "mix"


class Drift(Result):
    """A `Result` that also gives `examples` (pairs of outputs), `clusters` (groups that moved) and `notes`."""

    _metadata = ["_figure", "_test", "notes"]  # noqa: RUF012  # the name and form that pandas asks for
    _test: Test | None = None
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[Drift]:
        return Drift

    @property
    def examples(self) -> pd.DataFrame:
        """Pairs of outputs before and after, with the same or the nearest prompt, of the slices that moved."""
        from .examples import examples

        if self._test is None:
            return examples_of_nothing()
        named = {name: number for number, name in enumerate(self._test.windows.names)}
        judged = self[self["slice"].isin(list(named)) & self["p"].notna()].sort_values("p", kind="stable")
        return examples(self._test, [named[name] for name in judged["slice"]])


def examples_of_nothing() -> pd.DataFrame:
    """Give the table of examples without a row."""
    from .examples import _COLUMNS

    return pd.DataFrame(columns=list(_COLUMNS))
