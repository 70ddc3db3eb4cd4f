"""`LabelStore`: the labels of people, kept in one local file before they go anywhere else."""

from __future__ import annotations

import getpass
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LabelError

from .database import Database
from .event import Event, Item, Kind, now
from .score import Score

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    import pandas as pd

DEFAULT_PATH = "llmlens-labels.sqlite"
_MAX_COMMENT = 5000

_COLUMNS = (
    "event_id", "kind", "trace_id", "span_id", "session_id", "name", "value", "data_type", "comment", "author", "at",
    "undo_of", "score_id", "score_at", "config_id", "queue_id",
)  # fmt: skip
_ITEM = ("trace_id", "span_id", "session_id")
_INSERT = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_ACTIVE = "NOT EXISTS (SELECT 1 FROM events u WHERE u.undo_of = e.event_id)"
_SAME_ITEM = "e.trace_id IS ? AND e.span_id IS ? AND e.session_id IS ?"


class LabelStore:
    """A durable list of what people said about traces; many notebooks, threads and programs may use one file at once.

    Events are only added: changing a label adds another one, and taking it back adds an `undo`. What `add` returned is
    on the disk. Made by `llmlens.labels(path)`.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        """Open a file, or make it; see `llmlens.labels`."""
        self.path = Path(DEFAULT_PATH if path is None else path).expanduser().absolute()
        self.database = Database(self.path)
        self._callbacks: list[Callable[[Event], object]] = []
        self._callbacks_lock = threading.Lock()

    def __repr__(self) -> str:
        """Say where it is and what is in it."""
        count, authors = self.database.rows(
            "SELECT count(DISTINCT e.score_id), count(DISTINCT e.author) FROM events e "
            f"WHERE e.kind = 'score' AND {_ACTIVE}"
        )[0]
        return f"<LabelStore {self.path.name}: {count:,} labels by {authors:,} people>"

    # ------------------------------------------------------------------ adding

    def add(
        self,
        score: Score,
        value: object,
        *,
        trace_id: str | None = None,
        span_id: str | None = None,
        session_id: str | None = None,
        comment: str | None = None,
        author: str | None = None,
        queue_id: str | None = None,
    ) -> Event:
        """Store a label of a trace, a span of it, or a session; when this returns it is on the disk.

        A second label of the same item, name and author changes the first one. `author` is the name of the user of
        this computer unless it is given.

        Raises `LabelError` for a value that the score does not take, and when it could not be stored.
        """
        checked = score.check(value)
        item = _item(trace_id, span_id, session_id)
        if score.data_type == "correction" and trace_id is None:
            raise LabelError("A correction is of a trace or of a span of it, not of a session.")
        return self._label(
            item,
            _author(author),
            name=score.name,
            value=checked,
            data_type=score.data_type,
            comment=_comment(comment),
            config_id=score.config_id,
            queue_id=queue_id,
        )

    def _label(self, item: Item, author: str, *, name: str | None, **fields: Any) -> Event:
        """Store a label; one that changes another keeps its id and time, by which servers know it again."""
        with self.database.transaction() as connection:
            at = now()
            known = connection.execute(
                f"SELECT e.score_id, e.score_at FROM events e WHERE {_SAME_ITEM} AND e.kind = 'score' AND e.name = ? "
                f"AND e.author = ? AND {_ACTIVE} ORDER BY e.seq DESC LIMIT 1",
                (*item, name, author),
            ).fetchone()
            fields["score_id"] = known["score_id"] if known else str(uuid.uuid4())
            fields["score_at"] = _time(known["score_at"]) if known else at
            event = self._write(connection, kind="score", item=item, author=author, at=at, name=name, **fields)
        self._tell(event)
        return event

    def skip(self, *, reason: str | None = None, author: str | None = None, **item: str | None) -> Event:
        """Put an item off, which is not the same as having done it; `item` is as in `add`."""
        return self._mark("skip", _item(**item), _author(author), _comment(reason))

    def done(self, *, author: str | None = None, queue_id: str | None = None, **item: str | None) -> Event:
        """Say that an item is finished; `item` is as in `add`."""
        return self._mark("done", _item(**item), _author(author), None, queue_id)

    def _mark(self, kind: Kind, item: Item, author: str, reason: str | None, queue_id: str | None = None) -> Event:
        with self.database.transaction() as connection:
            event = self._write(
                connection, kind=kind, item=item, author=author, at=now(), comment=reason, queue_id=queue_id
            )
        self._tell(event)
        return event

    def undo(self, event: Event | str, author: str | None = None) -> Event:
        """Take back a label, a skip or a done; of an undo: do again what it took back.

        Raises `LabelError` when there is no such event, or it was undone already.
        """
        event_id = event if isinstance(event, str) else event.event_id
        target = self._find(event_id)
        if target.kind == "undo":
            return self._again(self._find(target.undo_of))
        with self.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM events WHERE undo_of = ?", (event_id,)).fetchone():
                raise LabelError(f"The event {event_id!r} was undone already.")
            made = self._write(
                connection,
                kind="undo",
                item=target.item,
                author=_author(author or target.author),
                at=now(),
                name=target.name,
                undo_of=target.event_id,
                score_id=target.score_id,
                score_at=target.score_at,
            )
        self._tell(made)
        return made

    def _again(self, old: Event) -> Event:
        """Do again what was undone, as a new event: a server may still be deleting the score of the old one."""
        if old.kind != "score":
            return self._mark(old.kind, old.item, old.author, old.comment, old.queue_id)
        same = ("name", "value", "data_type", "comment", "config_id", "queue_id")
        return self._label(old.item, old.author, **{name: getattr(old, name) for name in same})

    def _find(self, event_id: str | None) -> Event:
        rows = self.database.rows("SELECT * FROM events WHERE event_id = ?", (event_id,))
        if not rows:
            raise LabelError(f"There is no event {event_id!r} in {self.path.name} to undo.")
        return event_of(rows[0])

    def _write(self, connection: sqlite3.Connection, *, item: Item, **fields: Any) -> Event:
        given = dict.fromkeys(_COLUMNS) | dict(zip(_ITEM, item, strict=True)) | fields
        given["event_id"] = given["event_id"] or str(uuid.uuid4())
        stored = dict(given)
        stored["value"] = None if given["value"] is None else orjson.dumps(given["value"]).decode()
        stored["at"] = given["at"].isoformat()
        stored["score_at"] = given["score_at"].isoformat() if given["score_at"] else None
        seq = connection.execute(_INSERT, tuple(stored[c] for c in _COLUMNS)).lastrowid
        return Event(seq=int(seq or 0), **given)

    # ------------------------------------------------------------------ reading

    def events(self, after: int = 0) -> list[Event]:
        """Give the events with a `seq` above `after`, in order."""
        return [event_of(row) for row in self.database.rows("SELECT * FROM events WHERE seq > ? ORDER BY seq", (after,))]

    def current(self) -> list[Event]:
        """Give the labels in force: of each item, name and author the last one that was not undone."""
        rows = self.database.rows(f"""
            SELECT * FROM events WHERE seq IN (
                SELECT max(e.seq) FROM events e WHERE e.kind = 'score' AND {_ACTIVE}
                GROUP BY e.trace_id, e.span_id, e.session_id, e.name, e.author)
            ORDER BY seq
        """)
        return [event_of(row) for row in rows]

    def marks(self, author: str | None = None) -> dict[Item, Event]:
        """Give for each item the last `skip` or `done` that was not undone, of one person or of anybody."""
        rows = self.database.rows(f"""
            SELECT * FROM events e WHERE e.kind IN ('skip', 'done') AND {_ACTIVE} AND (? IS NULL OR e.author = ?)
            ORDER BY e.seq
        """, (author, author))  # fmt: skip
        return {event.item: event for event in map(event_of, rows)}

    def last(self, author: str) -> Event | None:
        """Give the last thing a person did that can be undone."""
        rows = self.database.rows(
            f"SELECT * FROM events e WHERE e.author = ? AND e.kind <> 'undo' AND {_ACTIVE} ORDER BY e.seq DESC LIMIT 1",
            (author,),
        )
        return event_of(rows[0]) if rows else None

    def frame(self) -> pd.DataFrame:
        """Give the labels in force as the `scores` table has them."""
        from .exchange import scores_frame

        return scores_frame(self.current())

    # ------------------------------------------------------------------ exchange

    def to_csv(self, path: str | Path) -> Path:
        """Write all events as CSV; `import_events` reads them back."""
        from .exchange import write_csv

        return write_csv(self.events(), Path(path))

    def to_jsonl(self, path: str | Path) -> Path:
        """Write all events as JSON lines; `import_events` reads them back."""
        from .exchange import write_jsonl

        return write_jsonl(self.events(), Path(path))

    def import_events(self, path: str | Path) -> int:
        """Add the events of a file that `to_csv` or `to_jsonl` wrote, each once; give how many were new.

        Raises `LabelError` naming the line of the first that cannot be read; then nothing was added.
        """
        from .exchange import read_events

        return self.add_events(read_events(Path(path)))

    def add_events(self, events: Iterable[Event]) -> int:
        """Add events of another store, each once; give how many were new."""
        added = []
        with self.database.transaction() as connection:
            for event in events:
                if connection.execute("SELECT 1 FROM events WHERE event_id = ?", (event.event_id,)).fetchone():
                    continue
                fields = {c: getattr(event, c) for c in _COLUMNS if c not in _ITEM}
                added.append(self._write(connection, item=event.item, **fields))
        for event in added:
            self._tell(event)
        return len(added)

    # ------------------------------------------------------------------ watching

    def on_change(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback(event)` after each event of this process is stored; returns a function that stops it."""
        with self._callbacks_lock:
            self._callbacks.append(callback)

        def stop() -> None:
            with self._callbacks_lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return stop

    def _tell(self, event: Event) -> None:
        with self._callbacks_lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(event)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def labels(path: str | Path | None = None) -> LabelStore:
    """Open the store of labels in a file, or make it; without a path it is `llmlens-labels.sqlite` in this folder.

    Raises `LabelError` when the file is something else or cannot be written.
    """
    return LabelStore(path)


