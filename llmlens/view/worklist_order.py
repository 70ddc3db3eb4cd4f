"""In which order to label: what was scored lowest, at random, where scores disagree, or by a column."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from llmlens.errors import unknown

from .annotation_item import judges

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    import pandas as pd

    from llmlens.label.annotation_queues import QueueItem
    from llmlens.label.event import Item
    from llmlens.traces import Traces

    Key: TypeAlias = "Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], pd.Series[float]]"

_ID = ["trace_id", "span_id"]
#: What is said of every item above its texts.
_HEAD = ("trace_id", "name", "feature", "user_id", "session_id", "start", "duration_s", "cost_usd")


def find_items(traces: Traces, per_item: str, order: str, *, judged: bool = True) -> pd.DataFrame:
    """Read the traces, or the spans, that there are to label, with the column to order them by.

    Without `judged`, what a judge did is left out: it would tell its verdict.
    """
    table = traces.table("traces" if per_item == "trace" else "spans")
    column = order.removeprefix("-")
    more = ["span_id", "parent_id", "kind", "model"] if per_item == "span" else ["n_errors"]
    names = dict.fromkeys([*_HEAD, *more, *([column] if column in table.columns else [])])
    frame = traces.fetch(table.select(*names))
    if per_item == "trace":
        return frame.assign(span_id=None)
    if not judged:
        whole = frame.assign(**{name: frame["trace_id"] + ":" + frame[name] for name in ("span_id", "parent_id")})
        frame = frame[~judges(whole)]
    return frame


def wanted_items(traces: Traces, queued: Iterable[QueueItem]) -> set[Item]:
    """Give the items of an annotation queue as they are labelled here: traces, and spans of these traces."""
    objects = {(each.object_type, each.object_id) for each in queued}
    wanted: set[Item] = {(object_id, None, None) for kind, object_id in objects if kind == "TRACE"}
    span_ids = sorted(object_id for kind, object_id in objects if kind == "OBSERVATION")
    if span_ids:
        spans = traces.table("spans")
        found = traces.fetch(spans.filter(spans.span_id.isin(span_ids)).select(*_ID))
        wanted |= {(trace_id, span_id, None) for trace_id, span_id in zip(found.trace_id, found.span_id, strict=True)}
    return wanted


def queue_items(
    traces: Traces, wanted: Container[Item], order: str, *, per_item: str | None = None, judged: bool = True
) -> pd.DataFrame:
    """Read the items of an annotation queue that are among the traces, traces and spans, as `find_items` does."""
    import pandas as pd

    parts = []
    for kind in (per_item,) if per_item else ("trace", "span"):
        found = find_items(traces, kind, order, judged=judged)
        ids = zip(found["trace_id"], found["span_id"], strict=True)
        parts.append(found[[(trace, None if kind == "trace" else span, None) in wanted for trace, span in ids]])
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


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
