"""Finding files and unpacking them."""

from __future__ import annotations

import gzip
import io
import os
import random
import sys
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import ReadError, SourceNotFoundError
from llmlens.read.files import find, open_binary
from llmlens.read.sniff import Format, Layout, sniff

if TYPE_CHECKING:
    from pathlib import Path

LINE = b'{"resourceSpans":[]}\n'


def unpack(tmp_path: Path, data: bytes, **limits: int) -> tuple[bytes, list[str]]:
    path = tmp_path / "packed"
    path.write_bytes(data)
    with open_binary(path, **limits) as source:
        return source.read(), [problem.reason for problem in source.problems]


class TestFind:
    def test_takes_a_path_a_text_and_a_list_of_both(self, tmp_path: Path) -> None:
        a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
        a.touch()
        b.touch()
        assert find(a) == [a]
        assert find(str(a)) == [a]
        assert find([b, str(a), a]) == [b, a]

    def test_a_folder_gives_all_files_below_it(self, tmp_path: Path) -> None:
        (tmp_path / "x" / "y").mkdir(parents=True)
        files = [tmp_path / "a", tmp_path / "x" / "b", tmp_path / "x" / "y" / "c.jsonl"]
        for file in files:
            file.touch()
        assert sorted(find(tmp_path)) == sorted(files)
        assert find([tmp_path, files[0]]) == find(tmp_path)

    def test_globs_match_at_any_depth(self, tmp_path: Path) -> None:
        (tmp_path / "day").mkdir()
        (tmp_path / "day" / "a.jsonl").touch()
        (tmp_path / "day" / "a.txt").touch()
        assert find(str(tmp_path / "**" / "*.jsonl")) == [tmp_path / "day" / "a.jsonl"]
        assert len(find(str(tmp_path / "d*"))) == 2

    def test_a_name_with_brackets_is_a_name_first(self, tmp_path: Path) -> None:
        path = tmp_path / "run[1].jsonl"
        path.touch()
        assert find(path) == [path]

    def test_links_out_of_a_folder_and_pipes_in_it_are_not_followed(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        (tmp_path / "secret").touch()
        (folder / "a").touch()
        (folder / "out").symlink_to(tmp_path / "secret")
        (folder / "up").symlink_to(tmp_path)
        (folder / "dangling").symlink_to(tmp_path / "nothing")
        (folder / "inner").symlink_to(folder / "a")
        os.mkfifo(folder / "pipe")
        assert find(folder) == [folder / "a", folder / "inner"]

    @pytest.mark.parametrize("what", ["missing.jsonl", "*.jsonl", "empty"])
    def test_what_is_not_there_is_an_error_at_once(self, tmp_path: Path, what: str) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(SourceNotFoundError, match=what.replace("*", r"\*")):
            find(tmp_path / what)

    def test_an_address_and_an_empty_list_are_explained(self) -> None:
        with pytest.raises(SourceNotFoundError, match="download it first"):
            find("s3://bucket/a.jsonl")
        with pytest.raises(SourceNotFoundError, match="empty list"):
            find([])


class TestOpen:
    def test_plain_bytes_come_as_they_are(self, tmp_path: Path) -> None:
        assert unpack(tmp_path, LINE * 3) == (LINE * 3, [])
        assert unpack(tmp_path, b"") == (b"", [])

    def test_packing_is_known_by_its_bytes_not_its_name(self, tmp_path: Path) -> None:
        zstd = zstandard.ZstdCompressor()
        members = gzip.compress(LINE) + gzip.compress(LINE * 2)
        assert unpack(tmp_path, members) == (LINE * 3, [])
        assert unpack(tmp_path, zstd.compress(LINE) + zstd.compress(LINE * 2)) == (LINE * 3, [])
        assert unpack(tmp_path, gzip.compress(zstd.compress(LINE))) == (LINE, [])
        assert unpack(tmp_path, members + zstd.compress(LINE)) == (LINE * 4, [])

    def test_a_skippable_frame_and_padding_are_passed_over(self, tmp_path: Path) -> None:
        skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
        assert unpack(tmp_path, skippable + zstandard.compress(LINE)) == (LINE, [])
        assert unpack(tmp_path, gzip.compress(LINE) + b"\0" * 9_000) == (LINE, [])

    @pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
    def test_a_torn_end_keeps_what_came_before(self, tmp_path: Path, compress: object) -> None:
        assert callable(compress)
        noise = random.Random(1).randbytes(300_000)  # noqa: S311 noise, not a secret
        data, reasons = unpack(tmp_path, compress(noise)[:-4_000])
        assert noise.startswith(data)
        assert len(data) > 100_000
        assert [reason for reason in reasons if "torn" in reason]

    def test_broken_bytes_and_foreign_bytes_are_problems(self, tmp_path: Path) -> None:
        packed = bytearray(gzip.compress(LINE * 10))
        packed[-6] ^= 0xFF  # the checksum
        assert "broken" in unpack(tmp_path, bytes(packed))[1][0]
        data, reasons = unpack(tmp_path, zstandard.compress(LINE) + b"plain text")
        assert data == LINE
        assert "not compressed" in reasons[0]

    @pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
    def test_a_bomb_stops_at_the_cap(self, tmp_path: Path, compress: object) -> None:
        assert callable(compress)
        data, reasons = unpack(tmp_path, compress(b" " * 50_000_000), max_bytes=1_000_000)
        assert len(data) == 1_000_000
        assert reasons == ["the file unpacks to more than 1,000,000 bytes: the rest was not read (see max_bytes)"]

    def test_exactly_the_cap_is_no_problem(self, tmp_path: Path) -> None:
        assert unpack(tmp_path, gzip.compress(LINE), max_bytes=len(LINE)) == (LINE, [])

    def test_the_cap_is_not_for_plain_files(self, tmp_path: Path) -> None:
        assert unpack(tmp_path, LINE, max_bytes=3) == (LINE, [])

    def test_a_look_ahead_consumes_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(LINE * 100_000))
        with open_binary(path) as source:
            assert len(source.peek(1 << 16)) >= 1 << 16
            assert source.read() == LINE * 100_000

    def test_standard_input_is_read_unpacked_and_left_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.BytesIO(gzip.compress(LINE))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(stdin)))
        with open_binary("-") as source:
            assert source.read() == LINE
        assert not stdin.closed
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(ReadError, match="Standard input"):
            open_binary(find("-")[0])

    def test_what_cannot_be_opened_is_a_clear_error(self, tmp_path: Path) -> None:
        with pytest.raises(SourceNotFoundError, match="nowhere"):
            open_binary(tmp_path / "nowhere")
        with pytest.raises(ReadError, match="directory"):
            open_binary(tmp_path)

    @given(st.binary(max_size=300), st.binary(max_size=50))
    def test_no_bytes_make_it_fail(self, tmp_path_factory: pytest.TempPathFactory, a: bytes, b: bytes) -> None:
        folder = tmp_path_factory.mktemp("junk")
        if not a.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):  # else it looks packed twice
            assert unpack(folder, gzip.compress(a)) == (a, [])
        for junk in (b"\x1f\x8b" + a, b"\x28\xb5\x2f\xfd" + a, gzip.compress(a) + b, zstandard.compress(a)[:-1] + b):
            data, _ = unpack(folder, junk, max_bytes=1_000)
            assert len(data) <= 1_000


