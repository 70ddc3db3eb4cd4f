"""In which order to label: what was scored lowest, at random, where scores disagree, or by a column."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from llmlens.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    Key: TypeAlias = "Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], pd.Series[float]]"

_ID = ["trace_id", "span_id"]


def in_order(
    items: pd.DataFrame, scores: pd.DataFrame, order: str, *, names: Sequence[str] = (), seed: int = 0
) -> pd.DataFrame:
    """Sort items (`trace_id`, `span_id`, `start` and other columns), what has nothing to sort by last.

    `scores` are rows of the table of that name; those called like one of `names` count alone where there are any.
    `order` is "lowest", "disagreement", "random" or a column, with a "-" before it for the largest first. Equal items
    are in order of their start. Raises `UnknownNameError` for another order.
    """
    column = order.removeprefix("-")
    if order == "random":
        ids = items["trace_id"] + ":" + items["span_id"].fillna("") + f":{seed}"
        keys = ids.map(lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())
    elif order in KEYS:
        keys = KEYS[order](items, scores, names)
    elif column in items.columns:
        keys = items[column]
    else:
        what = "order"
        raise unknown(what, order, [*KEYS, "random", *items.columns])
    ascending = order != "disagreement" and not order.startswith("-")
    by = ["_key", *(name for name in ("start", *_ID) if name != column)]
    keyed = items.assign(_key=keys)
    ways = [ascending, *(True for _ in by[1:])]
    return keyed.sort_values(by, ascending=ways, na_position="last", ignore_index=True).drop(columns="_key")


def _lowest(items: pd.DataFrame, scores: pd.DataFrame, names: Sequence[str]) -> pd.Series[float]:
    """Give the lowest score of each item, each as its rank among those of its name: scales differ."""
    scores = _asked(scores.dropna(subset=["value"]), names)
    ranked = scores.assign(rank=scores.groupby("name")["value"].rank(pct=True))
    return _of_items(items, ranked, "rank", "min")


def _disagreement(items: pd.DataFrame, scores: pd.DataFrame, names: Sequence[str]) -> pd.Series[float]:
    """Give how far the scores of one name of an item are apart: 0 not at all, 1 by all the range there is.

    Labels without a number are apart by 1 when they differ.
    """
    import pandas as pd

    scores = _asked(scores, names)
    limits = scores.groupby("name")["value"].agg(["min", "max"])
    width = (limits["max"] - limits["min"]).where(lambda found: found > 0, 1.0)
    by = _id_of(items)
    numbers = scores.assign(value=scores["value"] / scores["name"].map(width)).groupby([*by, "name"])["value"]
    texts = scores[scores["value"].isna()].groupby([*by, "name"])["label"]
    spread = [numbers.max() - numbers.min(), (texts.max() != texts.min()).astype(float)]
    apart = pd.concat(spread).rename("apart").reset_index()
    return _of_items(items, apart, "apart", "max").fillna(0.0)


def _asked(scores: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    asked = scores[scores["name"].isin(list(names))]
    return scores if asked.empty else asked


def _of_items(items: pd.DataFrame, scores: pd.DataFrame, column: str, how: str) -> pd.Series[float]:
    """Bring the scores to the items."""
    by = _id_of(items)
    found = scores.groupby(by)[column].agg(how).reset_index()
    return items[by].merge(found, on=by, how="left")[column].set_axis(items.index)


def _id_of(items: pd.DataFrame) -> list[str]:
    """Give what tells an item's scores: a trace has those of its spans too, a span has only its own."""
    return _ID if items["span_id"].notna().any() else ["trace_id"]


#: How to find what to label first, from the scores that there are.
KEYS = {"lowest": _lowest, "disagreement": _disagreement}
