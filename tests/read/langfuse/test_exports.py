"""`ll.read` takes Langfuse's files: exports to blob storage, exports of its pages, downloaded traces."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llmlens import ReadError
from llmlens.read import read

if TYPE_CHECKING:
    from pathlib import Path

    from llmlens.traces import Traces

#: Columns of `observations_v2` that are not called as in the API.
SNAKE = {"model": "provided_model_name"}


def snake(name: str) -> str:
    return SNAKE.get(name) or "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def clickhouse(time: str | None) -> str | None:
    """Write a time as exports do: UTC, without a zone."""
    return time and time.replace("T", " ").replace("Z", "000")


def blob_row(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row of `observations_v2` of one of the API."""
    times = ("startTime", "endTime", "completionStartTime", "createdAt", "updatedAt")
    made = {snake(name): clickhouse(value) if name in times else value for name, value in row.items()}
    made["model_parameters"] = json.dumps(row["modelParameters"])
    return made


def cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(rows[0])
        writer.writerows([cell(value) for value in row.values()] for row in rows)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    maps = {
        "metadata": pa.map_(pa.string(), pa.string()),
        "usage_details": pa.map_(pa.string(), pa.uint64()),
        "cost_details": pa.map_(pa.string(), pa.decimal128(18, 12)),
    }
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name in maps:
            items = [list((value or {}).items()) for value in values]
            kind = pa.map_(pa.string(), pa.float64()) if name == "cost_details" else maps[name]
            columns[name] = pa.array(items, kind).cast(maps[name])
        elif name.endswith(("_at", "_time")):
            times = [value and datetime.fromisoformat(value) for value in values]
            columns[name] = pa.array(times, pa.timestamp("us"))
        else:
            columns[name] = pa.array(values)
    pq.write_table(pa.table(columns), path)


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the format that the name says."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".csv" in name:
        write_csv(path, rows)
    elif ".parquet" in name:
        write_parquet(path, rows)
    elif ".jsonl" in name:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps(rows), encoding="utf-8")
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.fixture
def three(langfuse: Any) -> list[dict[str, Any]]:
    """Three observations of one trace, as the API gives them."""
    child = {"parentObservationId": langfuse.span, "isRootObservation": False}
    tool = {"model": "", "usageDetails": {}, "costDetails": {}, "totalCost": 0, "input": '{"x": 1}', "output": "ok"}
    return [
        langfuse.observation(),
        langfuse.observation(id="c1", name="search", type="TOOL", **child, **tool),
        langfuse.observation(id="c2", completionStartTime="2026-11-21T05:11:38.849Z", **child),
    ]


def assert_same_spans(found: Traces, expected: Traces) -> None:
    """Compare all but what names the source."""
    pd.testing.assert_frame_equal(found.spans.drop(columns="source"), expected.spans.drop(columns="source"))
    pd.testing.assert_frame_equal(found.messages, expected.messages)
    pd.testing.assert_frame_equal(found.tool_calls, expected.tool_calls)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "a.json", "a.json.gz", "a.jsonl", "a.jsonl.gz"])
def test_a_blob_export_gives_the_spans_of_the_api(langfuse: Any, three: Any, tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"p1/observations_v2/{name}", [blob_row(row) for row in three])
    traces = read(path)
    assert_same_spans(traces, langfuse.read(*three))
    assert set(traces.spans["source"]) == {str(path)}
    assert traces.problems.empty


def manifest(folder: Path, **rows: int) -> None:
    files = [
        {"key": f"exports/p1/{table}/2026.jsonl", "table": table, "format": "JSONL", "rowCount": count}
        for table, count in rows.items()
    ]
    path = folder / "p1/manifests/2026.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    window = {"min": "2026-11-21T05:00:00Z", "max": "2026-11-21T06:00:00Z"}
    content = {"version": 1, "projectId": "p1", "exportSource": "OBSERVATIONS_V2", "window": window, "files": files}
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


