"""Tables of calls become tidy tables: nothing lost, nothing guessed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import ReadError, UnknownNameError
from llmlens.read.raw import Problem, RawScore, RawSpan
from llmlens.read.table.calls import nested_trace
from llmlens.read.table.runs import to_raw_spans
from llmlens.read.table.tables import TableLoad, read_table, to_tables
from llmlens.schema import CONTENTS, SCORES, SPANS
from tests.examples import examples

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/recorded"
STEP = {
    "trace_id": "abc-123",
    "span_id": "step-3-generate",
    "model": "claude-sonnet-4-20250514",
    "prompt_version": "v2.4.1",
    "input_tokens": 2847,
    "output_tokens": 512,
    "latency_ms": 1834,
    "ttft_ms": 287,
    "cost_usd": 0.043,
    "quality_score": 0.87,
}


def load(path: Path, **options: Any) -> Any:
    """Read all chunks into one."""
    loads = list(read_table(path, **options))
    parts = {
        name: pd.concat([getattr(x, name) for x in loads], ignore_index=True)
        for name in ("spans", "contents", "scores")
    }
    problems = [problem for x in loads for problem in x.problems]
    return parts, problems, [note for x in loads for note in x.notes], [raw for x in loads for raw in x.raw]


def csv_file(folder: Path, text: str | bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def duration_ns(span: RawSpan) -> int:
    assert span.start_ns is not None
    assert span.end_ns is not None
    return span.end_ns - span.start_ns


def one(frame: Any, **options: Any) -> TableLoad:
    return to_tables(frame, source="frame", **options)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_the_record_of_a_step_loads_without_any_argument(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"steps.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist([STEP]), path)
    else:
        path.write_text(
            json.dumps(STEP) if form == "jsonl" else f"{','.join(STEP)}\n{','.join(map(str, STEP.values()))}\n"
        )
    tables, problems, _, _ = load(path)
    span = tables["spans"].iloc[0]
    assert problems == []
    assert span[["trace_id", "span_id", "kind", "model", "prompt_version"]].tolist() == [
        "abc-123",
        "step-3-generate",
        "llm",
        "claude-sonnet-4-20250514",
        "v2.4.1",
    ]
    assert span[["duration_s", "ttft_s", "cost_usd", "input_tokens", "output_tokens"]].tolist() == [
        1.834,
        0.287,
        0.043,
        2847,
        512,
    ]
    assert span[["usage_source", "cost_source"]].tolist() == ["reported", "reported"]
    score = tables["scores"].iloc[0]
    assert score[["trace_id", "span_id", "name", "value", "data_type"]].tolist() == [
        "abc-123",
        "step-3-generate",
        "quality_score",
        0.87,
        "numeric",
    ]
    assert {k: str(v) for k, v in json.loads(tables["contents"].attributes[0]).items()} == {
        k: str(v) for k, v in STEP.items()
    }


def test_tables_have_the_columns_and_dtypes_of_the_schema() -> None:
    made = one(pd.DataFrame([STEP]))
    for frame, table in ((made.spans, SPANS), (made.contents, CONTENTS), (made.scores, SCORES)):
        assert list(frame.columns) == table.names
        for column in table.columns:
            expected = {"integer": "Int64", "number": "Float64", "time": "datetime64[us, UTC]", "texts": "object"}.get(
                column.dtype, "str"
            )
            assert str(frame[column.name].dtype) == expected, column.name


def test_a_plain_request_log_gets_ids_that_are_made_and_said_to_be_made(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "timestamp,model,prompt_tokens,completion_tokens\n2026-11-21T05:00:00Z,gpt-4o,10,5\n2026-11-21T05:01:00Z,gpt-4o,11,6\n",
    )
    tables, problems, _, _ = load(path, source="log.csv")
    again, *_ = load(path, source="log.csv")
    assert tables["spans"].trace_id.is_unique
    assert tables["spans"].trace_id.tolist() == again["spans"].trace_id.tolist()
    assert [(p.line, p.count, p.action) for p in problems] == [(2, 2, "noted"), (2, 2, "noted")]
    assert "no trace_id; one was made" in problems[0].reason
    assert tables["spans"].cost_source.tolist() == ["missing", "missing"]


def test_a_hole_in_a_column_of_ids_is_filled_and_counted_as_a_repair() -> None:
    made = one(pd.DataFrame({"trace_id": ["a", "null"], "span_id": ["1", "2"]}))
    assert made.spans.trace_id.is_unique
    assert [(p.line, p.count, p.action) for p in made.problems] == [(2, 1, "repaired")]


def test_ids_keep_every_character(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "trace_id,span_id,user_id\n00123,1e5,007\n0x1F,123456789012345678901234,NULL\n")
    spans = load(path)[0]["spans"]
    assert spans.trace_id.tolist() == ["00123", "0x1F"]
    assert spans.span_id.tolist() == ["1e5", "123456789012345678901234"]
    assert spans.user_id.tolist()[0] == "007"
    assert pd.isna(spans.user_id[1])


def test_long_whole_numbers_in_json_keep_every_digit(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"trace_id": 123456789012345678901234567890, "span_id": 9007199254740993}\n')
    spans = load(path)[0]["spans"]
    assert (spans.trace_id[0], spans.span_id[0]) == ("123456789012345678901234567890", "9007199254740993")


def test_a_cell_that_does_not_convert_is_reported_and_kept(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "trace_id,span_id,input_tokens,latency_ms\nt,1,10,5\nt,2,lots,5\nt,3,many,-7\n")
    tables, problems, _, _ = load(path)
    assert tables["spans"].input_tokens.tolist()[0] == 10
    assert tables["spans"].input_tokens.isna().tolist() == [False, True, True]
    assert [json.loads(m) for m in tables["spans"].metadata.dropna()] == [
        {"input_tokens": "lots"},
        {"input_tokens": "many", "latency_ms": "-7"},
    ]
    assert [(p.line, p.count, p.example, p.action) for p in problems] == [
        (4, 1, "-7", "repaired"),
        (3, 2, "lots", "repaired"),
    ]


def test_columns_that_are_nothing_else_go_to_metadata() -> None:
    frame = pd.DataFrame(
        {"trace_id": ["a"], "topic": ['x\n"y"\\'], "n_docs": [3], "ratio": [0.1], "flag": [True], "gone": [None]}
    )
    frame["nested"] = pd.Series([{"a": [1, {"b": None}]}])
    metadata = json.loads(one(frame).spans.metadata[0])
    assert metadata == {"topic": 'x\n"y"\\', "n_docs": 3, "ratio": 0.1, "flag": True, "nested": {"a": [1, {"b": None}]}}


def test_a_metadata_column_and_the_rest_become_one_object() -> None:
    frame = pd.DataFrame(
        {"trace_id": ["a", "b"], "topic": ["x", "y"], "metadata": ['{"topic": "z", "tenant": 7}', "plain"]}
    )
    assert [json.loads(m) for m in one(frame).spans.metadata] == [
        {"topic": "z", "tenant": 7},
        {"topic": "y", "metadata": "plain"},
    ]


def test_nan_and_infinity_do_not_break_the_json() -> None:
    frame = pd.DataFrame({"trace_id": ["a", "b"], "x": [float("nan"), float("inf")], "y": [{"z": float("nan")}, None]})
    made = one(frame)
    assert [orjson.loads(a) for a in made.contents.attributes] == [
        {"trace_id": "a", "y": {"z": None}},
        {"trace_id": "b"},
    ]


def test_nested_usage_and_requests_of_json_logs_are_found(tmp_path: Path) -> None:
    record = {
        "id": "req-1",
        "created": 1795237075,
        "request": {"model": "gpt-4o", "temperature": 0.2, "messages": [{"role": "user", "content": "hi"}]},
        "response": {
            "model": "gpt-4o-2024-08-06",
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}},
        },
        "metadata": {"user_id": "u1"},
    }
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(record))
    tables, *_ = load(path)
    span = tables["spans"].iloc[0]
    assert span[["model", "request_model", "user_id", "trace_id"]].tolist() == [
        "gpt-4o-2024-08-06",
        "gpt-4o",
        "u1",
        "req-1",
    ]
    assert span[["input_tokens", "output_tokens", "cache_read_tokens"]].tolist() == [3, 4, 2]
    assert json.loads(span.params) == {"temperature": 0.2}
    assert json.loads(tables["contents"].input[0]) == [{"role": "user", "content": "hi"}]
    assert json.loads(tables["contents"].attributes[0]) == record


def test_start_and_duration_give_the_end_and_the_other_way_round() -> None:
    made = one(
        pd.DataFrame(
            {"start": ["2026-01-01T00:00:00Z"] * 2, "latency_ms": [1500, None], "end": [None, "2026-01-01T00:00:03Z"]}
        )
    )
    assert made.spans.end.tolist() == [pd.Timestamp("2026-01-01T00:00:01.5Z"), pd.Timestamp("2026-01-01T00:00:03Z")]
    assert made.spans.duration_s.tolist() == [1.5, 3.0]


def test_times_without_a_zone_are_read_as_utc_and_noted() -> None:
    made = one(pd.DataFrame({"timestamp": ["2026-01-01 00:00:00"]}))
    assert made.spans.start[0] == pd.Timestamp("2026-01-01T00:00:00Z")
    assert any("'timestamp' have no zone" in note for note in made.notes)


def test_only_a_total_of_tokens_is_never_split() -> None:
    made = one(pd.DataFrame({"model": ["m"], "total_tokens": [30]}))
    assert made.spans[["input_tokens", "output_tokens"]].isna().all(axis=None)
    assert made.spans.usage_source[0] == "missing"
    assert json.loads(made.spans.metadata[0]) == {"total_tokens": 30}
    assert any("input and output are unknown" in note for note in made.notes)


def test_a_cost_in_cents_is_dollars_and_a_foreign_one_is_kept_aside() -> None:
    assert one(pd.DataFrame({"cost_cents": [4.3]})).spans.cost_usd[0] == 0.043
    made = one(pd.DataFrame({"cost": [1.0, 2.0], "currency": ["USD", "EUR"]}))
    assert made.spans.cost_usd.isna().tolist() == [False, True]
    assert json.loads(made.spans.metadata.dropna().iloc[0]) == {"cost": 2.0, "currency": "EUR"}
    assert "not in USD" in made.problems[-1].reason


def test_the_parts_of_a_cost_make_the_whole() -> None:
    assert one(pd.DataFrame({"prompt_cost": ["0.25"], "completion_cost": ["0.5"]})).spans.cost_usd[0] == 0.75


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"error": "TimeoutError: too slow"}, ("error", "TimeoutError", "TimeoutError: too slow")),
        ({"error": '{"type": "rate_limit", "message": "slow down"}'}, ("error", "rate_limit", "slow down")),
        ({"error": True}, ("error", None, None)),
        ({"error": False}, ("ok", None, None)),
        ({"error": ""}, ("unset", None, None)),
        ({"success": False}, ("error", None, None)),
        ({"is_error": True}, ("error", None, None)),
        ({"http_status": 429}, ("error", "429", None)),
        ({"status_code": 200}, ("ok", None, None)),
        ({"status": "FAILED", "error_message": "no"}, ("error", None, "no")),
    ],
)
def test_failures_are_understood_in_many_spellings(row: Any, expected: Any) -> None:
    span = one(pd.DataFrame([{"trace_id": "t", **row}])).spans.iloc[0]
    found = tuple(None if pd.isna(value) else value for value in span[["status", "error_type", "status_message"]])
    assert found == expected


def test_kind_follows_the_model_where_it_is_not_given() -> None:
    frame = pd.DataFrame(
        {
            "model": ["gpt-4o", "text-embedding-3-small", "rerank-v3", None, "gpt-4o"],
            "kind": [None, None, None, None, "weird"],
        }
    )
    made = one(frame)
    assert made.spans.kind.tolist() == ["llm", "embedding", "reranker", "span", "llm"]
    assert made.problems[-1].example == "weird"


def test_scores_may_be_numbers_truths_categories_or_texts() -> None:
    frame = pd.DataFrame(
        {"trace_id": list("abcd"), "rating": ["4", "", "good enough", "x" * 80], "thumbs": ["up", "👎", None, "False"]}
    )
    scores = one(frame).scores
    assert scores[scores.name == "rating"].data_type.tolist() == ["numeric", "categorical", "text"]
    thumbs = scores[scores.name == "thumbs"]
    assert thumbs.value.tolist() == [1.0, 0.0, 0.0]
    assert thumbs.data_type.unique().tolist() == ["boolean"]
    assert scores.score_id.is_unique
    assert scores.score_id.tolist() == one(frame).scores.score_id.tolist()


def test_evaluations_that_langwatch_repeats_on_every_span_count_once(tmp_path: Path) -> None:
    text = (
        "trace_id,span_id,span_type,span_vendor,span_model,span_cost,tone_score,tone_passed,tone_label,tone_details\r\n"
        "t1,s1,llm,openai,gpt-4o,0.1,0.9,true,nice,because\r\nt1,s2,tool,,,,0.9,true,nice,because\r\n"
    )
    tables, _, notes, _ = load(csv_file(tmp_path, text))
    assert tables["spans"].kind.tolist() == ["llm", "tool"]
    assert tables["spans"].cost_usd.tolist()[0] == 0.1
    (score,) = tables["scores"].to_dict("records")
    assert (score["name"], score["value"], score["label"], score["comment"]) == ("tone", 0.9, "nice", "because")
    assert pd.isna(score["span_id"])
    assert "langwatch" in notes[0]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {
                "request_id": "r",
                "request_created_at": "2026-01-01T00:00:00Z",
                "provider": "OPENAI",
                "request_model": "gpt-4o",
                "delay_ms": 1200,
                "prompt_tokens": 3,
                "response_status": 500,
                "request_body": {"model": "gpt-4o"},
                "time_to_first_token": 90,
                "cost": 0.5,
            },
            {
                "trace_id": "r",
                "duration_s": 1.2,
                "ttft_s": 0.09,
                "status": "error",
                "provider": "openai",
                "convention": "helicone",
                "cost_usd": 0.5,
            },
        ),
        (
            {
                "id": "x",
                "trace_id": "t",
                "ai_org": "openai",
                "ai_model": "gpt-4o",
                "req_units": 3,
                "res_units": 4,
                "response_time": 80,
                "created_at": "2026-01-01T00:00:00Z",
            },
            {
                "trace_id": "t",
                "span_id": "x",
                "duration_s": 0.08,
                "input_tokens": 3,
                "output_tokens": 4,
                "model": "gpt-4o",
                "convention": "portkey",
            },
        ),
        (
            {
                "id": "row",
                "span_id": "s",
                "root_span_id": "t",
                "span_parents": ["p"],
                "metrics": {"start": 1795237075.5, "end": 1795237077, "prompt_tokens": 3},
                "metadata": {"model": "gpt-4o"},
                "span_attributes": {"name": "answer", "type": "llm"},
                "scores": {"factuality": 0.6},
            },
            {
                "trace_id": "t",
                "span_id": "s",
                "parent_id": "p",
                "duration_s": 1.5,
                "input_tokens": 3,
                "model": "gpt-4o",
                "name": "answer",
                "kind": "llm",
            },
        ),
        (
            {
                "span_id": "s",
                "trace_id": "t",
                "parent_id": "undefined",
                "start_ns": 1795237075500000000,
                "duration": 250000000,
            },
            {"duration_s": 0.25, "start": pd.Timestamp("2026-11-21T04:57:55.5Z"), "convention": "datadog"},
        ),
        (
            {
                "id": "o",
                "trace_id": "t",
                "parent_observation_id": "p",
                "type": "GENERATION",
                "start_time": "2026-01-01 00:00:00.5",
                "latency": 150,
                "usage_details": {"input": 3, "output": 4},
                "total_cost": 0.1,
                "provided_model_name": "gpt-4o",
            },
            {
                "span_id": "o",
                "parent_id": "p",
                "kind": "llm",
                "duration_s": 150,
                "usage_source": "missing",
                "cost_usd": 0.1,
            },
        ),
    ],
)
def test_exports_of_other_systems_are_known_by_their_headers(tmp_path: Path, record: Any, expected: Any) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps(record))
    span = load(path)[0]["spans"].iloc[0]
    assert {name: span[name] for name in expected} == expected
    assert pd.isna(span.parent_id) == ("parent" not in str(record) or record.get("parent_id") == "undefined")


def test_scores_of_braintrust_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(
        json.dumps({"span_id": "s", "root_span_id": "t", "span_parents": [], "scores": {"factuality": 0.6}})
    )
    assert load(path)[0]["scores"].name.tolist() == ["factuality"]


def test_feature_is_a_column_or_a_function_or_a_tag() -> None:
    frame = pd.DataFrame({"trace_id": ["a"], "team": ["refunds"], "tags": ["x, feature:search"]})
    assert one(frame, feature="team").spans.feature[0] == "refunds"
    assert one(frame, feature=lambda row: row["team"].upper()).spans.feature[0] == "REFUNDS"
    assert one(frame).spans.feature[0] == "search"
    assert one(frame).spans.tags[0] == ["x", "feature:search"]
    with pytest.raises(UnknownNameError, match="'taem'"):
        one(frame, feature="taem")


def test_the_index_of_a_frame_is_a_column_when_it_has_a_name() -> None:
    frame = pd.DataFrame({"model": ["m"]}, index=pd.Index(["t1"], name="trace_id"))
    assert one(frame).spans.trace_id.tolist() == ["t1"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators_are_found_out(tmp_path: Path, mark: str) -> None:
    path = csv_file(tmp_path, f"trace_id{mark}model{mark}cost\nt{mark}m{mark}0.5\n")
    assert load(path)[0]["spans"].cost_usd.tolist() == [0.5]


def test_csv_survives_bom_crlf_blank_lines_quoted_breaks_and_gzip(tmp_path: Path) -> None:
    text = '\ufefftrace_id,input,model\r\n\r\nt1,"two\r\nlines, and ""quotes""",m\r\nt2,,m\r\nt3,x,m,oops\r\n'
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    tables, problems, _, _ = load(path)
    assert tables["spans"].trace_id.tolist() == ["t1", "t2"]
    assert tables["contents"].input[0] == 'two\r\nlines, and "quotes"'
    dropped = [p for p in problems if p.action == "dropped"]
    assert [(p.line, p.count) for p in dropped] == [(6, 1)]
    assert "4 cells where the header has 3" in dropped[0].reason


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    tables, problems, _, _ = load(csv_file(tmp_path, "trace_id,span_id,input\nt,s,Züri\n".encode("latin-1")))
    assert tables["contents"].input[0] == "Züri"
    assert [(p.line, p.action) for p in problems] == [(2, "repaired")]
    assert "Latin-1" in problems[0].reason


