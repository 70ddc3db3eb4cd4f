"""`read_otlp` end to end: every recording in every dialect gives the tables it should."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from llmlens import ReadError, SourceNotFoundError, Traces, read_otlp
from llmlens.schema import TABLES, USAGE_KINDS

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
RECORDED = DATA / "recorded"
COMPARED = ("spans", "contents", "messages", "documents", "tool_calls", "scores")
KEYS = {"scores": ["score_id"], "tool_calls": ["trace_id", "call_id", "requested_by", "span_id", "arguments"]}

needs_data = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside the project")


def recordings() -> dict[str, Any]:
    path = RECORDED / "expected.json"
    return json.loads(path.read_text()) if path.exists() else {}


def rows(traces: Traces, table: str, leave_out: tuple[str, ...] = ("source",)) -> list[dict[str, Any]]:
    """Give a table as sorted rows of texts, so that two loads of the same can be compared."""
    frame = getattr(traces, table).drop(columns=list(leave_out), errors="ignore")
    keys = KEYS.get(table, list(TABLES[table].key))
    frame = frame.sort_values(keys, kind="stable") if len(frame) else frame
    return [{k: str(v) for k, v in row.items()} for row in frame.to_dict("records")]


def tables(traces: Traces, leave_out: tuple[str, ...] = ("source",)) -> dict[str, list[dict[str, Any]]]:
    return {table: rows(traces, table, leave_out) for table in COMPARED}


@needs_data
@pytest.mark.parametrize("name", recordings())
def test_recording_gives_what_was_recorded(name: str) -> None:
    traces = read_otlp(RECORDED / name)
    spans = traces.spans
    calls = spans[spans["kind"].isin(USAGE_KINDS)]
    found = {
        "spans": len(spans),
        "traces": len(traces.traces),
        "roots": int((spans["depth"] == 0).sum()),
        "errors": int((spans["status"] == "error").sum()),
        "kinds": spans["kind"].value_counts().to_dict(),
        "models": spans.loc[spans["kind"] == "llm", "model"].value_counts().to_dict(),
        "sessions": sorted(spans["session_id"].dropna().unique()),
    }
    for column in ("input_tokens", "output_tokens", "cache_read_tokens"):
        found[column] = int(calls[column].sum())
    assert found == recordings()[name]
    assert spans.loc[~spans["kind"].isin(USAGE_KINDS), ["input_tokens", "cost_usd"]].isna().all(axis=None)
    assert (traces.problems["action"] != "dropped").all()


@needs_data
@pytest.mark.parametrize(
    "dialect",
    ["otlp.jsonl.gz", "otlp.pb", "export_request.pb", "collector_legacy_json_zstd.bin", "collector_native.jsonl.zst",
     "pbjson_base64ids.json", "pyjsonfile.jsonl"],
)  # fmt: skip
def test_every_dialect_gives_the_same_tables(dialect: str, plain: dict[str, Any]) -> None:
    assert tables(read_otlp(RECORDED / f"openinference_openai.{dialect}")) == plain


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return tables(read_otlp(RECORDED / "openinference_openai.otlp.jsonl"))


@needs_data
def test_protobuf_json_in_snake_case_gives_the_same_rows_for_its_part_of_the_spans(plain: dict[str, Any]) -> None:
    part = read_otlp(RECORDED / "openinference_openai.pbjson_snake.json")
    ids = set(part.spans["span_id"])
    found, expected = tables(part, ("source", "depth")), {}
    for table in COMPARED:
        kept = [row for row in plain[table] if row.get("span_id") in ids or row.get("requested_by") in ids]
        expected[table] = [{k: v for k, v in row.items() if k not in ("source", "depth")} for row in kept]
    for name in ("feature", "session_id", "user_id"):  # what the whole trace shares is in the other part
        for row in (*found["spans"], *expected["spans"]):
            row.pop(name)
    assert len(ids) == 5
    assert found == expected


@needs_data
def test_console_text_gives_the_same_tables_up_to_microseconds_and_scope(plain: dict[str, Any]) -> None:
    lacking = ("source", "start", "end", "duration_s", "ttft_s", "resource", "events")
    traces = read_otlp(RECORDED / "openinference_openai.console.txt")
    expected = {
        table: [{k: v for k, v in row.items() if k not in lacking} for row in listed] for table, listed in plain.items()
    }
    assert tables(traces, lacking) == expected
    exact = read_otlp(RECORDED / "openinference_openai.otlp.jsonl").spans.set_index("span_id")
    rounded = traces.spans.set_index("span_id").loc[exact.index]
    for column in ("start", "end"):
        assert ((rounded[column] - exact[column]).dt.total_seconds().abs() <= 1e-6).all()


@needs_data
@pytest.mark.parametrize("name", ["langfuse_sdk_v5", "langsmith_otel", "pydantic_ai_v5", "traceloop_openai"])
def test_protobuf_and_json_of_a_recording_give_the_same_tables(name: str) -> None:
    assert tables(read_otlp(RECORDED / f"{name}.otlp.pb")) == tables(read_otlp(RECORDED / f"{name}.otlp.jsonl"))


@needs_data
@pytest.mark.parametrize("folder", ["recorded", "otlp_edge"])
def test_a_folder_of_everything_loads_and_nothing_is_lost_silently(folder: str) -> None:
    one_by_one = 0
    for path in sorted((DATA / folder).iterdir()) if folder == "otlp_edge" else []:
        one_by_one += len(read_otlp(path).spans)
    traces = read_otlp(DATA / folder)
    assert len(traces.contents) == len(traces.spans) > 0
    if one_by_one:
        doubled = traces.problems.loc[traces.problems["reason"].str.contains("span came more than once"), "count"].sum()
        assert len(traces.spans) + doubled == one_by_one
    for table in COMPARED:
        assert set(getattr(traces, table).columns) == set(TABLES[table].names)


@needs_data
@pytest.mark.parametrize("name", ["otel_openai_v2_default", "otel_genai_langchain"])
def test_content_that_is_only_in_logs_joins_its_spans_in_any_order_of_files(name: str) -> None:
    spans, logs = RECORDED / f"{name}.otlp.jsonl", RECORDED / f"{name}.logs.otlp.jsonl"
    joined = read_otlp([spans, logs])
    assert len(joined.messages) >= len(read_otlp(spans).messages)
    assert not joined.problems["reason"].str.contains("log record").any()
    assert tables(read_otlp([logs, spans])) == tables(joined)


def test_logs_before_after_and_in_another_file_give_the_same_tables(otlp: Any) -> None:
    span = otlp.line(otlp.span({"gen_ai.operation.name": "chat"}))
    logs = otlp.line(logs=[
        otlp.log("gen_ai.choice", {}, at=0.9, body=otlp.value({"message": {"role": "assistant", "content": "hello"}})),
        otlp.log("gen_ai.user.message", {}, at=0.1, body=otlp.value({"content": "hi"})),
    ])  # fmt: skip
    one_line = json.dumps(json.loads(span) | json.loads(logs)) + "\n"
    expected = [("input", "user", "hi"), ("output", "assistant", "hello")]
    for number, files in enumerate(([span + logs], [logs + span], [logs, span], [span, logs], [one_line])):
        paths = [otlp.write(f"{number}.{i}.jsonl", text) for i, text in enumerate(files)]
        traces = read_otlp(paths)
        said = traces.messages[["direction", "role", "content"]].itertuples(index=False, name=None)
        assert list(said) == expected
        assert len(json.loads(traces.contents["events"][0])) == 2
        assert traces.problems.empty


def test_log_records_that_come_twice_are_joined_once_and_counted(otlp: Any) -> None:
    log = otlp.line(logs=[otlp.log("gen_ai.user.message", {}, body=otlp.value({"content": "hi"}))])
    path = otlp.write("a.jsonl", otlp.line(otlp.span({"gen_ai.operation.name": "chat"})), log, log)
    traces = read_otlp(path)
    assert traces.messages["content"].tolist() == ["hi"]
    found = traces.problems[["reason", "line", "count"]].to_numpy().tolist()
    assert found == [["log record came more than once: one was kept", 3, 1]]


@needs_data
@pytest.mark.parametrize("seed", [1, 2])
def test_a_file_split_shuffled_and_overlapping_gives_the_same_tables(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    lines = []
    for name in ("traceloop_langchain", "langfuse_sdk_v5", "otel_openai_v2_default"):
        for path in sorted(RECORDED.glob(f"{name}*.otlp.jsonl")):
            for line in path.read_text().splitlines():
                for key, scopes, leaves in (
                    ("resourceSpans", "scopeSpans", "spans"),
                    ("resourceLogs", "scopeLogs", "logRecords"),
                ):
                    for batch in json.loads(line).get(key, []):
                        for scope in batch[scopes]:
                            lines += [{key: [{**batch, scopes: [{**scope, leaves: [one]}]}]} for one in scope[leaves]]
    whole = tmp_path / "whole.jsonl"
    whole.write_text("".join(json.dumps(line) + "\n" for line in lines))
    doubled = chance.sample(lines, 20)
    many = lines + doubled
    chance.shuffle(many)
    parts = tmp_path / "parts"
    parts.mkdir()
    for k in range(4):
        (parts / f"{k}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in many[k::4]))
    split = read_otlp(parts)
    assert tables(split) == tables(read_otlp(whole))
    twice = split.problems["reason"].str.contains("came more than once")
    assert split.problems.loc[twice, "count"].sum() == len(doubled)


def test_files_globs_folders_and_packing_are_found(otlp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = otlp.folder / "deep/er"
    folder.mkdir(parents=True)
    lines = [otlp.line(otlp.span(trace=n)).encode() for n in range(1, 6)]
    (folder / "a.jsonl").write_bytes(lines[0])
    (folder / "b.log").write_bytes(gzip.compress(lines[1]))
    (otlp.folder / "c.jsonl.zst").write_bytes(zstandard.compress(lines[2]) + zstandard.compress(lines[3]))
    assert len(read_otlp(otlp.folder).spans) == 4
    assert len(read_otlp(str(otlp.folder / "**/*.jsonl")).spans) == 1
    assert len(read_otlp([folder, folder / "a.jsonl"]).spans) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines[4])))
    traces = read_otlp("-")
    assert traces.spans["source"].tolist() == ["-"]


def test_what_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    given: tuple[Any, ...] = (tmp_path / "no.jsonl", str(tmp_path / "*.jsonl"), tmp_path, [], "x" * 5000)
    for paths in given:
        with pytest.raises(SourceNotFoundError, match=r"There is no file|No file matches|holds no files|empty list"):
            read_otlp(paths)
    (tmp_path / "there.jsonl").write_text("")
    with pytest.raises(SourceNotFoundError, match=r"no\.jsonl"):
        read_otlp([tmp_path / "there.jsonl", tmp_path / "no.jsonl"])


def test_scores_inside_the_spans_and_the_logs_become_scores(otlp: Any) -> None:
    said = {"gen_ai.evaluation.name": "helpfulness", "gen_ai.evaluation.score.value": 0.25}
    traces = otlp.read(
        otlp.span({"trace.annotations.0.annotation.name": "ok", "trace.annotations.0.annotation.score": 1}),
        otlp.span({"trace.annotations.0.annotation.name": "ok", "trace.annotations.0.annotation.score": 1}, n=2),
        otlp.span(n=3, events=[("gen_ai.evaluation.result", 1, said)]),
        logs=[otlp.log("gen_ai.evaluation.result", said, n=2)],
    )
    found = traces.scores.sort_values(["name", "span_id"])[["name", "value", "span_id"]].fillna("").values.tolist()
    assert found == [["helpfulness", 0.25, f"{2:016x}"], ["helpfulness", 0.25, f"{3:016x}"], ["ok", 1.0, ""]]


def test_the_same_file_under_two_names_is_one_set_of_traces(otlp: Any) -> None:
    path = otlp.write("a.jsonl", otlp.line(otlp.span(), otlp.span(n=2)))
    shutil.copy(path, otlp.folder / "b.jsonl")
    traces = read_otlp(otlp.folder)
    assert len(traces.spans) == 2
    found = traces.problems[["source", "count", "line", "action"]].to_numpy().tolist()
    assert found == [[str(otlp.folder / "b.jsonl"), 2, 1, "dropped"]]
    with pytest.raises(ReadError, match=r"b\.jsonl:1: span came more than once"):
        read_otlp(otlp.folder, strict=True)
