"""Tables of calls (CSV, JSON lines, Parquet, frames) -> the tidy tables, one row a call or a span."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import orjson

from llmlens.read.raw import Problem, Raw
from llmlens.schema import CONTENTS, SCORES, SPANS

from . import cells, json_rows
from .columns import Overrides, Recognition
from .conversion import Conversion, Feature, Scores
from .row_files import read_csv_rows, read_jsonl_rows, read_parquet_rows
from .rows import Rows, frame_rows
from .runs import raw_shape, to_raw_spans
from .tidy_frames import empty

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    import pyarrow as pa

#: Takes a cell that holds a whole trace as JSON, and its line; gives what is in it.
Nested: TypeAlias = "Callable[[str, int], Iterable[Raw]]"


@dataclass
class TableLoad:
    """What some rows came to: tidy frames, spans still `raw`, and what should be said about them.

    Every row is in `spans`, was the source of `raw`, or is counted in a problem with action "dropped".
    """

    spans: pd.DataFrame
    contents: pd.DataFrame
    scores: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: list[Raw] = field(default_factory=list)
    recognition: Recognition = field(default_factory=Recognition)


def read_table(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    source: str | None = None,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
) -> Iterator[TableLoad]:
    """Read a file in chunks; `format` is csv, jsonl or parquet, else its name says (csv when it does not).

    What the first chunk decides about columns and units holds for all of them.
    """
    suffixes = {suffix.lower() for suffix in Path(path).suffixes}
    by_name = (
        "parquet" if suffixes & {".parquet", ".pq"} else "jsonl" if suffixes & {".jsonl", ".ndjson", ".json"} else "csv"
    )
    reader = {"csv": read_csv_rows, "jsonl": read_jsonl_rows, "parquet": read_parquet_rows}[format or by_name]
    before, said = None, set[str]()
    for rows in reader(path):
        load = rows_to_tables(
            rows,
            source=source or str(path),
            columns=columns,
            feature=feature,
            scores=scores,
            nested=nested,
            before=before,
        )
        if len(rows.frame):
            load.notes = [note for note in load.notes if note not in said]
            said.update(load.notes)
            before = load.recognition
        yield load


def to_tables(
    frame: pd.DataFrame | pa.Table,
    *,
    source: str,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
    first_line: int = 1,
) -> TableLoad:
    """Make tidy tables of a frame; problems name its rows from `first_line`. See `rows_to_tables`."""
    rows = frame_rows(frame, first_line=first_line)
    return rows_to_tables(rows, source=source, columns=columns, feature=feature, scores=scores, nested=nested)


def rows_to_tables(
    rows: Rows,
    *,
    source: str,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
    before: Recognition | None = None,
) -> TableLoad:
    """Make tidy tables of rows.

    `columns`: tidy column -> header, or (header, unit); `feature`: a header, or a function of a row; `scores`: headers,
    or score name -> header, instead of the columns that look like scores. Ids that are missing are made of `source` and
    the line. `nested` decodes whole traces, where the rows are those of `mlflow.search_traces()`. Raises
    `UnknownNameError` when a column that is named does not exist.
    """
    nothing = TableLoad(empty(SPANS), empty(CONTENTS), empty(SCORES), list(rows.problems), list(rows.notes))
    if not len(rows.frame):
        return nothing
    headers = set(rows.frame.columns)
    shape = None if columns else raw_shape(headers)
    if shape:
        records = [orjson.loads(row) for row in json_rows.objects(rows.columns(), len(rows.frame))]
        nothing.raw.extend(to_raw_spans(records, source, rows.lines.tolist()))
        nothing.notes.append(f"the rows are {shape} spans; their attributes were read as such")
        return nothing
    if nested is not None and not columns and {"trace", "trace_metadata"} <= headers:  # mlflow.search_traces()
        for line, text in zip(rows.lines.tolist(), cells.text(rows.frame["trace"]), strict=True):
            nothing.raw.extend(nested(text, line) if isinstance(text, str) else [Problem(line, "the row has no trace")])
        nothing.notes.append("every row is a trace; its spans were read from the JSON in it")
        return nothing
    made = Conversion(rows, source, columns, feature=feature, scores=scores, before=before)
    return TableLoad(made.spans, made.contents, made.scores, made.problems, made.notes, recognition=made.known)