def test_utf_16_is_read(tmp_path: Path) -> None:
    assert (
        load(csv_file(tmp_path, "trace_id,span_id,input\nt,s,Züri\n".encode("utf-16")))[0]["contents"].input[0]
        == "Züri"
    )


def test_nul_characters_are_taken_out_and_said(tmp_path: Path) -> None:
    tables, problems, _, _ = load(csv_file(tmp_path, "trace_id,span_id,input\nt,s,a\0b\n"))
    assert tables["contents"].input[0] == "ab"
    assert "NUL" in problems[0].reason
    assert json.loads(tables["contents"].attributes[0])["input"] == "a\0b"


def test_a_quote_that_is_never_closed_is_reported_with_its_lines(tmp_path: Path) -> None:
    tables, problems, _, _ = load(csv_file(tmp_path, 'trace_id,span_id\na,1\n"b,2\nc,3\n'))
    assert tables["spans"].trace_id.tolist() == ["a"]
    assert problems[0].line == 3
    assert "may not be closed" in problems[0].reason


def test_a_cell_may_be_larger_than_the_csv_module_allows_by_default(tmp_path: Path) -> None:
    assert len(load(csv_file(tmp_path, f"trace_id,input\nt,{'x' * 300_000}\n"))[0]["contents"].input[0]) == 300_000


