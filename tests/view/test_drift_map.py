from __future__ import annotations

import base64
import html
import html.parser
import json
import sys
import threading
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd
import pytest

from llmlens.compare.clusters import stored_groups
from llmlens.compare.drift import drifting
from llmlens.embed.projection import Projection
from llmlens.errors import EmbeddingError, SelectionError, UnknownNameError
from llmlens.traces import Traces
from llmlens.view.cost_treemap import CostTreemap
from llmlens.view.drift_map import DriftMap
from llmlens.view.drift_map_density import density_difference
from llmlens.view.trace_explorer import TraceExplorer
from tests.topics import said

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = {"refund": 24, "weather": 36, "sizes": 16}, {"refund": 24, "weather": 16, "sizes": 36}
DTYPES = {"f4": np.float32, "u1": np.uint8, "i1": np.int8, "u2": np.uint16, "i2": np.int16, "u4": np.uint32}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the map be the first picture turned round: what UMAP makes of it is tested elsewhere."""

    def fit(vectors: Any, _strata: Any = None, *, seed: int = 0, **_options: Any) -> Projection:
        places = -Projection.preview(vectors, seed)
        return Projection(places, vectors, places, ("turned round",))

    monkeypatch.setattr(Projection, "fit", staticmethod(fit))
    monkeypatch.setattr(sys.modules["llmlens.embed.warm_up"], "warm_up", lambda: None)
    monkeypatch.setattr(drifting, "drift_of", partial(drifting.drift_of, times=99))
    monkeypatch.setenv("LLMLENS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def traces() -> Traces:
    return said(OLD, "2026-11-01", "old") | said(NEW, "2026-11-08", "new", seed=1)


@pytest.fixture
def shown(traces: Traces) -> Iterator[DriftMap]:
    made = DriftMap(traces, before="2026-11-08")
    assert made.wait(120)
    yield made
    made.close()


def array(packed: dict[str, str]) -> Any:
    return np.frombuffer(base64.b64decode(packed["bytes"]), dtype=DTYPES[packed["type"]])


def problem(*arguments: Any, **options: Any) -> str:
    made = DriftMap(*arguments, **options)
    assert made.wait(120)
    made.close()
    assert made.progress["picture"] == 0
    told = str(made.progress["problem"])
    assert html.escape(told[:60]) in made.snapshot()
    return told


# Windows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ("2026-11-08", None, (76, 76)),
        (None, "2026-11-08", (76, 76)),
        ("2026-11-01 00:30", "2026-11-08", (30, 76)),
        (("2026-11-01", "2026-11-02"), ("2026-11-08", "2026-11-09"), (76, 76)),
        ({"feature": "support sizes"}, None, (52, 100)),
        (None, {"feature": ["support sizes", "support weather"]}, (48, 104)),
    ],
)
def test_a_window_is_a_date_a_pair_or_conditions_and_the_other_one_is_the_rest(
    traces: Traces, before: Any, after: Any, counts: tuple[int, int]
) -> None:
    made = DriftMap(traces, before, after)
    assert made.wait(120)
    window = array(made.answer("map")["window"])
    assert ((window == 0).sum(), (window == 1).sum()) == counts
    made.close()


def test_a_window_can_be_traces_or_a_view(traces: Traces) -> None:
    old = traces.where(until="2026-11-08")
    made = DriftMap(traces, before=old, after=TraceExplorer(traces.where(since="2026-11-08")))
    assert made.wait(120)
    assert (array(made.answer("map")["window"]) == 0).sum() == len(old)
    made.close()


def test_traces_of_both_windows_count_for_neither_and_are_counted(traces: Traces) -> None:
    made = DriftMap(traces, before=("2026-11-01", "2026-11-09"), after=("2026-11-08", "2026-11-09"), by="feature")
    assert made.wait(120)
    assert "The window after" in made.progress["problem"]
    assert "76 traces are in both windows" in " ".join(made.answer("facts")["notes"]) or made.progress["picture"] == 0
    made.close()


# What is sent --------------------------------------------------------------------------------------------------------


def test_points_are_sent_as_arrays_and_no_text_is_in_the_state_or_in_the_map(shown: DriftMap) -> None:
    reply = shown.answer("map")
    places = np.column_stack([array(reply["places"][axis]) for axis in "xy"])
    assert places.shape == (152, 2)
    assert np.isfinite(places).all()
    assert reply["days"][0] == "2026-11-01"
    assert len(reply["days"]) == 8
    state = json.dumps(shown.get_state(), default=str).replace(str(shown._esm), "")
    for words in ("refund", "weather", "boots"):
        assert words not in json.dumps(reply)
        assert words not in state.replace(str(shown._css), "")


def test_texts_come_for_the_points_that_are_asked_for(shown: DriftMap) -> None:
    found = shown.answer("says", rows=[3, 5, 10_000, -1])
    assert [each["row"] for each in found] == [3, 5]
    assert "refund" in found[0]["text"]
    assert found[0]["prompt"] == "what about old-refund-3?"
    assert shown.answer("says", rows=list(range(152)))[-1]["row"] == 49


def test_the_first_lines_of_a_text_are_cut_with_a_mark() -> None:
    long = said({"refund": 20}, "2026-11-01", "old").contents
    long["output"] = [f"line one {i}\n\nline two\u202e\n" + "x" * 100_000 for i in range(len(long))]
    spans = said({"refund": 20}, "2026-11-01", "old").spans
    made = DriftMap(Traces.from_frames({"spans": spans, "contents": long}))
    assert made.wait(120)
    (found,) = made.answer("says", rows=[0])
    assert found["text"].startswith("line one")
    assert found["text"].endswith("…")
    assert "⟨U+202E⟩" in found["text"]
    assert len(found["text"]) < 400
    made.close()


def test_colours_are_codes_of_the_most_frequent_values_or_numbers(shown: DriftMap) -> None:
    reply = shown.answer("colour", name="feature")
    assert reply["labels"] == ["support sizes", "support weather", "support refund"]
    assert reply["counts"] == [52, 52, 48]
    assert np.bincount(array(reply["codes"])).tolist() == [52, 52, 48]
    numbers = shown.answer("colour", name="cost_usd")
    assert np.isnan(array(numbers["numbers"])).all() or numbers["kind"] == "values"
    with pytest.raises(UnknownNameError, match="feature"):
        shown.answer("colour", name="featre")
    assert "feature" in shown.answer("colours")


def test_a_score_is_a_colour_by_its_mean_or_its_label(traces: Traces) -> None:
    ids = traces.trace_ids
    scores = pd.DataFrame({"trace_id": [ids[0], ids[0], ids[1]], "name": "helpful", "value": [1.0, 0.0, 1.0]})
    scores["score_id"] = ["a", "b", "c"]
    labels = pd.DataFrame({"trace_id": [ids[2]], "name": ["kind"], "label": ["rude"], "score_id": ["d"]})
    made = DriftMap(traces.with_scores(scores).with_scores(labels), before="2026-11-08", color="helpful")
    assert made.wait(120)
    place = {trace: row for row, trace in enumerate(made._points.trace_ids)}
    numbers = array(made.answer("colour", name="helpful")["numbers"])
    assert (numbers[place[ids[0]]], numbers[place[ids[1]]]) == (0.5, 1.0)
    assert np.isnan(numbers[place[ids[2]]])
    assert made.answer("colour", name="score.kind")["labels"] == ["rude", "(none)"]
    assert made.answer("colour", name="kind")["labels"] == ["llm"]
    assert {"helpful", "score.kind"} <= set(made.answer("colours"))
    made.close()


def test_many_values_fold_into_others() -> None:
    frames = said({"refund": 60}, "2026-11-01", "old")
    spans = frames.spans
    spans["model"] = [None if i < 5 else f"m{min(i // 5, 10):02d}" for i in range(len(spans))]
    made = DriftMap(Traces.from_frames({"spans": spans, "contents": frames.contents}), color="model")
    assert made.wait(120)
    reply = made.answer("colour", name="model")
    assert reply["labels"] == ["m10", "m01", "m02", "m03", "m04", "m05", "m06", "3 others", "(none)"]
    assert reply["counts"] == [10, 5, 5, 5, 5, 5, 5, 15, 5]
    assert reply["plain"] == 7
    made.close()


def test_density_shows_where_the_one_window_has_more_and_counts_windows_alike() -> None:
    random = np.random.default_rng(0)
    places = np.vstack([random.normal([-5, 0], 0.3, (100, 2)), random.normal([5, 0], 0.3, (10, 2))]).astype(np.float32)
    found = density_difference(places, np.repeat([0, 1], [100, 10]).astype(np.uint8))
    assert found is not None
    cells = array(found["cells"]).reshape(found["size"], found["size"])
    left, right = cells[:, : found["size"] // 2], cells[:, found["size"] // 2 :]
    assert left.min() < -60
    assert right.max() > 60
    assert left.max() <= 0 <= right.min()
    assert density_difference(places, np.zeros(110, dtype=np.uint8)) is None


def test_facts_are_the_drift_the_clusters_and_the_trust(shown: DriftMap) -> None:
    facts = shown.answer("facts")
    names = dict(zip(facts["clusters"]["main_slice"], facts["clusters"]["difference"], strict=True))
    assert names["support sizes"] > 0.2
    assert names["support weather"] < -0.2
    assert facts["drift"]["overall"]["n_before"] == 76
    assert facts["drift"]["mix"]["p"] <= 0.05
    assert 0 <= facts["trust"]["overlap"] <= 1
    assert "turned round" in facts["notes"]
    assert array(facts["cluster"]).shape == (152,)
    assert shown.drift is not None
    assert shown.clusters is not None
    assert shown.trust is not None


def test_a_copy_without_a_kernel_has_the_picture_its_numbers_and_no_texts(shown: DriftMap) -> None:
    replies = list(shown.static_replies())
    assert [each["kind"] for each in replies][:3] == ["map", "facts", "colours"]
    assert "what about" not in json.dumps(replies)
    assert "approved and" not in json.dumps(replies)


# Selecting -----------------------------------------------------------------------------------------------------------


def test_chosen_points_become_the_selection_and_views_follow(shown: DriftMap) -> None:
    explorer, treemap = TraceExplorer(shown), CostTreemap(shown)
    assert len(explorer.traces) == 152
    assert shown.answer("choose", rows=[0, 1, 2]) == 3
    assert shown.selection.trace_ids == ["old-refund-0", "old-refund-1", "old-refund-2"]
    assert explorer.traces.trace_ids == treemap.traces.trace_ids == shown.selection.trace_ids
    assert shown.answer("choose", rows=[]) == 0
    assert len(shown.selection) == len(explorer.traces) == 152
    assert shown.answer("choose", rows=[152, -1]) == 0
    assert shown.chosen == 0


def test_what_python_selects_is_shown(shown: DriftMap, traces: Traces) -> None:
    shown.select(traces.where(feature="support weather"))
    assert shown.chosen == 1
    rows = array(shown.answer("chosen"))
    assert len(rows) == 52
    assert set(shown._points.rows["feature"].iloc[rows]) == {"support weather"}
    shown.select(None)
    assert shown.answer("chosen") is None


def test_a_cluster_is_selected_by_number_or_name(shown: DriftMap) -> None:
    assert shown.clusters is not None
    first = shown.clusters.iloc[0]
    shown.select_cluster(first["name"])
    assert len(shown.selection) == first["n_before"] + first["n_after"]
    with pytest.raises(UnknownNameError, match="There is no cluster"):
        shown.select_cluster("nothing like it")


def test_a_map_follows_the_selection_of_another_view(traces: Traces) -> None:
    explorer = TraceExplorer(traces)
    made = DriftMap(explorer, before="2026-11-08")
    assert made.wait(120)
    revision = made.revision
    explorer.select(traces.where(feature=["support weather", "support sizes"]))
    assert made.wait(120)
    assert made.revision > revision
    assert made.answer("map")["n"] == 104
    made.close()


# The work ------------------------------------------------------------------------------------------------------------


def test_stopping_keeps_the_first_picture_and_going_on_makes_the_map(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Projection.fit
    at_work = threading.Event()

    def slow(*_arguments: Any, cancel: threading.Event, **_options: Any) -> Projection:
        at_work.set()
        assert cancel.wait(60)
        raise CancelledError

    monkeypatch.setattr(Projection, "fit", staticmethod(slow))
    made = DriftMap(traces, before="2026-11-08")
    assert at_work.wait(120)
    made.answer("stop")
    assert made.wait(60)
    assert made.progress["stage"] == "stopped"
    assert made.answer("map")["places"]["layout"] == "pca"
    assert made.drift is None
    monkeypatch.setattr(Projection, "fit", staticmethod(whole))
    revision = made.revision
    made.answer("go")
    assert made.wait(120)
    assert made.revision == revision + 1
    assert made.answer("places")["layout"] == "umap"
    made.close()


def test_clusters_that_are_known_are_not_looked_for_again(
    traces: Traces, shown: DriftMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("they were looked for again")

    monkeypatch.setattr(stored_groups, "groups", again)
    made = DriftMap(traces, before="2026-11-08")
    assert made.wait(120)
    assert made.clusters is not None
    assert shown.clusters is not None
    assert made.clusters.to_dict("list") == shown.clusters.to_dict("list")
    made.close()
    other = DriftMap(traces, before="2026-11-08", seed=1)
    assert other.wait(120)
    assert other.clusters is None
    assert "they were looked for again" in " ".join(other.answer("facts")["notes"])
    other.close()


def test_nothing_is_compiled_before_the_first_picture_is_there(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    preview, fit = Projection.preview, Projection.fit

    def picture(*arguments: Any) -> Any:
        order.append("picture")
        return preview(*arguments)

    def whole(*arguments: Any, **options: Any) -> Projection:
        order.append("fit")  # which compiles
        return fit(*arguments, **options)

    monkeypatch.setattr(Projection, "preview", staticmethod(picture))
    monkeypatch.setattr(Projection, "fit", staticmethod(whole))
    for name in ("warm_up", "projection"):
        monkeypatch.setattr(sys.modules[f"llmlens.embed.{name}"], "warm_up", lambda: order.append("compiling"))
    made = DriftMap(traces)
    assert made.wait(120)
    assert order[:2] == ["picture", "fit"]
    made.close()


def test_a_map_that_was_made_before_is_the_first_picture_and_compiles_nothing(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def stored(vectors: Any, _strata: Any = None, *, seed: int = 0, **_options: Any) -> Projection:
        places = 2 * Projection.preview(vectors, seed)
        return Projection(places, vectors, places, ("known",))

    monkeypatch.setattr(Projection, "stored", staticmethod(stored))
    monkeypatch.setattr(Projection, "fit", staticmethod(lambda *_, **__: calls.append("fit")))
    monkeypatch.setattr(sys.modules["llmlens.embed.warm_up"], "warm_up", lambda: calls.append("warm_up"))
    made = DriftMap(traces, before="2026-11-08")
    pictures = [made.progress["picture"]]
    made.observe(lambda change: pictures.append(change["new"]["picture"]), "progress")
    assert made.wait(120)
    assert calls == []
    assert set(pictures) <= {0, 2}
    assert made.answer("places")["layout"] == "umap"
    assert made.answer("facts")["notes"].count("known") == 1
    made.close()


def test_the_same_traces_and_seed_give_the_same_map(traces: Traces) -> None:
    replies = []
    for _ in range(2):
        made = DriftMap(traces, before="2026-11-08", seed=3)
        assert made.wait(120)
        replies.append((made.answer("map"), made.answer("facts")))
        made.close()
    assert replies[0] == replies[1]


def test_a_part_that_fails_leaves_the_picture_and_says_what_failed(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(drifting, "drift_of", fail)
    made = DriftMap(traces, before="2026-11-08")
    assert made.wait(120)
    assert made.progress["stage"] == "failed"
    assert made.progress["problem"] == ""
    assert made.answer("map")["n"] == 152
    assert "ZeroDivisionError: nothing to divide by" in made.answer("facts")["notes"]
    assert made.drift is None
    made.close()


def test_asking_for_points_before_there_are_any_is_said() -> None:
    made = DriftMap(Traces.from_frames({}), before="2026-11-08")
    assert made.wait(60)
    with pytest.raises(SelectionError, match="no outputs"):
        made.answer("map")
    made.close()


# Bad input -----------------------------------------------------------------------------------------------------------


def texts(outputs: list[str | None]) -> Traces:
    count = len(outputs)
    start = pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(np.arange(count), unit="h")
    spans = pd.DataFrame({"trace_id": [f"t{i}" for i in range(count)], "span_id": "s", "kind": "llm", "depth": 0})
    contents = spans[["trace_id", "span_id"]].assign(output=pd.array(outputs, dtype="str"), input="hello")
    return Traces.from_frames({"spans": spans.assign(start=start, status="ok"), "contents": contents})


def test_what_makes_no_map_is_said_in_the_widget() -> None:
    assert "There are no outputs" in problem(Traces.from_frames({}))
    assert "There are no outputs in these 20 traces" in problem(texts([None] * 20))
    assert "3 outputs are too few" in problem(texts(["a b", "c d", "e f"]))
    assert "All 20 outputs are the same text" in problem(texts(["the same"] * 20))
    assert "The window after (since 2027-01-01) has none" in problem(
        texts([f"say {i} x" for i in range(20)]), "2027-01-01"
    )
    assert "The window before (until 2026-01-01) has none" in problem(
        texts([f"say {i}" for i in range(20)]), "2026-01-01"
    )


class OddSizes:
    name = "odd"

    def encode(self, given: list[str], /) -> Any:
        return np.zeros((len(given), 3 + len(given[0]) % 2), dtype=np.float32)

    at_once = 1


class Missing:
    name = "missing"

    def encode(self, given: list[str], /) -> Any:
        return np.array(
            [[np.nan] * 4 if i % 2 else [i, i % 3, i % 5, 1.0] for i in range(len(given))], dtype=np.float32
        )


def test_an_encoder_that_changes_its_size_is_said_in_the_widget() -> None:
    assert "dimensions" in problem(texts([f"say {'x' * i}" for i in range(20)]), encoder=OddSizes())


def test_texts_without_a_vector_are_not_on_the_map_and_are_counted() -> None:
    made = DriftMap(texts([f"say {i} more" for i in range(60)]), encoder=Missing())
    assert made.wait(120)
    assert made.answer("map")["n"] == 30
    assert "30 of 60 texts have no vector." in made.answer("facts")["notes"]
    made.close()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"before": 7}, SelectionError, "is no window"),
        ({"before": "yesterday-ish"}, SelectionError, "is not a time"),
        ({"before": {"featur": "x"}}, UnknownNameError, "feature"),
        ({"color": "modle"}, UnknownNameError, "model"),
        ({"color": "window"}, SelectionError, "needs windows"),
        ({"text": "ouput"}, UnknownNameError, "output"),
        ({"per": "call"}, UnknownNameError, "span"),
        ({"by": "featur"}, UnknownNameError, "feature"),
        ({"seed": -1}, SelectionError, "seed"),
        ({"encoder": "gpt"}, EmbeddingError, "An encoder has a name"),
        ({"colour": "model"}, UnknownNameError, "color"),
    ],
)
def test_misuse_is_explained(traces: Traces, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DriftMap(traces, **options)


# Without a kernel ----------------------------------------------------------------------------------------------------


def test_the_snapshot_is_html_without_scripts_that_has_the_picture_and_the_tables(shown: DriftMap) -> None:
    text = shown.snapshot()
    assert len(text) < 120_000
    seen: set[str] = set()

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.update([tag, *(name for name, _ in attrs)])

    Parser().feed(text)
    assert seen <= {"div", "table", "thead", "tbody", "tr", "th", "td", "b", "i", "style", "class", "colspan"}
    assert "rgba(" in text
    assert "share before" in text
    assert "more until 2026-11-08 (76)" in text
    assert "trustworthiness" in text


def test_markup_in_names_stays_text(traces: Traces) -> None:
    evil = "<img src=x onerror=alert(1)>"
    spans = traces.spans.assign(feature=evil)
    made = DriftMap(Traces.from_frames({"spans": spans, "contents": traces.contents}), before="2026-11-08")
    assert made.wait(120)
    assert "<img" not in made.snapshot()
    bundle = made._repr_mimebundle_()
    assert bundle is not None
    assert "text/html" in bundle[0]
    assert bundle[0]["text/plain"] == "<DriftMap of 152 traces: until 2026-11-08 | since 2026-11-08>"
    made.close()


def test_the_code_and_the_looks_are_small() -> None:
    assert len(str(DriftMap._esm).encode()) < 110_000
    assert len(str(DriftMap._css).encode()) < 40_000
