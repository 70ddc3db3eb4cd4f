from __future__ import annotations

import functools
import html.parser
import json
import math
from typing import Any

import pandas as pd
import pytest

from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces
from llmlens.view import cost_sums, cost_tree
from llmlens.view.cost_tree import CostTree
from llmlens.view.cost_treemap import CostTreemap

START = pd.Timestamp("2026-11-02", tz="UTC")
CALLS = [
    # trace, kind, feature, model, prompt_version, cost, input, output
    ("a", "llm", "refunds", "gpt-4o", "v6", 0.3, 1000, 100),
    ("a", "embedding", "refunds", "embed", None, 0.01, 50, None),
    ("b", "llm", "refunds", "gpt-4o", "v7", 0.5, 1500, 100),
    ("b", "llm", "search", "mini", "v1", 0.02, 700, 10),
    ("c", "llm", "search", "gpt-4o", "v1", 0.1, 300, 30),
    ("d", "llm", None, "local", None, None, 400, 40),
    ("e", "llm", "refunds", "local", "v7", None, None, None),
    ("a", "agent", "refunds", "gpt-4o", None, 0.31, 1050, 100),
]


def spans(calls: list[tuple[Any, ...]] = CALLS) -> pd.DataFrame:
    columns = ["trace_id", "kind", "feature", "model", "prompt_version", "cost_usd", "input_tokens", "output_tokens"]
    frame = pd.DataFrame(calls, columns=columns)
    frame["span_id"] = [f"s{i}" for i in range(len(frame))]
    frame["start"] = START + pd.to_timedelta(range(len(frame)), unit="h")
    frame["end"] = frame["start"] + pd.Timedelta(seconds=2)
    frame["duration_s"] = 2.0
    frame["status"] = "ok"
    frame["depth"] = 0
    return frame


@pytest.fixture(scope="module")
def traces() -> Traces:
    return Traces.from_frames({"spans": spans()})


@functools.cache
def many(n: int) -> Traces:
    calls = [(f"t{i}", "llm", f"f{i % 2}", f"m{i:04d}", "v", 1.0 + i / 1000, 10, 1) for i in range(n)]
    return Traces.from_frames({"spans": spans(calls)})


def leaves(rows: dict[str, list[Any]]) -> list[int]:
    return [i for i in range(len(rows["label"])) if i not in rows["parent"]]


@pytest.mark.parametrize("value", cost_sums.VALUES)
def test_leaves_sum_to_the_total_of_the_model_calls(traces: Traces, value: str) -> None:
    rows, _ = CostTree(traces, ["feature", "model", "prompt_version"], value).view()
    frame = traces.spans.query("kind != 'agent'")
    expected = {
        "calls": len(frame),
        "total_tokens": frame["input_tokens"].sum() + frame["output_tokens"].sum(),
    }.get(value, frame[value].sum() if value in frame else 0)
    assert math.isclose(rows["value"][0], float(expected), abs_tol=1e-9)
    assert math.isclose(sum(rows["value"][i] for i in leaves(rows)), float(expected), abs_tol=1e-9)


def test_each_parent_is_the_sum_of_its_children() -> None:
    rows, _ = CostTree(many(1000), ["feature", "model"], "cost_usd").view()
    for i in set(rows["parent"]) - {-1}:
        below = [j for j, parent in enumerate(rows["parent"]) if parent == i]
        for name in ("value", "calls", "tokens", "n_unpriced"):
            assert math.isclose(rows[name][i], sum(rows[name][j] for j in below), abs_tol=1e-9)


def test_agents_do_not_count_because_they_repeat_their_calls(traces: Traces) -> None:
    assert CostTree(traces, ["feature"], "cost_usd").root.cost_usd == pytest.approx(0.93, abs=1e-9)


def test_a_call_without_a_price_is_counted_and_named_but_is_no_zero(traces: Traces) -> None:
    tree = CostTree(traces, ["model"], "cost_usd")
    assert tree.missing == [("local", 2)]
    local = tree.find(["local"])[-1]
    assert (local.calls, local.n_missing, local.value) == (2, 2, 0.0)
    assert "2 calls of &#x27;local&#x27; have no price" in CostTreemap(traces).snapshot()


def test_nan_and_infinite_costs_are_no_prices() -> None:
    calls = [("a", "llm", "f", "m", "v", cost, 1, 1) for cost in (1.0, float("nan"), float("inf"))]
    frame = spans(calls)
    tree = CostTree(Traces.from_frames({"spans": frame}), ["feature"], "cost_usd")
    assert (tree.root.value, tree.root.n_unpriced) == (1.0, 2)


