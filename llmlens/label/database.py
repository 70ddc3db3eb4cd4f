"""The SQLite file under a store of labels: opened with care, and its errors said in words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError

from .tables import APPLICATION, TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_S = 30.0
_AGAIN_S = 0.05

#: What this process, and the one it was forked off from, has open.
_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """A SQLite file that many threads and processes use at once; what is committed survives a crash.

    Raises `LabelError` when the file cannot be opened, is something else or damaged, or was written by a later version.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self.path = path
        if not path.parent.is_dir():
            raise LabelError(f"There is no folder {path.parent} to keep labels in: make it, or name another path.")
        self._open()

    def _open(self) -> None:
        self.process = os.getpid()
        self._refuse_forked(self.path)
        self._lock = threading.RLock()
        with self._said():
            self._connection = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.row_factory = sqlite3.Row
                # FULL: a commit is on the disk before it returns.
                self._connection.execute("PRAGMA synchronous = FULL")
                self._check()
                self._write_ahead()
            except BaseException:
                self._connection.close()
                raise
        _OPEN.add(self)

    def _check(self) -> None:
        """Make the tables, or see that they are ours and whole."""
        with self.transaction() as connection:
            application, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
            if not application and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                for statement in _statements(TABLES):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            elif application != APPLICATION:
                raise LabelError(f"{self.path} is a SQLite file, but not a store of labels: name another path.")
            elif version > VERSION:
                raise LabelError(
                    f"{self.path} was written by a later llmlens (format {version}; this one knows {VERSION}): "
                    "update llmlens to open it. Nothing in it was changed."
                )
            elif (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")

    def _write_ahead(self) -> None:
        """Let readers never wait for writers. While another program is in the file, SQLite refuses without waiting."""
        until = time.monotonic() + _BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of what is inside is stored, or nothing; when this returns it is on the disk."""
        self._refuse_forked(self.path)
        with self._lock, self._said():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def rows(self, sql: str, arguments: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Read."""
        self._refuse_forked(self.path)
        with self._lock, self._said():
            return self._connection.execute(sql, arguments).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
            _OPEN.discard(self)

    @staticmethod
    def _refuse_forked(path: Path) -> None:
        """SQLite's locks do not survive a fork: two processes would write over each other."""
        if any(other.path == path and other.process != os.getpid() for other in tuple(_OPEN)):
            raise LabelError(
                f"{path} was open when this process was forked off, and SQLite cannot be used across a fork. Start the "
                'process with multiprocessing.get_context("spawn"), or close the store before.'
            )

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LabelError(f"{self.path}: {_in_words(error)}") from error


def _statements(script: str) -> Iterator[str]:
    """Cut a script into statements, so that they can be in one transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _in_words(error: sqlite3.Error) -> str:
    text = str(error).lower()
    for words, meaning in _MEANINGS.items():
        if any(word in text for word in words):
            return meaning
    return f"{error}; nothing was stored."


_MEANINGS = {
    ("full", "disk i/o"): "the disk is full or failed, and nothing was stored. Make room and do it again; what was "
    "stored before is safe.",
    ("readonly", "read-only"): "it may not be written, and nothing was stored. Name a path in a folder that you may "
    "write to.",
    ("unable to open",): "it cannot be opened: is the path a file, in a folder that you may write to?",
    ("not a database", "malformed"): "this is no store of labels, or it is damaged. Name another path; this file was "
    "left as it is.",
    ("locked", "busy"): f"another program kept it locked for {_BUSY_S:g} s, and nothing was stored. Do it again.",
    ("closed",): "this store was closed; open it again with labels(path).",
}
