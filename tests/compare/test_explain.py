"""`ll.explain` on traces: every attribute is looked at, and what cannot be judged is said."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.compare.explain import Between
from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError
from llmlens.traces import Traces

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 1_500
COLUMNS = ["condition", "share_selection", "share_baseline", "difference", "low", "high", "q", "explained_by"]


def spans(n: int = N, prefix: str = "t", **columns: Any) -> pd.DataFrame:
    random = np.random.default_rng(0)
    made = {
        "trace_id": [f"{prefix}{i:05d}" for i in range(n)],
        "span_id": "1",
        "kind": "llm",
        "model": random.choice(["gpt", "claude", "llama"], n),
        "release": random.choice(["1.0", "1.1", "1.2", "1.3"], n),
        "environment": "production",
        "start": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="min"),
        "user_id": [f"u{i}" for i in random.integers(0, 200, n)],
        "duration_s": random.lognormal(size=n),
    }
    return pd.DataFrame(made | columns)


def load(n: int = N, **columns: Any) -> Traces:
    return Traces.from_frames({"spans": spans(n, **columns)})


def selected(traces: Traces, holds: NDArray[np.bool_], with_cause: float = 0.7, without: float = 0.03) -> Traces:
    """Select traces, most of them where `holds`; it is in the order of the ids."""
    chosen = np.random.default_rng(1).random(len(holds)) < np.where(holds, with_cause, without)
    return traces.where(trace_id=np.array(sorted(traces.trace_ids))[chosen].tolist())


def test_a_cause_of_two_columns_comes_first_with_its_shares() -> None:
    frame = spans()
    traces = Traces.from_frames({"spans": frame})
    cause = ((frame["model"] == "claude") & (frame["release"] == "1.2")).to_numpy()
    selection = selected(traces, cause)
    result = ll.explain(selection)
    first = result.iloc[0]
    assert list(result.columns) == COLUMNS
    assert first["condition"] == {"model": "claude", "release": "1.2"}
    ours = set(selection.trace_ids)
    inside = frame["trace_id"].isin(ours).to_numpy()
    assert first["share_selection"] == pytest.approx(cause[inside].mean())
    assert first["share_baseline"] == pytest.approx(cause[~inside].mean())
    assert first["difference"] == pytest.approx(first["share_selection"] - first["share_baseline"])
    assert first["low"] < first["difference"] < first["high"]
    assert first["q"] < 0.001
    assert first["explained_by"] is None
    members = result[result["condition"].isin([{"model": "claude"}, {"release": "1.2"}])]
    assert members["explained_by"].tolist() == [first["condition"]] * len(members) != []


@pytest.mark.parametrize(
    ("columns", "condition"),
    [
        ({"prompt_version": ["7" if i % 9 == 4 else "6" for i in range(N)]}, {"prompt_version": "7"}),
        ({"release": [None if i % 9 == 4 else "1" for i in range(N)]}, {"release": None}),
        ({"tags": [["a", "slow:yes"] if i % 9 == 4 else ["a"] for i in range(N)]}, {"tags": "slow:yes"}),
        (
            {"metadata": [json.dumps({"plan": {"tier": "gold" if i % 9 == 4 else "free"}}) for i in range(N)]},
            {"metadata.plan.tier": "gold"},
        ),
        (
            {"params": [json.dumps({"temperature": 1.5 if i % 9 == 4 else 0}) for i in range(N)]},
            {"params.temperature": "1.5"},
        ),
        ({"metadata": [json.dumps({"it's": i % 9 == 4, "b": 1}) for i in range(N)]}, {"metadata.it's": "true"}),
        ({"user_id": ["loud" if i % 9 == 4 else f"u{i}" for i in range(N)]}, {"user_id": "loud"}),
    ],
)
def test_every_kind_of_attribute_can_be_the_cause(columns: dict[str, Any], condition: dict[str, Any]) -> None:
    traces = load(**columns)
    assert ll.explain(selected(traces, np.arange(N) % 9 == 4)).iloc[0]["condition"] == condition


def test_numbers_in_metadata_are_binned() -> None:
    size = np.arange(N) * 7 % N
    traces = load(metadata=[json.dumps({"size": int(s)}) for s in size])
    (value,) = ll.explain(selected(traces, size >= 1_350)).iloc[0]["condition"].values()
    assert isinstance(value, Between)
    assert value.high is None
    assert 1_250 < value.low <= 1_400


def test_the_onset_of_trouble_is_a_time() -> None:
    frame = spans()
    traces = Traces.from_frames({"spans": frame})
    first = ll.explain(selected(traces, np.arange(N) >= 1_200)).iloc[0]["condition"]
    onset = frame["start"][1_200]
    assert list(first) == ["start"]
    assert abs(first["start"].low - onset) < pd.Timedelta("1h")


def test_windows_of_time_are_told_apart_by_what_changed_with_them_not_by_the_time() -> None:
    late = np.arange(N) >= 1_000
    day = pd.to_datetime(spans()["start"]).dt.strftime("%Y-%m-%d")
    traces = load(
        model=["new" if new and i % 2 else "old" for i, new in enumerate(late)],
        output_tokens=np.where(late, 10, 20),
        metadata=[json.dumps({"day": each, "kept": "a"}) for each in day],
    )
    since = spans()["start"][1_000]
    result = ll.explain(traces.where(since=since), traces.where(until=since))
    assert result["condition"].tolist()[0] == {"model": "new"}
    named = {name for condition in result["condition"] for name in condition}
    assert not named & {"start", "metadata.day"}
    assert any("left out: metadata.day, start." in note for note in result.notes)


def test_a_date_from_before_the_traces_is_no_time_of_theirs() -> None:
    late = np.arange(N) >= 1_000
    built = np.where(late, "2026-05-30", "2019-01-02")
    traces = load(metadata=[json.dumps({"built": each}) for each in built])
    since = spans()["start"][1_000]
    result = ll.explain(traces.where(since=since), traces.where(until=since))
    assert result["condition"].tolist()[0] == {"metadata.built": "2026-05-30"}


def test_a_release_that_parts_the_windows_is_not_taken_for_the_time() -> None:
    late = np.arange(N) >= 1_000
    traces = load(release=np.where(late, "2.0", "1.9"))
    since = spans()["start"][1_000]
    result = ll.explain(traces.where(since=since), traces.where(until=since))
    assert result["condition"].tolist()[0] == {"release": "2.0"}


def test_a_circumstance_comes_before_an_outcome_that_says_more() -> None:
    marked = np.arange(N) % 9 == 4
    broken = np.random.default_rng(3).random(N) < np.where(marked, 0.6, 0.05)
    traces = load(
        prompt_version=np.where(marked, "7", "6"),
        error_type=[f"E{i % 2}" if b else None for i, b in enumerate(broken)],
        status=np.where(broken, "error", "ok"),
    )
    conditions = ll.explain(traces.where(status="error"))["condition"].tolist()
    assert conditions[0] == {"prompt_version": "7"}
    assert {"status": "error"} in conditions


def test_tools_documents_and_first_words_are_attributes() -> None:
    marked = np.arange(N) % 9 == 4
    frame = spans()
    texts = ["Translate this text now" if m else f"Tell me about {i}" for i, m in enumerate(marked)]
    contents = frame[["trace_id", "span_id"]].assign(input=texts)
    traces = Traces.from_frames({"spans": frame, "contents": contents})
    result = ll.explain(selected(traces, marked))
    assert result.iloc[0]["condition"] == {"input.first_words": "Translate this text"}

    tools = frame.assign(kind="tool", name=["refund" if m else "search" for m in marked])
    given = frame[["trace_id", "span_id"]].assign(input='{"order": 1}', output="done")
    result = ll.explain(selected(Traces.from_frames({"spans": tools, "contents": given}), marked))
    assert result.iloc[0]["condition"] == {"name": "refund"}
    assert {"tool": "refund"} in result["condition"].tolist()

    found = [json.dumps([{"id": "stale" if m else f"d{i % 50}", "content": "x"}]) for i, m in enumerate(marked)]
    retrievers = frame.assign(kind="retriever")
    documents = frame[["trace_id", "span_id"]].assign(input="q", output=found)
    traces = Traces.from_frames({"spans": retrievers, "contents": documents})
    assert ll.explain(selected(traces, marked)).iloc[0]["condition"] == {"document_id": "stale"}


def test_the_words_of_a_prompt_in_json_are_read() -> None:
    marked = np.arange(N) % 9 == 4
    frame = spans()
    said = [json.dumps([{"role": "system", "content": f"Be {'rude' if m else 'kind'}\nalways so"}]) for m in marked]
    contents = frame[["trace_id", "span_id"]].assign(input=said)
    traces = Traces.from_frames({"spans": frame, "contents": contents})
    conditions = ll.explain(selected(traces, marked))["condition"].tolist()
    assert {"prompt.first_words": "Be rude always"} in conditions


def test_what_any_span_of_a_trace_has_counts_once_for_the_trace() -> None:
    frame = spans()
    second = frame.assign(span_id="2", parent_id="1", model=np.where(np.arange(N) % 9 == 4, "embedder", "gpt"))
    third = second.assign(span_id="3")
    traces = Traces.from_frames({"spans": pd.concat([frame, second, third])})
    first = ll.explain(selected(traces, np.arange(N) % 9 == 4)).iloc[0]
    assert first["condition"] == {"model": "embedder"}
    assert first["share_selection"] + first["share_baseline"] < 1


# ---------------------------------------------------------------------- how it was selected


def test_errors_are_explained_by_their_cause_before_themselves() -> None:
    frame = spans()
    failing = np.random.default_rng(2).random(N) < np.where(frame["release"] == "1.2", 0.5, 0.01)
    kinds = pd.Series("Timeout", index=frame.index).where(failing)
    frame = frame.assign(status=np.where(failing, "error", "ok"), error_type=kinds)
    traces = Traces.from_frames({"spans": frame})
    result = ll.explain(traces.where(status="error"))
    assert result["condition"].tolist()[:2] == [{"release": "1.2"}, {"status": "error"}]
    assert "ignore=['status']" in " ".join(result.notes)
    without = ll.explain(
        traces.where(status="error"), ignore=["status", "error_type", "trace", "n_errors", "n_unpriced"]
    )
    assert without["condition"].tolist() == [{"release": "1.2"}]


def test_same_traces_are_said_to_be_the_same() -> None:
    models = spans()["model"]
    traces = load(provider=models.map({"gpt": "openai", "claude": "anthropic", "llama": "meta"}))
    result = ll.explain(selected(traces, (models == "claude").to_numpy(), 0.3, 0.01))
    assert result.iloc[0]["condition"] == {"model": "claude"}
    row = next(r for r in result.itertuples() if r.condition == {"provider": "anthropic"})
    assert row.explained_by == {"model": "claude"}
    assert any("model = claude cannot be told apart from" in note for note in result.notes)


# ---------------------------------------------------------------------- two sides


def test_a_baseline_of_another_load_is_compared() -> None:
    now = load(prefix="new", model=["gpt" if i % 3 else "other" for i in range(N)])
    result = ll.explain(now.where(since="2026-03-01"), load(model="gpt"))
    assert result.iloc[0]["condition"] == {"model": "other"}
    assert result.iloc[0]["share_selection"] == pytest.approx(1 / 3)
    assert result.iloc[0]["share_baseline"] == pytest.approx(0.0)


def test_what_is_on_both_sides_counts_as_selection() -> None:
    traces = load()
    selection = selected(traces, (spans()["model"] == "claude").to_numpy())
    over, rest = ll.explain(selection, traces), ll.explain(selection)
    assert f"{len(selection)} traces are in the selection and in the baseline" in over.notes[0]
    pd.testing.assert_frame_equal(pd.DataFrame(over), pd.DataFrame(rest))


def test_a_view_stands_for_its_selection() -> None:
    traces = load()
    selection = selected(traces, (spans()["model"] == "claude").to_numpy())
    view = SimpleNamespace(selection=selection)
    pd.testing.assert_frame_equal(pd.DataFrame(ll.explain(view)), pd.DataFrame(ll.explain(selection)))


def test_selected_spans_stand_for_their_traces() -> None:
    traces = load()
    result = ll.explain(traces.where(model="gpt", release="1.1", spans_only=True))
    assert result.iloc[0]["condition"] == {"model": "gpt", "release": "1.1"}
    assert "their whole traces" in result.notes[0]


def test_a_result_repeats_and_survives_saving(tmp_path: Any) -> None:
    traces = load()
    holds = (spans()["model"] == "claude").to_numpy()
    first = ll.explain(selected(traces, holds, 0.2))
    traces.save(tmp_path / "saved")
    again = ll.explain(selected(ll.open(tmp_path / "saved"), holds, 0.2))
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(again))


# ---------------------------------------------------------------------- nothing to say


def empty_for(result: pd.DataFrame, reason: str) -> bool:
    assert list(result.columns) == COLUMNS
    assert len(result) == 0
    assert reason in " ".join(result.notes)
    return True


def test_a_random_selection_is_not_explained() -> None:
    assert empty_for(ll.explain(load().sample(40, seed=5)), "by more than chance")


def test_too_little_is_said_to_be_too_little() -> None:
    traces = load()
    assert empty_for(ll.explain(traces.where(model="none")), "selection is empty")
    assert empty_for(ll.explain(traces.sample(2)), "has 2 of the 3 traces or more")
    assert empty_for(ll.explain(traces.sample(5), traces.where(model="none")), "baseline has no traces")
    assert empty_for(ll.explain(load(1), load(1)), "baseline has no traces")


def test_everything_alike_is_said_to_be_alike() -> None:
    alike = {"model": "m", "release": None, "user_id": "u", "start": pd.NaT, "duration_s": None}
    result = ll.explain(load(50, **alike).sample(20))
    assert empty_for(result, "The same everywhere, so not judged: ")
    assert "model" in result.notes[-1]


def test_the_whole_load_has_no_rest_to_compare_with() -> None:
    for whole in (load(10), load(10).where(kind="llm"), load(5) | load(5, prefix="other")):
        with pytest.raises(SelectionError, match=r"is all 10 traces of its load.*give baseline="):
            ll.explain(whole)


@pytest.mark.parametrize("given", [None, "errors", pd.DataFrame(), 5])
def test_what_is_no_selection_is_an_error(given: Any) -> None:
    with pytest.raises(SelectionError, match=r"explain takes Traces as selection"):
        ll.explain(given)


def test_bad_arguments_are_explained() -> None:
    traces = load(20).sample(5)
    with pytest.raises(UnknownNameError, match=r"attribute to ignore: 'modle'. Did you mean 'model'"):
        ll.explain(traces, ignore="modle")
    with pytest.raises(SelectionError, match=r"top is the number of rows"):
        ll.explain(traces, top=0)
    with pytest.raises(UnknownArgumentError, match=r"no argument 'baselin'. Did you mean 'baseline'"):
        ll.explain(traces, baselin=traces)  # type: ignore[call-arg]  # the mistake


def test_metadata_that_is_no_json_is_na() -> None:
    marked = np.arange(N) % 9 == 4
    traces = load(metadata=["{broken" if m else '{"a": 1, "a": [2]}' for m in marked])
    assert ll.explain(selected(traces, marked)).iloc[0]["condition"]["metadata.a"] is None


# ---------------------------------------------------------------------- showing


def test_the_figure_shows_both_shares_of_each_condition() -> None:
    result = ll.explain(selected(load(), (spans()["model"] == "claude").to_numpy()))
    ours, theirs = result.plot().data
    assert list(ours.x) == pytest.approx(result["share_selection"].tolist())
    assert list(theirs.x) == pytest.approx(result["share_baseline"].tolist())
    assert ours.y[0] == "1. model = claude"


def test_nothing_to_say_is_an_empty_figure() -> None:
    assert [list(bar.x) for bar in ll.explain(load().sample(40, seed=5)).plot().data] == [[], []]


def test_hostile_values_are_text_in_the_figure() -> None:
    traces = load(model=["<b>x</b>%{y}" if i % 9 == 4 else "m" for i in range(N)])
    (label, *_), _ = (bar.y for bar in ll.explain(selected(traces, np.arange(N) % 9 == 4)).plot().data)
    assert "<b>" not in label
    assert "%{" not in label


def test_top_cuts_the_list_and_says_so() -> None:
    models = spans()["model"]
    traces = load(provider=models, request_model=models)
    result = ll.explain(selected(traces, (models == "claude").to_numpy()), top=1)
    assert result["condition"].tolist() == [{"model": "claude"}]
    assert any("more conditions were found" in note for note in result.notes)


def test_the_model_that_the_provider_changed_comes_first_among_the_new_answers() -> None:
    samples = Path(__file__).resolve().parents[2] / "data_samples"
    (truth,) = tomllib.loads((samples / "incidents.toml").read_text(encoding="utf-8"))["model_change"]
    traces = ll.read(samples / "model_change.otlp.jsonl.gz").where(feature=truth["slice"]["feature"])
    result = ll.explain(traces.where(since=truth["since"]), traces.where(until=truth["since"]))
    assert result["condition"].tolist()[0] == {"model": truth["new_model"]}
