"""Many spans of a trace at once say what each of them says alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import llmlens as ll
from llmlens.view import span_detail, wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def test_spans_read_together_are_as_they_are_alone(week: ll.Traces) -> None:
    some = week.where("kind == 'tool'").trace_ids[::400]
    assert len(some) > 2
    for trace_id in some:
        span_ids = week.trace(trace_id).spans["span_id"].tolist()
        together = span_detail.span_details(week, trace_id, span_ids)
        alone = {span_id: span_detail.span_detail(week, trace_id, span_id) for span_id in span_ids}
        assert wire.clean(together) == wire.clean(alone)


def test_a_copy_holds_the_newest_the_dearest_the_slowest_and_those_that_failed(week: ll.Traces) -> None:
    view = ll.TraceExplorer(week, trace_id=week.trace_ids[700])
    shown = {request[1]["trace_id"] for request in view.static_requests() if request[0] == "trace"}
    traces = week.traces
    for column in ("start", "cost_usd", "duration_s", "n_errors"):
        first = traces.sort_values(column, ascending=False)[column].iloc[0]
        assert shown & set(traces.loc[traces[column] == first, "trace_id"])
    assert week.trace_ids[700] in shown


def test_a_copy_holds_as_many_texts_as_it_is_asked_for(week: ll.Traces) -> None:
    few = week.sample(40, seed=1)
    view = ll.TraceExplorer(few)

    def count(replies: Iterable[dict[str, Any]], kind: str) -> int:
        return sum(reply["kind"] == kind for reply in replies)

    none, all_of_it = list(view.static_replies("none")), list(view.static_replies("all"))
    assert count(none, "span") == 0
    assert set(none[0]["result"]["columns"]["preview"]) == {None}
    assert count(all_of_it, "span") == len(few.spans)
    assert len({reply["arguments"]["trace_id"] for reply in all_of_it if reply["kind"] == "trace"}) == 40
