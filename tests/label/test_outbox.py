"""What is still to be sent: who has it, how far it got, and what a crash leaves of it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmlens.label.holder import is_dead, this_process
from llmlens.label.outbox import Outbox
from llmlens.label.score import Score
from llmlens.label.store import LabelStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELP = Score("helpfulness", 1, 5)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    made = LabelStore(tmp_path / "labels.sqlite")
    yield made
    made.close()


@pytest.fixture
def outbox(store: LabelStore, clock: Clock) -> Outbox:
    return Outbox(store, "sink", clock=clock)


def state(outbox: Outbox) -> list[tuple[str, str | None]]:
    return list(outbox.states().values())


def test_a_label_goes_from_pending_to_confirmed(store: LabelStore, outbox: Outbox) -> None:
    label = store.add(HELP, 4, trace_id="t")
    assert state(outbox) == [("pending", None)]
    assert outbox.open() == 1
    (delivery,) = outbox.claim(10, 60)
    assert (delivery.event, delivery.withdrawn, delivery.score_id) == (label, False, label.score_id)
    outbox.sent([delivery])
    assert state(outbox) == [("sent", None)]
    (again,) = outbox.claim_sent(10, 60)
    assert again.sent_at == 1000
    outbox.confirmed([again])
    assert state(outbox) == [("confirmed", None)]
    assert outbox.open() == 0
    assert outbox.claim(10, 60) == outbox.claim_sent(10, 60) == []
    assert outbox.frame()[["trace_id", "value", "state"]].to_numpy().tolist() == [["t", 4.0, "confirmed"]]


def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(store: LabelStore, outbox: Outbox, clock: Clock) -> None:
    for n in range(3):
        store.add(HELP, 4, trace_id=f"t{n}")
    other = Outbox(LabelStore(store.path), "sink", clock=clock)
    assert [d.event.trace_id for d in outbox.claim(2, 60)] == ["t0", "t1"]
    assert [d.event.trace_id for d in other.claim(2, 60)] == ["t2"]
    clock.now += 60
    assert len(other.claim(5, 60)) == 3


def test_a_clock_that_is_set_back_does_not_make_labels_wait(store: LabelStore, outbox: Outbox, clock: Clock) -> None:
    store.add(HELP, 4, trace_id="t")
    outbox.failed(outbox.claim(1, 60), "down", 30)
    clock.now -= 86_400
    assert len(outbox.claim(1, 60)) == 1


def test_each_sink_gets_each_label(store: LabelStore, outbox: Outbox) -> None:
    store.add(HELP, 4, trace_id="t")
    outbox.confirmed(outbox.claim(1, 60))
    assert len(Outbox(store, "another").claim(1, 60)) == 1


def test_a_label_that_is_changed_while_it_is_sent_is_sent_again(store: LabelStore, outbox: Outbox) -> None:
    store.add(HELP, 4, trace_id="t", author="ann")
    sending = outbox.claim(1, 60)
    changed = store.add(HELP, 2, trace_id="t", author="ann")
    assert outbox.claim(1, 60) == []  # the old form must not arrive after the new one
    outbox.sent(sending)
    assert state(outbox) == [("pending", None)]
    (delivery,) = outbox.claim(1, 60)
    assert delivery.event == changed
    outbox.confirmed([delivery])
    store.undo(changed)
    assert [d.event.value for d in outbox.claim(1, 60)] == [4.0]


def test_a_label_taken_back_before_it_was_sent_is_never_sent(store: LabelStore, outbox: Outbox) -> None:
    undo = store.undo(store.add(HELP, 4, trace_id="t"))
    assert outbox.claim(1, 60) == []
    assert outbox.open() == 0
    again = store.undo(undo)
    assert [d.event for d in outbox.claim(9, 60)] == [again]


def test_a_label_taken_back_after_somebody_tried_to_send_it_is_withdrawn(store: LabelStore, outbox: Outbox) -> None:
    label = store.add(HELP, 4, trace_id="t")
    outbox.failed(outbox.claim(1, 60), "cut off", 0)
    store.undo(label)
    (delivery,) = outbox.claim(1, 60)
    assert delivery.withdrawn
    assert delivery.event == label


def test_what_failed_waits_and_counts_its_tries(store: LabelStore, outbox: Outbox, clock: Clock) -> None:
    store.add(HELP, 4, trace_id="t")
    outbox.failed(outbox.claim(1, 60), "down", 30)
    assert state(outbox) == [("pending", "down")]
    assert outbox.claim(1, 60) == []
    clock.now += 30
    (delivery,) = outbox.claim(1, 60)
    assert delivery.tries == 1


def test_what_was_rejected_stays_until_it_is_retried_or_changed(store: LabelStore, outbox: Outbox) -> None:
    label = store.add(HELP, 4, trace_id="t", author="ann")
    outbox.rejected(outbox.claim(1, 60)[0], "archived")
    assert state(outbox) == [("rejected", "archived")]
    assert outbox.claim(1, 60) == []
    assert outbox.retry("other") == 0
    assert outbox.retry(label.score_id) == 1
    outbox.rejected(outbox.claim(1, 60)[0], "archived")
    store.add(HELP, 5, trace_id="t", author="ann")
    assert state(outbox) == [("pending", None)]
    assert len(outbox.claim(1, 60)) == 1


def test_what_is_not_readable_yet_is_looked_for_later(store: LabelStore, outbox: Outbox, clock: Clock) -> None:
    store.add(HELP, 4, trace_id="t")
    outbox.sent(outbox.claim(1, 60))
    outbox.not_yet(outbox.claim_sent(1, 60), 5)
    assert outbox.claim_sent(1, 60) == []
    clock.now += 5
    assert len(outbox.claim_sent(1, 60)) == 1


def test_skips_and_dones_are_not_sent(store: LabelStore, outbox: Outbox) -> None:
    store.undo(store.skip(trace_id="t"))
    store.done(trace_id="t")
    assert outbox.claim(9, 60) == []
    assert outbox.states() == {}


CLAIMING = """
import sys
from llmlens.label.outbox import Outbox
from llmlens.label.store import LabelStore
outbox = Outbox(LabelStore(sys.argv[1]), "sink")
while claimed := outbox.claim(3, 600):
    print(*(d.score_id for d in claimed), flush=True)
    outbox.sent(claimed[:-1])  # it dies with one of each in hand
"""


def test_processes_share_the_work_and_what_a_dead_one_held_is_free_again(store: LabelStore) -> None:
    ids = [store.add(HELP, 4, trace_id=f"t{n}").score_id for n in range(60)]
    command = [sys.executable, "-c", CLAIMING, str(store.path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    claimed = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert set(ids) == {*claimed[0], *claimed[1]}
    held = [score_id for score_id, (found, _) in Outbox(store, "sink").states().items() if found == "pending"]
    assert held
    if os.name == "posix":
        assert {d.score_id for d in Outbox(store, "sink").claim(60, 600)} == set(held)


def test_a_holder_is_dead_only_when_that_is_certain() -> None:
    assert not is_dead(this_process())
    assert not is_dead("another-computer:1")
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait(timeout=60)
    if os.name == "posix":
        assert is_dead(f"{this_process().rpartition(':')[0]}:{done.pid}")
