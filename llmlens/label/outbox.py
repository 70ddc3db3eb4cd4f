"""What is still to be sent: for each label and each sink, how far it got. It is in the file of the labels.

A label is `pending` until a sink took it, `sent` until it was read back, then `confirmed`; or `rejected`, with a
reason. Several programs may work on one outbox: what one of them has claimed is leased to it for a while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .event import Event, of_row
from .holder import is_dead, this_process

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    import pandas as pd

    from .store import LabelStore

#: What was said about a score since we looked last: a label, or what took one back.
_NEWS = """
    INSERT INTO deliveries (sink, score_id, wanted_seq)
    SELECT :sink, score_id, max(seq) FROM events
    WHERE score_id IS NOT NULL AND seq > (SELECT coalesce(max(wanted_seq), 0) FROM deliveries WHERE sink = :sink)
    GROUP BY score_id
    ON CONFLICT (sink, score_id) DO UPDATE
    SET wanted_seq = excluded.wanted_seq, state = 'pending', reason = NULL, tries = 0, next_try = 0
"""
#: What was taken back before anybody tried to send it needs no sending.
_NEVER_SENT = """
    UPDATE deliveries SET state = 'confirmed', reason = 'taken back before it was sent'
    WHERE sink = ? AND state = 'pending' AND NOT attempted
    AND NOT EXISTS (SELECT 1 FROM in_force WHERE in_force.score_id = deliveries.score_id)
"""
#: Due is also what waits for longer than anything ever does: the clock was set back.
_DUE = """
    SELECT * FROM deliveries WHERE sink = :sink AND state = :state
    AND (next_try <= :now OR next_try > :now + 3600) AND (leased_until <= :now OR leased_until > :now + 3600)
    ORDER BY wanted_seq LIMIT :n
"""
_LEASE = "UPDATE deliveries SET leased_until = ?, leased_by = ?, attempted = 1 WHERE sink = ? AND score_id = ?"
_LABEL = """
    SELECT *, EXISTS (SELECT 1 FROM in_force WHERE in_force.score_id = ?1) AS stands FROM events
    WHERE seq = coalesce(
        (SELECT max(seq) FROM in_force WHERE score_id = ?1),
        (SELECT max(seq) FROM events WHERE score_id = ?1 AND kind = 'score'))
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A label to be sent or read back: `event` in its last form; `withdrawn` when it was taken back.

    `tries`: how often it failed; `sent_at`: when the sink took it, in seconds of the outbox's clock.
    """

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
        """Take up to `n` labels to send, the oldest first; nobody else gets them for `lease_s` seconds.

        A lease must outlast the sending, lest a later form of a label overtakes an earlier one. That of a process of
        this computer that has died is void.
        """
        return self._lease("pending", n, lease_s)

    def claim_sent(self, n: int, lease_s: float) -> list[Delivery]:
        """Take up to `n` labels that were sent, to read them back."""
        return self._lease("sent", n, lease_s)

    def _lease(self, state: str, n: int, lease_s: float) -> list[Delivery]:
        found = []
        with self.store.database.transaction() as connection:
            self._look(connection)
            now = self._clock()
            due = connection.execute(_DUE, {"sink": self.sink, "state": state, "now": now, "n": n}).fetchall()
            for row in due:
                connection.execute(_LEASE, (now + lease_s, this_process(), self.sink, row["score_id"]))
                label = dict(connection.execute(_LABEL, (row["score_id"],)).fetchone())
                withdrawn = not label.pop("stands")
                found.append(Delivery(of_row(label), withdrawn, row["wanted_seq"], row["tries"], row["sent_at"]))
        return found

    def _look(self, connection: sqlite3.Connection) -> None:
        """Take in what happened since: labels, and deaths of those who held a lease."""
        connection.execute(_NEWS, {"sink": self.sink})
        connection.execute(_NEVER_SENT, (self.sink,))
        for (holder,) in connection.execute("SELECT DISTINCT leased_by FROM deliveries WHERE leased_by IS NOT NULL"):
            if is_dead(holder):
                connection.execute(
                    "UPDATE deliveries SET leased_until = 0, leased_by = NULL WHERE leased_by = ?", (holder,)
                )

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
        """End leases, and note how far the labels are; those that were changed in the meantime are to be sent again."""
        if not deliveries:
            return
        with self.store.database.transaction() as connection:
            for delivery in deliveries:
                place = (self.sink, delivery.score_id)
                connection.execute(
                    "UPDATE deliveries SET leased_until = 0, leased_by = NULL WHERE sink = ? AND score_id = ?", place
                )
                connection.execute(
                    f"UPDATE deliveries SET {changed} WHERE sink = ? AND score_id = ? AND wanted_seq = ?",
                    (*values, *place, delivery.wanted_seq),
                )

    def retry(self, score_id: str | None = None) -> int:
        """Send what was rejected or waits again now, one label or all; give how many."""
        with self.store.database.transaction() as connection:
            return connection.execute(
                "UPDATE deliveries SET state = 'pending', reason = NULL, tries = 0, next_try = 0 "
                "WHERE sink = ?1 AND state IN ('pending', 'rejected') AND (?2 IS NULL OR score_id = ?2)",
                (self.sink, score_id),
            ).rowcount

    def open(self) -> int:
        """Count the labels that are neither confirmed nor rejected."""
        with self.store.database.transaction() as connection:
            self._look(connection)
            counted = connection.execute(
                "SELECT count(*) FROM deliveries WHERE sink = ? AND state IN ('pending', 'sent')", (self.sink,)
            )
            return int(counted.fetchone()[0])

    def states(self, score_ids: Sequence[str] | None = None) -> dict[str, tuple[str, str | None]]:
        """Give state and reason by score id; a label that the outbox has not seen yet is pending."""
        rows = self.store.database.rows(
            "SELECT e.score_id, CASE WHEN d.wanted_seq = max(e.seq) THEN d.state ELSE 'pending' END AS state, "
            "CASE WHEN d.wanted_seq = max(e.seq) THEN d.reason END AS reason "
            "FROM events e LEFT JOIN deliveries d ON d.score_id = e.score_id AND d.sink = ? "
            "WHERE e.score_id IS NOT NULL GROUP BY e.score_id",
            (self.sink,),
        )
        wanted = None if score_ids is None else set(score_ids)
        return {r["score_id"]: (r["state"], r["reason"]) for r in rows if wanted is None or r["score_id"] in wanted}

    def frame(self) -> pd.DataFrame:
        """Give a row for each label in force: what it is, its `state` and, where there is one, the `reason`."""
        import pandas as pd

        states = self.states()
        rows = [
            (e.score_id, *e.item, e.name, e.value, e.author, *states[str(e.score_id)]) for e in self.store.current()
        ]
        columns = ["score_id", "trace_id", "span_id", "session_id", "name", "value", "author", "state", "reason"]
        return pd.DataFrame(rows, columns=columns)
