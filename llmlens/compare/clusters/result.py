"""The table of clusters: a row a group, the ones that changed most first, the outliers last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError, unknown
from llmlens.measure.shape import Result

from .grouping import OUTLIER
from .naming import OUTLIERS, names_of
from .picture import draw
from .shares import LEAST, share_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from llmlens.embed.encoder import Vectors

COLUMNS = (
    "cluster", "name", "n_before", "n_after", "share_before", "share_after", "difference", "low", "high", "p", "q",
    "main_slice", "examples",
)  # fmt: skip
_EXAMPLES = 3


class Clusters(Result):
    """A `Result` that also gives `members` (which output is in which cluster) and `notes`."""

    _metadata = ["_figure", "members", "notes"]  # noqa: RUF012  # the name and form that pandas asks for
    members: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    @property
    def _constructor(self) -> type[Clusters]:
        return Clusters

    def trace_ids(self, cluster: int | str) -> list[str]:
        """Give the traces of a cluster, by its number or its name: `traces.where(trace_id=found.trace_ids(3))`.

        Raises `UnknownNameError` when there is none, `SelectionError` for a frame that was made from a result.
        """
        if self.members is None:
            raise SelectionError("This frame was made from a result and does not know its members.")
        rows = self[(self["cluster"] == cluster) | (self["name"] == cluster)]
        if rows.empty:
            what = "cluster"
            raise unknown(what, str(cluster), [str(name) for name in self["name"]])
        inside = self.members["cluster"] == rows["cluster"].iloc[0]
        return [str(each) for each in self.members.loc[inside, "trace_id"].drop_duplicates()]


def clusters_of(
    rows: pd.DataFrame,
    labels: NDArray[np.int64],
    vectors: Vectors,
    after: NDArray[np.bool_],
    slices: Sequence[str],
    *,
    notes: Sequence[str] = (),
    seed: int = 0,
) -> Clusters:
    """Make the table of outputs that were grouped: `rows` has their trace_id, span_id and text, `labels` their groups.

    `after` says of which window each is, `slices` names the slice it belongs to.
    """
    texts = [str(text) for text in rows["text"]]
    frame = share_changes(labels, after)
    names = [*names_of(labels, texts, seed), OUTLIERS]  # the last is that of -1
    numbers = [int(cluster) for cluster in frame["cluster"]]
    frame["name"] = pd.array([names[number] for number in numbers], dtype="str")
    frame["main_slice"] = pd.array([_main(slices, labels == number) for number in numbers], dtype="str")
    frame["examples"] = pd.Series([_middle(rows, vectors, labels, number) for number in numbers], dtype=object)
    changed = frame["difference"].abs().fillna(0)
    ranked = frame.assign(last=frame["cluster"] == OUTLIER, p_=frame["p"].fillna(1), less=-changed)
    order = ranked.sort_values(["last", "p_", "less", "cluster"], kind="stable").index
    made = Clusters(frame.loc[order, list(COLUMNS)].reset_index(drop=True))
    told = [*notes]
    few = [f"{name}: {n}" for name, n in (("before", (~after).sum()), ("after", after.sum())) if n < LEAST]
    if few:
        told.append(f"Too few outputs to compare shares ({', '.join(few)}; at least {LEAST} are needed).")
    if len(rows) and not (labels != OUTLIER).any():
        told.append(f"No groups were found among {len(rows):,} outputs.")
    members = rows[["trace_id", "span_id"]].assign(cluster=labels, after=after)
    for name, value in (("_figure", draw), ("members", members.reset_index(drop=True)), ("notes", tuple(told))):
        object.__setattr__(made, name, value)
    return made


def _main(slices: Sequence[str], inside: NDArray[np.bool_]) -> str:
    """Name the slice that most of a group are of, with its share where it is not all."""
    counts = pd.Series(np.asarray(slices, dtype=object)[inside]).value_counts()
    if counts.empty:
        return ""
    share = counts.iloc[0] / counts.sum()
    return str(counts.index[0]) if share == 1 else f"{counts.index[0]} ({share:.0%})"


def _middle(rows: pd.DataFrame, vectors: Vectors, labels: NDArray[np.int64], number: int) -> list[str]:
    """Give the traces nearest to the middle of a group."""
    inside = np.flatnonzero(labels == number)
    held = np.nan_to_num(np.asarray(vectors[inside], dtype=float))
    far = np.linalg.norm(held - held.mean(axis=0), axis=1)
    ids = rows["trace_id"].iloc[inside[np.argsort(far, kind="stable")]]
    return [str(each) for each in ids.drop_duplicates().head(_EXAMPLES)]