@pytest.mark.parametrize(
    ("text", "said"), [("", "empty"), ("\n \n", "empty"), ("trace_id,model\n", "a header and no rows")]
)
@pytest.mark.parametrize("form", ["csv"])
def test_a_file_with_nothing_in_it_says_so(tmp_path: Path, text: str, said: str, form: str) -> None:
    tables, problems, _, _ = load(csv_file(tmp_path, text), format=form)
    assert len(tables["spans"]) == 0
    assert said in problems[0].reason


def test_headers_that_are_there_twice_are_both_kept_and_noted(tmp_path: Path) -> None:
    tables, _, notes, _ = load(csv_file(tmp_path, "trace_id,topic,topic,\nt,a,b,c\n"))
    assert json.loads(tables["spans"].metadata[0]) == {"topic": "a", "topic (2)": "b", "column 4": "c"}
    assert any("more than once" in note for note in notes)


def test_json_lines_that_are_not_objects_are_problems_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"trace_id": "a"}\n{broken}\n[1]\n\n{"trace_id": "b", "x": NaN}\n{"trace_id": "c')
    tables, problems, _, _ = load(path)
    assert tables["spans"].trace_id.tolist() == ["a", "b"]
    dropped = {p.reason: (p.line, p.count) for p in problems if p.action == "dropped"}
    assert dropped == {
        "the line is not JSON": (2, 1),
        "the line is JSON, but not an object": (3, 1),
        "the line is not JSON; it is the last one, and torn": (6, 1),
    }


def test_a_file_that_is_no_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"no")
    with pytest.raises(ReadError, match=r"x\.parquet.*as Parquet"):
        load(path)


