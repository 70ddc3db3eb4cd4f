"""Tables of calls or spans, one a row -> `Traces`: CSV, JSON lines, Parquet, DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.read.conventions_file import built_in
from llmlens.read.dialects import decode_document
from llmlens.read.files import Paths, find, source_name
from llmlens.read.load import Loader
from llmlens.traces import Traces

from .tables import read_table, to_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from llmlens.read.prices.own import UserPrices
    from llmlens.read.raw import Raw


@explains_arguments
def read_csv(
    paths: Paths,
    *,
    columns: Mapping[str, Any] | None = None,
    feature: Any = None,
    scores: Any = None,
    prices: UserPrices = None,
    strict: bool = False,
) -> Traces:
    """Read CSV files with one row a call or a span.

    Columns are recognised by their names, in any spelling, with their units (`latency_ms`, `Prompt Tokens`,
    `gen_ai.usage.input_tokens`, ...); the repr of the result says what was taken as what. What is not recognised goes
    to `metadata`, and `contents.attributes` holds the whole row. Columns that look like judgements become `scores`.
    Ids that are missing are made.

    `columns`: tidy column -> header, or (header, unit), such as `{"duration_s": ("took", "ms")}`.
    `feature`: the header that names the product feature, or a function of a row.
    `scores`: headers, or score name -> header, instead of those that look like scores.
    `prices`, `strict`: see `read_otlp`.

    Raises `SourceNotFoundError` when there is nothing to read, `UnknownNameError` for a column that is not there.
    """
    return _read(paths, "csv", columns=columns, feature=feature, scores=scores, prices=prices, strict=strict)


@explains_arguments
def read_jsonl(
    paths: Paths,
    *,
    columns: Mapping[str, Any] | None = None,
    feature: Any = None,
    scores: Any = None,
    prices: UserPrices = None,
    strict: bool = False,
) -> Traces:
    """Read files with one JSON object a line, each a call or a span; see `read_csv`."""
    return _read(paths, "jsonl", columns=columns, feature=feature, scores=scores, prices=prices, strict=strict)


@explains_arguments
def read_parquet(
    paths: Paths,
    *,
    columns: Mapping[str, Any] | None = None,
    feature: Any = None,
    scores: Any = None,
    prices: UserPrices = None,
    strict: bool = False,
) -> Traces:
    """Read Parquet files with one row a call or a span; see `read_csv`."""
    return _read(paths, "parquet", columns=columns, feature=feature, scores=scores, prices=prices, strict=strict)


@explains_arguments
def read_frame(
    frame: pd.DataFrame | pa.Table,
    *,
    columns: Mapping[str, Any] | None = None,
    feature: Any = None,
    scores: Any = None,
    prices: UserPrices = None,
    strict: bool = False,
) -> Traces:
    """Read a DataFrame or an Arrow table with one row a call or a span; see `read_csv`. The frame is not changed."""
    loader = Loader(built_in(), prices=prices, strict=strict)
    load = to_tables(frame, source="frame", columns=columns, feature=feature, scores=scores, nested=nested_trace)
    loader.add_tables(load, "frame")
    return Traces(loader.finish(), notes=tuple(loader.notes))


def load_table(loader: Loader, path: Path, format: str, *, columns: Any, feature: Any, scores: Any = None) -> None:
    """Load one file of rows."""
    options = {"columns": columns, "feature": feature, "scores": scores}
    for load in read_table(path, format, source=source_name(path), nested=nested_trace, **options):
        loader.add_tables(load, source_name(path))


def nested_trace(text: str, line: int) -> Iterable[Raw]:
    """Decode a cell that holds a whole trace as JSON."""
    import orjson

    from llmlens.read.raw import Problem

    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return [Problem(line, f"the trace in this row is not valid JSON: {error}", text[:200])]
    return decode_document(document, line)


def _read(paths: Paths, format: str, *, prices: UserPrices, strict: bool, **options: Any) -> Traces:
    loader = Loader(built_in(), prices=prices, strict=strict)
    for path in find(paths):
        load_table(loader, path, format, **options)
    return Traces(loader.finish(), notes=tuple(loader.notes))
