"""Files of Langfuse: exports to blob storage, exports of its pages, and single traces that were downloaded.

Which is which is told by the keys of the records; the two kinds of export spell them differently, see fields.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.errors import ReadError
from llmlens.read.dialects.documents import documents
from llmlens.read.files import open_binary, source_name
from llmlens.read.raw import Problem

from .cells import plain
from .manifests import Manifests, is_manifest
from .records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmlens.read.load import Loader
    from llmlens.read.raw import Raw

_ROWS = 2_000


class Exports:
    """Reads files of Langfuse into a loader; `check` compares them with the manifests among them."""

    def __init__(self, loader: Loader, max_bytes: int) -> None:
        """Read into `loader`; a packed file may unpack to `max_bytes`."""
        self._loader, self._max_bytes = loader, max_bytes
        self._manifests = Manifests()

    def load_json(self, path: Path) -> None:
        """Load a file of JSON: lines, a list, or one document."""
        with open_binary(path, self._max_bytes) as stream:
            self._load(path, documents(stream), stream.position)
            for problem in stream.problems:
                self._loader.problem(problem, source_name(path))

    def load_csv(self, path: Path) -> None:
        """Load a CSV file, packed or not."""
        self._load(path, _csv_rows(path))

    def load_parquet(self, path: Path) -> None:
        """Load a Parquet file; raises `ReadError` when it is torn."""
        self._load(path, _parquet_rows(path))

    def check(self) -> None:
        """Report what the manifests name and was not read."""
        for problem, source in self._manifests.problems():
            self._loader.problem(problem, source)

    def _load(self, path: Path, found: Iterator[tuple[int, Any] | Problem], position: Any = int) -> None:
        self._loader.add_all(self._raws(path, found), source_name(path), position)

    def _raws(self, path: Path, found: Iterator[tuple[int, Any] | Problem]) -> Iterator[Raw]:
        records, rows = Records(), 0
        for one in found:
            if isinstance(one, Problem):
                yield one
                continue
            line, record = one
            if is_manifest(record):
                self._manifests.read_manifest(path, record)
                continue
            rows += len(record) if isinstance(record, list) else 1
            yield from records.raws(record, line)
        yield from records.end()
        self._manifests.read_file(path, rows)


def _csv_rows(path: Path) -> Iterator[tuple[int, Any] | Problem]:
    from llmlens.read.table.row_files import read_csv_rows

    for rows in read_csv_rows(path, chunk_rows=_ROWS):
        yield from rows.problems
        names = list(rows.frame.columns)
        cells = (rows.frame[name].tolist() for name in names)
        for line, row in zip(rows.lines.tolist(), zip(*cells, strict=True), strict=True):
            yield line, dict(zip(names, row, strict=True))


def _parquet_rows(path: Path) -> Iterator[tuple[int, Any] | Problem]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                for row in batch.to_pylist():
                    line += 1
                    yield line, {name: plain(value) for name, value in row.items()}
    except (pa.ArrowException, OSError) as error:
        raise ReadError(f"Cannot read {str(path)!r} as Parquet: {error}") from error