def test_parquet_types_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    columns = {
        "trace_id": pa.array([2**53 + 1, None]),
        "start": pa.array([1795237075, 1795237076], pa.timestamp("s", "Europe/Berlin")),
        "usage": pa.array([{"prompt_tokens": 3}, None]),
        "model": pa.array(["m", "m"]).dictionary_encode(),
        "steps": pa.array([["a"], []]),
    }
    pq.write_table(pa.table(columns), path)
    spans = load(path)[0]["spans"]
    assert spans.trace_id[0] == str(2**53 + 1)
    assert spans.start[0] == pd.Timestamp("2026-11-21T04:57:55Z")
    assert spans.input_tokens.tolist()[0] == 3
    assert json.loads(spans.metadata[0]) == {"steps": ["a"]}


def test_langsmith_runs_become_raw_spans_with_their_usage(tmp_path: Path) -> None:
    run = {
        "id": "A1",
        "trace_id": "A0",
        "parent_run_id": "A0",
        "run_type": "llm",
        "name": "ChatOpenAI",
        "start_time": "2026-01-01T00:00:00",
        "end_time": "2026-01-01T00:00:02+00:00",
        "first_token_time": "2026-01-01T00:00:00.5Z",
        "inputs": {"q": 1},
        "outputs": None,
        "extra": {
            "metadata": {
                "ls_model_name": "gpt-4o",
                "usage_metadata": {"input_tokens": 61, "output_tokens": 29, "input_token_details": {"cache_read": 16}},
            }
        },
        "error": "ValueError('x')Traceback",
        "tags": ["prod"],
        "total_cost": "0.25",
        "feedback_stats": {"tone": {"n": 2, "avg": 0.5}},
        "mine": {"a": 1},
    }
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(run))
    tables, problems, notes, raw = load(path)
    span, score = raw
    assert isinstance(span, RawSpan)
    assert isinstance(score, RawScore)
    assert (span.trace_id, span.span_id, span.parent_id, span.status, span.line) == ("a0", "a1", "a0", 2, 1)
    assert duration_ns(span) == 2_000_000_000
    expected = {
        "langsmith.span.kind": "llm",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 61,
        "gen_ai.usage.cache_read.input_tokens": 16,
        "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.cost": 0.25,
        "error.type": "ValueError",
        "langsmith.mine": '{"a":1}',
    }
    assert expected.items() <= span.attributes.items()
    assert (score.name, score.value) == ("tone", 0.5)
    assert (len(tables["spans"]), problems) == (0, [])
    assert "langsmith" in notes[0]


