"""Deploys are found where they were, whatever strays around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.compare.presence import presence
from llmlens.errors import SelectionError
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

START = pd.Timestamp("2026-11-02", tz="UTC")


def traces(versions: Sequence[str | None], column: str = "release", **columns: Any) -> Traces:
    """One call a trace, a minute apart, each of one version."""
    n = len(versions)
    spans = {
        "trace_id": [f"t{i:05}" for i in range(n)],
        "span_id": "1",
        "kind": "llm",
        "start": START + pd.to_timedelta(np.arange(n), unit="min"),
        "service": "api",
        column: list(versions),
    }
    return Traces.from_frames({"spans": pd.DataFrame(spans | columns)})


def minute(n: int) -> pd.Timestamp:
    return START + pd.Timedelta(minutes=n)


def told(found: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(None if pd.isna(v) else v for v in row) for row in found[list(columns)].itertuples(index=False)]


def test_a_deploy_at_once_has_no_rollout() -> None:
    found = ll.versions(traces(["1"] * 60 + ["2"] * 40))
    assert told(found, "column", "of", "before", "after", "onset", "until", "n_before", "n_after") == [
        ("release", "api", "1", "2", minute(60), minute(60), 60, 40)
    ]


def test_a_rollout_lasts_from_the_first_new_to_the_last_old() -> None:
    random = np.random.default_rng(0)
    share = np.clip((np.arange(900) - 400) / 100, 0, 1)
    found = ll.versions(traces(["2" if random.random() < p else "1" for p in share]))
    assert told(found, "before", "after") == [("1", "2")]
    onset, until = found["onset"].iloc[0], found["until"].iloc[0]
    assert minute(400) <= onset <= minute(420)
    assert minute(470) <= until <= minute(500)


def test_stragglers_and_tests_begin_and_end_nothing() -> None:
    versions: list[str] = ["1"] * 300 + ["2"] * 300
    versions[100] = versions[220] = "2"
    versions[420] = versions[590] = "1"
    found = ll.versions(traces(versions))
    assert told(found, "onset", "until", "n_before", "n_after") == [(minute(300), minute(300), 298, 298)]
    assert told(found.seen, "version", "first", "last", "n", "replaced") == [
        ("1", minute(0), minute(590), 300, None),
        ("2", minute(100), minute(599), 300, "1"),
    ]


def test_a_call_that_was_tried_again_counts_once() -> None:
    once = traces(["1"] * 50 + ["2"] * 50).spans
    again = once.iloc[[10] * 40].assign(span_id=pd.Series([f"r{i}" for i in range(40)]).to_numpy(), release="2")
    found = ll.versions(Traces.from_frames({"spans": pd.concat([once, again], ignore_index=True)}))
    assert told(found, "before", "after", "onset", "n_after") == [("1", "2", minute(50), 50)]


def test_a_rollback_is_a_change_of_its_own() -> None:
    found = ll.versions(traces(["1"] * 100 + ["2"] * 60 + ["1"] * 100 + ["3"] * 50))
    assert told(found, "before", "after", "onset") == [
        ("1", "2", minute(100)),
        ("2", "1", minute(160)),
        ("1", "3", minute(260)),
    ]


def test_a_version_beside_the_old_one_has_no_end_of_a_rollout() -> None:
    random = np.random.default_rng(1)
    versions: list[str] = ["1"] * 300 + ["2" if random.random() < 0.4 else "1" for _ in range(300)]
    found = ll.versions(traces(versions))
    assert told(found, "before", "after", "until") == [("1", "2", None)]
    assert minute(300) <= found["onset"].iloc[0] <= minute(310)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.8])
def test_versions_side_by_side_from_the_beginning_are_no_change(share: float) -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        versions: list[str] = ["2" if random.random() < share else "1" for _ in range(400)]
        assert len(ll.versions(traces(versions))) == 0


def test_a_model_that_comes_beside_the_others_replaced_nothing() -> None:
    llm = traces(["big"] * 200, "model", feature="qa").spans
    more = llm.iloc[100:].assign(span_id="2", kind="embedding", model="vectors")
    found = ll.versions(Traces.from_frames({"spans": pd.concat([llm, more], ignore_index=True)}))
    assert told(found, "column", "feature", "before", "after", "until") == [("model", "qa", None, "vectors", None)]
    before, after = found.selections(0)
    assert (len(before), len(after)) == (100, 100)


def test_models_are_told_by_feature_and_prompts_by_name() -> None:
    features = ["qa", "chat"] * 100
    models: list[str] = ["old"] * 100 + ["new", "old"] * 50
    names = ["p", "q"] * 100
    versions = ["1"] * 120 + ["1", "2"] * 40
    found = ll.versions(traces(models, "model", feature=features, prompt_name=names, prompt_version=versions))
    assert told(found, "column", "of", "feature", "before", "after", "onset") == [
        ("model", None, "qa", "old", "new", minute(100)),
        ("prompt_version", "q", "chat", "1", "2", minute(121)),
    ]


def test_selections_are_what_compare_takes() -> None:
    random = np.random.default_rng(3)
    share = np.clip((np.arange(600) - 300) / 100, 0, 1)
    versions: list[str] = ["2" if random.random() < p else "1" for p in share]
    versions[10], versions[590] = "2", "1"
    found = ll.versions(traces(versions, duration_s=1.0))
    before, after = found.selections()
    assert set(before.spans["release"]) == {"1"}
    assert set(after.spans["release"]) == {"2"}
    assert (len(before), len(after)) == tuple(found.loc[0, ["n_before", "n_after"]])
    assert "t00010" not in after.trace_ids
    assert "t00590" not in before.trace_ids
    assert ll.compare(before, after, measures="errors")["n_a"].iloc[0] == 0  # spans without a status
    for wrong in (1, -2, "first", True):
        with pytest.raises(SelectionError, match=r"There is no change .*: there are 1, counted from 0"):
            found.selections(wrong)  # type: ignore[arg-type]


def test_shares_over_time_sum_to_one() -> None:
    found = ll.versions(traces(["1"] * 90 + ["2"] * 90))
    shares = found.shares("1h")
    assert shares.groupby("period")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    assert told(shares, "version", "n") == [("1", 60), ("1", 30), ("2", 30), ("2", 60)]


def test_nothing_to_tell_versions_by_is_no_change(week: Traces) -> None:
    for few in (week.where(feature="nothing"), week.sample(1), traces([None] * 50), traces(["1"] * 50)):
        found = ll.versions(few)
        assert len(found) == 0
        assert {str(found[name].dtype) for name in ("onset", "until")} == {"datetime64[us, UTC]"}
        assert len(found.plot().data) == 0


def test_the_deploys_of_the_week_are_found(week: Traces) -> None:
    found = ll.versions(week)
    assert told(found, "column", "of", "before", "after") == [
        ("prompt_version", "product_qa", "7", "8"),
        ("release", "support-assistant", "4.2.0", "4.3.0"),
        ("release", "shop-search", "4.2.0", "4.3.0"),
    ]
    assert len(found.plot().data) == 6


def test_wrong_arguments_are_explained(week: Traces) -> None:
    with pytest.raises(SelectionError, match="versions takes Traces, or a view with a selection; traces is list"):
        ll.versions([week])  # type: ignore[arg-type]


def test_a_label_of_a_stranger_is_drawn_as_text() -> None:
    figure = ll.versions(traces(["<b>1</b>"] * 50 + ["2"] * 50)).plot()
    assert "<b>" not in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01])
def test_strays_are_rarely_called_a_use(share: float) -> None:
    random = np.random.default_rng(4)
    assert np.mean([len(presence(random.random(1000) < share)) for _ in range(200)]) <= 0.05


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.9, 1.0])
def test_a_steady_use_is_one(share: float) -> None:
    random = np.random.default_rng(5)
    counts = [len(presence(random.random(2000) < share)) for _ in range(100)]
    assert np.mean(np.array(counts) == 1) >= 0.95
