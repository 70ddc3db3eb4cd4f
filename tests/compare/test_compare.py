"""Two selections, measure by measure: the right number, told apart when it is, NA when there is too little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.compare.contrasts import contrast
from llmlens.compare.design import design
from llmlens.compare.measured import SCORE_BETTER, Measured
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces


def traces(seconds: Any, prefix: str = "t", prompts: Any = None, score: Any = None, **columns: Any) -> Traces:
    """One model call a trace that took so many seconds; `score` are helpfulness scores of a judge."""
    n = len(seconds)
    ids = [f"{prefix}{i:05}" for i in range(n)]
    start = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(np.arange(n), unit="min")
    given = {"trace_id": ids, "span_id": "1", "kind": "llm", "status": "ok", "feature": "qa", "start": start}
    given["end"] = start + pd.to_timedelta(seconds, unit="s")
    frames = {"spans": pd.DataFrame(given | columns)}
    if prompts is not None:
        frames["contents"] = pd.DataFrame({"trace_id": ids, "span_id": "1", "input": prompts, "output": "fine"})
    if score is not None:
        given = {"score_id": ids, "trace_id": ids, "name": "helpfulness", "source": "judge"}
        frames["scores"] = pd.DataFrame(given | (score if isinstance(score, dict) else {"value": score}))
    return Traces.from_frames(frames)


def row(found: pd.DataFrame, measure: str, statistic: str) -> pd.Series[Any]:
    rows = found[(found["measure"] == measure) & (found["statistic"] == statistic)]
    assert len(rows) == 1
    return rows.iloc[0]


def lognormal(n: int, seed: int, factor: float = 1.0) -> np.ndarray:
    return factor * np.random.default_rng(seed).lognormal(0, 0.5, n)


# ---------------------------------------------------------------- what is estimated


def test_plain_estimates_are_those_of_the_values() -> None:
    a, b = lognormal(500, 1).round(6), lognormal(600, 2, 1.5).round(6)
    found = ll.compare(traces(a), traces(b, "u"), measures="duration_s")
    assert found["statistic"].tolist() == ["mean", "P95", "P99"]
    for name, expected in (
        ("mean", np.mean),
        ("P95", lambda v: np.quantile(v, 0.95, method="hazen")),
        ("P99", lambda v: np.quantile(v, 0.99, method="hazen")),
    ):
        got = row(found, "duration_s", name)
        assert got[["a", "b", "difference"]].tolist() == pytest.approx(
            [expected(a), expected(b), expected(b) - expected(a)]
        )
        assert got["low"] < got["difference"] < got["high"]
        assert got[["how", "n_a", "n_b"]].tolist() == ["plain", 500, 600]
    assert row(found, "duration_s", "mean")["verdict"] == "worse"


def test_mix_adjusted_b_is_what_it_would_be_with_the_mix_of_a() -> None:
    features_a, features_b = ["x"] * 80 + ["y"] * 20, ["x"] * 20 + ["y"] * 80
    a = np.where(np.array(features_a) == "x", 1.0, 10.0) * lognormal(100, 3).round(3)
    b = np.where(np.array(features_b) == "x", 1.0, 10.0) * lognormal(100, 4).round(3)
    found = ll.compare(traces(a, feature=features_a), traces(b, "u", feature=features_b), measures="duration_s")
    got = row(found, "duration_s", "mean")
    assert got["how"] == "mix-adjusted"
    assert got["b"] == pytest.approx(0.8 * b[:20].mean() + 0.2 * b[20:].mean(), abs=1e-5)
    assert got["verdict"] == ""  # only the mix moved
    assert row(ll.compare(traces(a), traces(b, "u"), measures="duration_s"), "duration_s", "mean")["verdict"] == "worse"


def test_strata_of_one_side_are_named_and_left_out() -> None:
    a = traces(lognormal(60, 5), feature=["x"] * 40 + ["old"] * 20)
    b = traces(lognormal(70, 6), "u", feature=["x"] * 40 + ["new"] * 28 + [None] * 2)
    got = row(ll.compare(a, b, measures="duration_s"), "duration_s", "mean")
    assert got["note"] == "left out, only in a: old; left out, only in b: new, (none)"
    assert got[["n_a", "n_b", "how"]].tolist() == [40, 40, "mix-adjusted"]


def test_the_same_inputs_are_paired_whatever_their_case_and_their_repeats_averaged() -> None:
    prompts = [f"How do I do {i}?" for i in range(40)]
    base = np.random.default_rng(7).lognormal(0, 2, 40).round(3)
    a = traces(base, prompts=prompts)
    twice = np.concatenate([base + 0.2, base + 0.4])
    b = traces(twice, "u", prompts=[f"  HOW do I  do {i}? " for i in range(40)] * 2)
    got = row(ll.compare(a, b, measures="duration_s"), "duration_s", "mean")
    assert got[["how", "n_a", "n_b", "note"]].tolist() == [
        "paired",
        40,
        80,
        "no interval: the values hardly differ; 40 inputs recur",
    ]
    assert got["difference"] == pytest.approx(0.3, abs=1e-5)


def test_pairing_tells_apart_what_other_inputs_do_not() -> None:
    prompts = [f"q{i}" for i in range(60)]
    base, noise = np.random.default_rng(8).lognormal(0, 1, 60), lognormal(60, 9, 0.1)
    a = traces(base, prompts=prompts)
    same, other = (traces(base * 1.05 + noise, "u", prompts=p) for p in (prompts, [f"r{i}" for i in range(60)]))
    paired, plain = (row(ll.compare(a, b, measures="duration_s"), "duration_s", "mean") for b in (same, other))
    assert (paired["how"], paired["verdict"]) == ("paired", "worse")
    assert (plain["how"], plain["verdict"]) == ("plain", "")
    assert paired["detectable"] < 0.3 * plain["detectable"]


def test_a_few_inputs_that_recur_do_not_speak_for_all() -> None:
    a = traces(lognormal(100, 10), prompts=[f"q{i}" for i in range(100)])
    b = traces(lognormal(100, 11), "u", prompts=[f"q{i}" if i < 20 else f"r{i}" for i in range(100)])
    assert row(ll.compare(a, b, measures="duration_s"), "duration_s", "mean")["how"] == "plain"


def test_the_same_words_asked_of_another_feature_are_no_pair() -> None:
    prompts = ["yes", "no"] * 30
    a, b = (traces(lognormal(60, s), p, prompts=prompts, feature=p) for s, p in ((12, "t"), (13, "u")))
    got = row(ll.compare(a, b, measures="duration_s"), "duration_s", "mean")
    assert got["how"] == "plain"
    assert "no stratum has enough traces on both sides" in got["note"]


# ---------------------------------------------------------------- too little


def test_tails_of_few_traces_are_not_told_and_a_maximum_has_no_interval() -> None:
    found = ll.compare(traces(lognormal(199, 14), cost_usd=1.0), traces(lognormal(499, 15), "u", cost_usd=2.0))
    for statistic, needed in (("P95", 200), ("P99", 500)):
        got = row(found, "duration_s", statistic)
        assert got[["a", "b", "difference", "low", "high", "p", "q", "detectable"]].isna().all()
        assert got["note"] == f"too few: {statistic} needs {needed} on each side; there are 199"
    most = row(found, "cost_usd", "max")
    assert most[["a", "b", "difference"]].tolist() == [1, 2, 1]
    assert most[["low", "high", "p"]].isna().all()
    assert "a bootstrap never draws beyond the maximum" in most["note"]


def test_nine_traces_have_a_mean_and_no_interval() -> None:
    got = row(
        ll.compare(traces([1.0] * 9), traces(lognormal(50, 16), "u"), measures="duration_s"), "duration_s", "mean"
    )
    assert got["a"] == pytest.approx(1.0)
    assert got[["low", "high", "p", "detectable"]].isna().all()
    assert "an interval needs 10 on each side; there are 9" in got["note"]


@pytest.mark.parametrize("n", [0, 1])
def test_an_empty_side_or_one_trace_is_said(week: Traces, n: int) -> None:
    for sides in ((week.sample(n), week), (week, week.sample(n)), (week.sample(n), week.sample(n, seed=1))):
        found = ll.compare(*sides)
        assert found[["low", "high", "p", "q"]].isna().all(axis=None)
        assert (found["verdict"] == "").all()
        assert (found["note"] != "").all()
        assert len(found.slices) == 0
        found.plot()


def test_what_is_known_on_one_side_or_nowhere_is_said() -> None:
    found = ll.compare(traces(lognormal(30, 17), cost_usd=0.1), traces(lognormal(30, 18), "u"))
    assert row(found, "cost_usd", "mean")["note"] == "not known in b"
    assert row(found, "ttft_s", "mean")["note"] == "not known on either side"


def test_traces_on_both_sides_are_said(week: Traces) -> None:
    found = ll.compare(week.where(feature="refunds"), week, measures="errors")
    assert "413 traces are on both sides, which draws the difference to 0" in found["note"].iloc[0]


# ---------------------------------------------------------------- scores


def test_scores_give_a_mean_and_the_worse_tail_and_verdicts_by_their_direction(monkeypatch: Any) -> None:
    random = np.random.default_rng(19)
    low, high = random.normal(0.4, 0.1, 250), random.normal(0.6, 0.1, 250)
    a, b = traces([1.0] * 250, score=high), traces([1.0] * 250, "u", score=low)
    found = ll.compare(a, b, measures="helpfulness")
    assert found[["statistic", "verdict"]].to_numpy().tolist() == [["mean", "worse"], ["P5", "worse"]]
    monkeypatch.setitem(SCORE_BETTER, "helpfulness", "lower")
    found = ll.compare(a, b, measures="helpfulness")
    assert found[["statistic", "verdict"]].to_numpy().tolist() == [["mean", "better"], ["P95", "better"]]


def test_true_and_false_give_the_share_that_passes() -> None:
    random = np.random.default_rng(20)
    a, b = (
        traces([1.0] * 200, p, score={"value": (random.random(200) < share).astype(float), "data_type": "boolean"})
        for p, share in (("t", 0.9), ("u", 0.6))
    )
    found = ll.compare(a, b, measures="helpfulness")
    assert found[["statistic", "verdict"]].to_numpy().tolist() == [["share", "worse"]]


def test_scores_of_several_kinds_and_sources_under_one_name_are_measures_of_their_own() -> None:
    score = {
        "value": [0.5] * 20 + [None] * 20 + [1.0] * 20,
        "label": [None] * 20 + ["good", "bad"] * 10 + [None] * 20,
        "source": ["judge"] * 40 + ["human"] * 20,
        "data_type": ["numeric"] * 20 + ["categorical"] * 20 + ["boolean"] * 20,
    }
    a, b = traces([1.0] * 60, score=score), traces([1.0] * 60, "u", score=score)
    found = ll.compare(a, b, measures="helpfulness")
    assert set(found["measure"]) == {
        "helpfulness (human, boolean)",
        "helpfulness (judge, numeric)",
        "helpfulness (judge, categorical): good",
        "helpfulness (judge, categorical): bad",
    }
    assert row(found, "helpfulness (judge, categorical): good", "share")["a"] == 0.5


def test_scores_that_cannot_be_counted_are_said() -> None:
    score = {"label": ["because"] * 20, "data_type": "text"}
    found = ll.compare(traces([1.0] * 20, score=score), traces([1.0] * 20, "u", score=score), measures="helpfulness")
    assert found["note"].tolist() == ["only sessions were judged, or in free text"]


# ---------------------------------------------------------------- slices


def test_a_slice_that_got_worse_while_the_whole_got_better_is_named() -> None:
    random = np.random.default_rng(21)
    features = ["big"] * 900 + ["small"] * 100
    scores = random.normal(0.5, 0.1, 1000), np.concatenate([random.normal(0.6, 0.1, 900), random.normal(0.3, 0.1, 100)])
    a, b = (traces([1.0] * 1000, p, score=s, feature=features) for p, s in zip("tu", scores, strict=True))
    found = ll.compare(a, b, measures="helpfulness")
    got = row(found, "helpfulness", "mean")
    assert got["verdict"] == "better"
    assert got["note"].startswith("but worse in small")
    assert found.reversals[["feature", "measure", "statistic"]].to_numpy().tolist() == [
        ["small", "helpfulness", "mean"]
    ]
    assert found.slices["feature"].tolist()[::2] == ["big", "small"]
    for frame in (found, found.slices):
        drawn, known = frame.plot().data, frame[frame["low"].notna()]
        assert sum(len(trace.x) for trace in drawn) == len(known)
        assert {trace.name for trace in drawn} == {verdict or "not told apart" for verdict in known["verdict"]}


def test_slices_are_by_what_is_asked(week: Traces) -> None:
    a, b = week.where(release="4.2.0"), week.where(release="4.3.0")
    found = ll.compare(a, b, by=["service", "model"], measures="cost_usd")
    assert list(found.slices.columns[:3]) == ["service", "model", "measure"]
    first = found.slices.iloc[0]
    calls = a.spans[a.spans["kind"].isin(["llm", "embedding", "reranker"])].sort_values(["start", "span_id"])
    asked = calls[calls["model"].notna()].groupby("trace_id")["model"].first()
    ids = a.traces.loc[a.traces["service"].eq(first["service"]) & a.traces["cost_usd"].notna(), "trace_id"]
    assert first["n_a"] == (asked.reindex(ids) == first["model"]).sum()


def test_nothing_changed_is_rarely_called_a_reversal() -> None:
    alarms = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        features = random.choice(list("abcdefgh"), 400)
        a, b = (traces(random.lognormal(size=400), p, feature=random.permutation(features)) for p in "tu")
        alarms += len(ll.compare(a, b, measures="duration_s").reversals) > 0
    assert alarms <= 3


# ---------------------------------------------------------------- arguments


def test_the_same_seed_gives_the_same_and_rows_do_not_hang_on_one_another(week: Traces) -> None:
    a, b = week.where(release="4.2.0"), week.where(release="4.3.0")
    one, two = ll.compare(a, b, seed=3), ll.compare(a, b, seed=3)
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))
    pd.testing.assert_frame_equal(pd.DataFrame(one.slices), pd.DataFrame(two.slices))
    alone = row(ll.compare(a, b, seed=3, measures="ttft_s"), "ttft_s", "mean")
    assert alone["low"] == row(one, "ttft_s", "mean")["low"]
    assert alone["low"] != row(ll.compare(a, b, seed=4, measures="ttft_s"), "ttft_s", "mean")["low"]


def test_a_measure_of_the_users_own_is_compared(week: Traces) -> None:
    steps = Measured("steps", lambda t: t["n_llm_calls"] + t["n_tool_calls"], ("mean", "P95", "max"), better="lower")
    a, b = week.where(release="4.2.0"), week.where(release="4.3.0")
    found = ll.compare(a, b, by="service", measures=["errors", steps])
    assert found["measure"].tolist() == ["errors", "steps", "steps", "steps"]
    assert row(found, "steps", "max")["a"] == (a.traces["n_llm_calls"] + a.traces["n_tool_calls"]).max()


def test_wrong_arguments_are_explained(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"no measure or score 'helpfulnes'. Did you mean 'helpfulness'"):
        ll.compare(week, week, measures="helpfulnes")
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.compare(week, week, by="featur")
    with pytest.raises(SelectionError, match="compare takes Traces, or a view with a selection; b is DataFrame"):
        ll.compare(week, week.spans)  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="seed=-1 is not a whole number from 0"):
        ll.compare(week, week, seed=-1)
    with pytest.raises(SelectionError, match="'median' is no statistic"):
        ll.compare(week, week, measures=Measured("slow", "duration_s", ("median",)))
    with pytest.raises(SelectionError, match="asks for nothing"):
        ll.compare(week, week, measures=[])
    with pytest.raises(UnknownNameError, match=r"no argument 'measure'. Did you mean 'measures'"):
        ll.compare(week, week, measure="errors")  # type: ignore[call-arg]


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize(("statistic", "n", "paired"), [("mean", 40, True), ("mean", 40, False), ("P95", 200, False)])
def test_intervals_cover_the_truth_about_as_often_as_they_say(statistic: str, n: int, paired: bool) -> None:
    """The bench asks a thousand simulations; a hundred and fifty tell a broken interval from a right one."""
    inside = []
    for run in range(150):
        random = np.random.default_rng([run, n])
        prompts = pd.Series([f"p{i}" for i in range(n)], dtype="str") if paired else None
        a, b = (pd.DataFrame({"value": random.lognormal(size=n), "stratum": "all", "prompt": prompts}) for _ in "ab")
        found = contrast(design(a, b), statistic, random).estimate
        inside.append(found.low <= 0 <= found.high)
    assert 0.89 <= np.mean(inside) <= 1