def test_phoenix_frames_become_raw_spans_with_flat_attributes() -> None:
    frame = pd.DataFrame(
        {
            "name": ["llm"],
            "span_kind": ["LLM"],
            "parent_id": [None],
            "start_time": [pd.Timestamp("2026-01-01", tz="UTC")],
            "status_code": ["OK"],
            "end_time": [pd.Timestamp("2026-01-01T00:00:01", tz="UTC")],
            "context.trace_id": ["T"],
            "attributes.llm.model_name": ["gpt-4o"],
            "attributes.llm.input_messages": [[{"message.role": "user", "message.content": "hi"}]],
            "attributes.metadata": [{"a": 1}],
            "attributes.llm.token_count.prompt": [3],
        },
        index=pd.Index(["S"], name="context.span_id"),
    )
    (span,) = one(frame).raw
    assert isinstance(span, RawSpan)
    assert (span.trace_id, span.span_id, span.parent_id, span.status) == ("t", "s", None, 1)
    assert span.attributes == {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hi",
        "metadata": '{"a":1}',
        "llm.token_count.prompt": 3,
    }
    assert duration_ns(span) == 1_000_000_000


def test_records_that_are_no_spans_are_problems() -> None:
    found = list(to_raw_spans([{"a": 1}, {"run_type": "llm"}, {"span_kind": "LLM"}], "x"))
    assert [p.line for p in found if isinstance(p, Problem)] == [1, 2, 3]
    assert len(found) == 3


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not beside this checkout")
def test_recorded_langsmith_runs_all_become_spans() -> None:
    *_, raw = load(RECORDED / "langsmith_runs.jsonl")
    spans = [span for span in raw if isinstance(span, RawSpan)]
    assert len(spans) == 32
    models = [span for span in spans if span.attributes["langsmith.span.kind"] == "llm"]
    assert (
        sum("gen_ai.usage.input_tokens" in span.attributes for span in models)
        >= len(models) - sum(span.status == 2 for span in models) - 1
    )
    assert all(span.attributes.get("gen_ai.request.model") == "gpt-4o-mini" for span in models)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not beside this checkout")