SCORE = {
    "id": "s", "timestamp": "2026-11-21 05:12:04.094000", "project_id": "p1", "environment": "default",
    "trace_id": "0af7651916cd43dd8448eb211c80319c", "observation_id": None, "session_id": None, "dataset_run_id": None,
    "name": "quality", "value": 0.5, "source": "EVAL", "comment": None, "data_type": "NUMERIC", "string_value": None,
}  # fmt: skip


def test_a_blob_folder_is_read_with_its_scores_and_checked_against_its_manifest(three: Any, tmp_path: Path) -> None:
    write(tmp_path, "p1/observations_v2/2026.jsonl", [blob_row(row) for row in three])
    write(tmp_path, "p1/scores/2026.jsonl", [SCORE])
    manifest(tmp_path, observations_v2=3, scores=1)
    traces = read(tmp_path)
    assert (len(traces.spans), len(traces.scores)) == (3, 1)
    assert traces.problems.empty


def test_a_file_that_the_manifest_names_and_rows_that_are_missing_are_problems(three: Any, tmp_path: Path) -> None:
    write(tmp_path, "p1/observations_v2/2026.jsonl", [blob_row(row) for row in three])
    manifest(tmp_path, observations_v2=5, scores=7)
    problems = read(tmp_path).problems.sort_values("count")
    assert problems["count"].tolist() == [2, 7]
    assert problems["action"].tolist() == ["dropped", "dropped"]
    assert "observations_v2/2026.jsonl has 3 rows where the manifest says 5" in problems["reason"].iloc[0]
    assert "not read" in problems["reason"].iloc[1]
    assert problems["source"].str.endswith("manifests/2026.json").all()
    with pytest.raises(ReadError, match="manifest"):
        read(tmp_path, strict=True)


def test_rows_at_the_boundary_of_two_exports_count_once(three: Any, tmp_path: Path) -> None:
    rows = [blob_row(row) for row in three]
    for name in ("1.jsonl", "2.jsonl"):
        write(tmp_path, f"p1/observations_v2/{name}", rows)
        write(tmp_path, f"p1/scores/{name}", [SCORE])
    traces = read(tmp_path)
    assert (len(traces.spans), len(traces.scores)) == (3, 1)
    assert traces.problems["count"].tolist() == [3]


def test_the_tables_of_before_v4_are_joined(langfuse: Any, three: Any, tmp_path: Path) -> None:
    of_trace = {"user_id", "session_id", "trace_name", "tags", "release", "bookmarked", "public"}
    rows = [{name: value or None for name, value in blob_row(row).items() if name not in of_trace} for row in three]
    its_trace = {
        "id": langfuse.trace, "timestamp": "2026-11-21 05:11:38.349000", "name": "chat", "environment": "default",
        "project_id": "p1", "metadata": {"k": "v"}, "user_id": "u1", "session_id": "s1", "release": "", "version": "",
        "public": False, "bookmarked": False, "tags": ["a", "b"], "input": "in", "output": "out",
        "created_at": "2026-11-21 05:11:41.000000", "updated_at": "2026-11-21 05:11:41.000000",
    }  # fmt: skip
    write(tmp_path, "p1/observations/1.jsonl", rows)
    write(tmp_path, "p1/traces/1.jsonl", [its_trace])
    assert_same_spans(read(tmp_path), langfuse.read(*three))


def page_row(row: dict[str, Any], **scores: Any) -> dict[str, Any]:
    """Make a row of the export of v4's page of observations."""
    left_out = {"latency", "timeToFirstToken", "model", "createdAt", "updatedAt", "projectId"}
    kept = {name: value for name, value in row.items() if name not in left_out}
    times = {name: clickhouse(row[name]) for name in ("startTime", "endTime", "completionStartTime")}
    ms = {"latencyMs": 2000, "timeToFirstTokenMs": None}
    return {**kept, **times, **ms, "providedModelName": row["model"], "comments": [], **scores}


