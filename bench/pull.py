"""How much a pull from Langfuse costs: llmlens against the typed client of Langfuse's own package.

    python bench/pull.py --observations 100000

The stand-in server of tests/langfuse_server runs in a process of its own and holds observations with 2 KB in and 2 KB
out each. Both clients read all of them, in the same run, each in a fresh process: llmlens into `Traces`, the package's
client into a DataFrame of the fields of its rows. Printed are CPU seconds, wall seconds and peak memory of the client.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
TEXT = "The parcel left the depot this morning and is on its way to you; it will be there on Friday at noon. "
PAGE = 1000
GROUPS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


def rows(n: int) -> list[dict[str, Any]]:
    """Make observations of five a trace."""
    found = []
    for place in range(n):
        start = BEGIN + timedelta(seconds=place)
        said = json.dumps([{"role": "user", "content": f"{place} " + (TEXT * 21)[:1960]}])
        found.append(
            {
                "id": f"{place:016x}", "traceId": f"{place // 5:032x}", "startTime": _iso(start),
                "endTime": _iso(start + timedelta(seconds=2)), "type": "GENERATION" if place % 5 else "SPAN",
                "name": "answer", "model": "gpt-4o" if place % 5 else "", "input": said,
                "output": json.dumps({"role": "assistant", "content": (TEXT * 21)[:1960]}),
                "usageDetails": {"input": 500, "input_cached_tokens": 100, "output": 400, "total": 1000},
                "costDetails": {"input": 0.001, "output": 0.004, "total": 0.005}, "totalCost": 0.005,
                "parentObservationId": f"{place // 5 * 5:016x}" if place % 5 else None, "userId": f"u{place % 97}",
                "sessionId": f"s{place % 1009}", "traceName": "chat", "tags": ["feature:refunds"],
                "createdAt": _iso(start), "updatedAt": _iso(start), "isRootObservation": place % 5 == 0,
                "metadata": {"scope.name": "langfuse-sdk", "resourceAttributes.service.name": "shop", "tenant": "t1"},
                "modelParameters": {"temperature": 0.2},
            }
        )  # fmt: skip
    return found


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def serve(n: int, address: Any, done: Any) -> None:
    """Run the server until told to end."""
    from langfuse_server import LangfuseServer

    with LangfuseServer() as server:
        server.add_observations(rows(n))
        address.put((server.url, server.public_key, server.secret_key))
        done.wait()


def ours(url: str, public: str, secret: str) -> int:
    """Read all with llmlens."""
    from llmlens.read.langfuse.reader import read_langfuse

    traces = read_langfuse(
        BEGIN, BEGIN + timedelta(days=30), base_url=url, public_key=public, secret_key=secret, progress=False
    )
    return len(traces.spans)


def theirs(url: str, public: str, secret: str) -> int:
    """Read all with the package's client."""
    import pandas as pd
    from langfuse.api import LangfuseAPI

    client = LangfuseAPI(base_url=url, username=public, password=secret, timeout=120)
    found: list[Any] = []
    cursor = None
    while True:
        page = client.observations.get_many(
            fields=GROUPS, limit=PAGE, cursor=cursor, from_start_time=BEGIN, to_start_time=BEGIN + timedelta(days=30)
        )
        found += [vars(row) for row in page.data]
        cursor = page.meta.cursor
        if not cursor:
            break
    return len(pd.DataFrame(found))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--observations", type=int, default=100_000)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        which, *server = given.client
        began = time.perf_counter()
        count = {"ours": ours, "theirs": theirs}[which](*server)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([count, used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024]))
        return
    context = multiprocessing.get_context("spawn")
    address, done = context.Queue(), context.Event()
    server = context.Process(target=serve, args=(given.observations, address, done), daemon=True)
    server.start()
    at = address.get()
    run(["ours", *at])  # the server renders its rows once
    results = {which: run([which, *at]) for which in ("ours", "theirs")}
    done.set()
    server.join()
    print(f"{given.observations:,} observations      rows    CPU s   wall s   peak MiB")
    for which, name in (("ours", "ll.read_langfuse"), ("theirs", "typed client   ")):
        count, cpu, wall, peak = results[which]
        print(f"{name:<23}{count:>8,}{cpu:>9.1f}{wall:>9.1f}{peak:>11,.0f}")
    print(f"CPU: 1/{results['theirs'][1] / results['ours'][1]:.1f} of the typed client's")


def run(client: list[str]) -> list[float]:
    """Run a client in a process of its own."""
    command = [sys.executable, __file__, "--client", *client]
    return list(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    main()
