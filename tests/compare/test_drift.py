"""Drift: what moved is found, told and named; what did not move is not; what cannot be judged is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.compare.drift.drifting import drift_of
from llmlens.compare.drift.reference import frozen
from llmlens.compare.drift.result import Drift, DriftSeries
from llmlens.compare.drift.windows import Windows, joined
from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError

if TYPE_CHECKING:
    from llmlens.traces import Traces

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
SINCE = "2026-11-17 06:20"

OPENINGS = ("The parcel", "Your order", "This item", "The refund")
MIDDLES = ("arrives on Monday", "is on its way", "was sent today", "is being packed", "is delayed by a day")
ENDINGS = ("Thank you for waiting.", "Have a nice day.", "We will write to you.", "The link is in your mail.")
LISTED = "- It {}\n- Please check the details\n\nI can't be certain, it might change."


def answers(n: int, seed: int, *, changed: float = 0.0, feature: str = "orders") -> pd.DataFrame:
    """Make rows of texts; a share of them in another manner."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(n):
        parts = [str(rng.choice(words)) for words in (OPENINGS, MIDDLES, ENDINGS)]
        new = rng.random() < changed
        texts.append(LISTED.format(parts[1]) if new else f"{parts[0]} {parts[1]}. {parts[2]}")
    prompts = [f"Where is order {rng.integers(1000, 9999)}?" for _ in range(n)]
    ids = [f"{seed}-{feature}-{i}" for i in range(n)]
    start = pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="min")
    return pd.DataFrame(
        {"trace_id": ids, "span_id": "s", "start": start, "prompt": prompts, "text": texts, "feature": feature}
    )


def windows(before: pd.DataFrame, after: pd.DataFrame, by: tuple[str, ...] = ("feature",)) -> Windows:
    return joined(before, after, list(by), limit=5_000, seed=0)


def row(result: pd.DataFrame, name: str) -> dict[str, Any]:
    return {str(k): v for k, v in result[result["slice"] == name].iloc[0].items()}


@pytest.fixture(scope="module")
def model_change() -> Traces:
    return ll.read_otlp(SAMPLES / "model_change.otlp.jsonl.gz")


@pytest.fixture(scope="module")
def changed(model_change: Traces) -> Drift:
    found = ll.drift(model_change.where(until=SINCE), model_change.where(since=SINCE))
    assert isinstance(found, Drift)
    return found


def test_the_feature_whose_model_changed_is_named_and_the_mix_is_a_row_of_its_own(changed: Drift) -> None:
    moved = changed[(changed["q"] <= 0.05) & ~changed["slice"].isin(["overall", "mix"])]
    assert list(moved["slice"]) == ["product_search"]
    assert row(changed, "overall")["p"] <= 0.05
    assert row(changed, "mix")["p"] <= 0.05
    assert next(iter(changed["slice"])) == "overall"
    assert list(changed["slice"])[-1] == "mix"


def test_what_moved_is_said_in_words_and_units(changed: Drift) -> None:
    words = row(changed, "product_search")["moved"]
    assert "bullets 0 → " in words
    assert "an answer" in words
    assert row(changed, "order_status")["moved"] == ""


def test_the_effect_is_large_where_it_moved_and_its_interval_holds_it(changed: Drift) -> None:
    found = row(changed, "product_search")
    assert found["low"] < found["effect"] < found["high"]
    assert found["effect"] > 0.8
    assert found["detectable"] > 0.5


def test_examples_are_pairs_with_like_prompts_one_of_each_window(changed: Drift, model_change: Traces) -> None:
    pairs = changed.examples
    assert pairs.iloc[0]["slice"] == "product_search"
    start = model_change.traces.set_index("trace_id")["start"]
    assert (start[pairs["trace_before"]].to_numpy() < pd.Timestamp(SINCE, tz="UTC")).all()
    assert (start[pairs["trace_after"]].to_numpy() >= pd.Timestamp(SINCE, tz="UTC")).all()
    same = pairs[pairs["same_prompt"]]
    assert (same["prompt_before"] == same["prompt_after"]).all()
    assert not pairs["trace_before"].duplicated().any()


def test_days_give_the_onset_and_no_alarm_before_it(model_change: Traces) -> None:
    before = model_change.where(until="2026-11-14")
    days = ll.drift(before, model_change.where(since="2026-11-14"), every="1D", permutations=199)
    assert isinstance(days, DriftSeries)
    found = row(days.changes, "product_search")
    assert str(found["onset"].date()) == "2026-11-17"
    assert found["low"] <= found["onset"] <= found["high"]
    assert "bullets" in found["moved"]
    quiet = days[(days["period"] < pd.Timestamp("2026-11-17", tz="UTC"))]
    assert (quiet["p"] > 0.05).all()
    assert set(days["slice"]) >= {"overall", "product_search"}
    assert days.plot().data