@pytest.mark.parametrize("name", ["1-lf-events-export-p1.csv", "a.json", "a.jsonl"])
def test_an_export_of_a_page_gives_the_spans_of_the_api(langfuse: Any, three: Any, tmp_path: Path, name: str) -> None:
    rows = [page_row(row, accuracy=[0.9], verdict=["good", "fair"]) for row in three]
    traces = read(write(tmp_path, name, rows))
    assert_same_spans(traces, langfuse.read(*three))
    scores = traces.scores[traces.scores["span_id"] == "c1"].sort_values(["name", "label"])
    assert scores["name"].tolist() == ["accuracy", "verdict", "verdict"]
    assert scores["value"].tolist()[0] == 0.9
    assert scores["label"].tolist()[1:] == ["fair", "good"]


def test_times_to_the_first_token_of_a_page_are_milliseconds(langfuse: Any, tmp_path: Path) -> None:
    row = {**page_row(langfuse.observation()), "timeToFirstTokenMs": 500}
    assert read(write(tmp_path, "a.jsonl", [row])).spans["ttft_s"].tolist() == [0.5]


def test_a_score_that_took_the_place_of_a_column_is_a_score(langfuse: Any, tmp_path: Path) -> None:
    row = page_row(langfuse.observation(), name=[0.25], output=["good"], level=[1])
    traces = read(write(tmp_path, "a.json", [row]))
    assert sorted(traces.scores["name"]) == ["level", "name", "output"]
    assert traces.spans["name"].tolist() == [""]
    assert traces.contents["output"].isna().all()
    assert traces.problems["action"].tolist() == ["noted"] * 3
    assert traces.problems["reason"].str.contains("has taken the place").all()


def test_lists_that_are_no_scores_stay(langfuse: Any, tmp_path: Path) -> None:
    row = {**page_row(langfuse.observation()), "output": "[0.1, 0.2]", "tags": ["a", "b"], "custom": []}
    traces = read(write(tmp_path, "a.csv", [row]))
    assert traces.scores.empty
    assert traces.contents["output"].tolist() == ["[0.1, 0.2]"]
    assert list(traces.spans["tags"][0]) == ["a", "b"]


def test_comments_of_a_page_are_scores_in_words(langfuse: Any, tmp_path: Path) -> None:
    comment = {"id": "k", "content": "line 1\nline 2", "createdAt": "2026-11-21T05:12:00.000Z", "authorUserId": "u"}
    row = {**page_row(langfuse.observation()), "comments": json.dumps([comment], indent=2)}
    (score,) = read(write(tmp_path, "a.csv", [row])).scores.to_dict("records")
    assert (score["name"], score["comment"], score["author"]) == ("comment", "line 1\nline 2", "u")
    assert (score["trace_id"], score["span_id"]) == (langfuse.trace, langfuse.span)


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
def test_traces_and_scores_of_pages_are_read(tmp_path: Path, name: str) -> None:
    its_trace = {
        "id": "t", "timestamp": "2026-11-21T05:11:38.349Z", "name": "chat", "userId": "u1", "sessionId": "s1",
        "release": None, "version": None, "environment": "default", "tags": ["a"], "bookmarked": False, "public": False,
        "input": "in", "output": "out", "metadata": {"k": "v"}, "comments": [], "helpful": [1],
    }  # fmt: skip
    score: dict[str, Any] = {
        "id": "s", "traceId": "t", "sessionId": None, "datasetRunId": None, "timestamp": "2026-11-21T05:12:04.094Z",
        "source": "ANNOTATION", "name": "tone", "dataType": "CATEGORICAL", "value": 1, "stringValue": "polite",
        "comment": "so", "metadata": {}, "observationId": None, "traceName": "chat", "userId": "u1", "traceTags": ["a"],
        "environment": "default", "authorUserName": "Ann",
    }  # fmt: skip
    traces = read([write(tmp_path, f"traces-{name}", [its_trace]), write(tmp_path, f"scores-{name}", [score])])
    assert traces.traces[["name", "user_id", "input"]].to_numpy().tolist() == [["chat", "u1", "in"]]
    scores = traces.scores.set_index("name")
    assert scores.loc["helpful", "value"] == 1
    tone = scores.loc["tone", ["label", "author", "source", "comment"]]
    assert tone.to_numpy().tolist() == ["polite", "Ann", "human", "so"]


