"""Pages on disk, so that a pull goes on where another one ended. A file is one page; its name says what it covers.

    <folder>/<question>/about.json                                                     server, project and filters
    <folder>/<question>/<route>/<since>-<until>-<pulled>-<number>.parquet              times in ms since the epoch

The question is a hash of what about.json says, and is in each page too, so that pages of two never mix. The names of
the pages are the only list of them: a pull that is killed leaves none that could be wrong. Rows are kept as the server
sent them. No keys are kept.
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
from .windows import Window, uncovered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FORMAT = 1
#: What started so shortly before it was pulled may not have been complete: it is pulled again. Langfuse shows
#: observations seconds after they end, and takes up to ten minutes for what old SDKs send.
OVERLAP_MS = 15 * 60_000
_ABANDONED_S = 86_400.0
_QUESTION = b"llmlens.question"


class Cache:
    """The pages of one route for one question to one project."""

    def __init__(self, folder: str | Path, about: dict[str, Any], route: str) -> None:
        """Open the folder, or make it; raises `LangfuseError` when it cannot be written."""
        about = {"format": _FORMAT, **about}
        key = hashlib.sha256(orjson.dumps(about, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        self._question = f"{key}/{route}".encode()
        self.folder = Path(folder).expanduser() / key / route
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            described = self.folder.parent / "about.json"
            _write(described, orjson.dumps(about, option=orjson.OPT_INDENT_2))
        except OSError as error:
            raise LangfuseError(f"cache={str(folder)!r} cannot be written: {error.strerror}.") from None
        self.problems: list[Problem] = []
        self._broken: list[Window] = []
        self._files = {path: found for path in sorted(self.folder.iterdir()) if (found := _covers(path)) is not None}

    def covered(self) -> list[Window]:
        """Give the windows that need not be pulled again."""
        found: list[Window] = []
        for window, pulled in self._files.values():
            until = min(window.until, pulled - OVERLAP_MS)
            if window.since < until:
                found += uncovered(Window(window.since, until), self._broken)
        return found

    def pages(self, window: Window) -> Iterator[Page]:
        """Give the pages that touch a window; one that cannot be read is removed, reported, and pulled again."""
        for path, (covers, _) in list(self._files.items()):
            if covers.until <= window.since or covers.since > window.until:  # see `Page`
                continue
            rows, said = self._read(path)
            if said is None:
                yield Page(rows, covers)
                continue
            reason = "a page of the cache could not be used: it was pulled again"
            self.problems.append(Problem(None, reason, f"{path.name}: {said}", action="repaired"))
            path.unlink(missing_ok=True)
            del self._files[path]
            self._broken.append(_touched(covers))

    def _read(self, path: Path) -> tuple[list[dict[str, Any]], str | None]:
        """Give the rows of a page, or what is wrong with it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
            if (table.schema.metadata or {}).get(_QUESTION) != self._question:
                return [], "it is not of this server, project and question"
            return [orjson.loads(row) for row in table.column("row").to_pylist()], None
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            return [], str(error).splitlines()[0][:200]

    def add(self, page: Page) -> None:
        """Keep a page; it is there whole or not at all."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pulled = int(time.time() * 1000)
        name = f"{page.covers.since}-{page.covers.until}-{pulled}-{uuid.uuid4().hex[:8]}.parquet"
        schema = pa.schema({"row": pa.large_binary()}, {_QUESTION: self._question})
        table = pa.table([pa.array([orjson.dumps(row) for row in page.rows], pa.large_binary())], schema)
        partial = self.folder / f".{name}"
        try:
            pq.write_table(table, partial, compression="zstd", compression_level=1, use_dictionary=False)
            partial.replace(self.folder / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise LangfuseError(f"A page could not be kept in {self.folder}: {error.strerror}.") from None

    def tidy(self, pulled: Sequence[Window]) -> None:
        """Remove older pages of windows that were pulled again, and what a pull that was killed left half written."""
        for path, (covers, _) in self._files.items():
            if not uncovered(_touched(covers), pulled):
                path.unlink(missing_ok=True)
        for path in self.folder.glob(".*.parquet"):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink(missing_ok=True)


def _touched(covers: Window) -> Window:
    """Give the window that the rows of a page are in; see `Page`."""
    return Window(covers.since - 1, covers.until)


def _covers(path: Path) -> tuple[Window, int] | None:
    parts = path.name.removesuffix(".parquet").split("-")
    if path.name.startswith(".") or len(parts) != 4 or not all(part.isdigit() for part in parts[:3]):
        return None
    return Window(int(parts[0]), int(parts[1])), int(parts[2])


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