def test_the_same_seed_gives_the_same_result_to_the_last_digit() -> None:
    given = windows(answers(60, 1), answers(60, 2, changed=0.4))
    pd.testing.assert_frame_equal(drift_of(given, times=199, seed=3), drift_of(given, times=199, seed=3))


def test_nothing_moved_where_nothing_did() -> None:
    p = [
        float(row(drift_of(windows(answers(80, s), answers(80, s + 50)), times=199), "overall")["p"]) for s in range(8)
    ]
    assert sum(each <= 0.05 for each in p) <= 2


def test_a_shift_of_the_mix_alone_is_no_drift() -> None:
    other = answers(20, 3, changed=1.0, feature="search"), answers(90, 4, changed=1.0, feature="search")
    found = drift_of(windows(pd.concat([answers(90, 1), other[0]]), pd.concat([answers(20, 2), other[1]])), times=499)
    assert row(found, "overall")["p"] > 0.05
    assert row(found, "mix")["p"] <= 0.05
    assert "orders 82 % → 18 %" in row(found, "mix")["moved"]


def test_drift_without_slices_is_found_too() -> None:
    found = drift_of(windows(answers(80, 1), answers(80, 2, changed=0.5), by=()), times=199)
    assert row(found, "overall")["p"] <= 0.05
    assert row(found, "all")["n_after"] == 80


def test_texts_of_other_scripts_are_judged() -> None:
    def in_chinese(n: int, seed: int, text: str) -> pd.DataFrame:
        rows = answers(n, seed)
        rng = np.random.default_rng(seed)
        rows["text"] = [text + str(rng.choice(["谢谢。", "再见。", "您好。"])) for _ in range(n)]
        return rows

    found = drift_of(windows(in_chinese(40, 1, "您的包裹已发货"), in_chinese(40, 2, "我无法提供信息")), times=199)
    assert row(found, "overall")["p"] <= 0.05
    assert "refusals 0 % → 100 %" in row(found, "overall")["moved"]


@pytest.mark.parametrize("text", ["", "x", "same answer", "a" * 200_000], ids=["empty", "letter", "words", "long"])
def test_identical_texts_are_not_told_apart(text: str) -> None:
    rows = answers(20, 1), answers(20, 2)
    for part in rows:
        part["text"] = text
    found = drift_of(windows(*rows), times=99)
    assert found["p"].dropna().gt(0.05).all()


def test_identical_outputs_are_said_to_be_so() -> None:
    rows = answers(20, 1), answers(20, 2)
    for part in rows:
        part["text"] = "same"
    assert drift_of(windows(*rows), times=99).notes == ("All outputs are the same text.",)


@pytest.mark.parametrize(("n_before", "n_after"), [(0, 30), (30, 0), (3, 30), (0, 0)])
def test_too_few_outputs_are_said_and_give_no_number(n_before: int, n_after: int) -> None:
    found = drift_of(windows(answers(n_before, 1), answers(n_after, 2)), times=99)
    assert list(found["slice"]) == ["overall"]
    assert found["p"].isna().all()
    assert "at least 8" in found.notes[-1]
    assert found.examples.empty


def test_a_slice_with_few_outputs_is_not_judged_by_itself() -> None:
    few = answers(3, 5, feature="rare"), answers(4, 6, feature="rare")
    found = drift_of(windows(pd.concat([answers(40, 1), few[0]]), pd.concat([answers(40, 2), few[1]])), times=99)
    assert pd.isna(row(found, "rare")["p"])
    assert any("rare" in note for note in found.notes)


def test_outputs_in_both_windows_are_left_out_and_said() -> None:
    first, second = answers(40, 1), answers(40, 2)
    both = pd.concat([second, first.head(5)])
    found = windows(first, both)
    assert found.counts() == (35, 40)
    assert "5 outputs are in both windows" in found.notes[0]


def test_the_same_window_twice_is_an_error(model_change: Traces) -> None:
    with pytest.raises(SelectionError, match="do not overlap"):
        ll.drift(model_change, model_change)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"by": "featur"}, UnknownNameError, "feature"),
        ({"text": "outputs"}, UnknownArgumentError, "output"),
        ({"per": "call"}, UnknownArgumentError, "trace"),
        ({"seeds": 1}, UnknownArgumentError, "seed"),
        ({"permutations": 3}, SelectionError, "from 99"),
        ({"every": "1 fortnight"}, SelectionError, "not a period"),
    ],
)
def test_wrong_arguments_name_the_right_ones(
    model_change: Traces, given: dict[str, Any], error: type[Exception], match: str
) -> None:
    before, after = model_change.where(until=SINCE), model_change.where(since=SINCE)
    with pytest.raises(error, match=match):
        ll.drift(before, after, **given)


def test_a_frame_that_holds_no_fingerprints_is_an_error() -> None:
    with pytest.raises(SelectionError, match="before has no column 'trace_id'"):
        ll.drift(pd.DataFrame(), pd.DataFrame())


