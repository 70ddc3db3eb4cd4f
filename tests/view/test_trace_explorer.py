from __future__ import annotations

import json
import logging
from typing import Any

import pandas as pd
import pytest

from llmlens.errors import UnknownNameError
from llmlens.traces import Traces
from llmlens.view import span_detail, trace_index
from llmlens.view.trace_explorer import TraceExplorer

START = pd.Timestamp("2026-11-02T10:00:00Z")
PRIVATE = "the patient's name is Ada"


def span(trace: str, name: str, parent: str | None, at: float, seconds: float | None, **more: Any) -> dict[str, Any]:
    start = START + pd.Timedelta(seconds=at)
    return {
        "trace_id": trace, "span_id": f"{trace}-{name}", "parent_id": f"{trace}-{parent}" if parent else None,
        "name": name, "kind": "chain", "start": start, "status": "ok", "depth": 1 if parent else 0,
        "end": None if seconds is None else start + pd.Timedelta(seconds=seconds), "duration_s": seconds, **more,
    }  # fmt: skip


def frames() -> dict[str, pd.DataFrame]:
    call = {"kind": "llm", "model": "gpt-4o", "usage_source": "reported", "feature": "refunds"}
    spans = [
        span("a", "root", None, 0, 4, feature="refunds", user_id="u-1", tags=["x", "y"], metadata='{"tenant": "n"}'),
        span("a", "model", "root", 0.5, 1, **call, input_tokens=100, output_tokens=20, cost_usd=0.5, ttft_s=0.25),
        span("a", "lookup", "root", 2, 0.5, kind="tool"),
        span("a", "lookup2", "root", 3, None, kind="tool", status="error", error_type="Timeout"),
        span("a", "lost", "nowhere", 3.5, 0.1),
        span("b", "root", None, 60, 9, feature="search"),
        span("b", "model", "root", 61, 1, **call, input_tokens=7, output_tokens=1),
        span("c", "root", None, 120, 1, kind="llm", model="mini", usage_source="missing", cost_usd=None),
    ]
    spans[3]["name"] = "lookup"
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": f"Where is my parcel? {PRIVATE}"},
    ]
    answer = {"role": "assistant", "content": "Let me look.", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": '{"order": 7}'}}]}  # fmt: skip
    attributes = {"gen_ai.tool.call.id": "call_1", "gen_ai.tool.name": "lookup"}
    contents = [
        ("a", "root", f"Where is my parcel?\n{PRIVATE}", "It is lost."),
        ("a", "model", json.dumps(messages), json.dumps([answer])),
        ("a", "lookup", '{"order": 7}', '{"status": "lost"}'),
        ("a", "lookup2", '{"order": 7}', None),
        ("b", "root", "x" * 50_000, None),
        ("c", "root", json.dumps(messages), "fine"),
    ]
    rows = [
        {"trace_id": t, "span_id": f"{t}-{n}", "input": i, "output": o, "attributes": '{"k": 1}', "events": "[]"}
        for t, n, i, o in contents
    ]
    rows[2]["attributes"] = json.dumps(attributes)
    scores = [
        {"score_id": "1", "trace_id": "a", "name": "helpful", "value": 0.2, "source": "judge", "comment": "no"},
        {"score_id": "2", "trace_id": "a", "span_id": "a-model", "name": "tone", "label": "rude", "source": "human"},
    ]
    return {"spans": pd.DataFrame(spans), "contents": pd.DataFrame(rows), "scores": pd.DataFrame(scores)}


@pytest.fixture(scope="module")
def traces() -> Traces:
    return Traces.from_frames(frames())


# The list ------------------------------------------------------------------------------------------------------------


def test_the_list_has_a_row_a_trace_newest_first(traces: Traces) -> None:
    page = TraceExplorer(traces).answer("page")
    columns = page["columns"]
    assert (page["total"], page["matching"]) == (3, 3)
    assert columns["trace_id"] == ["c", "b", "a"]
    assert columns["start"][2] == START.timestamp() * 1000
    assert (columns["feature"][2], columns["n_errors"][2], columns["cost_usd"][2]) == ("refunds", 1, 0.5)
    assert columns["models"] == ["mini", "gpt-4o", "gpt-4o"]


def test_the_list_shows_what_the_user_said_of_a_json_of_messages(traces: Traces) -> None:
    columns = TraceExplorer(traces).answer("page")["columns"]
    preview = dict(zip(columns["trace_id"], columns["preview"], strict=True))
    assert preview["c"].startswith("Where is my parcel? the patient")
    assert preview["a"] == "Where is my parcel?"
    assert len(preview["b"]) == 160


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("time", False, "abc"),
        ("duration", True, "bac"),
        ("cost", True, "abc"),
        ("cost", False, "abc"),
        ("tokens", True, "abc"),
        ("errors", True, "abc"),
        ("feature", False, "abc"),
    ],
)
def test_the_list_is_sorted_with_missing_values_last(
    traces: Traces, sort: str, descending: bool, expected: str
) -> None:
    page = TraceExplorer(traces).answer("page", sort=sort, descending=descending)
    assert "".join(page["columns"]["trace_id"]) == expected


