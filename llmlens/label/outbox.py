"""What is still to be sent: for each label and each sink, how far it got. It is in the file of the labels.

A label is `pending` until a sink took it, `sent` until it was read back, then `confirmed`; or `rejected`, with a
reason. Several programs may work on one outbox: what one of them has claimed is leased to it for a while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .event import Event
from .store import event_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    import pandas as pd

    from .store import LabelStore

#: All that was ever said about a score: its labels and what took them back.
_WANTED = """
    INSERT INTO deliveries (sink, score_id, wanted_seq)
    SELECT ?, score_id, max(seq) FROM events WHERE score_id IS NOT NULL GROUP BY score_id
    ON CONFLICT (sink, score_id) DO UPDATE
    SET wanted_seq = excluded.wanted_seq, state = 'pending', reason = NULL, tries = 0, next_try = 0
    WHERE excluded.wanted_seq > deliveries.wanted_seq
"""
_IN_FORCE = """
    SELECT * FROM events e WHERE e.score_id = ? AND e.kind = 'score'
    AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undo_of = e.event_id) ORDER BY e.seq DESC LIMIT 1
"""
_ANY = "SELECT * FROM events WHERE score_id = ? AND kind = 'score' ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A label to be sent or read back: `event` in its last form; `withdrawn` when it was taken back."""

    event: Event
    withdrawn: bool
    wanted_seq: int
    tries: int
    sent_at: float | None

    @property
    def score_id(self) -> str:
        """The id of its score."""
        return str(self.event.score_id)