def test_recorded_mlflow_csv_gives_the_spans_of_its_traces() -> None:
    *_, raw = load(RECORDED / "mlflow_search_traces.csv", nested=nested_trace)
    spans = [span for span in raw if isinstance(span, RawSpan)]
    assert len({span.trace_id for span in spans}) == 2
    assert "bad" in {span.name for span in spans}
    assert {span.line for span in spans} == {2, 3}


def test_mlflow_traces_without_their_spans_are_one_row_each() -> None:
    columns = {"trace_id": ["tr-1"], "state": ["ERROR"], "request_time": [1795237075840], "execution_duration": [5]}
    span = one(pd.DataFrame({**columns, "trace_metadata": ["{'a': 'b'}"], "request": ["q"]})).spans.iloc[0]
    assert span[["kind", "status", "duration_s", "convention"]].tolist() == ["chain", "error", 0.005, "mlflow"]
    assert json.loads(span.metadata) == {"a": "b"}


def test_a_row_whose_trace_is_not_json_is_a_problem() -> None:
    frame = pd.DataFrame({"trace": ["torn {", None], "trace_metadata": [None, None]})
    problem, second = one(frame, nested=nested_trace).raw
    assert isinstance(problem, Problem)
    assert isinstance(second, Problem)
    assert (problem.line, problem.action, second.line) == (1, "dropped", 2)


CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "12",
            "1,5",
            "0.043",
            "null",
            "true",
            "error",
            "2026-01-01",
            "1795237075",
            "[1]",
            '{"a": 1}',
            '{"a',
            "é",
            "a\nb",
            'q"',
            "\0",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
HEADER = st.one_of(
    st.sampled_from(
        [
            "trace_id",
            "id",
            "span_id",
            "start",
            "end",
            "latency",
            "ttft",
            "input",
            "usage",
            "metadata",
            "error",
            "status",
            "kind",
            "cost",
            "currency",
            "total_tokens",
            "tags",
            "params",
            "score",
            "tone_score",
            "tone_passed",
            "thumbs",
            "temperature",
            "http_status",
            "model",
        ]
    ),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
)


@examples(40)
@given(st.data())
def test_rows_in_are_rows_out_plus_dropped_ones_and_every_cell_is_in_the_attributes(data: Any) -> None:
    header = data.draw(st.lists(HEADER.filter(lambda h: h.strip() == h and h), min_size=2, max_size=7, unique=True))
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(header) - 1, max_size=len(header) + 1), max_size=6))
    rows = [row for row in rows if len(row) > 1 and not (len(row) > len(header) and not row[-1])]
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(file.getvalue().encode())
        tables, problems, _, raw = load(path, source="x")
    good = [row for row in rows if len(row) == len(header)]
    assert raw == []
    assert len(tables["spans"]) == len(tables["contents"]) == len(good)
    assert sum(p.count for p in problems if p.action == "dropped") == len(rows) - len(good)
    for attributes, row in zip(tables["contents"].attributes, good, strict=True):
        assert json.loads(attributes) == dict(zip(header, row, strict=True))
    for text in tables["spans"].metadata.dropna():
        assert isinstance(json.loads(text), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELL,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@examples(40)
@given(st.lists(st.one_of(st.dictionaries(HEADER, JSON, max_size=5), st.just("{torn"), st.just([1])), max_size=6))
def test_every_json_line_is_a_row_or_a_problem(lines: Any) -> None:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text(text)
        tables, problems, _, _ = load(path, source="x")
    good = [line for line in lines if isinstance(line, dict)]
    assert len(tables["spans"]) == len(good)
    assert sum(p.count for p in problems if p.action == "dropped") == len(lines) - len(good)
    for attributes, record in zip(tables["contents"].attributes, good, strict=True):
        assert json.loads(attributes).keys() == {key for key, value in record.items() if value is not None}


def test_units_decided_in_the_first_chunk_hold_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlens.read.table.tables.read_csv_rows", _two_at_a_time)
    path = csv_file(
        tmp_path,
        "trace_id,latency\n" + "".join(f"t{i},{latency}\n" for i, latency in enumerate([1800, 900, 12, 40, 7])),
    )
    tables, problems, notes, _ = load(path)
    assert tables["spans"].duration_s.tolist() == [1.8, 0.9, 0.012, 0.04, 0.007]
    assert [p.line for p in problems] == [2, 4, 6]
    assert sum("read as ms" in note for note in notes) == 1


def _two_at_a_time(path: Path) -> Any:
    from llmlens.read.table.row_files import read_csv_rows

    return read_csv_rows(path, chunk_rows=2)


def test_the_words_of_gateways_are_known(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "when,upstream_model,template,tok_in,tok_out,charged,http,ask,response\n"
        '2026-11-02 10:00:00,gpt-4o,support-v7,"1,005",20,$0.03,200,why?,so\n'
        "2026-11-02 10:00:01,gpt-4o,support-v7,10,20,0.5c,503,why?,\n"
    )
    traces = ll.read(path)
    spans = traces.spans
    assert spans["model"].tolist() == ["gpt-4o"] * 2
    assert spans["prompt_name"].tolist() == ["support-v7"] * 2
    assert spans[["input_tokens", "output_tokens"]].to_numpy().tolist() == [[1005, 20], [10, 20]]
    assert spans["cost_usd"].tolist() == [0.03, 0.005]
    assert spans["status"].tolist() == ["ok", "error"]
    assert traces.contents["input"].tolist() == ["why?", "why?"]
    assert not any("nothing was recognised" in note for note in traces.notes)


def test_it_says_how_to_name_the_columns_that_were_not_recognised() -> None:
    frame = pd.DataFrame({"moment": ["2026-11-02"], "gizmo": ["gpt-4o"], "output": ["so"]})
    (note,) = (note for note in ll.read(frame).notes if "nothing was recognised" in note)
    assert note.startswith("nothing was recognised as start, model, input_tokens, output_tokens, input: ")
    assert note.endswith("name it with columns={'start': 'the header'}")
    with pytest.raises(UnknownNameError, match=r"the other way round: columns=\{'start': 'moment'\}"):
        ll.read(frame, columns={"moment": "start"})
    with pytest.raises(UnknownNameError, match="no tidy column 'moment'"):
        ll.read(frame, columns={"moment": "gizmo"})


CONTEXTS = [{"doc_id": "d1", "text": "The plan costs 9.", "similarity": 0.8, "updated_at": "2026-10-30", "lang": "en"}]


@pytest.mark.parametrize("cell", [CONTEXTS, json.dumps(CONTEXTS), str(CONTEXTS)], ids=["list", "JSON", "Python"])
def test_a_column_of_documents_becomes_retrievals(cell: Any) -> None:
    row = {"id": "c1", "ts": "2026-11-02", "question": "how much?", "contexts": cell, "answer": "9", "tenant": "acme",
           "generator": "claude", "embedding_model": "e5"}  # fmt: skip
    traces = ll.read(pd.DataFrame([row, {**row, "id": "c2", "contexts": None}]))
    call, retriever, other = traces.spans.sort_values(["trace_id", "kind"]).to_dict("records")
    assert [call["kind"], retriever["kind"], other["kind"]] == ["llm", "retriever", "llm"]
    assert (retriever["trace_id"], retriever["parent_id"]) == (call["trace_id"], call["span_id"])
    assert (retriever["start"], retriever["metadata"]) == (call["start"], call["metadata"])
    assert (retriever["end"], pd.isna(retriever["duration_s"])) == (call["start"], True)
    assert call["model"] == "claude"
    assert "embedding_model" in call["metadata"]
    (document,) = traces.documents.to_dict("records")
    assert (document["document_id"], document["score"], document["content"]) == ("d1", 0.8, "The plan costs 9.")
    assert document["updated_at"] == pd.Timestamp("2026-10-30", tz="UTC")
    assert json.loads(document["metadata"])["lang"] == "en"
    assert ll.retrieval(traces)[["n", "n_documents", "n_dated"]].to_numpy().tolist() == [[1, 1, 1]]
    assert len(ll.groundedness(traces)) == 1


def test_documents_may_be_plain_texts_and_belong_to_rows_that_retrieve() -> None:
    rows = [
        {"kind": "retriever", "input": "q", "contexts": ["one text", "another"]},
        {"kind": "llm", "input": "q", "contexts": []},
    ]
    traces = ll.read(pd.DataFrame(rows), columns={"documents": "contexts"})
    assert traces.documents["content"].tolist() == ["one text", "another"]
    spans = traces.spans
    assert sorted(spans["kind"]) == ["llm", "retriever", "retriever"]
    assert ll.retrieval(traces)[["n", "empty"]].to_numpy().tolist() == [[2, 0.5]]


def test_a_context_that_is_a_text_is_no_list_of_documents() -> None:
    traces = ll.read(pd.DataFrame({"input": ["q"], "output": ["a"], "context": ["checkout page"]}))
    assert len(traces.spans) == 1
    assert "checkout page" in traces.spans["metadata"].iloc[0]