def default_author() -> str:
    """Give the name of the user of this computer."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in a container
        return "unknown"


def _author(author: str | None) -> str:
    if author is not None and not author.strip():
        raise LabelError("The author of a label must not be empty: it tells the labels of two people apart.")
    return author or default_author()


def _item(trace_id: str | None = None, span_id: str | None = None, session_id: str | None = None) -> Item:
    if (trace_id is None) == (session_id is None) or (span_id is not None and trace_id is None):
        got = f"trace_id={trace_id!r}, span_id={span_id!r}, session_id={session_id!r}"
        raise LabelError(f"A label is of a trace, of a span (with its trace_id) or of a session; got {got}.")
    return (trace_id, span_id, session_id)


def _comment(comment: str | None) -> str | None:
    if comment is None or not comment.strip():
        return None
    if len(comment) > _MAX_COMMENT:
        raise LabelError(f"A comment has at most {_MAX_COMMENT:,} characters; this has {len(comment):,}.")
    return comment


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def event_of(row: sqlite3.Row) -> Event:
    """Read an event from its row."""
    fields = dict(row)
    fields["value"] = None if row["value"] is None else orjson.loads(row["value"])
    fields["at"] = _time(row["at"])
    fields["score_at"] = _time(row["score_at"]) if row["score_at"] else None
    return Event(**fields)
