"""The SQLite file under a store of labels: opened with care, and its errors said in words."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Iterator

_APPLICATION = 0x11_E2_5A_B1  # in the header of the file: it is ours
_VERSION = 1
_BUSY_S = 30.0

_TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('score', 'undo', 'skip', 'done')),
    trace_id TEXT, span_id TEXT, session_id TEXT,
    name TEXT, value TEXT, data_type TEXT, comment TEXT,
    author TEXT NOT NULL, at TEXT NOT NULL, undo_of TEXT REFERENCES events (event_id),
    score_id TEXT, score_at TEXT, config_id TEXT, queue_id TEXT
);
CREATE UNIQUE INDEX undone ON events (undo_of) WHERE undo_of IS NOT NULL;
CREATE INDEX by_item ON events (trace_id, span_id, session_id);
CREATE INDEX by_score ON events (score_id);
CREATE TRIGGER only_added BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;
CREATE TRIGGER never_deleted BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;

CREATE TABLE deliveries (
    sink TEXT NOT NULL, score_id TEXT NOT NULL,
    wanted_seq INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'confirmed', 'rejected')),
    reason TEXT, tries INTEGER NOT NULL DEFAULT 0, attempted INTEGER NOT NULL DEFAULT 0,
    next_try REAL NOT NULL DEFAULT 0, leased_until REAL NOT NULL DEFAULT 0, sent_at REAL,
    PRIMARY KEY (sink, score_id)
);
CREATE INDEX due ON deliveries (sink, state, next_try);
"""


class Database:
    """A SQLite file that many threads and processes use at once; what is committed survives a crash.

    Raises `LabelError` when the file cannot be opened, is something else, or was written by a later version.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self.path = path
        self._lock = threading.RLock()
        if not path.parent.is_dir():
            raise LabelError(f"There is no folder {path.parent} to keep labels in: make it, or name another path.")
        with self._said():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self._connection.row_factory = sqlite3.Row
            self._check()
            # Write-ahead: readers never wait. FULL: a commit is on the disk before it returns.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")

    def _check(self) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            application = execute("PRAGMA application_id").fetchone()[0]
            version = execute("PRAGMA user_version").fetchone()[0]
            anything = execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            if not anything:
                for statement in _statements(_TABLES):
                    execute(statement)
                execute(f"PRAGMA application_id = {_APPLICATION}")
                execute(f"PRAGMA user_version = {_VERSION}")
            elif application != _APPLICATION:
                raise LabelError(f"{self.path} is a SQLite file, but not a store of labels: name another path.")
            elif version > _VERSION:
                raise LabelError(
                    f"{self.path} was written by a later llmlens (format {version}; this one knows {_VERSION}): "
                    "update llmlens to open it. Nothing in it was changed."
                )
        except BaseException:
            execute("ROLLBACK")
            self._connection.close()
            raise
        execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of what is inside is stored, or nothing; when this returns it is on the disk."""
        with self._lock, self._said():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._commit()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def rows(self, sql: str, arguments: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Read."""
        with self._lock, self._said():
            return self._connection.execute(sql, arguments).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

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
    if "full" in text:
        return "the disk is full, and the label was not stored. Make room and label again; all before it is safe."
    if "readonly" in text or "read-only" in text:
        return "it may not be written: the label was not stored. Name a path in a folder that you may write to."
    if "unable to open" in text:
        return "it cannot be opened: is the path a file in a folder that you may write to?"
    if "not a database" in text or "malformed" in text:
        return "this is not a store of labels, or it is damaged. Name another path; this file was left as it is."
    if "locked" in text or "busy" in text:
        return f"another program kept it locked for {_BUSY_S:g} s: the label was not stored. Try again."
    return f"{error}; the label was not stored."
