"""Headers and cells of strangers are recognised and read."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import UnknownNameError
from llmlens.read.table import cells
from llmlens.read.table.aliases import aliases, squeeze
from llmlens.read.table.columns import recognise
from llmlens.schema import SPANS
from tests.examples import examples


def frame(**columns: Any) -> dict[str, Any]:
    return {name: pd.Series(values, dtype="str") for name, values in columns.items()}


def read_as(header: str, *cells_of: Any) -> dict[str, float]:
    found = recognise({header: pd.Series(list(cells_of) or ["1"], dtype="str")}).columns
    return {column: r.factor for column, r in found.items()}


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("promptTokens", "input_tokens"),
        ("Prompt Tokens", "input_tokens"),
        ("usage.prompt_tokens", "input_tokens"),
        ("gen_ai.usage.input_tokens", "input_tokens"),
        ("attributes.llm.token_count.prompt", "input_tokens"),
        ("TOKENS-OUT", "output_tokens"),
        ("attributes.llm.token_count.completion", "output_tokens"),
        ("gen_ai.response.model", "model"),
        ("gen_ai.request.model", "request_model"),
        ("parent_run_id", "parent_id"),
        ("conversation_id", "session_id"),
        ("metadata.user_id", "user_id"),
        ("created_at", "start"),
        ("@timestamp", "start"),
        ("stop_reason", "finish_reason"),
        ("use_case", "feature"),
        ("env", "environment"),
        ("appVersion", "release"),
        ("question", "input"),
        ("answer", "output"),
    ],
)
def test_headers_are_recognised_however_they_are_spelled(header: str, column: str) -> None:
    assert set(read_as(header)) == {column}


@pytest.mark.parametrize(
    ("header", "column", "factor"),
    [
        ("latency_ms", "duration_s", 1e-3),
        ("Latency (ms)", "duration_s", 1e-3),
        ("durationSeconds", "duration_s", 1.0),
        ("took_s", "duration_s", 1.0),
        ("elapsed_us", "duration_s", 1e-6),
        ("duration_ns", "duration_s", 1e-9),
        ("ttft_ms", "ttft_s", 1e-3),
        ("first_token_ms", "ttft_s", 1e-3),
        ("cost_cents", "cost_usd", 0.01),
        ("cost_in_cents", "cost_usd", 0.01),
        ("total_cost_usd", "cost_usd", 1.0),
    ],
)
def test_the_unit_in_a_header_is_understood(header: str, column: str, factor: float) -> None:
    assert read_as(header) == {column: factor}


def test_a_cost_in_another_currency_is_no_cost_in_usd() -> None:
    assert read_as("cost_eur") == {}


def test_id_is_the_trace_when_it_is_unique_and_nothing_when_it_is_not() -> None:
    assert set(read_as("id", "a", "b")) == {"trace_id"}
    assert read_as("id", "a", "a") == {}


def test_id_beside_a_trace_id_is_the_span() -> None:
    found = recognise(frame(id=["1", "2"], trace_id=["t", "t"])).columns
    assert {c: r.source for c, r in found.items()} == {"trace_id": "trace_id", "span_id": "id"}


def test_input_is_a_text_or_a_number_of_tokens_by_what_is_in_it() -> None:
    assert set(read_as("input", "hello", "12")) != {"input_tokens"}
    assert set(read_as("input", "11", "12")) == {"input_tokens"}


def test_a_bare_latency_is_read_in_ms_when_whole_and_large_and_says_so() -> None:
    found = recognise({"latency": pd.Series([1834, 420, 977], dtype="Int64")}).columns["duration_s"]
    assert found.factor == 1e-3
    assert "read as ms" in found.how


def test_a_bare_latency_with_fractions_is_seconds() -> None:
    assert recognise({"latency": pd.Series([1.8, 0.4], dtype="Float64")}).columns["duration_s"].factor == 1.0


def test_end_minus_start_decides_the_unit_of_a_bare_latency() -> None:
    samples = frame(start=["2026-01-01T00:00:00Z"], end=["2026-01-01T00:00:50Z"], latency=["50000"])
    assert recognise(samples).columns["duration_s"].factor == 1e-3
    samples = frame(start=["2026-01-01T00:00:00Z"], end=["2026-01-01T00:05:00Z"], latency=["300"])
    assert recognise(samples).columns["duration_s"].factor == 1.0


def test_a_bare_ttft_fits_into_the_duration() -> None:
    samples = frame(latency_ms=["900", "1200"], ttft=["80", "90"])
    assert recognise(samples).columns["ttft_s"].factor == 1e-3


def test_the_better_name_wins_and_the_other_is_noted() -> None:
    known = recognise(frame(model=["a"], model_name=["b"]))
    assert known.columns["model"].source == "model"
    assert known.rest == ("model_name",)
    assert any("'model_name' could be model too" in note for note in known.notes)


def test_overrides_come_first_and_may_name_a_unit() -> None:
    known = recognise(frame(latency_ms=["5"], took=["7"]), {"duration_s": ("took", "ms")})
    assert known.columns["duration_s"].source == "took"
    assert known.columns["duration_s"].factor == 1e-3
    assert known.rest == ("latency_ms",)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"durations": "took"}, "no tidy column 'durations'.*Did you mean 'duration_s'"),
        ({"depth": "took"}, "no tidy column 'depth'"),
        ({"duration_s": "tok"}, "no column .*'duration_s'.*'tok'.*Did you mean 'took'"),
        ({"duration_s": ("took", "fortnights")}, "no unit .*'fortnights'"),
        ({"model": ("took", "ms")}, "no unit .*'ms'"),
    ],
)
def test_overrides_that_name_nothing_are_errors_with_a_hint(overrides: Any, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        recognise(frame(took=["7"]), overrides)


def test_scores_that_name_no_column_are_errors() -> None:
    with pytest.raises(UnknownNameError, match=r"score 'helpful'.*'helpfull'"):
        recognise(frame(helpful=["1"]), scores={"helpful": "helpfull"})


def test_judgements_are_scores_under_their_own_names() -> None:
    known = recognise(frame(quality_score=["0.8"], thumbs=["up"], **{"scores.tone": ["1"]}, topic=["x"]))
    assert [s.name for s in known.scores] == ["quality_score", "thumbs", "scores.tone".partition(".")[2]]
    assert known.rest == ("topic",)


def test_score_passed_label_and_details_that_stand_together_are_one_score() -> None:
    known = recognise(frame(tone_score=["1"], tone_passed=["true"], tone_label=["good"], tone_details=["why"]))
    (score,) = known.scores
    assert (score.name, score.value, score.label, score.comment) == ("tone", "tone_score", "tone_label", "tone_details")


def test_given_scores_replace_the_search() -> None:
    known = recognise(frame(a_score=["1"], vibe=["2"]), scores=["vibe"])
    assert [s.name for s in known.scores] == ["vibe"]
    assert known.rest == ("a_score",)


def test_what_the_first_chunk_decided_holds_for_the_next() -> None:
    first = recognise({"latency": pd.Series([1834, 420], dtype="Int64")})
    second = recognise({"latency": pd.Series([3, 5], dtype="Int64")}, before=first)
    assert second.columns["duration_s"].factor == 1e-3


def test_every_column_of_the_alias_table_is_a_tidy_one_or_read_by_the_table_reader() -> None:
    helpers = {
        "total_tokens",
        "input_cost_usd",
        "output_cost_usd",
        "currency",
        "http_status",
        "failed",
        "error",
        "input",
        "output",
        "documents",
    }
    assert set(aliases()["columns"]) <= set(SPANS.names) | helpers


@examples(40)
@given(st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=8), min_size=2, max_size=2), max_size=6))
def test_any_headers_and_cells_are_taken_and_every_column_goes_somewhere(columns: Any) -> None:
    samples = {name: pd.Series(values, dtype="str") for name, values in columns.items() if _encodes(name, *values)}
    known = recognise(samples)
    used = [r.source for r in known.columns.values()] + [s for score in known.scores for s in score.sources]
    assert {*used, *known.params.values(), *known.rest} == set(samples)


def _encodes(*texts: Any) -> bool:
    return not any("\ud800" <= c <= "\udfff" for text in texts for c in text)


def test_squeeze_forgets_case_and_marks() -> None:
    assert {squeeze(h) for h in ("prompt_tokens", "promptTokens", "Prompt-Tokens", "PROMPT TOKENS")} == {"prompttokens"}


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("1795237075", 0),
        ("1795237075.25", 0.25),
        ("1795237075250", 0.25),
        ("1795237075250000", 0.25),
        ("1795237075250000000", 0.25),
        ("2026-11-21T04:57:55Z", 0),
        ("2026-11-21 04:57:55", 0),
        ("2026-11-21T05:57:55.25+01:00", 0.25),
        ("2026-11-21 04:57:55 UTC", 0),
        ("Sat, 21 Nov 2026 04:57:55 GMT", 0),
        ("21/Nov/2026:04:57:55 +0000", 0),
        ("Nov 21, 2026 @ 04:57:55.250", 0.25),
        ("11/21/2026 04:57:55", 0),
        ("21/11/2026 04:57:55", 0),
    ],
)
def test_times_are_read_in_many_spellings(cell: str, seconds: float) -> None:
    read, bad, _ = cells.time(pd.Series([cell], dtype="str"))
    assert not bad.any()
    assert read[0] == pd.Timestamp("2026-11-21T04:57:55Z") + pd.Timedelta(seconds=seconds)


@pytest.mark.parametrize("cell", ["01/02/2026", "soon", "5", "2026-13-45", "1e300", "-4", "2026-01-01 10:00 CET"])
def test_what_is_no_time_or_could_be_two_is_bad(cell: str) -> None:
    read, bad, _ = cells.time(pd.Series([cell], dtype="str"))
    assert bad.all()
    assert read.isna().all()


def test_times_without_a_zone_are_marked() -> None:
    _, _, naive = cells.time(
        pd.Series(["2026-11-21 04:57:55", "2026-11-21", "2026-11-21T04:57:55+02:00", "1795237075"], dtype="str")
    )
    assert naive.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (["$0.043", "1e-3", " 7 "], [0.043, 0.001, 7.0]),
        (["0,043", "1,834"], [0.043, 1.834]),
        (["1,834,567", "1,834"], [1834567, 1834]),
        (["None", "n/a", "", "NaN"], [None] * 4),
        (["1,834", "x", "inf"], [None] * 3),
    ],
)
def test_numbers_are_read_and_never_guessed(column: str, numbers: Any) -> None:
    read, bad = cells.number(pd.Series(column, dtype="str"))
    assert [None if pd.isna(n) else n for n in read] == numbers
    assert bad.tolist() == [n is None and c in ("1,834", "x", "inf") for n, c in zip(numbers, column, strict=True)]


def test_durations_may_say_their_own_unit() -> None:
    read, bad = cells.number(
        pd.Series(["850 ms", "1.5s", "00:01:02.5", "250"], dtype="str"), factor=1e-3, durations=True
    )
    assert read.tolist() == [0.85, 1.5, 62.5, 0.25]
    assert not bad.any()


def test_whole_numbers_with_a_fraction_are_bad() -> None:
    read, bad = cells.number(pd.Series(["12.0", "12.5", "1,834"], dtype="str"), whole=True)
    assert read.tolist()[::2] == [12, 1834]
    assert bad.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("OK", "ok"),
        ("Success", "ok"),
        ("200", "ok"),
        ("STATUS_CODE_ERROR", "error"),
        ("429", "error"),
        ("false", "error"),
        ("in progress", "unset"),
        ("timeout", "error"),
    ],
)
def test_statuses_are_read(cell: str, status: str) -> None:
    read, bad = cells.status(pd.Series([cell], dtype="str"))
    assert (read[0], bad[0]) == (status, False)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("GENERATION", "llm"),
        ("chat_model", "llm"),
        ("LLM", "llm"),
        ("TOOL", "tool"),
        ("SpanKind.CLIENT", "span"),
        ("embeddings", "embedding"),
    ],
)
def test_kinds_are_read(cell: str, kind: str) -> None:
    read, bad = cells.kind(pd.Series([cell], dtype="str"))
    assert (read[0], bad[0]) == (kind, False)


@examples(40)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30).filter(_encodes)), max_size=6))
def test_readers_of_cells_take_any_text(values: Any) -> None:
    column = pd.Series(values, dtype="str")
    for read, bad, *_ in (
        cells.number(column),
        cells.number(column, durations=True),
        cells.time(column),
        cells.kind(column),
        cells.status(column),
    ):
        assert not (read.notna() & bad).any()
        assert (read.notna() | bad | cells.label(column).isna()).all()
    assert len(cells.truth(column)) == len(cells.texts(column)) == len(cells.first(column)) == len(column)