def test_something_else_than_traces_is_an_error(model_change: Traces) -> None:
    with pytest.raises(SelectionError, match="before is str"):
        ll.drift("yesterday", model_change)  # type: ignore[arg-type]  # the mistake that is tested


def test_fingerprints_alone_find_the_feature_and_say_what_is_lost(model_change: Traces) -> None:
    parts = model_change.where(until=SINCE), model_change.where(since=SINCE)
    found = ll.drift(ll.fingerprint(parts[0]), ll.fingerprint(parts[1]))
    assert isinstance(found, Drift)
    moved = found[(found["q"] <= 0.05) & ~found["slice"].isin(["overall", "mix"])]
    assert list(moved["slice"]) == ["product_search"]
    assert "bullets 0 → " in row(found, "product_search")["moved"]
    assert any("fingerprints" in note for note in found.notes)


def test_fingerprints_are_short_repeat_and_hold_no_text(model_change: Traces) -> None:
    some = model_change.sample(20, seed=1)
    found = ll.fingerprint(some)
    pd.testing.assert_frame_equal(found, ll.fingerprint(some))
    assert (found["fingerprint"].str.len() == 75).all()
    assert not set(found.columns) & {"text", "prompt"}


def test_a_text_that_is_no_fingerprint_is_an_error(model_change: Traces) -> None:
    good = ll.fingerprint(model_change.where(until=SINCE))
    bad = ll.fingerprint(model_change.where(since=SINCE)).assign(fingerprint="0123")
    with pytest.raises(SelectionError, match="not a fingerprint of this version"):
        ll.drift(good, bad)


def test_the_figure_shows_each_slice(changed: Drift) -> None:
    figure = changed.plot()
    shown = {label for trace in figure.data for label in trace.y}
    assert {"overall", "product_search", "refunds"} <= shown
    assert "mix" not in shown


def test_a_slice_in_which_no_prompts_are_alike_is_not_judged_and_said_to_be_so() -> None:
    before, after = answers(40, 1), answers(40, 2)
    before["prompt"] = [f"where is parcel {'a' * (i % 3)}" for i in range(40)]
    after["prompt"] = [f"¿dónde está mi dinero, {'por favor ' * (10 + i % 3)}?" for i in range(40)]
    other = answers(40, 3, feature="search"), answers(40, 4, feature="search")
    found = drift_of(windows(pd.concat([before, other[0]]), pd.concat([after, other[1]])), times=99)
    assert pd.isna(row(found, "orders")["p"])
    assert pd.notna(row(found, "search")["p"])
    assert any("asked changed so much" in note and "orders" in note for note in found.notes)


def in_sessions(n: int, each: int, seed: int) -> pd.DataFrame:
    """Make sessions whose outputs are the same text, but for the number of the order."""
    made = answers(n, seed)
    rows = made.loc[np.repeat(np.arange(n), each)].reset_index(drop=True)
    number = [f"{trace}-{i}" for i, trace in enumerate(rows["trace_id"])]
    return rows.assign(trace_id=number, session_id=rows["trace_id"])


def test_outputs_of_one_session_are_not_counted_as_many() -> None:
    known: list[float] = []
    unknown: list[float] = []
    sides: tuple[tuple[list[float], list[str]], ...] = ((known, []), (unknown, ["session_id"]))
    for seed in range(6):
        before, after = in_sessions(20, 6, 100 + seed), in_sessions(20, 6, 200 + seed)
        for found, left_out in sides:
            result = drift_of(windows(before.drop(columns=left_out), after.drop(columns=left_out)), times=199)
            found.append(row(result, "overall")["p"])
    assert min(unknown) < 0.05
    assert np.median(unknown) < 0.05 < np.median(known)


def test_few_sessions_are_not_judged_however_many_outputs_they_have() -> None:
    result = drift_of(windows(in_sessions(3, 40, 1), in_sessions(30, 4, 2)), times=199)
    assert row(result, "overall")["moved"] == "too few to judge"
    assert any("3 sessions before and 30 after" in note for note in result.notes)


def test_a_change_within_sessions_is_found_and_told_to_be_compared_by_session() -> None:
    before, after = in_sessions(40, 3, 3), in_sessions(40, 3, 4)
    after["text"] = [LISTED.format("came") for _ in after["text"]]
    result = drift_of(windows(before, after), times=199)
    assert row(result, "overall")["p"] < 0.05
    assert any("40 sessions before and 40 after" in note for note in result.notes)


def test_quiet_days_are_wider_the_smaller_the_reference_that_gave_the_scale() -> None:
    small, large = (frozen(windows(answers(n, 1), answers(50, 2)), 0).wider for n in (60, 900))
    assert small["words"] > large["words"] >= 1
    assert small["words"] > 1.02