def test_distinct_traces_are_counted_at_each_level(traces: Traces) -> None:
    tree = CostTree(traces, ["feature", "model"], "cost_usd")
    assert tree.root.n_traces == 5
    assert tree.find(["refunds"])[-1].n_traces == 3
    assert tree.find(["refunds", "gpt-4o"])[-1].n_traces == 2


def test_missing_values_are_a_group_of_their_own(traces: Traces) -> None:
    assert CostTree(traces, ["feature"], "calls").find(["(none)"])[-1].where == {"feature": None}


def test_a_value_that_reads_like_one_of_our_labels_is_quoted() -> None:
    odd = ["(none)", None, "(other 3)", "", "'(none)'"]
    calls = [("a", "llm", feature, "m", "v", 1.0, 1, 1) for feature in odd]
    tree = CostTree(Traces.from_frames({"spans": spans(calls)}), ["feature"], "cost_usd")
    labels = [child.label for child in tree.root.children]
    assert sorted(labels) == sorted(["'(none)'", "(none)", "'(other 3)'", "''", "''(none)''"])
    for child in tree.root.children:
        assert tree.find([child.label])[-1].where == child.where


def test_small_groups_are_folded_and_a_fold_can_be_opened_until_all_are_seen() -> None:
    tree = CostTree(many(1000), ["model"], "cost_usd")
    seen: list[str] = []
    path: list[str] = []
    for _ in range(10):
        rows, selected = tree.view(path)
        below = [i for i, parent in enumerate(rows["parent"]) if parent == selected]
        assert len(below) <= cost_tree.LEAVES + 1
        seen += [rows["label"][i] for i in below if not rows["folded"][i]]
        folds = [rows["label"][i] for i in below if rows["folded"][i]]
        if not folds:
            break
        path = [*path, *folds]
    assert path == ["(other 750)", "(other 500)", "(other 250)"]
    assert sorted(seen) == [f"m{i:04d}" for i in range(1000)]


def test_folds_are_made_within_each_group() -> None:
    rows, _ = CostTree(many(1000), ["feature", "model"], "cost_usd").view()
    folds = [i for i, n in enumerate(rows["folded"]) if n]
    assert [rows["label"][rows["parent"][i]] for i in folds] == ["f1", "f0"]
    assert sum(rows["folded"]) + len(leaves(rows)) - len(folds) == 1000


def test_a_group_inside_a_fold_is_shown_among_its_siblings() -> None:
    tree = CostTree(many(1000), ["model"], "cost_usd")
    rows, selected = tree.view(["m0100"])
    assert rows["label"][selected] == "m0100"
    assert rows["label"][rows["parent"][selected]] == "(other 250)"


def test_selecting_a_fold_selects_the_traces_of_its_groups() -> None:
    treemap = CostTreemap(many(1000), path=["model"])
    treemap.select("(other 750)", "(other 500)")
    assert len(treemap.selection) == 500
    assert "t999" not in treemap.selection.trace_ids


