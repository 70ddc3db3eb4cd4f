"""Pages on disk, so that a pull goes on where another one ended. A file is one page; its name says what it covers.

    <folder>/<what was asked for>/about.json
    <folder>/<what was asked for>/<route>/<since>-<until>-<pulled>-<number>.parquet    times in ms since the epoch

Rows are kept as the server sent them. No keys are kept.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LangfuseError
from llmlens.read.raw import Problem

from .sources import Page
from .windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMAT = 1
#: What started so shortly before it was pulled may not have been complete: it is pulled again. Langfuse shows
#: observations seconds after they end, and takes up to ten minutes for what old SDKs send.
OVERLAP_MS = 15 * 60_000


class Cache:
    """The pages of one route for one question to one project."""

    def __init__(self, folder: str | Path, about: dict[str, Any], route: str) -> None:
        """Open the folder, or make it; raises `LangfuseError` when it cannot be written."""
        about = {"format": _FORMAT, **about}
        key = hashlib.sha256(orjson.dumps(about, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        self.folder = Path(folder).expanduser() / key / route
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            described = self.folder.parent / "about.json"
            if not described.exists():
                _write(described, orjson.dumps(about, option=orjson.OPT_INDENT_2))
        except OSError as error:
            raise LangfuseError(f"cache={str(folder)!r} cannot be written: {error.strerror}.") from None
        self.problems: list[Problem] = []
        self._files = {path: found for path in sorted(self.folder.iterdir()) if (found := _covers(path)) is not None}

    def covered(self) -> list[Window]:
        """Give the windows that need not be pulled again."""
        found = []
        for window, pulled in self._files.values():
            until = min(window.until, pulled - OVERLAP_MS)
            if window.since < until:
                found.append(Window(window.since, until))
        return found

    def pages(self, window: Window) -> Iterator[Page]:
        """Give the pages that touch a window; one that cannot be read is removed, reported, and pulled again."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path, (covers, _) in list(self._files.items()):
            if covers.until < window.since or covers.since >= window.until:
                continue
            try:
                column = pq.read_table(path, columns=["row"]).column("row")
                rows = [orjson.loads(row) for row in column.to_pylist()]
            except (pa.ArrowException, OSError, KeyError, orjson.JSONDecodeError) as error:
                said = str(error).splitlines()[0][:200]
                reason = "a page of the cache could not be read: it was pulled again"
                self.problems.append(Problem(None, reason, f"{path.name}: {said}", action="repaired"))
                path.unlink(missing_ok=True)
                del self._files[path]
                continue
            yield Page(rows, covers)

    def readable(self, window: Window) -> None:
        """Look at the pages of a window, so that `covered` speaks of none that cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path, (covers, _) in list(self._files.items()):
            if covers.until < window.since or covers.since >= window.until:
                continue
            try:
                pq.read_metadata(path)
            except (pa.ArrowException, OSError):
                for _ in self.pages(covers):
                    pass

    def add(self, page: Page) -> None:
        """Keep a page; it is there whole or not at all."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pulled = int(time.time() * 1000)
        name = f"{page.covers.since}-{page.covers.until}-{pulled}-{uuid.uuid4().hex[:8]}.parquet"
        table = pa.table({"row": pa.array([orjson.dumps(row) for row in page.rows], pa.large_binary())})
        partial = self.folder / f".{name}"
        try:
            pq.write_table(table, partial, compression="zstd", compression_level=1, use_dictionary=False)
            partial.replace(self.folder / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise LangfuseError(f"A page could not be kept in {self.folder}: {error.strerror}.") from None


def _covers(path: Path) -> tuple[Window, int] | None:
    parts = path.name.removesuffix(".parquet").split("-")
    if path.name.startswith(".") or len(parts) != 4 or not all(part.isdigit() for part in parts[:3]):
        return None
    return Window(int(parts[0]), int(parts[1])), int(parts[2])


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