def test_an_unknown_sort_is_an_error(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match="sort: 'durations'"):
        TraceExplorer(traces).answer("page", sort="durations")


def test_pages_follow_each_other(traces: Traces) -> None:
    view = TraceExplorer(traces)
    pages = [view.answer("page", offset=i, limit=1)["columns"]["trace_id"] for i in range(4)]
    assert pages == [["c"], ["b"], ["a"], []]
    assert view.answer("page", offset=-5, limit=-1)["columns"]["trace_id"] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PARCEL", "ac"),
        ("refunds", "a"),
        ("U-1", "a"),
        ("gpt-4o", "ab"),
        ("timeout", "a"),
        ("100%", ""),
        ("' OR 1=1", ""),
    ],
)
def test_search_looks_into_ids_names_models_errors_and_texts(traces: Traces, text: str, found: str) -> None:
    view = TraceExplorer(traces)
    assert sorted(view.answer("search", text=text)) == list(found)
    page = view.answer("page", search=text)
    assert (page["matching"], sorted(page["columns"]["trace_id"])) == (len(found), list(found))


def test_an_empty_search_finds_nothing_rather_than_everything(traces: Traces) -> None:
    view = TraceExplorer(traces)
    assert view.answer("search", text="  ") == []
    assert view.answer("find", trace_id="a", text="") == []


def test_no_traces_give_an_empty_list(traces: Traces) -> None:
    view = TraceExplorer(traces.where(trace_id="nothing"))
    page = view.answer("page")
    assert (page["total"], page["columns"]["trace_id"]) == (0, [])
    assert "no traces" in view.snapshot()


# One trace -----------------------------------------------------------------------------------------------------------


def test_a_trace_has_times_since_its_start_and_parents_by_row(traces: Traces) -> None:
    index = TraceExplorer(traces).answer("trace", trace_id="a")
    assert index["span_id"] == ["a-root", "a-model", "a-lookup", "a-lookup2", "a-lost"]
    assert index["parent"] == [-1, 0, 0, 0, -2]
    assert index["start"] == [0, 500, 2000, 3000, 3500]
    assert index["end"] == [4000, 1500, 2500, None, 3600]
    assert index["ttft_ms"][1] == 250
    assert index["trace"]["start"] == START.timestamp() * 1000


def test_names_and_kinds_are_sent_once_with_codes(traces: Traces) -> None:
    index = TraceExplorer(traces).answer("trace", trace_id="a")
    kinds = [index["kind"]["values"][code] for code in index["kind"]["codes"]]
    assert kinds == ["chain", "llm", "tool", "tool", "chain"]
    assert index["model"]["codes"] == [-1, 0, -1, -1, -1]


def test_identical_tool_calls_are_grouped(traces: Traces) -> None:
    index = TraceExplorer(traces).answer("trace", trace_id="a")
    assert index["same"] == {"2": 0, "3": 0}
    assert TraceExplorer(traces).answer("trace", trace_id="b")["same"] == {}


def test_scores_of_the_trace_and_of_its_spans_come_with_it(traces: Traces) -> None:
    scores = TraceExplorer(traces).answer("trace", trace_id="a")["scores"]
    assert [(s["name"], s["value"], s["label"], s["span_id"]) for s in scores] == [
        ("helpful", 0.2, None, None),
        ("tone", None, "rude", "a-model"),
    ]


def test_a_trace_that_is_not_shown_is_an_error(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match="no trace 'b'"):
        TraceExplorer(traces.trace("a")).answer("trace", trace_id="b")


