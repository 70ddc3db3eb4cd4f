"""`Sender`: takes labels from the outbox to a sink, in the background, until each is confirmed or rejected."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from llmlens.errors import LlmlensError

from .outbox import Delivery, Outbox
from .sink import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .sink import Result, Sink, Stored
    from .store import LabelStore

logger = logging.getLogger(__name__)

#: Longer than a push or a read-back with all its tries, and the waiting that a server asks for, takes.
_LEASE_S = 1800.0
#: After a label, others are waited for: they travel together.
_GATHER_S = 1.0
#: What was sent is looked for at these ages, then at the last one again and again. A server shows scores some seconds
#: later, and lets little more than twenty reads a minute.
_LOOK_AFTER_S: tuple[float, ...] = (2.0, 5.0, 10.0, 20.0, 30.0)
#: What a server took and does not show for so long is sent again, and rejected after so many times.
_LOST_AFTER_S = 90.0
_MAX_TRIES = 3
_BACKOFF_S: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 60.0)
_IDLE_S = 30.0  # another program may have written to the store


class Sender:
    """Sends the labels of a store to a sink; labels wait while the sink cannot be reached.

    `on_change` is called, on the sender's thread, when states may have changed; `afterwards` at the end of each round,
    for what has to wait until labels are confirmed. What it raises is tried again as a push is.
    """

    def __init__(
        self,
        store: LabelStore,
        sink: Sink,
        *,
        on_change: Callable[[], object] | None = None,
        afterwards: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is sent before `start`."""
        self.store = store
        self.sink = sink
        self._on_change = on_change
        self.afterwards = afterwards
        self._clock = clock
        self._outbox: Outbox | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._round = threading.Lock()
        self._thread: threading.Thread | None = None
        self._unwatch: Callable[[], None] | None = None
        self._failures = 0
        self.trouble: str | None = None

    @property
    def outbox(self) -> Outbox:
        """The deliveries to this sink; asking for it may need the sink to say who it is."""
        if self._outbox is None:
            found = Outbox(self.store, self.sink.name, clock=self._clock)
            self.sink.check_store(found.others())
            self._outbox = found
        return self._outbox

    # ------------------------------------------------------------------ the background

    def start(self) -> Sender:
        """Send in the background from now on."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._unwatch = self.store.on_change(lambda _event: self._wake.set())
            self._thread = threading.Thread(target=self._run, name="llmlens-labels", daemon=True)
            self._thread.start()
        return self

    def stop(self, timeout: float | None = 10.0) -> None:
        """Stop after the round that is under way; what is left waits in the store."""
        self._stop.set()
        self._wake.set()
        if self._unwatch is not None:
            self._unwatch()
        if self._thread is not None:
            self._thread.join(timeout)

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until every label is confirmed or rejected; False when `timeout` seconds were not enough.

        It works with and without the background.
        """
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            wait = self.round()
            if self.trouble is None and not self.outbox.open():
                return True
            time.sleep(min(wait, max(until - time.monotonic(), 0)))
        return False

    def retry(self, score_id: str | None = None) -> int:
        """Send again what was rejected, one label or all."""
        count = self.outbox.retry(score_id)
        self._failures = 0
        self._wake.set()
        return count

    def states(self, score_ids: Sequence[str] | None = None) -> dict[str, tuple[str, str | None]]:
        """Give state and reason by score id: pending, sent, confirmed or rejected; pending while nobody knows."""
        if self._outbox is not None:
            return self._outbox.states(score_ids)
        # Do not ask the sink for its name from a widget's thread.
        ids = [str(e.score_id) for e in self.store.current()] if score_ids is None else score_ids
        return dict.fromkeys(ids, ("pending", self.trouble))

    def counts(self) -> dict[str, int]:
        """Count the labels by their state."""
        if self._outbox is not None:
            return self._outbox.counts()
        waiting = len(self.store.current())
        return {"pending": waiting} if waiting else {}

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = self.round()
            if self._wake.wait(wait):
                self._wake.clear()
                self._stop.wait(_GATHER_S)

    # ------------------------------------------------------------------ one round

    def round(self) -> float:
        """Send what is due and read back what was sent; give the seconds until something may be due again."""
        with self._round:
            busy, before = False, self.trouble
            trouble: LlmlensError | None = None
            for step in (self._push, self._read_back, self._then):  # what one cannot do does not keep the others
                try:
                    busy |= step()
                except LlmlensError as error:
                    trouble = trouble or error
                except Exception:
                    logger.exception("labels could not be sent; they are safe in %s", self.store.path)
                    self.trouble = "an error of llmlens's own; see the log"
                    self._changed()
                    return _IDLE_S
            self.trouble = None if trouble is None else str(trouble)
        if busy or self.trouble != before:
            self._changed()
        if trouble is not None:
            self._failures += 1
            return _BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1]
        self._failures = 0
        return min(1.0, _LOOK_AFTER_S[0]) if self.outbox.open() else _IDLE_S

    def _push(self) -> bool:
        pushed = False
        while due := self.outbox.claim(self.sink.batch, _LEASE_S):
            pushed = True
            made = self._try([d for d in due if not d.withdrawn], self.sink.push)
            gone = self._try([d for d in due if d.withdrawn], self.sink.delete)
            if failure := made or gone:
                raise failure
            if len(due) < self.sink.batch:  # what came meanwhile travels with what still comes
                break
        return pushed

    def _try(
        self, deliveries: list[Delivery], act: Callable[[Sequence[Label]], Sequence[Result]]
    ) -> LlmlensError | None:
        """Bring deliveries to the sink, and note what it said; give the error when nothing came through."""
        if not deliveries:
            return None
        try:
            results = {r.score_id: r for r in act([Label.of(d.event) for d in deliveries])}
        except LlmlensError as error:
            self.outbox.failed(deliveries, str(error), 0.0)
            return error
        accepted = []
        for delivery in deliveries:
            result = results[delivery.score_id]
            if result.outcome == "accepted":
                accepted.append(delivery)
            elif result.outcome == "rejected":
                self.outbox.rejected(delivery, result.reason)
            else:
                wait = _BACKOFF_S[min(delivery.tries, len(_BACKOFF_S) - 1)]
                self.outbox.failed([delivery], result.reason, wait)
        self.outbox.sent(accepted)
        return None

    def _read_back(self) -> bool:
        ripe = []
        now = self._clock()
        for delivery in self.outbox.claim_sent(self.sink.batch, _LEASE_S):
            age = now - (delivery.sent_at or 0)
            if age < 0:  # the clock was set back: count from now
                self.outbox.sent([delivery])
            elif age < _LOOK_AFTER_S[0]:
                self.outbox.not_yet([delivery], _LOOK_AFTER_S[0] - age)
            else:
                ripe.append(delivery)
        if not ripe:
            return False
        try:
            there = self.sink.read_back([Label.of(d.event) for d in ripe])
        except LlmlensError:
            self.outbox.not_yet(ripe, 0.0)
            raise
        self.outbox.confirmed([d for d in ripe if _is_there(d, there)])
        for delivery in ripe:
            if not _is_there(delivery, there):
                self._missing(delivery, now)
        return True

    def _then(self) -> bool:
        return bool(self.afterwards and self.afterwards())

    def _missing(self, delivery: Delivery, now: float) -> None:
        age = now - (delivery.sent_at or 0)
        if age < _LOST_AFTER_S:
            later = next((t for t in _LOOK_AFTER_S if t > age), age + _LOOK_AFTER_S[-1])
            self.outbox.not_yet([delivery], later - age)
        elif delivery.tries + 1 < _MAX_TRIES:
            self.outbox.failed([delivery], "taken, but not to be found afterwards: sent again", 0.0)
        else:
            what = (
                "still there after it was deleted" if delivery.withdrawn else "taken, and then dropped without a word"
            )
            self.outbox.rejected(
                delivery, f"{what} ({_MAX_TRIES} times): was its score config changed, or its trace deleted?"
            )

    def _changed(self) -> None:
        if self._on_change is not None:
            try:
                self._on_change()
            except Exception:
                logger.exception("a callback of the sender of labels failed")


def _is_there(delivery: Delivery, there: Mapping[str, Stored]) -> bool:
    stored = there.get(delivery.score_id)
    if delivery.withdrawn:
        return stored is None
    if stored is None:
        return False
    value = delivery.event.value
    if isinstance(value, bool) or isinstance(stored.value, str):
        same = stored.value == value
    else:
        same = stored.value is not None and abs(float(stored.value) - float(value or 0)) < 1e-9
    return same and _words(stored.comment) == _words(delivery.event.comment)


def _words(text: str | None) -> list[str]:
    """Give the words of a comment: how a server keeps the space between them is its own affair."""
    return (text or "").split()
