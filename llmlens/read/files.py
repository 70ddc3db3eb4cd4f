"""Find the files a user means, and open them as plain bytes whatever they are packed in."""

from __future__ import annotations

import glob
import io
import os
import stat
import sys
import zlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmlens.errors import ReadError, SourceNotFoundError

from .raw import Problem

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: What a user can name files with: a path, a glob, a folder, `-` for standard input, or several of them.
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

#: Bytes that a compressed file may unpack to before reading it stops.
MAX_UNPACKED = 16 << 30

_STDIN = Path("-")
_BUFFER = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"


def find(paths: Paths) -> list[Path]:
    """List the files meant by `paths`: files, globs (`**` too), folders (all files below) or `-` for standard input.

    Sorted within each folder and glob, each file once. Links inside a folder that lead out of it are not followed.
    Raises `SourceNotFoundError` when a path does not exist, or a glob or folder holds no file.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise SourceNotFoundError("Expected at least one file, glob or folder to read, got an empty list.")
    found: dict[str, Path] = {}
    for one in given:
        name = os.fspath(one)
        for path in _expand(str(Path(name).expanduser()) if name.startswith("~") else name):
            found.setdefault(str(path.absolute()), path)
    return list(found.values())


def source_name(path: Path) -> str:
    """Name a file in `problems` and `source`: as it is, but for bytes that are no text."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _expand(name: str) -> list[Path]:
    path = Path(name)
    if name == "-":
        return [_STDIN]
    try:
        there = path.exists()
    except OSError as error:  # a name that no file can have
        raise SourceNotFoundError(f"There is no file {name[:200]!r}: {error.strerror}.") from error
    if path.is_dir():
        files = sorted(_below(path))
        if not files:
            raise SourceNotFoundError(f"The folder {name!r} holds no files.")
        return files
    if there:
        return [path]
    if not glob.has_magic(name):
        hint = " Only local files can be read: download it first." if "://" in name else ""
        raise SourceNotFoundError(f"There is no file {name!r} (looked for {str(path.absolute())!r}).{hint}")
    # `Path.glob` takes no absolute patterns.
    matches = [Path(match) for match in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
    files = [match for match in matches if match.is_file()]
    if not files:
        files = sorted({file for match in matches if match.is_dir() for file in _below(match)})
    if not files:
        raise SourceNotFoundError(f"No file matches {name!r} (looked in {str(Path.cwd())!r}).")
    return files


def _below(folder: Path) -> Iterator[Path]:
    inside = folder.resolve()
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            try:
                regular = stat.S_ISREG(path.stat().st_mode)
            except OSError:  # a dangling link, or a file that went away
                continue
            if regular and (not path.is_symlink() or path.resolve().is_relative_to(inside)):
                yield path


class Source(io.BufferedReader):
    """The unpacked bytes of a file. `problems` fills while it is read: torn or broken packing, a cap that was met."""

    def __init__(self, raw: io.RawIOBase, problems: list[Problem]) -> None:
        """Buffer `raw`; `problems` is the list that `raw` adds to."""
        super().__init__(raw, _BUFFER)
        self.problems = problems

    def position(self) -> int:
        """Say how many unpacked bytes have been taken from the file so far."""
        return self.raw.given if isinstance(self.raw, _Reader) else 0


def open_binary(path: str | os.PathLike[str], max_bytes: int = MAX_UNPACKED) -> Source:
    """Open a file (`-` is standard input) and undo gzip and zstd, recognised by their first bytes.

    Several gzip members or zstd frames in a row are one stream; one packing inside another is undone too. Reading ends,
    with a `Problem` in `.problems`, where the packing is torn or broken and after `max_bytes` unpacked bytes.
    `.peek()` shows the beginning without consuming it.
    Raises `SourceNotFoundError` or `ReadError` when it cannot be opened.
    """
    problems: list[Problem] = []
    source = Source(_Steady(_open(path), problems, keep_open=str(path) == "-"), problems)
    for _ in range(2):
        if _unpacker(source.peek(4)) is None:
            break
        source = Source(_Unpacked(source, problems, max_bytes), problems)
    return source


def _open(path: str | os.PathLike[str]) -> io.BufferedIOBase | io.RawIOBase:
    if str(path) == "-":
        stdin: io.BufferedReader | None = getattr(sys.stdin, "buffer", None)
        if stdin is None:
            raise ReadError("Standard input ('-') cannot be read here: this program has none. Give a file instead.")
        return stdin
    try:
        return Path(path).open("rb", buffering=0)
    except FileNotFoundError as error:
        raise SourceNotFoundError(f"There is no file {str(path)!r}.") from error
    except OSError as error:
        raise ReadError(f"Cannot open {str(path)!r}: {error.strerror}.") from error


class _Reader(io.RawIOBase):
    """A raw stream that fills the buffer it is given unless the data ends, so that one look shows a full beginning."""

    given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view):
            part = self._next(len(view) - filled)
            if not part:
                break
            view[filled : filled + len(part)] = part
            filled += len(part)
        self.given += filled
        return filled

    @abstractmethod
    def _next(self, size: int) -> bytes:
        """Give 1 to `size` bytes, none at the end."""


