"""Keys of JSON as columns: `by="metadata.tenant"` for every measure, comparison and text."""

from __future__ import annotations

from typing import Any

import orjson
import pandas as pd
import pytest

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.json_values import is_key
from llmlens.keyed import keyed
from llmlens.schema import SPANS
from llmlens.traces import Traces
from llmlens.view.cost_tree import CostTree
from llmlens.view.drift_map_colours import check_colour


def load(*metadata: tuple[str, bool, Any], **columns: Any) -> Traces:
    """Make a span for each (trace, whether it is the root, metadata); those that are no root are model calls."""
    spans = pd.DataFrame(
        {
            "trace_id": [trace for trace, _, _ in metadata],
            "span_id": [f"s{n}" for n in range(len(metadata))],
            "depth": [int(not root) for _, root, _ in metadata],
            "kind": ["chain" if root else "llm" for _, root, _ in metadata],
            "start": pd.date_range("2026-11-02T10:00", periods=len(metadata), freq="s", tz="UTC"),
            "metadata": [
                each if each is None or isinstance(each, str) else orjson.dumps(each).decode()
                for _, _, each in metadata
            ],
            "cost_usd": 1.0,
            **columns,
        }
    )
    return Traces.from_frames({"spans": spans})


def told(traces: Traces, name: str) -> list[str | None]:
    frame = traces.fetch(keyed(traces, name).table("spans").order_by("span_id"))
    return [None if pd.isna(each) else each for each in frame[name]]


def test_a_span_says_its_own_else_what_its_trace_says() -> None:
    traces = load(
        ("a", True, {"tenant": "acme"}), ("a", False, None),
        ("b", True, None), ("b", False, {"tenant": "hooli"}), ("b", False, {}),
        ("c", True, {"tenant": "x"}), ("c", False, {"tenant": "y"}), ("c", False, {"other": 1}),
        ("d", True, None), ("d", False, "no { json"),
    )  # fmt: skip
    assert told(traces, "metadata.tenant") == ["acme", "acme", *["hooli"] * 3, "x", "y", "x", None, None]


def test_what_is_no_text_is_written_as_json() -> None:
    traces = load(
        ("a", True, {"n": 3, "on": True, "list": [1, "x"], "no": None, "in": {"deep": "down"}, "http.route": "/x"})
    )
    for name, value in (("n", "3"), ("on", "true"), ("list", '[1,"x"]'), ("in.deep", "down"), ("http.route", "/x")):
        assert told(traces, f"metadata.{name}") == [value]


def test_a_selection_of_spans_still_knows_what_its_trace_says() -> None:
    traces = load(("a", True, {"tenant": "acme"}), ("a", False, None))
    calls = traces.where(kind="llm", spans_only=True)
    assert told(calls, "metadata.tenant") == ["acme"]
    chosen = keyed(traces, ["feature", "metadata.tenant"]).where(kind="llm", spans_only=True)
    assert chosen.fetch(chosen.table("spans"))["metadata.tenant"].tolist() == ["acme"]


def test_the_public_table_of_spans_is_that_of_the_schema() -> None:
    traces = load(("a", True, {"tenant": "acme"}))
    assert keyed(traces, "feature") is traces
    assert list(traces.spans.columns) == list(SPANS.names)


@pytest.fixture(scope="module")
def two_tenants() -> Traces:
    rows = [(f"t{n}", root, {"tenant": "ab"[n % 2]} if root else None) for n in range(80) for root in (True, False)]
    contents = pd.DataFrame(
        {
            "trace_id": [trace for trace, _, _ in rows],
            "span_id": [f"s{n}" for n in range(len(rows))],
            "input": [f"what is {trace}?" for trace, _, _ in rows],
            "output": [f"it is {trace}." for trace, _, _ in rows],
        }
    )
    spans = load(*rows, input_tokens=10, output_tokens=5, model="m", duration_s=1.0, status="ok").spans
    scores = pd.DataFrame({"trace_id": [f"t{n}" for n in range(80)], "name": "good", "value": 0.5})
    return Traces.from_frames({"spans": spans, "contents": contents}).with_scores(scores)


@pytest.mark.parametrize(
    "measure",
    [ll.cost, ll.latency, ll.quality, ll.users, ll.duplicates, ll.agents, ll.signals, ll.cost_per_goal, ll.self_time,
     ll.cost_audit, ll.prompt_cache],
    ids=lambda each: each.__name__,
)  # fmt: skip
def test_measures_group_by_a_key(two_tenants: Traces, measure: Any) -> None:
    frame = measure(two_tenants, by="metadata.tenant")
    assert set(frame["metadata.tenant"]) <= {"a", "b"}
    assert isinstance(frame.plot().to_dict(), dict)


def test_a_key_and_a_column_and_a_period_group_together(two_tenants: Traces) -> None:
    frame = ll.cost(two_tenants, ["metadata.tenant", "model"], "1D")
    assert frame[["metadata.tenant", "model", "calls"]].to_numpy().tolist() == [["a", "m", 40], ["b", "m", 40]]


