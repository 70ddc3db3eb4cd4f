"""`LabelStore`: the labels of people, kept in one local file before they go anywhere else."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError

from .checks import a_comment, a_text, an_author, an_item
from .database import Database
from .event import FIELDS, Event, Item, now, of_row, to_row
from .items import ItemState, item_states
from .score import Score

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import pandas as pd

logger = logging.getLogger(__name__)

DEFAULT_PATH = "llmlens-labels.sqlite"

_COLUMNS = [name for name in FIELDS if name != "seq"]
_INSERT = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{c}' for c in _COLUMNS)})"
_ACTIVE_LABEL = """
    SELECT score_id, score_at FROM active WHERE trace_id IS :trace_id AND span_id IS :span_id
    AND session_id IS :session_id AND name = :name AND author = :author AND kind = 'score' ORDER BY seq DESC LIMIT 1
"""


class LabelStore:
    """A durable list of what people said about traces; many notebooks, threads and programs may use one file at once.

    Events are only added: changing a label adds another one, and taking it back adds an `undo`. What a method returned
    is on the disk. Made by `llmlens.labels(path)`.
    """

    def __init__(self, path: str | Path | None = None, *, clock: Callable[[], datetime] = now) -> None:
        """Open a file, or make it; see `llmlens.labels`. `clock` gives the time in UTC."""
        self.path = Path(DEFAULT_PATH if path is None else path).expanduser().absolute()
        self.database = Database(self.path)
        self._clock = clock
        self._callbacks: list[Callable[[Event], object]] = []
        self._callbacks_lock = threading.Lock()

    def __reduce__(self) -> tuple[type[LabelStore], tuple[Path]]:
        """Travel to other processes as the path: each has its own connection."""
        return (LabelStore, (self.path,))

    def __repr__(self) -> str:
        """Say where it is and what is in it."""
        labels, people = self.database.rows("SELECT count(*), count(DISTINCT author) FROM in_force")[0]
        return f"<LabelStore {self.path.name}: {labels:,} labels by {people:,} people>"

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
        if not isinstance(score, Score):
            raise LabelError(f"A label answers a Score, such as Score('helpful', bool); got {score!r}.")
        item = an_item(trace_id, span_id, session_id)
        if score.data_type == "correction" and trace_id is None:
            raise LabelError("A correction is of a trace or of a span of it, not of a session.")
        label = self._event(
            "score",
            item,
            name=score.name,
            value=score.check(value),
            data_type=score.data_type,
            comment=a_comment(comment),
            author=an_author(author),
            config_id=score.config_id,
            queue_id=queue_id,
        )
        return self._stored(lambda connection: _label(connection, label))

    def skip(self, *, reason: str | None = None, author: str | None = None, **item: str | None) -> Event:
        """Put an item off, which is not the same as having done it; `item` is as in `add`."""
        event = self._event("skip", an_item(**item), comment=a_comment(reason), author=an_author(author))
        return self._stored(lambda connection: _insert(connection, event))

    def done(self, *, author: str | None = None, queue_id: str | None = None, **item: str | None) -> Event:
        """Say that an item is finished; `item` is as in `add`."""
        event = self._event("done", an_item(**item), author=an_author(author), queue_id=queue_id)
        return self._stored(lambda connection: _insert(connection, event))

    def undo(self, event: Event | str, author: str | None = None) -> Event:
        """Take back an event, given by itself or its id: a label, a skip, a done, or an undo.

        The undo of an undo brings back what that took back. A label whose score is withdrawn by now is given once more,
        as a new score, for a server may still be deleting the old one; then the event is that label.

        Raises `LabelError` when there is no such event, or it was undone already.
        """
        event_id = a_text("An event_id", event.event_id if isinstance(event, Event) else event)
        by = None if author is None else an_author(author)

        def store(connection: sqlite3.Connection) -> Event:
            target = self._last_word(connection, event_id)
            lost = self._withdrawn(connection, target)
            if lost is not None:
                again = replace(lost, event_id=_new_id(), at=self._clock(), undo_of=target.event_id)
                return _label(connection, again)
            same = {field: getattr(target, field) for field in ("name", "score_id", "score_at")}
            undo = self._event("undo", target.item, author=by or target.author, undo_of=target.event_id, **same)
            return _insert(connection, undo)

        return self._stored(store)

    def _last_word(self, connection: sqlite3.Connection, event_id: str) -> Event:
        """Give the last of the undos and redos of an event; raise `LabelError` when it says that it is undone."""
        last, undone = self._find(connection, event_id), False
        while row := connection.execute("SELECT * FROM events WHERE undo_of = ?", (last.event_id,)).fetchone():
            last, undone = of_row(row), not undone
        if undone:
            raise LabelError(f"The event {event_id!r} was undone already.")
        return last

    def _withdrawn(self, connection: sqlite3.Connection, target: Event) -> Event | None:
        """Give the label that undoing `target` would bring back, if no label of its score is left."""
        undos = 0
        while target.kind == "undo":
            target, undos = self._find(connection, str(target.undo_of)), undos + 1
        if undos % 2 == 0 or target.kind != "score":
            return None
        left = connection.execute("SELECT 1 FROM active WHERE score_id = ? LIMIT 1", (target.score_id,)).fetchone()
        return None if left else target

    def _find(self, connection: sqlite3.Connection, event_id: str) -> Event:
        row = connection.execute("SELECT * FROM events WHERE event_id = ?", (event_id,)).fetchone()
        if row is None:
            raise LabelError(f"There is no event {event_id!r} in {self.path.name}.")
        return of_row(row)

    def _event(self, kind: str, item: Item, **fields: Any) -> Event:
        empty: dict[str, Any] = dict.fromkeys(FIELDS)
        ids = dict(zip(("trace_id", "span_id", "session_id"), item, strict=True))
        return Event(**empty | ids | {"seq": 0, "event_id": _new_id(), "kind": kind, "at": self._clock()} | fields)

    def _stored(self, store: Callable[[sqlite3.Connection], Event]) -> Event:
        with self.database.transaction() as connection:
            event = store(connection)
        self._tell(event)
        return event

    # ------------------------------------------------------------------ reading

    def events(self, after: int = 0) -> list[Event]:
        """Give the events with a `seq` above `after`, in order."""
        return [of_row(row) for row in self.database.rows("SELECT * FROM events WHERE seq > ? ORDER BY seq", (after,))]

    def last_seq(self) -> int:
        """Give the `seq` of the last event; 0 when there is none."""
        return int(self.database.rows("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def current(self) -> list[Event]:
        """Give the labels in force, in order: of each item, name and author the last one that was not undone."""
        return [of_row(row) for row in self.database.rows("SELECT * FROM in_force ORDER BY seq")]

    def items(self, author: str | None = None) -> dict[Item, ItemState]:
        """Give how far each item is that somebody touched, or only what one person did."""
        rows = self.database.rows(
            "SELECT * FROM active WHERE (kind <> 'score' OR seq IN (SELECT seq FROM in_force)) "
            "AND (?1 IS NULL OR author = ?1) ORDER BY seq",
            (author,),
        )
        return item_states(of_row(row) for row in rows)

    def last(self, author: str) -> Event | None:
        """Give the last thing a person did that is not undone: a label, a skip or a done."""
        rows = self.database.rows("SELECT * FROM active WHERE author = ? ORDER BY seq DESC LIMIT 1", (author,))
        return of_row(rows[0]) if rows else None

    def frame(self) -> pd.DataFrame:
        """Give the labels in force as the `scores` table has them; see `Traces.with_scores`."""
        from .exchange import scores_frame

        return scores_frame(self.current())

    # ------------------------------------------------------------------ exchange

    def to_csv(self, path: str | Path, *, raw: bool = False) -> Path:
        """Write all events as CSV, without secrets and people (see `llmlens.Redactor`); `raw=True` writes all there is.

        `read_csv` takes them in again, and for it a cell that a spreadsheet would run has an apostrophe.
        """
        from .exchange import write_csv

        return write_csv(self._leaving(raw), Path(path))

    def to_jsonl(self, path: str | Path, *, raw: bool = False) -> Path:
        """Write all events as JSON lines; the same as `to_csv`."""
        from .exchange import write_jsonl

        return write_jsonl(self._leaving(raw), Path(path))

    def _leaving(self, raw: bool) -> list[Event]:
        from .exchange import redacted

        return self.events() if raw else redacted(self.events())

    def read_csv(self, path: str | Path) -> int:
        """Add the events of a file that `to_csv` wrote, each once; give how many were new.

        Raises `LabelError` naming the first row that is no event; then nothing was added.
        """
        from .exchange import read_csv

        return self.add_events(read_csv(Path(path)))

    def read_jsonl(self, path: str | Path) -> int:
        """Add the events of a file that `to_jsonl` wrote; the same as `read_csv`."""
        from .exchange import read_jsonl

        return self.add_events(read_jsonl(Path(path)))

    def add_events(self, events: Iterable[Event]) -> int:
        """Add events of another store after those that are here, each once; give how many were new.

        Raises `LabelError` for an undo of something that is in neither; then nothing was added.
        """
        added = []
        with self.database.transaction() as connection:
            for event in events:
                if connection.execute("SELECT 1 FROM events WHERE event_id = ?", (event.event_id,)).fetchone():
                    continue
                if event.undo_of is not None:
                    self._find(connection, event.undo_of)
                added.append(_insert(connection, event))
        for event in added:
            self._tell(event)
        return len(added)

    # ------------------------------------------------------------------ watching

    def on_change(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Call `callback(event)` after each event of this object is stored; returns a function that stops it."""
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
            try:
                callback(event)
            except Exception:  # the label is stored, and whoever stored it must hear so
                logger.exception("a callback failed on %s", event)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def labels(path: str | Path | None = None) -> LabelStore:
    """Open the store of labels in a file, or make it; without a path it is `llmlens-labels.sqlite` in this folder.

    Raises `LabelError` when the file is something else or damaged, cannot be written, or is of a later version.
    """
    return LabelStore(path)


def _new_id() -> str:
    return str(uuid.uuid4())


def _label(connection: sqlite3.Connection, label: Event) -> Event:
    """Store a label; one that changes another keeps its id and time, by which servers know it again."""
    known = connection.execute(_ACTIVE_LABEL, to_row(label)).fetchone()
    if known:
        same = of_row(to_row(label) | dict(known))
        return _insert(connection, same)
    return _insert(connection, replace(label, score_id=_new_id(), score_at=label.at))


def _insert(connection: sqlite3.Connection, event: Event) -> Event:
    seq = connection.execute(_INSERT, to_row(event)).lastrowid
    return replace(event, seq=int(seq or 0))
