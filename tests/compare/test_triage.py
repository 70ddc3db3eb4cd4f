"""Triage: each planted incident is found, named, dated and shown; quiet traffic stays quiet."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.compare.triage import SIGNS, Findings, Sign
from llmlens.compare.triage.sources import scores
from llmlens.errors import SelectionError, UnknownArgumentError
from llmlens.traces import Traces

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


@cache
def load(name: str) -> Traces:
    return ll.read(SAMPLES / f"{name}.otlp.jsonl.gz")


@cache
def found_in(name: str) -> Findings:
    return ll.triage(load(name))


@pytest.mark.parametrize(
    ("dump", "place", "named", "since", "hours"),
    [
        ("support_week", 0, ("cost", "product_qa"), "2026-11-05T10:40", 1),
        ("support_week", 1, ("quality", "refunds"), "2026-11-06T08:15", 4),
        ("model_change", 0, ("output", "product_search"), "2026-11-17T06:20", 6),
        ("stale_index", 0, ("retrieval", "returns_policy"), "2026-11-30T03:12", 8),
        ("agent_loop", 0, ("errors", "check_stock"), "2026-12-10T14:05", 2),
        ("agent_loop", 1, ("errors", "get_weather"), "2026-12-08T11:00", 2),
        ("budget_overrun", 1, ("cost", "gear_advice"), "2027-02-18T00:00", 1),
    ],
)
def test_a_planted_incident_is_found_and_dated(
    dump: str, place: int, named: tuple[str, str], since: str, hours: float
) -> None:
    row = found_in(dump).iloc[place]
    assert (row["kind"], row["slice"]) == named
    assert abs(row["since"] - pd.Timestamp(since, tz="UTC")) <= pd.Timedelta(hours=hours)
    assert row["q"] <= 0.05


def test_it_says_what_else_moved_what_came_with_it_and_what_sets_it_apart() -> None:
    row = found_in("support_week").iloc[0]
    assert row["finding"].startswith(
        "cost a request of product_qa rose from $0.0015 to $0.053 (35.3 times) from 2026-11-05 10:51"
    )
    assert "input tokens of product_qa rose" in row["also"]
    assert "prompt_version 8 of product_qa" in row["came_with"]
    assert "failed calls of check_refund_policy rose" in found_in("support_week")["also"].iloc[1]
    assert "gpt-6-luna-2026-11-12" in found_in("model_change")["came_with"].iloc[0]
    creep = found_in("budget_overrun").iloc[0]
    assert (creep["slice"], "prompt_version = 22" in creep["set_apart"]) == ("refunds", True)


def test_the_traces_of_an_incident_are_those_that_show_it() -> None:
    found = found_in("support_week")
    traces = found.traces(0)
    assert len(traces) == found["n"].iloc[0]
    assert set(traces.spans["prompt_version"].dropna()) == {"8"}
    assert len(found.traces(-1)) <= found["n"].iloc[-1]


def test_the_series_is_what_was_measured() -> None:
    found = found_in("support_week")
    series = found.series(0)
    assert series["start"].is_monotonic_increasing
    assert series.loc[series["inside"], "value"].mean() == pytest.approx(found["after"].iloc[0])
    assert series.loc[~series["inside"], "value"].mean() == pytest.approx(found["before"].iloc[0])


def test_what_got_better_comes_last() -> None:
    worse = found_in("budget_overrun")["worse"]
    assert worse.tolist() == [True, True, False]


def test_quiet_traffic_is_said_to_be_quiet() -> None:
    quiet = load("support_week").where(until="2026-11-05T10:40")
    found = ll.triage(quiet)
    assert len(found) == 0
    assert "Nothing changed beyond chance." in found.notes
    assert "Nothing changed" in found.plot().layout.title.text


def test_against_a_baseline_all_of_it_may_be_odd() -> None:
    week = load("support_week")
    usual, broken = week.where(until="2026-11-05T10:40"), week.where(since="2026-11-06")
    found = ll.triage(broken, usual)
    place = found["slice"].tolist().index("product_qa")
    row = found.iloc[place]
    assert row["kind"] == "cost"
    assert row["before"] == pytest.approx(0.0015, rel=0.05)
    assert set(found.traces(place).trace_ids) <= set(broken.trace_ids)


def test_the_same_seed_gives_the_same_whatever_the_order_of_reading() -> None:
    traces = load("agent_loop")
    shuffled = Traces.from_frames(
        {n: traces.table(n).to_pandas().sample(frac=1, random_state=1) for n in ("spans", "contents", "scores")}
    )
    ours, theirs = found_in("agent_loop"), ll.triage(shuffled)
    assert theirs["finding"].tolist() == ours["finding"].tolist()


def test_a_sign_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = Sign("failed spans a request", "agents", "requests", "n_errors", "feature", "", "lower")
    monkeypatch.setattr("llmlens.compare.triage.streams.SIGNS", [*SIGNS, extra])
    found = ll.triage(load("agent_loop"))
    assert found["also"].str.contains("failed spans a request of kit_planner").any()


def test_it_draws_the_worst() -> None:
    figure = found_in("support_week").plot()
    assert [each.text for each in figure.layout.annotations] == [
        "cost a request of product_qa",
        "helpfulness of refunds",
    ]


def test_misuse_is_explained() -> None:
    traces = load("agent_loop")
    with pytest.raises(SelectionError, match="triage takes Traces"):
        ll.triage(traces.spans)  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="baseline is empty"):
        ll.triage(traces, traces.where("duration_s < 0"))
    with pytest.raises(SelectionError, match="seed"):
        ll.triage(traces, seed=-1)
    with pytest.raises(UnknownArgumentError, match="baseline"):
        ll.triage(traces, basline=traces)  # type: ignore[call-arg]
    with pytest.raises(SelectionError, match="no incident 9"):
        found_in("agent_loop").traces(9)
    with pytest.raises(SelectionError, match="lost their traces"):
        found_in("support_week").head(1).series(0)


def test_too_little_is_said_to_be_too_little() -> None:
    few = load("agent_loop").sample(20)
    found = ll.triage(few)
    assert len(found) == 0
    assert found.notes == ("No slice has traces enough to be followed.",)


def calls(features: list[str | None], *, slow_from: int, **columns: Any) -> Traces:
    """Make a trace of one model call an hour; those from `slow_from` on take ten times as long, and are scored low."""
    n = len(features)
    ids = [f"{number:032x}" for number in range(n)]
    random = np.random.default_rng(4)
    late = np.arange(n) >= slow_from
    start = pd.date_range("2026-11-01", periods=n, freq="h", tz="UTC")
    spans = pd.DataFrame(
        {
            "trace_id": ids,
            "span_id": [each[:16] for each in ids],
            "kind": "llm",
            "status": "ok",
            "depth": 0,
            "feature": pd.Series(features, dtype="str"),
            "start": start,
            "end": start + pd.to_timedelta(random.lognormal(0, 0.2, n) * np.where(late, 10, 1), unit="s"),
            **columns,
        }
    )
    scores = pd.DataFrame(
        {
            "score_id": ids,
            "trace_id": ids,
            "name": "feature",  # as a column is called
            "data_type": "numeric",
            "value": random.normal(0.8, 0.05, n) - 0.3 * late,
        }
    )
    return Traces.from_frames({"spans": spans, "scores": scores})


def test_a_load_with_one_feature_is_followed() -> None:
    found = ll.triage(calls(["chat"] * 200, slow_from=150))
    assert found["finding"].iloc[0].startswith("feature of chat fell from 0.8")
    assert "duration of chat rose from" in found["also"].iloc[0]


def test_traces_without_a_feature_are_followed_and_it_says_how_to_name_one() -> None:
    found = ll.triage(calls([None] * 100 + ["chat"] * 100 + [None] * 100, slow_from=200))
    row = found.iloc[0]
    assert row["finding"].startswith("feature without a feature fell from 0.79")
    assert "duration without a feature rose from" in row["also"]
    assert pd.isna(row["slice"])
    assert len(found.traces(0)) == pytest.approx(100, abs=5)
    assert found.plot().layout.annotations[0].text == "feature without a feature"
    assert any(note.startswith("200 of 300 traces have no feature") for note in found.notes)


def test_the_number_of_a_card_is_that_of_its_traces() -> None:
    page = ll.triage(calls(["chat"] * 200, slow_from=150))._repr_html_() or ""
    assert "<b>0. feature of chat fell" in page
    assert ".traces(0)" in page


def test_many_scored_traces_take_no_more_rows_than_there_are() -> None:
    rows = scores(calls(["chat", "search"] * 3_000, slow_from=6_000))
    assert len(rows) == 6_000
    assert rows["score feature"].notna().all()


def test_what_came_with_a_change_of_all_traces_is_named() -> None:
    index = ['{"index": "%s"}' % ("2025-01-07" if n >= 150 else "2026-10-30") for n in range(200)]
    traces = calls(["chat"] * 200, slow_from=150, metadata=index)
    told = "metadata.index = 2025-01-07: 100% then, 0% of the usual"
    assert ll.triage(traces)["set_apart"].iloc[0] == told
    usual = calls(["chat"] * 150, slow_from=150, metadata=index[:150])
    assert ll.triage(traces.where(since="2026-11-07T06:00"), usual)["set_apart"].iloc[0] == told


def test_an_incident_in_which_something_got_worse_is_worse() -> None:
    spans = calls(["chat"] * 200, slow_from=150).spans
    spans["input_tokens"] = np.where(np.arange(200) >= 150, 9_000, 100) + np.arange(200) % 7
    row = ll.triage(Traces.from_frames({"spans": spans})).iloc[0]
    assert row["finding"].startswith("input tokens of chat rose")
    assert "duration of chat rose" in row["also"]
    assert row["worse"]


@pytest.mark.parametrize("source", ["reported", "priced"])
def test_a_price_that_rises_is_named_where_it_was_paid(source: str) -> None:
    random = np.random.default_rng(2)
    spans = calls(["chat"] * 300, slow_from=300).spans.assign(model="gpt-4o", provider="openai", cost_source=source)
    spans["input_tokens"], spans["output_tokens"] = random.integers(100, 9_000, 300), random.integers(10, 900, 300)
    listed = (spans["input_tokens"] * 2.5 + spans["output_tokens"] * 10) / 1e6
    spans["cost_usd"] = listed * np.where(np.arange(300) >= 200, 1.35, 1.0)
    found = ll.triage(Traces.from_frames({"spans": spans}))
    told = " ".join(f"{row['finding']}; {row['also']}" for row in found.to_dict("records"))
    assert ("price paid (1 is as listed) of gpt-4o rose from 1 to 1.35 (+35%)" in told) == (source == "reported")
