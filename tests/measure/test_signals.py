"""What users do after an answer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import UnknownNameError
from llmlens.measure.likeness import Likeness
from llmlens.traces import Traces
from tests.examples import examples

START = pd.Timestamp("2026-01-05", tz="UTC")
LATER = ("elsewhere", "Hello there", 600.0)


def asked(*turns: tuple[str, str, float], **columns: Any) -> Traces:
    """Make traces of turns: session, question, minutes since the start."""
    ids = [f"t{n}" for n in range(len(turns))]
    spans = {"trace_id": ids, "span_id": "1", "kind": "llm", "depth": 0, "session_id": [turn[0] for turn in turns],
             "start": [START + pd.Timedelta(minutes=turn[2]) for turn in turns], "status": "ok"}  # fmt: skip
    contents = {"trace_id": ids, "span_id": "1", "input": [turn[1] for turn in turns], "output": "Yes."}
    return Traces.from_frames({"spans": pd.DataFrame(spans | columns), "contents": pd.DataFrame(contents)})


def given_to(traces: Traces, signal: str) -> list[str]:
    scores = ll.signals(traces).beside["scores"]
    return scores[(scores["name"] == signal) & (scores["value"] == 1)]["trace_id"].tolist()


@pytest.mark.parametrize(
    ("again", "signal"),
    [
        ("How long can I return my boots?", "regenerated"),
        ("  how long can I  return my boots? ", "regenerated"),
        ("How long can I return those boots?", "rephrased"),
        ("Are you sure? The page says 30 days.", "doubted"),
        ("Seguro? Eso no es lo que dice la página", "doubted"),
        ("Do you ship to Norway", None),
    ],
)
def test_the_next_question_says_what_became_of_the_answer(again: str, signal: str | None) -> None:
    traces = asked(("s", "How long can I return my boots?", 0), ("s", again, 2), LATER)
    for name in ("regenerated", "rephrased", "doubted"):
        assert given_to(traces, name) == (["t0"] if name == signal else [])
    assert given_to(traces, "abandoned") == ([] if signal is None else ["t1"])


@pytest.mark.parametrize("minutes", [61.0, 600.0])
def test_what_is_asked_much_later_is_another_question(minutes: float) -> None:
    traces = asked(("s", "Where is my parcel?", 0), ("s", "Where is my parcel?", minutes), LATER)
    assert given_to(traces, "regenerated") == []


def test_another_order_number_is_another_question() -> None:
    long = "Hello, could you please tell me where my order number HP-{} is at the moment and when it will arrive here?"
    traces = asked(("s", long.format(111111), 0), ("s", long.format(222222), 1), LATER)
    assert given_to(traces, "regenerated") == []
    typo = asked(("s", long.format(111111), 0), ("s", long.format(111111).replace("please", "plaese"), 1), LATER)
    assert given_to(typo, "regenerated") == ["t0"]


def test_sessions_are_told_apart_and_the_same_again_may_come_two_turns_later() -> None:
    traces = asked(("s", "Where is it?", 0), ("r", "Where is it?", 1), ("s", "Hi there", 2), ("s", "Where is it?", 3))
    assert given_to(traces, "regenerated") == ["t0"]


def test_a_session_that_may_go_on_is_not_abandoned() -> None:
    failed = {"status": ["error", "ok"]}
    assert given_to(asked(("s", "Where is it?", 0), ("r", "Hi", 29), **failed), "abandoned") == []
    assert given_to(asked(("s", "Where is it?", 0), ("r", "Hi", 31), **failed), "abandoned") == ["t0"]


def test_thumbs_are_read_in_their_spellings_and_ratings_left_out() -> None:
    traces = asked(*[(f"s{n}", "Where is it?", n) for n in range(6)])
    scores = pd.DataFrame({
        "trace_id": ["t0", "t1", "t2", "t3", "t4"], "value": [1, 0, -1, 1, 4], "source": "user",
        "name": ["thumbs", "User-Feedback", "like", "thumbs_down", "feedback"],
    })  # fmt: skip
    frame = ll.signals(traces.with_scores(scores))
    down = frame[frame["signal"] == "thumbs_down"].iloc[0]
    assert (down["n"], down["hits"]) == (4, 3)
    assert any("1 scores of users are no thumbs" in note for note in frame.notes)


def test_signals_become_scores_that_can_be_measured() -> None:
    traces = asked(("s", "Where is it?", 0), ("s", "Where is it?", 1), LATER)
    frame = ll.signals(traces)
    scored = traces.with_scores(frame.beside["scores"])
    again = ll.quality(scored, name="regenerated").iloc[0]
    rate = frame.set_index("signal").loc["regenerated"]
    assert (again["n"], again["pass_rate"], again["source"]) == (rate["n"], rate["rate"], "code")
    assert len(scored.with_scores(frame.beside["scores"]).scores) == len(scored.scores)


def test_rates_come_by_feature_and_time_and_are_conserved(week: Traces) -> None:
    whole = ll.signals(week).set_index("signal")
    parts = ll.signals(week, by="feature", every="1D").groupby("signal")[["n", "hits"]].sum()
    assert parts.loc[whole.index].equals(whole[["n", "hits"]].astype("Int64"))
    assert len(ll.signals(week, every="1D").plot().data) == 5


def test_without_sessions_texts_and_thumbs_that_is_said() -> None:
    spans = pd.DataFrame({"trace_id": ["t"], "span_id": "1", "kind": "llm", "depth": 0, "start": [START]})
    frame = ll.signals(Traces.from_frames({"spans": spans}))
    assert frame["n"].tolist() == [0] * 5
    assert frame["rate"].isna().all()
    assert len(frame.notes) == 3
    assert ll.signals(Traces.from_frames({"spans": spans}).where(kind="tool"), by="feature").empty


def test_a_wrong_column_names_the_nearest(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.signals(week, by="featur")


@examples(30)
@given(st.lists(st.text("ab1 ", max_size=8), min_size=2, max_size=6))
def test_likeness_is_what_a_slow_reference_says(texts: list[str]) -> None:
    sets = [set(text.split()) for text in texts]
    weight = {
        word: np.log((1 + len(texts)) / (1 + sum(word in each for each in sets))) + 1 for each in sets for word in each
    }
    first, second = np.arange(len(texts) - 1), np.arange(1, len(texts))
    found = Likeness(texts).of(first, second)
    for place, (a, b) in enumerate(pairwise(sets)):
        both, either = (sum(weight[word] for word in words) for words in (a & b, a | b))
        assert found[place] == pytest.approx(both / either if either else 0)


QUESTIONS = ["Where are my boots", "refund please", "Are you sure?", "weather tomorrow in Oslo"]


TURNS = st.tuples(st.sampled_from("xy"), st.sampled_from(QUESTIONS), st.sampled_from([1, 7, 40, 70]), st.booleans())


@examples(8)
@given(st.lists(TURNS, min_size=12, max_size=60))
@example([("x", QUESTIONS[0], 1, True)])
def test_signals_are_those_of_a_loop_over_turns(turns: list[tuple[str, str, int, bool]]) -> None:
    minutes = np.cumsum([pause for *_, pause, _ in turns]).tolist()
    names = [f"{session}{place // 8}" for place, (session, *_) in enumerate(turns)]  # two sessions at a time
    rows = [(name, text, float(at)) for name, (_, text, *_), at in zip(names, turns, minutes, strict=True)]
    frame = ll.signals(asked(*rows, status=["error" if failed else "ok" for *_, failed in turns]))
    expected: dict[str, list[bool]] = {name: [] for name in ("regenerated", "rephrased", "doubted", "abandoned")}
    for session in {session for session, *_ in rows}:
        own = [(text, at, turns[n][3]) for n, (name, text, at) in enumerate(rows) if name == session]
        reacted = [False] * len(own)
        for n, (text, at, _) in enumerate(own):
            later = [(m, *own[m]) for m in range(n + 1, min(n + 4, len(own)))]
            again = [m for m, other, then, _ in later if other == text and then - at <= 60]
            doubt = [m for m, other, then, _ in later[:1] if other == QUESTIONS[2] != text and then - at <= 10]
            expected["regenerated"].append(bool(again))
            expected["doubted"].append(bool(doubt))
            expected["rephrased"].append(False)
            for m in (*again, *doubt):
                reacted[m] = True
        if own[-1][1] <= minutes[-1] - 30:
            expected["abandoned"].append(own[-1][2] or reacted[-1])
    found = {row["signal"]: (row["n"], row["hits"]) for row in frame.to_dict("records")}
    assert {name: found[name] for name in expected} == {name: (len(all_), sum(all_)) for name, all_ in expected.items()}