def test_find_looks_into_the_texts_of_one_trace(traces: Traces) -> None:
    assert sorted(TraceExplorer(traces).answer("find", trace_id="a", text="LOST")) == ["a-lookup", "a-root"]


# One span ------------------------------------------------------------------------------------------------------------


def test_a_model_call_has_its_messages_with_their_tool_calls(traces: Traces) -> None:
    detail = TraceExplorer(traces).answer("span", trace_id="a", span_id="a-model")
    assert [(m["role"], m["direction"]) for m in detail["messages"]] == [
        ("system", "input"),
        ("user", "input"),
        ("assistant", "output"),
    ]
    assert detail["messages"][2]["calls"] == [{"call_id": "call_1", "tool": "lookup", "arguments": '{"order":7}'}]


def test_a_tool_call_that_was_asked_for_shows_what_came_of_it(traces: Traces) -> None:
    (call,) = TraceExplorer(traces).answer("span", trace_id="a", span_id="a-model")["tool_calls"]
    assert (call["tool"], call["result"], call["status"]) == ("lookup", '{"status": "lost"}', "ok")
    assert (call["requested_by"], call["span_id"]) == ("a-model", "a-lookup")


def test_a_span_without_contents_is_shown_with_what_there_is(traces: Traces) -> None:
    detail = TraceExplorer(traces).answer("span", trace_id="b", span_id="b-model")
    assert (detail["input"], detail["attributes"], detail["messages"]) == (None, None, [])
    assert detail["span"]["model"] == "gpt-4o"


def test_tags_and_metadata_are_parsed(traces: Traces) -> None:
    detail = TraceExplorer(traces).answer("span", trace_id="a", span_id="a-root")
    assert (detail["span"]["tags"], detail["metadata"]) == (["x", "y"], {"tenant": "n"})


def test_an_unknown_span_is_an_error(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match="no span 'zzz'"):
        TraceExplorer(traces).answer("span", trace_id="a", span_id="zzz")


def test_a_long_text_is_cut_and_the_rest_comes_on_demand(traces: Traces) -> None:
    view = TraceExplorer(traces)
    text = view.answer("span", trace_id="b", span_id="b-root")["input"]
    assert (len(text["clipped"]), text["total"], text["path"]) == (span_detail.CLIP, 50_000, ["input"])
    rest = view.answer("more", trace_id="b", span_id="b-root", path=text["path"], offset=span_detail.CLIP)
    assert text["clipped"] + rest["text"] == "x" * 50_000


@pytest.mark.parametrize("path", [["nothing"], ["input", 3], ["messages", 99], ["messages"], [], ["__class__"], [0]])
def test_a_bad_path_is_an_error(traces: Traces, path: list[str | int]) -> None:
    with pytest.raises(UnknownNameError):
        TraceExplorer(traces).answer("more", trace_id="a", span_id="a-model", path=path, offset=0)


def test_long_lists_are_cut_with_a_note() -> None:
    assert span_detail.clip(list(range(2005)))[-1] == "… and 5 more"


def test_attributes_that_are_no_json_are_shown_as_they_are() -> None:
    frame = pd.DataFrame([span("t", "s", None, 0, 1)])
    contents = pd.DataFrame([{"trace_id": "t", "span_id": "t-s", "attributes": "{broken", "events": "7"}])
    detail = span_detail.span_detail(Traces.from_frames({"spans": frame, "contents": contents}), "t", "t-s")
    assert (detail["attributes"], detail["events"]) == ("{broken", 7)


# Selecting and following ---------------------------------------------------------------------------------------------


def test_nothing_is_selected_before_a_trace_is_opened(traces: Traces) -> None:
    view = TraceExplorer(traces)
    assert view.selection is traces
    view.trace_id = "b"
    assert view.selection.trace_ids == ["b"]
    view.trace_id = None
    assert view.selection is traces


def test_show_takes_the_beginning_of_an_id_and_a_span(traces: Traces) -> None:
    view = TraceExplorer(traces)
    view.show("a", "a-model")
    assert (view.trace_id, view.span_id, view.selection.trace_ids) == ("a", "a-model", ["a"])


def test_show_says_which_trace_or_span_there_is_not(traces: Traces) -> None:
    view = TraceExplorer(traces)
    with pytest.raises(UnknownNameError, match="trace 'zz'"):
        view.show("zz")
    with pytest.raises(UnknownNameError, match=r"'a-modle'.*Did you mean 'a-model'"):
        view.show("a", "a-modle")
    assert view.trace_id is None