class Outbox:
    """The deliveries of one store to one sink; times are seconds of `clock`."""

    def __init__(self, store: LabelStore, sink: str, *, clock: Callable[[], float] = time.time) -> None:
        """Work on the deliveries to `sink`, which is the name of a sink."""
        self.store = store
        self.sink = sink
        self._clock = clock

    def claim(self, n: int, lease_s: float) -> list[Delivery]:
        """Take up to `n` labels to send, the oldest first; nobody else gets them for `lease_s` seconds."""
        return self._lease("pending", n, lease_s)

    def claim_sent(self, n: int, lease_s: float) -> list[Delivery]:
        """Take up to `n` labels that were sent, to read them back."""
        return self._lease("sent", n, lease_s)

    def _lease(self, state: str, n: int, lease_s: float) -> list[Delivery]:
        now = self._clock()
        found = []
        with self.store.database.transaction() as connection:
            connection.execute(_WANTED, (self.sink,))
            # What was taken back before anybody tried to send it needs no sending.
            connection.execute(
                """UPDATE deliveries AS d SET state = 'confirmed', reason = 'taken back before it was sent'
                WHERE sink = ? AND state = 'pending' AND NOT attempted AND NOT EXISTS (
                    SELECT 1 FROM events e WHERE e.score_id = d.score_id AND e.kind = 'score'
                    AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undo_of = e.event_id))""",
                (self.sink,),
            )
            rows = connection.execute(
                "SELECT * FROM deliveries WHERE sink = ? AND state = ? AND next_try <= ? AND leased_until <= ? "
                "ORDER BY wanted_seq LIMIT ?",
                (self.sink, state, now, now, n),
            ).fetchall()
            for row in rows:
                connection.execute(
                    "UPDATE deliveries SET leased_until = ?, attempted = 1 WHERE sink = ? AND score_id = ?",
                    (now + lease_s, self.sink, row["score_id"]),
                )
                found.append(_delivery(connection, row))
        return found

    def sent(self, deliveries: Sequence[Delivery]) -> None:
        """Note that the sink took these."""
        self._settle(deliveries, "state = 'sent', reason = NULL, next_try = 0, sent_at = ?", self._clock())

    def confirmed(self, deliveries: Sequence[Delivery]) -> None:
        """Note that these were read back, or are gone if they were withdrawn."""
        self._settle(deliveries, "state = 'confirmed', reason = NULL, next_try = 0")

    def rejected(self, delivery: Delivery, reason: str) -> None:
        """Note that the sink will never take this one as it is."""
        self._settle([delivery], "state = 'rejected', reason = ?", reason)

    def failed(self, deliveries: Sequence[Delivery], reason: str, again_in_s: float) -> None:
        """Send these once more, not before `again_in_s` seconds."""
        changed = "state = 'pending', reason = ?, tries = tries + 1, next_try = ?"
        self._settle(deliveries, changed, reason, self._clock() + again_in_s)

    def not_yet(self, deliveries: Sequence[Delivery], again_in_s: float) -> None:
        """Read these back once more, not before `again_in_s` seconds."""
        self._settle(deliveries, "next_try = ?", self._clock() + again_in_s)

    def _settle(self, deliveries: Sequence[Delivery], changed: str, *values: Any) -> None:
        """Change how far deliveries are, those whose label did not change in the meantime, and end their lease."""
        with self.store.database.transaction() as connection:
            for delivery in deliveries:
                connection.execute(
                    f"UPDATE deliveries SET {changed}, leased_until = 0 "
                    "WHERE sink = ? AND score_id = ? AND wanted_seq = ?",
                    (*values, self.sink, delivery.score_id, delivery.wanted_seq),
                )
                connection.execute(
                    "UPDATE deliveries SET leased_until = 0 WHERE sink = ? AND score_id = ? AND wanted_seq <> ?",
                    (self.sink, delivery.score_id, delivery.wanted_seq),
                )

    def retry(self, score_id: str | None = None) -> int:
        """Send what was rejected or waits again now, one label or all; give how many."""
        with self.store.database.transaction() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'pending', tries = 0, next_try = 0 "
                "WHERE sink = ? AND state IN ('pending', 'rejected') AND (? IS NULL OR score_id = ?)",
                (self.sink, score_id, score_id),
            ).rowcount

    def open(self) -> int:
        """Count the labels that are neither confirmed nor rejected."""
        with self.store.database.transaction() as connection:
            connection.execute(_WANTED, (self.sink,))
        rows = self.store.database.rows(
            "SELECT count(*) FROM deliveries WHERE sink = ? AND state IN ('pending', 'sent')", (self.sink,)
        )
        return int(rows[0][0])

    def states(self, score_ids: Sequence[str] | None = None) -> dict[str, tuple[str, str | None]]:
        """Give state and reason by score id; a label that the outbox has not seen yet is pending."""
        rows = self.store.database.rows(
            "SELECT e.score_id, coalesce(CASE WHEN d.wanted_seq >= max(e.seq) THEN d.state END, 'pending') AS state, "
            "d.reason FROM events e LEFT JOIN deliveries d ON d.score_id = e.score_id AND d.sink = ? "
            "WHERE e.score_id IS NOT NULL GROUP BY e.score_id",
            (self.sink,),
        )
        wanted = None if score_ids is None else set(score_ids)
        return {r["score_id"]: (r["state"], r["reason"]) for r in rows if wanted is None or r["score_id"] in wanted}

    def frame(self) -> pd.DataFrame:
        """Give a row for each label: what it is and how far it got."""
        import pandas as pd

        states = self.states()
        rows = [
            (e.score_id, e.trace_id, e.span_id, e.session_id, e.name, e.value, e.author, *states[str(e.score_id)])
            for e in self.store.current()
        ]
        columns = ["score_id", "trace_id", "span_id", "session_id", "name", "value", "author", "state", "reason"]
        return pd.DataFrame(rows, columns=columns)


def _delivery(connection: sqlite3.Connection, row: sqlite3.Row) -> Delivery:
    in_force = connection.execute(_IN_FORCE, (row["score_id"],)).fetchone()
    found = in_force or connection.execute(_ANY, (row["score_id"],)).fetchone()
    return Delivery(event_of(found), in_force is None, row["wanted_seq"], row["tries"], row["sent_at"])