class TestSniff:
    @pytest.mark.parametrize(
        ("head", "format_", "layout"),
        [
            (b"", Format.EMPTY, Layout.NONE),
            (b" \n\t\n", Format.EMPTY, Layout.NONE),
            (LINE * 2, Format.OTLP, Layout.LINES),
            (b'{"resourceSpans":[{"resource":{"attributes":[' + b"{}," * 30_000, Format.OTLP, Layout.LINES),
            (b'{\n  "resource_spans": [\n', Format.OTLP, Layout.PRETTY),
            (b'[\n {\n  "resourceSpans": [\n', Format.OTLP, Layout.ARRAY),
            (b'{"batches":[{"resource":{}}]}', Format.TEMPO, Layout.LINES),
            (b'{"trace":{"resourceSpans":[]}}', Format.TEMPO, Layout.LINES),
            (b'{"data":[{"traceID":"1","spans":[{"spanID":"2"}]}]}', Format.JAEGER, Layout.LINES),
            (b'{"data":[{"name":"a","context":{"trace_id":"1"},"span_kind":"LLM"}]}', Format.PHOENIX, Layout.LINES),
            (b'{"info":{"trace_id":"tr-1"},"data":{"spans":[]}}\n', Format.MLFLOW, Layout.LINES),
            (b'[{"traceId":"1","id":"2","localEndpoint":{}}]', Format.ZIPKIN, Layout.ARRAY),
            (b'{\n    "name": "a",\n    "context": {\n        "trace_id": "0x1"', Format.CONSOLE, Layout.PRETTY),
            (b'starting up, please wait\n{\n "name": "a",\n "context": {\n"trace_id": ', Format.CONSOLE, Layout.PRETTY),
            (b'{"trace":{"id":"1","projectId":"p"},"observations":[]}', Format.LANGFUSE, Layout.LINES),
            (b'{"id":"1","run_type":"llm","dotted_order":"x"}\n', Format.LANGSMITH, Layout.LINES),
            (b'{"prompt":"a","completion":"b"}\n{"prompt"', Format.RECORDS, Layout.LINES),
            (b'{"some":"thing"}', Format.JSON, Layout.LINES),
            (b"id,model,prompt\n1,gpt,hi\n", Format.CSV, Layout.NONE),
            (b'id;trace\n1;"{""info"": 1}"\n', Format.CSV, Layout.NONE),
            (b"PAR1\x15\x04\x15", Format.PARQUET, Layout.NONE),
            (b"once upon a time\nthere was", Format.TEXT, Layout.NONE),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Format.BINARY, Layout.NONE),
            (b"\0" * 100, Format.BINARY, Layout.NONE),
            (b"\0\0\0\x15" + LINE, Format.OTLP, Layout.FRAMES),
            (b"\0\0\0\x20" + zstandard.compress(LINE), Format.PROTOBUF, Layout.FRAMES),
            (b"\0\0\0\x06\n\x04\x12\x02\x12\0\0\0\0\x02\n\0", Format.PROTOBUF, Layout.FRAMES),
            (b"\n\x04\x12\x02\x12\0", Format.PROTOBUF, Layout.MESSAGE),
            # 123 is the code of "{": a message of that length begins like pretty-printed JSON.
            (b"\n{\n\x1e\n\x1c\n\x0cservice.name\x12\x0c\n\x0a" + b"x" * 97, Format.PROTOBUF, Layout.MESSAGE),
        ],
    )
    def test_formats_are_told_apart_by_their_first_bytes(self, head: bytes, format_: Format, layout: Layout) -> None:
        found = sniff(head)
        assert (found.format, found.layout) == (format_, layout)

    def test_the_fast_road_is_only_for_collector_lines(self) -> None:
        assert sniff(LINE).is_collector
        assert not sniff(b'{\n "resourceSpans": []}').is_collector
        assert sniff(b'{"batches":[]}').is_trace
        assert not sniff(b"a,b\n").is_trace

    @given(st.binary(max_size=200))
    def test_any_bytes_get_an_answer(self, head: bytes) -> None:
        assert isinstance(sniff(head).format, Format)
        assert isinstance(sniff(b"{" + head).format, Format)
