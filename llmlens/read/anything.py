"""`llmlens.read`: finds out what it was given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import ReadError
from llmlens.traces import Traces

from .files import MAX_UNPACKED, find, open_binary, source_name
from .otlp import load_traces, make_loader
from .raw import Problem
from .sniff import Format, sniff

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
    by what is in them and not by their names; a folder written by `Traces.save`; a DataFrame or an Arrow table.

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
    for path in find(source):
        load_any(loader, path, columns, feature, max_bytes)
    return Traces(loader.finish(), notes=tuple(loader.notes))


def load_any(loader: Loader, path: Path, columns: Any, feature: Any, max_bytes: int) -> None:
    """Load one file of any kind."""
    from .table import load_table

    if str(path) == "-":
        load_traces(loader, path, max_bytes)
        return
    with open_binary(path, max_bytes) as stream:
        found = sniff(stream.peek(_HEAD))
    if found.format in _TABLES:
        load_table(loader, path, _TABLES[found.format], columns=columns, feature=feature)
    elif found.format is Format.LANGFUSE:
        reason = "an export of Langfuse's: not something this version reads"
        loader.problem(Problem(None, reason, source_name(path)), source_name(path))
    else:
        load_traces(loader, path, max_bytes)


def _is_frame(source: Any) -> bool:
    return hasattr(source, "columns") and (hasattr(source, "iloc") or hasattr(source, "schema"))
