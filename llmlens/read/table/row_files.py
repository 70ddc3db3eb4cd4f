"""Files of rows (CSV, JSON lines, Parquet) -> chunks of `Rows`; torn and ragged ones become problems."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from llmlens.errors import ReadError
from llmlens.read.files import open_binary
from llmlens.read.raw import Problem

from .rows import Rows, frame_rows, record_frame, unique, utf8

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

#: Rows of a chunk: some 100 MB of ordinary call logs.
CHUNK_ROWS = 50_000

_SAMPLE = 64 << 10
_DELIMITERS = ",;\t|"
# A whole number that a float cannot hold: such lines take the slower, exact parser.
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?\d{19}")


def read_csv_rows(
    path: str | os.PathLike[str], *, delimiter: str | None = None, chunk_rows: int = CHUNK_ROWS
) -> Iterator[Rows]:
    """Read a CSV file (packed or not) as texts, in chunks; the separator is found out unless it is given.

    Rows with too few or too many cells are dropped and become problems. Text that is not UTF-8 is read as Latin-1.
    """
    with open_binary(path) as source:
        # Bytes that are not UTF-8 pass through here as lone surrogates, and `_text_column` reads their cell again.
        start = source.peek(_SAMPLE)[:_SAMPLE]
        coding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        errors = "replace" if coding == "utf-16" else "surrogateescape"
        separator = delimiter or _sniff(start.decode(coding, errors="replace"))
        csv.field_size_limit(sys.maxsize)  # prompts are longer than the 128 kB that the module allows by default
        with io.TextIOWrapper(source, coding, errors=errors, newline="") as file:
            reader = csv.reader(file, delimiter=separator)
            yield from _chunks(reader, chunk_rows, source.problems)


def _chunks(reader: Any, chunk_rows: int, packing: list[Problem]) -> Iterator[Rows]:
    header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    if header is None:
        yield Rows(pd.DataFrame(), np.empty(0, "int64"), [*packing, Problem(None, "the file is empty", action="noted")])
        return
    names, notes = unique(utf8(header)[0])
    count = 0
    for number in itertools.count():
        before = reader.line_num
        rows = list(itertools.islice(reader, chunk_rows))
        if not rows:
            break
        lines = _line_numbers(rows, before, reader.line_num)
        kept, lines, problems = _fitting(rows, lines, len(names), reader.line_num)
        columns = zip(*kept, strict=True) if kept else ((),) * len(names)
        series = {
            name: _text_column(list(cells), problems, name, lines) for name, cells in zip(names, columns, strict=True)
        }
        count += len(rows)
        yield Rows(pd.DataFrame(series, index=range(len(kept))), lines, problems, notes if number == 0 else [])
    problems = list(packing)
    if count == 0:
        problems.append(Problem(None, "the file has a header and no rows", ", ".join(names)[:200], action="noted"))
    if problems:
        yield Rows(
            pd.DataFrame({name: pd.Series(dtype="str") for name in names}),
            np.empty(0, "int64"),
            problems,
            notes if not count else [],
        )


def _sniff(start: str) -> str:
    """Give the separator that splits the first line into the most cells."""
    lines = start.splitlines()
    first = next((line for line in lines if line.strip()), "")
    widths = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in _DELIMITERS}
    return max(widths, key=lambda mark: widths[mark])


def _line_numbers(rows: list[list[str]], before: int, after: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    if after - before == len(rows):
        return np.arange(before + 1, after + 1, dtype="int64")
    # Cells with line breaks in them: a row is as many lines as it has breaks.
    heights = [1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row) for row in rows]
    return before + 1 + np.concatenate([[0], np.cumsum(heights[:-1])]).astype("int64")


def _fitting(
    rows: list[list[str]], lines: np.ndarray[Any, np.dtype[np.int64]], width: int, last: int
) -> tuple[list[list[str]], np.ndarray[Any, np.dtype[np.int64]], list[Problem]]:
    """Keep the rows that are `width` cells wide; blank lines are no rows; what else there is becomes problems."""
    widths = np.fromiter(map(len, rows), "int64", len(rows))
    if (widths == width).all():
        return rows, lines, []
    fits, problems = widths == width, []
    for index in np.flatnonzero(widths > width):
        if not any(rows[index][width:]):  # separators at the end of the line
            rows[index], fits[index] = rows[index][:width], True
    for odd in sorted(set(widths[~fits]) - {0}):
        where = np.flatnonzero(~fits & (widths == odd))
        reason = f"the row has {odd} cells where the header has {width}"
        example = utf8(rows[where[0]])[0]
        if where[-1] == len(rows) - 1 and last > lines[-1]:
            reason += f"; its quote may not be closed: it goes on to line {last}"
        problems.append(Problem(int(lines[where[0]]), reason, ",".join(example)[:200], len(where)))
    return [row for row, fit in zip(rows, fits, strict=True) if fit], lines[fits], problems


def _text_column(
    cells: list[str], problems: list[Problem], name: str, lines: np.ndarray[Any, np.dtype[np.int64]]
) -> pd.Series[Any]:
    """Make a text column; cells that are not UTF-8 are read as Latin-1."""
    try:
        array = pa.array(cells, pa.large_string())
    except UnicodeEncodeError:
        fixed, wrong = utf8(cells)
        array = pa.array(fixed, pa.large_string())
        reason = f"cells of column {name!r} are not UTF-8; they were read as Latin-1"
        problems.append(Problem(int(lines[wrong[0]]), reason, fixed[wrong[0]][:200], len(wrong), "repaired"))
    return pd.Series(array.to_pandas(), dtype="str")


def read_jsonl_rows(path: str | os.PathLike[str], *, chunk_rows: int = CHUNK_ROWS) -> Iterator[Rows]:
    """Read a file of JSON objects, one a line, in chunks. A line that is not one is dropped and becomes a problem."""
    with open_binary(path) as source:
        numbered = enumerate(source, 1)
        some = False
        while chunk := list(itertools.islice(numbered, chunk_rows)):
            some = True
            yield _parse_lines(chunk)
        problems = list(source.problems)
        if not some:
            problems.append(Problem(None, "the file is empty", action="noted"))
        if problems:
            yield Rows(pd.DataFrame(), np.empty(0, "int64"), problems)


def _parse_lines(chunk: list[tuple[int, bytes]]) -> Rows:
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    wrong: dict[str, list[tuple[int, bytes]]] = {}
    for number, line in chunk:
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if not stripped:
            continue
        try:
            record = _loads(stripped)
        except (ValueError, RecursionError):
            reason = (
                "the line is not JSON" if line.endswith(b"\n") else "the line is not JSON; it is the last one, and torn"
            )
            wrong.setdefault(reason, []).append((number, stripped))
            continue
        if isinstance(record, dict):
            records.append(record)
            lines.append(number)
        else:
            wrong.setdefault("the line is JSON, but not an object", []).append((number, stripped))
    problems = [
        Problem(found[0][0], reason, found[0][1][:200].decode(errors="replace"), len(found))
        for reason, found in wrong.items()
    ]
    return Rows(record_frame(records), np.array(lines, "int64"), problems)


def _loads(line: bytes) -> Any:
    if not _LONG_NUMBER.search(line):
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            pass
    # What Python writes and JSON does not allow: NaN, Infinity, lone surrogates; and whole numbers of any length.
    return json.loads(line, parse_constant=lambda _: None)


def read_parquet_rows(path: str | os.PathLike[str], *, chunk_rows: int = CHUNK_ROWS) -> Iterator[Rows]:
    """Read a Parquet file in chunks. Raises `ReadError` when it is none."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            first = 1
            for batch in file.iter_batches(chunk_rows):
                yield frame_rows(pa.Table.from_batches([batch]), first_line=first)
                first += batch.num_rows
            if first == 1:
                yield Rows(
                    pd.DataFrame(), np.empty(0, "int64"), [Problem(None, "the file has no rows", action="noted")]
                )
    except (pa.ArrowException, OSError) as error:
        raise ReadError(f"Cannot read {str(path)!r} as Parquet: {error}") from error
