"""The items that were not judged alike."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


_ITEM = ["trace_id", "span_id", "session_id"]


def disagreements(table: pd.DataFrame, rated: pd.DataFrame, by: str, *, nominal: bool) -> pd.DataFrame:
    """Give the items where raters differ, the most disputed first, with the value of each rater.

    `table` has items as rows and raters as columns; `rated` the judgements themselves. `disagreement` is, over all
    pairs of ratings, the share that differ (nominal), or else the mean difference.
    """
    ratings = table.to_numpy()
    apart, pairs = np.zeros(len(ratings)), np.zeros(len(ratings))
    for one, other in combinations(ratings.T, 2):
        both = ~np.isnan(one) & ~np.isnan(other)
        gap = np.where(both, one != other if nominal else np.abs(one - other), 0)
        apart, pairs = apart + gap, pairs + both
    counts = (~np.isnan(ratings)).sum(axis=1)
    said = rated.assign(said=rated["label"].where(rated["label"].notna(), rated["value"].astype(object)))
    if (rated["data_type"] == "boolean").all():
        said["said"] = said["said"].map(bool).astype(object)
    values = said.set_index([*_ITEM, by])["said"].unstack(by)  # noqa: PD010  # items by raters are meant
    taken = {*_ITEM, "n", "disagreement"}
    values = values.rename(columns={rater: f"{rater} ({by})" for rater in values.columns if rater in taken})
    values.insert(0, "disagreement", apart / np.maximum(pairs, 1))
    values.insert(0, "n", counts)
    disputed = values[apart > 0].rename_axis(columns=None).reset_index()
    return disputed.sort_values(
        ["disagreement", "n", *_ITEM], ascending=[False, False, True, True, True], ignore_index=True
    )
