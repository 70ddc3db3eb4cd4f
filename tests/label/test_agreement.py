"""`agreement` of stores, traces and frames; too little is said to be too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError
from llmlens.label.agreement import agreement
from llmlens.label.score import Score
from llmlens.label.store import LabelStore

from .test_reliability import COUNTS, OBSERVERS

if TYPE_CHECKING:
    from pathlib import Path

    import llmlens as ll


def frame(table: Any, **columns: Any) -> pd.DataFrame:
    """Write a table of items by raters as scores."""
    rows = [
        {"trace_id": f"t{item:02}", "author": f"a{rater}", "value": value}
        for item, row in enumerate(table)
        for rater, value in enumerate(row)
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows).assign(name="q", **columns)


def test_the_published_examples_come_out_of_scores_too() -> None:
    found = agreement(frame(OBSERVERS), "q").set_index(["statistic", "level"])
    alpha = found.loc["Krippendorff's alpha"]
    assert alpha["value"].round(3).to_dict() == {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}
    assert (alpha["n_items"].tolist(), alpha["n_raters"].tolist()) == ([11] * 3, [4] * 3)
    assert (alpha["low"] < alpha["value"]).all()
    assert (alpha["value"] <= alpha["high"]).all()
    counts = agreement(frame([np.repeat(np.arange(5.0), row) for row in COUNTS]), "q")
    assert counts["value"][counts["statistic"] == "Fleiss' kappa"].round(3).tolist() == [0.210]


def test_two_raters_have_cohens_kappa_and_more_have_not() -> None:
    two = agreement(frame(OBSERVERS[:, 2:]), "q")
    assert two["statistic"].tolist()[:3] == ["Cohen's kappa"] * 3
    assert two["level"].tolist()[:3] == ["nominal", "ordinal", "interval"]
    assert two["n_items"].tolist()[:1] == [10]
    assert "Cohen's kappa" not in set(agreement(frame(OBSERVERS), "q")["statistic"])


def test_few_items_give_no_number_and_say_so() -> None:
    found = agreement(frame(OBSERVERS[:9]), "q")
    assert found[["value", "low", "high"]].isna().all(axis=None)
    assert (
        found["note"].str.fullmatch(r"too few: [89] items were judged by more than one; at least 10 are needed").all()
    )
    alone = agreement(frame(OBSERVERS[:, :1]), "q")
    assert alone["value"].isna().all()
    assert len(alone.disagreements) == 0


def test_one_value_alone_gives_no_number_and_says_so() -> None:
    found = agreement(frame(np.ones((20, 2))), "q")
    assert found["value"].isna().all()
    assert found["note"].str.contains("all were judged the same").all()


def test_the_same_seed_gives_the_same() -> None:
    first, second = (agreement(frame(OBSERVERS), "q", seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(agreement(frame(OBSERVERS), "q", seed=4))


def test_categories_are_nominal_unless_their_order_is_given() -> None:
    scores = frame(OBSERVERS)
    scores["label"] = scores["value"].map({1: "e", 2: "d", 3: "c", 4: "b", 5: "a"})
    scores = scores.drop(columns="value")
    nominal = agreement(scores, "q").query('statistic == "Krippendorff\'s alpha"')
    assert (nominal["level"].tolist(), nominal["value"].round(3).tolist()) == (["nominal"], [0.743])
    ordered = agreement(scores, "q", order=["e", "d", "c", "b", "a"]).query('statistic == "Krippendorff\'s alpha"')
    assert ordered["value"].round(3).tolist() == [0.743, 0.815]
    with pytest.raises(SelectionError, match="order= lacks categories of the score 'q': 'a', 'b'"):
        agreement(scores, "q", order=["c", "d", "e"])
    with pytest.raises(SelectionError, match="order= is for categories"):
        agreement(frame(OBSERVERS), "q", order=["1"])


def test_disagreements_name_the_items_and_who_said_what_the_most_disputed_first() -> None:
    found = agreement(frame([[1, 1, 1], [1, 2, np.nan], [1, 5, 3], [4, 5, 4]]), "q").disagreements
    assert found["trace_id"].tolist() == ["t02", "t01", "t03"]
    assert found["n"].tolist() == [3, 2, 3]
    assert found["disagreement"].round(3).tolist() == [2.667, 1, 0.667]
    assert found.loc[0, ["a0", "a1", "a2"]].to_numpy().tolist() == [1, 5, 3]
    assert pd.isna(found["a2"][1])


def test_disagreements_show_words_and_truths_as_they_were_said() -> None:
    said = frame([[0, 1], [1, 1]])
    words = said.assign(label=said["value"].map({0: "rude", 1: "polite"})).drop(columns="value")
    assert agreement(words, "q").disagreements[["a0", "a1"]].to_numpy().tolist() == [["rude", "polite"]]
    truths = agreement(said.assign(value=said["value"].astype(bool)), "q")
    assert truths.disagreements[["a0", "a1"]].to_numpy().tolist() == [[False, True]]
    assert set(truths["level"]) == {"nominal"}


def test_a_rater_called_like_a_column_is_told_apart() -> None:
    scores = frame([[1, 2]]).replace({"author": {"a0": "trace_id", "a1": "n"}})
    found = agreement(scores, "q").disagreements
    assert found[["trace_id", "n", "trace_id (author)", "n (author)"]].to_numpy().tolist() == [["t00", 2, 1, 2]]


def test_the_last_judgement_of_a_rater_on_an_item_counts() -> None:
    scores = frame([[1, 2]])
    later = scores.assign(score_id=["x", "y"], value=[5.0, 5.0], created="2026-11-03")
    both = pd.concat([later, scores.assign(created="2026-11-02")], ignore_index=True)
    assert len(agreement(both, "q").disagreements) == 0


def test_stores_and_traces_give_the_same(tmp_path: Path, week: ll.Traces) -> None:
    store = LabelStore(tmp_path / "s")
    random = np.random.default_rng(0)
    with_one = list(zip(week.trace_ids[:12], random.integers(1, 6, (12, 2)).tolist(), strict=True))
    for trace_id, values in with_one:
        for author, value in zip(("ann", "bob"), values, strict=True):
            store.add(Score("solved", 1, 5), value, trace_id=trace_id, author=author)
    pd.testing.assert_frame_equal(agreement(store, "solved"), agreement(week.with_scores(store), "solved"))
    assert agreement(store, "solved")["n_items"].tolist() == [12] * 7


def test_people_can_be_held_against_judges() -> None:
    scores = frame(OBSERVERS[:, 2:])
    scores["source"] = scores["author"].map({"a0": "human", "a1": "judge"})
    by_source = agreement(scores, "q", by="source")
    assert by_source["value"].equals(agreement(scores, "q")["value"])
    assert by_source["value"].notna().all()
    assert {"human", "judge"} <= set(by_source.disagreements.columns)


def test_sessions_and_spans_are_items_too() -> None:
    scores = pd.DataFrame({"trace_id": [None, None, "t", "t"], "session_id": ["s", "s", None, None],
                           "span_id": [None, None, "1", "2"], "author": ["a", "b", "a", "b"], "name": "q",
                           "value": [1, 2, 1, 2]})  # fmt: skip
    found = agreement(scores, "q")
    assert found["n_items"].tolist() == [1] * len(found)
    assert found.disagreements["session_id"].tolist() == ["s"]


def test_scores_without_an_author_are_counted() -> None:
    scores = frame(OBSERVERS)
    nobody = scores.assign(author=None, score_id=[f"x{n}" for n in range(len(scores))])
    found = agreement(pd.concat([scores, nobody]), "q")
    assert found["note"].str.endswith(f"{len(scores)} scores without author left out").all()


def test_what_has_no_agreement_is_said() -> None:
    scores = frame(OBSERVERS)
    with pytest.raises(UnknownNameError, match=r"no score 'quality'. There is: q"):
        agreement(scores, "quality")
    with pytest.raises(UnknownNameError, match=r"raters apart: 'athor'. Did you mean 'author'"):
        agreement(scores, "q", by="athor")
    with pytest.raises(UnknownArgumentError, match=r"no argument 'sead'. Did you mean 'seed'"):
        agreement(scores, "q", sead=1)  # type: ignore[call-arg]  # misuse
    with pytest.raises(SelectionError, match="free text"):
        agreement(scores.assign(value=None, label="x", data_type="text"), "q")
    mixed = pd.concat([scores, scores.assign(author="z", value=None, label="x")])
    with pytest.raises(SelectionError, match="numbers and categories"):
        agreement(mixed, "q")
    with pytest.raises(SelectionError, match="got list"):
        agreement([1, 2], "q")  # type: ignore[arg-type]  # misuse


def test_it_draws_itself() -> None:
    found = agreement(frame(OBSERVERS), "q")
    levels = ["nominal", "ordinal", "interval"]  # Fleiss' kappa has too few items with four ratings
    assert list(found.plot().data[0].y) == [f"Krippendorff's alpha, {level}" for level in levels]
    agreement(frame(OBSERVERS[:5]), "q").plot()
    with pytest.raises(SelectionError, match="lost its disagreements"):
        _ = type(found)(found.to_dict()).disagreements
