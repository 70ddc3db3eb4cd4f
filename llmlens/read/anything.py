"""`llmlens.read`: finds out what it was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import ReadError
from llmlens.traces import Traces

from .files import MAX_UNPACKED, find, open_binary
from .langfuse.exports import Exports
from .otlp import load_traces, make_loader
from .sniff import Format, Layout, is_langfuse, sniff

if TYPE_CHECKING:
    from .load import Loader
    from .pivot import FeatureFunction
    from .prices import UserPrices

_HEAD = 1 << 18
_TABLES = {Format.CSV: "csv", Format.RECORDS: "jsonl", Format.LANGSMITH: "jsonl", Format.PARQUET: "parquet"}


@explains_arguments
def read(
    source: Any,
    *,
    columns: Any = None,
    conventions: str | Path | None = None,
    feature: str | FeatureFunction | None = None,
    prices: UserPrices = None,
    strict: bool = False,
    max_bytes: int = MAX_UNPACKED,
) -> Traces:
    """Read anything that holds traces, finding out what it is.

    `source`: a file, glob, folder, `-`, or a list of these, of OTLP dumps in any dialect, CSV, Parquet or JSON lines,
    or what Langfuse exports (a blob folder is checked against its manifests) or gives to download, by what is in them
    and not by their names; a folder written by `Traces.save`; a DataFrame or an Arrow table.

    The keywords are those of `read_otlp`; `columns` is that of `read_csv` and is about the tables among the files.

    Raises `SourceNotFoundError` when there is nothing to read, `ReadError` when `source` is of no known kind.
    """
    loader_options: dict[str, Any] = {
        "conventions": conventions,
        "feature": feature,
        "prices": prices,
        "strict": strict,
    }
    if _is_frame(source):
        from .table import read_frame

        return read_frame(source, columns=columns, feature=feature, prices=prices, strict=strict)
    if not isinstance(source, str | Path | list | tuple):
        kinds = "a path, a glob, a folder, a list of these, a DataFrame or an Arrow table"
        raise ReadError(f"read() takes {kinds}; got {type(source).__name__}.")
    if isinstance(source, str | Path) and (Path(source) / "llmlens.json").is_file():
        return Traces.open(source)
    loader = make_loader(**loader_options)
    exports = Exports(loader, max_bytes)
    for path in find(source):
        load_any(loader, path, columns, feature, max_bytes, exports)
    exports.check()
    return Traces(loader.finish(), notes=tuple(loader.notes))


def load_any(  # noqa: PLR0917
    loader: Loader, path: Path, columns: Any, feature: Any, max_bytes: int, exports: Exports
) -> None:
    """Load one file of any kind; `exports` takes those of Langfuse."""
    from .table import load_table

    if str(path) == "-":
        load_traces(loader, path, max_bytes)
        return
    with open_binary(path, max_bytes) as stream:
        found = sniff(stream.peek(_HEAD))
    kind = found.format
    if kind is Format.LANGFUSE and found.layout is Layout.NONE and columns is not None:
        kind = Format.CSV  # a table that the user knows better
    if kind is Format.PARQUET and columns is None and is_langfuse(_parquet_columns(path)):
        exports.load_parquet(path)
    elif kind is Format.LANGFUSE and found.layout is Layout.NONE:
        exports.load_csv(path)
    elif kind is Format.LANGFUSE:
        exports.load_json(path)
    elif kind in _TABLES:
        load_table(loader, path, _TABLES[kind], columns=columns, feature=feature)
    else:
        load_traces(loader, path, max_bytes)


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):  # whoever reads it says what is wrong
        return []


def _is_frame(source: Any) -> bool:
    return hasattr(source, "columns") and (hasattr(source, "iloc") or hasattr(source, "schema"))
