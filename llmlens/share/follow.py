"""An explorer that follows another view, for a page without kernel: which rows of its list each selection leaves."""

from __future__ import annotations

import logging
import sys
from itertools import pairwise
from typing import Any

logger = logging.getLogger(__name__)


def following(view: Any, texts: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Give the replies of an explorer over all that the view it follows shows, and how it follows; None if it does not.

    How: `source` (model id), `trait` of it that says what is selected (None: that cannot be known without a kernel),
    and `selections`, pairs of a value of the trait and the rows of the list that it leaves, each as the distance from
    the one before. A source that has a `trait` of `trace_id` and no `selections` leaves that trace. `rows` are those
    of what is selected now (None: all).
    """
    module = sys.modules.get("llmlens.view.trace_explorer")
    source = view._source() if view._source is not None else None  # noqa: SLF001  # the view that it follows
    if module is None or source is None or not isinstance(view, module.TraceExplorer):
        return None
    whole = module.TraceExplorer(source.traces)
    try:
        replies = list(whole.static_replies(texts))
    finally:
        whole.close()
    listed = next(reply["result"]["columns"]["trace_id"] for reply in replies if reply["kind"] == "page")
    rows = {trace_id: row for row, trace_id in enumerate(listed)}
    selections = []
    trait = "trace_id" if source.has_trait("trace_id") else None
    for name, value, traces in source.static_selections():
        trait = name
        selections.append([value, _steps(sorted(rows[each] for each in traces.trace_ids if each in rows))])
    now = _steps(sorted(rows[each] for each in view.traces.trace_ids if each in rows))
    follows = {"source": source.model_id, "trait": trait, "selections": selections}
    return replies, {**follows, "rows": None if len(now) == len(rows) else now}


def _steps(rows: list[int]) -> list[int]:
    """Write rising numbers as the first and the distances: they repeat, and so compress."""
    return [*rows[:1], *(after - before for before, after in pairwise(rows))]