def test_a_selected_path_must_hold_on_one_call_of_the_trace(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    treemap.select("search", "gpt-4o")
    assert treemap.selection.trace_ids == ["c"]  # b has a call of search and one of gpt-4o, but no such call
    treemap.select("refunds", "gpt-4o")
    assert sorted(treemap.selection.trace_ids) == ["a", "b"]
    assert len(treemap.selection.spans) == 5


def test_missing_values_can_be_selected(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    treemap.select("(none)")
    assert treemap.selection.trace_ids == ["d"]


def test_agents_are_no_reason_to_select_a_trace() -> None:
    calls = [("a", "agent", "f", "m", None, 1.0, 1, 1), ("b", "llm", "f", "m", None, 1.0, 1, 1)]
    treemap = CostTreemap(Traces.from_frames({"spans": spans(calls)}))
    treemap.select("f")
    assert treemap.selection.trace_ids == ["b"]


def test_a_path_through_kind_selects_that_kind(traces: Traces) -> None:
    treemap = CostTreemap(traces, path=["kind"])
    treemap.path_selected = ["embedding"]
    assert treemap.selection.trace_ids == ["a"]


def test_selecting_nothing_widens_to_all_and_tells_callbacks(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    seen: list[int] = []
    treemap.on_selection(lambda chosen: seen.append(len(chosen)))
    treemap.select("refunds")
    treemap.select()
    treemap.select("search")
    treemap.path_selected = []
    assert seen == [3, 5, 2, 5]


def test_other_traces_or_none_can_be_selected_as_in_any_view(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    seen: list[int] = []
    treemap.select("refunds")
    treemap.on_selection(lambda chosen: seen.append(len(chosen)))
    treemap.select(None)
    assert treemap.path_selected == []
    treemap.select(traces.trace("a"))
    assert seen == [5, 1]


def test_an_unknown_group_is_refused_and_changes_nothing(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    treemap.select("refunds")
    with pytest.raises(UnknownNameError, match=r"no group in refunds: 'gpt-4'.*Did you mean 'gpt-4o'"):
        treemap.select("refunds", "gpt-4")
    with pytest.raises(UnknownNameError, match=r"group in all calls: '\(other 7\)'"):
        treemap.select("(other 7)")
    assert treemap.path_selected == ["refunds"]
    assert len(treemap.selection) == 3


def test_unknown_columns_values_and_options_name_the_nearest(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"'modle'.*Did you mean 'model'"):
        CostTreemap(traces, path=["feature", "modle"])
    with pytest.raises(UnknownNameError, match=r"'cost'.*Did you mean 'cost_usd'"):
        CostTreemap(traces, value="cost")
    with pytest.raises(UnknownNameError, match=r"'paht'.*Did you mean 'path'"):
        CostTreemap(traces, paht=["model"])


@pytest.mark.parametrize("path", [[], ["model", "model"], ["start"], ["tags"], ["cost_usd"]])
def test_a_path_that_makes_no_groups_is_refused(traces: Traces, path: list[str]) -> None:
    with pytest.raises(SelectionError, match=r"path (needs|takes)"):
        CostTreemap(traces, path=path)


def test_one_column_may_be_given_as_text_and_whole_numbers_group_too(traces: Traces) -> None:
    treemap = CostTreemap(traces, path="depth")
    treemap.select("0")
    assert len(treemap.selection) == 5


def test_too_many_groups_are_an_error_that_says_what_to_do(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_tree, "_MAX_GROUPS", 3)
    with pytest.raises(SelectionError, match=r"more than 3 groups\. Leave out"):
        CostTree(traces, ["feature", "model"], "cost_usd")


def test_traces_without_model_calls_have_an_empty_tree() -> None:
    treemap = CostTreemap(Traces.from_frames({}))
    reply = treemap.answer("view", path=[])
    assert reply["rows"]["calls"] == [0]
    assert reply["since"] is None
    assert "no model calls" in treemap.snapshot()


def test_it_follows_another_view_and_forgets_its_group(traces: Traces) -> None:
    first = CostTreemap(traces)
    second = CostTreemap(first, path=["model"])
    second.select("gpt-4o")
    first.select("search")
    assert second.path_selected == []
    assert sorted(second.traces.trace_ids) == ["b", "c"]
    assert second.tree.root.calls == 3
    assert len(second.selection) == 2


def test_other_columns_or_values_start_over(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    treemap.select("refunds")
    revision = treemap.revision
    treemap.value = "calls"
    assert treemap.path_selected == ["refunds"]
    treemap.path = ["model"]
    assert treemap.path_selected == []
    assert len(treemap.selection) == 5
    assert treemap.revision > revision
    assert treemap.answer("view", path=["mini"])["rows"]["label"][0] == "all"


def test_the_answer_is_plain_json_and_no_label_is_in_the_widget_state(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    reply = json.loads(json.dumps(treemap.answer("view", path=["refunds"]), allow_nan=False))
    assert reply["complete"] is True
    assert reply["rows"]["label"][reply["selected"]] == "refunds"
    state = {key: value for key, value in treemap.get_state().items() if not key.startswith("_")}
    assert "gpt-4o" not in str(state)
    assert len(str(treemap.get_state())) < 80_000


def test_a_copy_without_a_kernel_keeps_the_tree_and_the_open_group(traces: Traces) -> None:
    treemap = CostTreemap(traces)
    treemap.select("refunds")
    assert [reply["arguments"] for reply in treemap.static_replies()] == [{"path": []}, {"path": ["refunds"]}]


class _Tags(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_snapshot_is_a_table_with_bars_and_only_inline_styles() -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    calls = [("a", "llm", evil, evil, evil, 1.0, 1, 1), ("b", "llm", "plain", "m", "v", 3.0, 1, 1)]
    page = CostTreemap(Traces.from_frames({"spans": spans(calls)})).snapshot()
    seen = _Tags(page)
    assert seen.tags == {"div", "table", "thead", "tbody", "tr", "th", "td", "span"}
    assert seen.attributes == {"class", "style"}
    assert "width:120px" in page
    assert "75.0%" in page


def test_the_snapshot_of_a_large_tree_stays_small() -> None:
    page = CostTreemap(many(1000), path=["model"]).snapshot()
    assert len(page) < 40_000
    assert "(other 976)" in page
