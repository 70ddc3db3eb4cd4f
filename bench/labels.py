"""Kill a labelling process again and again, and see that no label that was called saved is lost or doubled.

    python bench/labels.py --kills 1000

A process makes labels and sends them to the stand-in server of tests/langfuse_server, which fails one request in five.
It is killed (SIGKILL) at a random moment after it has called a random number of labels saved, and the next one goes on
with the same store, on a clock that passes midnight UTC on the way. What it does is counted, not timed: a busy machine
takes longer, and is no easier. At the end the rest is sent, and the server's scores are compared with what was saved.
A second run sends 500 labels within the limits of the smallest plan of Langfuse's cloud, counted from the last click.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from llmlens.label import sender as sending
from llmlens.label.langfuse import LangfuseSink
from llmlens.label.score import Score
from llmlens.label.sender import Sender
from llmlens.label.store import LabelStore
from llmlens.read.langfuse import transport
from llmlens.read.langfuse.connection import langfuse
from tests.langfuse_server import HOBBY, Fault, LangfuseServer

if TYPE_CHECKING:
    from tests.langfuse_server.faults import Kind

QUALITY = Score("quality", 1, 5)
MOST_LABELS = 27  # that a process makes before it is killed
LONGEST_MOMENT_S = 0.01  # after the last of them: while the next one is made, or sent
BEFORE_MIDNIGHT = datetime(2026, 11, 23, 23, 59, 30, tzinfo=UTC)
FAULTS: tuple[Kind, ...] = ("before", "after", "500", "truncated")
FAULT_SHARE = 0.2
FLUSH_S = 600.0


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(crash(given.kills, given.seed))
    print(hurry(given.labels))


def sink_of(server: LangfuseServer) -> LangfuseSink:
    """Connect."""
    return LangfuseSink(langfuse(base_url=server.url, public_key=server.public_key, secret_key=server.secret_key))


def crash(kills: int, seed: int) -> str:
    """Kill, and count what was lost and doubled."""
    random = Random(seed)
    # Tries follow each other at once: a process lives for a fraction of a second.
    sending._GATHER_S, sending._BACKOFF_S, sending._LOOK_AFTER_S = 0.0, (0.01,), (0.02, 0.1)  # noqa: SLF001
    transport._FIRST_WAIT_S = 0.01  # noqa: SLF001
    began = time.perf_counter()
    with LangfuseServer(seed=seed) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.sqlite"
        sink_of(server).create_configs([QUALITY])
        for kind in FAULTS:
            server.faults.add(Fault(kind, "ingestion|v3/scores", probability=FAULT_SHARE / len(FAULTS)))
        saved: list[str] = []
        for number in range(kills):
            labels, moment = random.randint(0, MOST_LABELS), random.uniform(0.0, LONGEST_MOMENT_S)
            saved += one_life(path, server, number, labels, moment)
        server.faults.clear()
        store = LabelStore(path)
        wanted = {str(e.score_id): e.value for e in store.current()}
        finished = Sender(store, sink_of(server)).flush(FLUSH_S)
        there = server.scores()
        ids = [row["id"] for row in there]
        lost = [i for i in saved if i not in ids]
        wrong = [row["id"] for row in there if row["value"] != wanted.get(row["id"])]
        days = sorted({row["timestamp"][:10] for row in there})
    return (
        f"kills {kills}, labels saved {len(saved)}, on the server {len(ids)} on {len(days)} days; "
        f"all settled: {finished}\n"
        f"lost {len(lost)}, doubled {len(ids) - len(set(ids))}, with another value {len(wrong)}, "
        f"in {time.perf_counter() - began:.0f} s"
    )


def one_life(path: Path, server: LangfuseServer, number: int, labels: int, moment: float) -> list[str]:
    """Let a process make so many labels, kill it so many seconds later; give the ids of what it called saved."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            label_for_ever(path, server, number, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = [pipe.readline() for _ in range(labels)]
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said += pipe.readlines()
    return [line.decode().strip() for line in said if line.endswith(b"\n")]


def label_for_ever(path: Path, server: LangfuseServer, number: int, write: int) -> None:
    """Make labels until killed, and say the id of each when it is saved."""
    clock = BEFORE_MIDNIGHT + timedelta(seconds=number)
    store = LabelStore(path, clock=lambda: clock)
    Sender(store, sink_of(server)).start()
    place = 0
    while True:
        event = store.add(QUALITY, 1 + place % 5, trace_id=f"{number}-{place}", author="ann")
        os.write(write, f"{event.score_id}\n".encode())
        place += 1
        time.sleep(0.005)


def hurry(count: int) -> str:
    """Send many labels under the limits of the smallest plan; give the seconds from the last one to the last word."""
    from importlib import reload

    reload(sending)
    with LangfuseServer(rate_limits=HOBBY, eventual_s=2.0) as server, tempfile.TemporaryDirectory() as folder:
        store = LabelStore(Path(folder) / "labels.sqlite")
        sink = sink_of(server)
        sink.create_configs([QUALITY])
        sender = sending.Sender(store, sink).start()
        for place in range(count):
            store.add(QUALITY, 1 + place % 5, trace_id=f"t{place}", author="ann")
        last = time.perf_counter()
        sender.flush(FLUSH_S)
        took = time.perf_counter() - last
        sender.stop()
        states = [state for state, _ in sender.states().values()]
        refused = sum(seen.status == 429 for seen in server.requests)
        requests = len(server.requests)
    return (
        f"{count} labels on the Hobby limits: {states.count('confirmed')} confirmed {took:.1f} s after the last click "
        f"(scores readable after 2 s), {requests} requests, {refused} of them refused"
    )


if __name__ == "__main__":
    main()