class _Steady(_Reader):
    """The bytes of a file or a pipe; a failing disk ends it with a problem."""

    def __init__(self, file: io.BufferedIOBase | io.RawIOBase, problems: list[Problem], *, keep_open: bool) -> None:
        self._file, self._problems, self._keep_open = file, problems, keep_open

    def _next(self, size: int) -> bytes:
        try:
            return self._file.read(size) or b""
        except OSError as error:
            self._problems.append(Problem(None, f"the file cannot be read to its end: {error.strerror}"))
            return b""

    def close(self) -> None:
        if not self._keep_open:
            self._file.close()
        super().close()


class _Gzip:
    """One gzip member."""

    feed_size = 64 << 10
    errors = (zlib.error,)

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """Unpack `data`: the unpacked bytes, the packed ones that are left, and whether this was the member's end."""
        unpacked = self._member.decompress(data, _BUFFER)
        return unpacked, self._member.unconsumed_tail or self._member.unused_data, self._member.eof


class _Zstd:
    """One zstd frame. One byte of it can become some 32 kB, so what is fed at once bounds what comes out at once."""

    feed_size = 4 << 10

    def __init__(self) -> None:
        import zstandard

        self.errors = (zstandard.ZstdError,)
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def feed(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """Unpack `data`: the unpacked bytes, the packed ones that are left, and whether this was the frame's end."""
        now, later = data[: self.feed_size], data[self.feed_size :]
        unpacked = self._frame.decompress(now)
        return unpacked, self._frame.unused_data + later, self._frame.eof


def _unpacker(magic: bytes) -> _Gzip | _Zstd | None:
    if magic.startswith(_GZIP):
        return _Gzip()
    if magic.startswith(_ZSTD) or (magic[1:4] == _ZSTD_SKIPPABLE and magic[0] >> 4 == 5):
        return _Zstd()
    return None


class _Unpacked(_Reader):
    """What a chain of gzip members and zstd frames unpacks to."""

    def __init__(self, packed: io.BufferedReader, problems: list[Problem], max_bytes: int) -> None:
        self._packed, self._problems = packed, problems
        self._max, self._given = max_bytes, 0
        self._unpacker: _Gzip | _Zstd | None = None
        self._left = b""  # packed bytes that were read but not fed yet
        self._ready = memoryview(b"")
        self._ended = False

    def _next(self, size: int) -> bytes:
        while not self._ready and not self._ended:
            self._ready = memoryview(self._unpack())
        room = self._max - self._given
        if self._ready and room <= 0:
            self._stop(f"the file unpacks to more than {self._max:,} bytes: the rest was not read (see max_bytes)")
        part = bytes(self._ready[: min(size, room)])
        self._ready = self._ready[len(part) :]
        self._given += len(part)
        return part

    def _stop(self, reason: str) -> None:
        self._problems.append(Problem(None, reason))
        self._ended, self._ready = True, memoryview(b"")

    def _unpack(self) -> bytes:
        if self._unpacker is None:
            self._start()
        if self._unpacker is None:
            return b""
        data = self._left or self._packed.read(self._unpacker.feed_size)
        if not data:
            self._stop("the compressed file is torn: its last part is missing")
            return b""
        try:
            unpacked, self._left, end = self._unpacker.feed(data)
        except self._unpacker.errors as error:
            self._stop(f"the compressed file is broken: what came before was kept ({error})")
            return b""
        if end:
            self._unpacker = None
        return unpacked

    def _start(self) -> None:
        """Begin the next member or frame, or find the end."""
        self._left = self._left.lstrip(b"\0")  # tapes and disks pad with zeros
        while len(self._left) < 4 and (more := self._packed.read(_Zstd.feed_size)):
            self._left = (self._left + more).lstrip(b"\0")
        self._unpacker = _unpacker(self._left)
        if self._unpacker is None:
            self._ended = True
            if self._left:
                self._stop("bytes that are not compressed follow the compressed ones: they were not read")

    def close(self) -> None:
        self._packed.close()
        super().close()
