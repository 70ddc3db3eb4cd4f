"""What is still to be sent: for each label and each sink, how far it got. It is in the file of the labels.

A label is `pending` until a sink took it, `sent` until it was read back, then `confirmed`; or `rejected`, with a
reason. Several programs may work on one outbox: what one of them has claimed is leased to it for a while.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .event import Event, Item, of_row
from .holder import is_dead, this_process

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    import pandas as pd

    from .store import LabelStore

#: The reason of a delivery that is settled because the label was taken back: nothing of it is at the sink.
_WITHDRAWN = "taken back"

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
_NEVER_SENT = f"""
    UPDATE deliveries SET state = 'confirmed', reason = '{_WITHDRAWN}'
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


#: What is on its way by score id, and what was said since we looked last, which waits.
_STATES = """
    SELECT e.score_id, CASE WHEN d.wanted_seq = max(e.seq) THEN d.state ELSE 'pending' END AS state,
    CASE WHEN d.wanted_seq = max(e.seq) THEN d.reason END AS reason
    FROM events e LEFT JOIN deliveries d ON d.score_id = e.score_id AND d.sink = ?
    WHERE e.score_id IS NOT NULL {among} GROUP BY e.score_id
"""
_COUNTS = """
    WITH news AS (
        SELECT DISTINCT score_id FROM events WHERE score_id IS NOT NULL
        AND seq > (SELECT coalesce(max(wanted_seq), 0) FROM deliveries WHERE sink = ?1))
    SELECT state, count(*) AS n FROM deliveries WHERE sink = ?1 AND reason IS NOT ?2
    AND score_id NOT IN (SELECT score_id FROM news) GROUP BY state
    UNION ALL SELECT 'pending', count(*) FROM news
"""
#: What somebody finished, and whether all that this person said of it is at the sink.
_FINISHED = """
    SELECT done.trace_id, done.span_id, done.session_id, NOT EXISTS (
        SELECT 1 FROM in_force l LEFT JOIN deliveries d ON d.sink = :sink AND d.score_id = l.score_id
        WHERE l.trace_id IS done.trace_id AND l.span_id IS done.span_id AND l.session_id IS done.session_id
        AND l.author = done.author AND NOT coalesce(d.state = 'confirmed' AND d.wanted_seq >= l.seq, 0)
    ) AS settled FROM active done WHERE done.kind = 'done' AND done.queue_id = :queue_id
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

    def others(self) -> list[str]:
        """Name the other sinks that labels of this store have gone to."""
        rows = self.store.database.rows("SELECT DISTINCT sink FROM deliveries WHERE sink <> ?", (self.sink,))
        return [row["sink"] for row in rows]

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
        for withdrawn, reason in ((False, None), (True, _WITHDRAWN)):
            settled = [delivery for delivery in deliveries if delivery.withdrawn is withdrawn]
            self._settle(settled, "state = 'confirmed', reason = ?, next_try = 0", reason)

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
        """Give state and reason by score id, of all or of some; a label that the outbox has not seen yet is pending."""
        ids = tuple(score_ids or ())
        among = "" if score_ids is None else f"AND e.score_id IN ({', '.join('?' * len(ids))})"
        rows = self.store.database.rows(_STATES.format(among=among), (self.sink, *ids))
        return {row["score_id"]: (row["state"], row["reason"]) for row in rows}

    def counts(self) -> dict[str, int]:
        """Count the labels by their state; those that were taken back and are gone are left out."""
        counted: Counter[str] = Counter()
        for row in self.store.database.rows(_COUNTS, (self.sink, _WITHDRAWN)):
            counted[row["state"]] += row["n"]
        return {state: n for state, n in counted.items() if n}

    def finished(self, queue_id: str) -> dict[Item, bool]:
        """Give the items of a queue that somebody finished, and whether all labels of one who did are confirmed."""
        rows = self.store.database.rows(_FINISHED, {"sink": self.sink, "queue_id": queue_id})
        found: dict[Item, bool] = {}
        for row in rows:
            item = (row["trace_id"], row["span_id"], row["session_id"])
            found[item] = found.get(item, False) or bool(row["settled"])
        return found

    def frame(self) -> pd.DataFrame:
        """Give a row for each label in force: what it is, its `state` and, where there is one, the `reason`."""
        import pandas as pd

        states = self.states()
        rows = [
            (e.score_id, *e.item, e.name, e.value, e.author, *states[str(e.score_id)]) for e in self.store.current()
        ]
        columns = ["score_id", "trace_id", "span_id", "session_id", "name", "value", "author", "state", "reason"]
        return pd.DataFrame(rows, columns=columns)