def test_comparisons_take_slices_by_a_key(two_tenants: Traces) -> None:
    noon = "2026-11-02T10:01:20"
    before, after = two_tenants.where(until=noon), two_tenants.where(since=noon)
    assert set(ll.cost_change(before, after, by="metadata.tenant")["metadata.tenant"]) == {"a", "b"}
    assert set(ll.compare(before, after, by="metadata.tenant").slices["metadata.tenant"]) == {"a", "b"}
    assert set(ll.drift(before, after, by="metadata.tenant")["slice"]) >= {"overall"}
    assert set(ll.fingerprint(two_tenants, by="metadata.tenant")["metadata.tenant"]) == {"a", "b"}


def test_a_key_that_nobody_has_is_explained(two_tenants: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"no column .* 'metadata.tennant'. Did you mean 'metadata.tenant'\?"):
        ll.cost(two_tenants, by="metadata.tennant")
    with pytest.raises(UnknownNameError, match=r"'metadata.zzz'. Did you mean 'metadata.tenant'\?"):
        ll.fingerprint(two_tenants, by="metadata.zzz")
    with pytest.raises(UnknownNameError, match=r"'params.top_p'. There is none\."):
        ll.latency(two_tenants, by=["feature", "params.top_p"])


def test_a_slice_that_does_not_know_the_key_is_no_mistake() -> None:
    traces = load(("a", True, {"tenant": "acme"}), ("b", False, None))
    assert ll.cost(traces.where(trace_id="b"), by="metadata.tenant")["metadata.tenant"].isna().all()
    assert ll.cost(traces.where(trace_id="none"), by="metadata.tenant").empty


def test_only_json_has_keys() -> None:
    assert [is_key(name) for name in ("params.seed", "metadata.a.b", "metadata.", "tags.x", ".x", None, 3)] == [
        True, True, False, False, False, False, False,
    ]  # fmt: skip


def test_traces_are_chosen_by_the_value_of_a_key() -> None:
    traces = load(
        ("a", True, {"n": 3.0, "tenant": "x", "on": True}), ("b", True, {"n": "3"}), ("c", True, {"tenant": "y"})
    )
    for key, value, chosen in (
        ("tenant", "x", ["a"]), ("tenant", ["x", "y"], ["a", "c"]), ("tenant", None, ["b"]), ("n", 3, ["a", "b"]),
        ("n", "3", ["b"]), ("on", True, ["a"]), ("zzz", "x", []),
    ):  # fmt: skip
        asked: dict[str, Any] = {f"metadata.{key}": value}
        assert traces.where(**asked).trace_ids == chosen
    with pytest.raises(SelectionError, match=r"metadata.n=\[3, 'x'\] does not fit: give texts, or numbers"):
        traces.where(**dict[str, Any]({"metadata.n": [3, "x"]}))


def test_views_group_and_colour_by_a_key(two_tenants: Traces) -> None:
    assert [child.label for child in CostTree(two_tenants, ["metadata.tenant"], "cost_usd").root.children] == ["a", "b"]
    assert check_colour(two_tenants, "metadata.tenant") == "metadata.tenant"
    with pytest.raises(UnknownNameError, match=r"Did you mean 'metadata.tenant'\?"):
        check_colour(two_tenants, "metadata.tennant")


def test_retrieval_takes_keys_of_documents_and_else_of_spans() -> None:
    traces = load(("a", True, {"tenant": "x", "topic": "of the span"}), kind="retriever")
    documents = [{"document": {"id": "d", "content": "text", "metadata": {"topic": "of the document"}}}]
    attributes = {
        f"retrieval.documents.0.document.{k}": v for k, v in documents[0]["document"].items() if k != "metadata"
    }
    attributes |= {"retrieval.documents.0.document.metadata": '{"topic": "of the document"}'}
    contents = pd.DataFrame({"trace_id": ["a"], "span_id": ["s0"], "attributes": [orjson.dumps(attributes).decode()]})
    traces = Traces.from_frames({"spans": traces.spans, "contents": contents})
    frame = ll.retrieval(traces, by=["metadata.topic", "metadata.tenant"])
    assert frame[["metadata.topic", "metadata.tenant"]].to_numpy().tolist() == [["of the document", "x"]]
    with pytest.raises(UnknownNameError, match=r"'metadata\.zzz'"):
        ll.retrieval(traces, by="metadata.zzz")


def test_an_argument_that_is_given_twice_is_python_s_error(two_tenants: Traces) -> None:
    with pytest.raises(TypeError, match="multiple values for argument 'by'"):
        ll.cost(two_tenants, "feature", by="metadata.tenant")  # type: ignore[misc]
    with pytest.raises(TypeError, match="positional arguments"):
        ll.cost(two_tenants, "metadata.tenant", "1D", "more")  # type: ignore[call-arg]