def test_sums_of_sessions_are_no_spans(tmp_path: Path) -> None:
    row = {"id": "s1", "userIds": ["u1"], "countTraces": 3, "sessionDuration": 5, "totalCost": 0.1, "comments": []}
    traces = read(write(tmp_path, "a.jsonl", [row]))
    assert traces.spans.empty
    assert traces.problems["action"].tolist() == ["dropped"]


@pytest.mark.parametrize("shape", ["outer", "both", "inner", "bare", "text metadata"])
def test_a_downloaded_trace_is_read_whole(langfuse: Any, three: Any, tmp_path: Path, shape: str) -> None:
    score = {
        "id": "s", "name": "ok", "dataType": "NUMERIC", "value": 1, "source": "EVAL", "traceId": langfuse.trace,
        "observationId": None, "timestamp": "2026-11-21T05:12:04.094Z", "stringValue": None,
    }  # fmt: skip
    correction = {**score, "id": "c", "name": "output", "dataType": "CORRECTION", "value": 0, "stringValue": "better"}
    its_trace = {
        "id": langfuse.trace, "projectId": "p1", "name": "chat", "timestamp": "2026-11-21T05:11:38.349Z",
        "tags": ["a", "b"], "userId": "u1", "sessionId": "s1", "metadata": "{}", "scores": [score],
        "corrections": [correction],
    }  # fmt: skip
    if shape == "text metadata":
        three = [{**row, "metadata": json.dumps(row["metadata"])} for row in three]
    document = {
        "outer": {"trace": its_trace, "observations": three},
        "both": {"trace": {**its_trace, "observations": three}, "observations": three},
        "inner": {"trace": {**its_trace, "observations": three}},
        "bare": {**its_trace, "observations": three},
        "text metadata": {"trace": its_trace, "observations": three},
    }[shape]
    path = tmp_path / "trace-1.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    traces = read(path)
    assert_same_spans(traces, langfuse.read(*three))
    assert sorted(traces.scores["data_type"]) == ["correction", "numeric"]
    assert traces.problems.empty


def test_a_saved_page_of_the_api_is_read(langfuse: Any, three: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": three, "meta": {"cursor": "x"}}), encoding="utf-8")
    assert_same_spans(read(path), langfuse.read(*three))


def test_every_line_of_a_long_file_is_read_and_knows_its_number(langfuse: Any, tmp_path: Path) -> None:
    rows = [langfuse.observation(id=f"{number:016x}") for number in range(1, 2_501)]
    rows[1_234]["endTime"] = "soon"
    path = tmp_path / "observations_v2.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    traces = read(path)
    assert sorted(traces.spans["span_id"]) == [row["id"] for row in rows]
    (problem,) = traces.problems.to_dict("records")
    assert (problem["line"], problem["reason"]) == (1_235, "endTime is not a time; it was left out")


def test_torn_lines_and_foreign_records_are_problems(three: Any, tmp_path: Path) -> None:
    lines = [json.dumps(blob_row(row)) for row in three]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([*lines, '{"id": "x"}', "7", lines[0][:50]]), encoding="utf-8")
    traces = read(path)
    assert len(traces.spans) == 3
    assert traces.problems["action"].tolist() == ["dropped"] * 3
    assert sorted(traces.problems["line"]) == [4, 5, 6]


def test_a_torn_parquet_file_is_named(three: Any, tmp_path: Path) -> None:
    path = write(tmp_path, "a.parquet", [blob_row(row) for row in three])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadError, match=r"a\.parquet"):
        read(path)


def test_a_table_whose_columns_are_given_is_read_as_the_user_says(langfuse: Any, tmp_path: Path) -> None:
    path = write(tmp_path, "mine.csv", [page_row(langfuse.observation())])
    assert read(path, columns={"name": "type"}).spans["name"].tolist() == ["GENERATION"]
    assert read(path).spans["name"].tolist() == ["answer"]