def test_a_trace_can_be_open_from_the_start(traces: Traces) -> None:
    assert TraceExplorer(traces, trace_id="c").selection.trace_ids == ["c"]


def test_an_unknown_trace_from_the_browser_selects_nothing(traces: Traces, caplog: pytest.LogCaptureFixture) -> None:
    view = TraceExplorer(traces)
    with caplog.at_level(logging.WARNING):
        view.trace_id = "zz"
    assert view.selection is traces
    assert "zz" in caplog.text


def test_an_explorer_of_a_view_narrows_and_keeps_its_place(traces: Traces) -> None:
    first = TraceExplorer(traces)
    second = TraceExplorer(first, trace_id="b")
    first.select(traces.where(trace_id=["a", "b"]))
    assert (second.n_traces, second.trace_id, second.selection.trace_ids) == (2, "b", ["b"])
    first.select(traces.trace("a"))
    assert (second.trace_id, second.span_id, second.selection.trace_ids) == (None, None, ["a"])


def test_those_who_listen_are_told_once_of_each_narrowing(traces: Traces) -> None:
    first = TraceExplorer(traces)
    second = TraceExplorer(first, trace_id="b")
    seen: list[list[str]] = []
    second.on_selection(lambda chosen: seen.append(chosen.trace_ids))
    first.select(traces.where(trace_id=["a", "b"]))
    first.select(traces.trace("b"))
    first.select(traces.trace("c"))
    assert seen == [["b"], ["b"], ["c"]]


# What leaves the kernel ----------------------------------------------------------------------------------------------


def test_the_saved_state_of_the_widget_holds_no_texts(traces: Traces) -> None:
    view = TraceExplorer(traces)
    view.show("a", "a-model")
    view.answer("page")
    view.answer("span", trace_id="a", span_id="a-model")
    state = json.dumps({k: v for k, v in view.get_state().items() if k not in {"_esm", "_css"}}, default=str)
    assert "parcel" not in state
    assert PRIVATE not in state


def test_a_copy_without_kernel_gets_the_list_the_trees_and_the_texts(traces: Traces) -> None:
    replies = list(TraceExplorer(traces, trace_id="a").static_replies())
    asked = [(r["kind"], r["arguments"].get("trace_id")) for r in replies]
    assert asked[:2] == [("page", None), ("trace", "a")]
    assert sum(kind == "span" for kind, _ in asked) == 8
    json.dumps(replies, allow_nan=False)


def test_the_module_stays_small() -> None:
    assert len(str(TraceExplorer._esm).encode()) < 100_000


def test_the_snapshot_shows_traces_and_the_tree_without_markup_of_strangers() -> None:
    evil = '<img src=x onerror="alert(1)">'
    data = frames()
    data["spans"]["name"] = evil
    data["spans"]["error_type"] = evil
    data["contents"]["input"] = evil
    made = TraceExplorer(Traces.from_frames(data), trace_id="a").snapshot()
    assert "<img" not in made
    assert made.count("&lt;img") > 10
    assert "<script" not in made
    assert "<b>error</b>" in made


def test_the_snapshot_says_how_much_it_leaves_out() -> None:
    many = pd.DataFrame([span(f"t{i:03}", "root", None, i, 1) for i in range(30)])
    made = TraceExplorer(Traces.from_frames({"spans": many})).snapshot()
    assert "The newest 20 of 30 traces" in made


def test_the_snapshot_of_a_deep_or_circular_trace_ends() -> None:
    rows = [span("t", str(i), str(i - 1) if i else None, i, 1) for i in range(3000)]
    made = TraceExplorer(Traces.from_frames({"spans": pd.DataFrame(rows)})).snapshot()
    assert "The first 60 of 3,000 spans" in made
    circle = [span("t", "1", "2", 0, 1), span("t", "2", "1", 0, 1)]
    assert "Trace t" in TraceExplorer(Traces.from_frames({"spans": pd.DataFrame(circle)})).snapshot()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hello\nworld", "hello"),
        ('{"question": "Why?"}', "Why?"),
        ('[{"role":"user","content":"a \\"b\\"\\nc"}]', 'a "b"'),
        ("[1, 2]", "[1, 2]"),
        ("", ""),
    ],
)
def test_the_first_line_is_the_one_that_says_most(text: str, line: str) -> None:
    assert trace_index.first_line(text) == line
