"""`read` finds out what it was given."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from llmlens import ReadError, SourceNotFoundError
from llmlens.read import read

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
CSV = "trace_id,span_id,name,kind,start,model,input_tokens,output_tokens\nt1,s1,a,llm,2026-01-01T00:00:00Z,gpt-4o,1,2\n"


def test_files_are_known_by_what_is_in_them_and_not_by_their_names(otlp: Any) -> None:
    otlp.write("a.csv", otlp.line(otlp.span({"gen_ai.operation.name": "chat"})))
    otlp.write("b.jsonl", CSV)
    (otlp.folder / "c.txt").write_bytes(gzip.compress(otlp.line(otlp.span(n=2)).encode()))
    otlp.write("readme.md", "# Not traces\n")
    traces = read(otlp.folder)
    assert sorted(traces.spans["span_id"]) == [f"{1:016x}", f"{2:016x}", "s1"]
    dropped = traces.problems[traces.problems["action"] == "dropped"]
    assert dropped["source"].tolist() == [str(otlp.folder / "readme.md")]


def test_frames_and_arrow_tables_are_read() -> None:
    frame = pd.read_csv(io.StringIO(CSV))
    assert read(frame).spans["model"].tolist() == ["gpt-4o"]
    assert read(pa.Table.from_pandas(frame)).spans["input_tokens"].tolist() == [1]


def test_a_saved_folder_is_opened(otlp: Any) -> None:
    traces = otlp.read(otlp.span({"session.id": "s"}))
    traces.save(otlp.folder / "saved")
    assert read(otlp.folder / "saved").spans["session_id"].tolist() == ["s"]
    assert read(str(otlp.folder / "saved")).contents.equals(traces.contents)


def test_standard_input_holds_traces(otlp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(otlp.line(otlp.span()).encode())))
    assert len(read("-").spans) == 1


def test_options_reach_the_reader(otlp: Any) -> None:
    path = otlp.write("a.jsonl", otlp.line(otlp.span({"acme.part": "p"})), "nonsense\n")
    assert read(path, feature="acme.part").spans["feature"].tolist() == ["p"]
    with pytest.raises(ReadError, match=r"a\.jsonl:2: not JSON"):
        read(path, strict=True)
    with pytest.raises(TypeError, match=r"Did you mean .strict."):
        read(path, stric=True)  # type: ignore[call-arg]  # misuse


@pytest.mark.parametrize("source", [5, None, {"a": 1}, b"bytes", object()])
def test_what_is_no_source_is_an_error(source: Any) -> None:
    with pytest.raises(ReadError, match=r"read\(\) takes a path, a glob, .*; got"):
        read(source)


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    for source in (tmp_path / "no", str(tmp_path / "*.x"), [], [tmp_path / "no"]):
        with pytest.raises(SourceNotFoundError):
            read(source)


@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")
def test_a_folder_of_recordings_of_all_kinds_loads() -> None:
    traces = read(
        [DATA / "recorded/langsmith_runs.jsonl", DATA / "recorded/openinference_openai.otlp.pb", DATA / "otlp_edge"]
    )
    assert {"llm", "chain"} <= set(traces.spans["kind"])
    assert len(traces.contents) == len(traces.spans)
