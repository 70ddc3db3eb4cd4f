"""How much a pull from Langfuse costs: llmlens against the typed client of Langfuse's own package.

    python bench/pull.py --observations 100000

The stand-in server of tests/langfuse_server runs in a process of its own and holds observations with 2 KB in and 2 KB
out each. All clients read all of them, in the same run, each in a fresh process that has read one observation before:
llmlens into `Traces` and their `spans`, the package's client into a DataFrame of its rows: by `dict()`, the method that
the package gives its rows, and by `vars()`, the cheapest way there is. The client's pages come one after the other,
which costs it less CPU than threads would. Printed are CPU seconds, wall seconds and peak memory of each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
LONG_AGO = BEGIN - timedelta(days=365)
TEXT = "The parcel left the depot this morning and is on its way to you; it will be there on Friday at noon. "
PAGE = 1000
CPU_LIMIT, MEMORY_LIMIT_MIB = 1 / 8, 1536
GROUPS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


def rows(n: int, begin: datetime = BEGIN) -> list[dict[str, Any]]:
    """Make observations of five a trace, the first one at `begin`."""
    found = []
    for place in range(n):
        start = begin + timedelta(seconds=place)
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
    from tests.langfuse_server import LangfuseServer

    with LangfuseServer() as server:
        server.add_observations(rows(n, BEGIN) + rows(1, LONG_AGO))
        address.put((server.url, server.public_key, server.secret_key))
        done.wait()


def ours(url: str, public: str, secret: str, since: datetime) -> int:
    """Read 30 days with llmlens."""
    from llmlens.read.langfuse.reader import read_langfuse

    until = since + timedelta(days=30)
    return len(read_langfuse(since, until, progress=False, base_url=url, public_key=public, secret_key=secret).spans)


def typed(url: str, public: str, secret: str, since: datetime) -> int:
    """Read 30 days with the package's client, as its rows give themselves."""
    return _typed(url, public, secret, since, lambda row: row.dict())


def typed_bare(url: str, public: str, secret: str, since: datetime) -> int:
    """Read 30 days with the package's client, looking into its rows."""
    return _typed(url, public, secret, since, vars)


def _typed(url: str, public: str, secret: str, since: datetime, plain: Callable[[Any], dict[str, Any]]) -> int:
    import pandas as pd
    from langfuse.api import LangfuseAPI

    client = LangfuseAPI(base_url=url, username=public, password=secret, timeout=120)
    found: list[Any] = []
    cursor = None
    while True:
        page = client.observations.get_many(
            fields=GROUPS, limit=PAGE, cursor=cursor, from_start_time=since, to_start_time=since + timedelta(days=30)
        )
        found += map(plain, page.data)
        cursor = page.meta.cursor
        if not cursor:
            return len(pd.DataFrame(found))


CLIENTS = {
    "ours": (ours, "llmlens.read_langfuse"),
    "typed": (typed, "typed client, dict()"),
    "typed_bare": (typed_bare, "typed client, vars()"),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--observations", type=int, default=100_000)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        which, url, public, secret = given.client
        read, _ = CLIENTS[which]
        read(url, public, secret, LONG_AGO)  # imports what is imported at first use
        began, used = time.perf_counter(), time.process_time()
        count = read(url, public, secret, BEGIN)
        cpu, wall = time.process_time() - used, time.perf_counter() - began
        print(json.dumps([count, cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    context = multiprocessing.get_context("spawn")
    address, done = context.Queue(), context.Event()
    server = context.Process(target=serve, args=(given.observations, address, done), daemon=True)
    server.start()
    at = address.get()
    run(["ours", *at])  # the server renders its rows once
    results = {which: run([which, *at]) for which in CLIENTS}
    done.set()
    server.join()
    print(f"{given.observations:,} observations, 2 KB in and 2 KB out each; {platform.machine()}, {os.cpu_count()} "
          f"cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}\n")  # fmt: skip
    print("| client | rows | CPU s | wall s | peak MiB | CPU of llmlens to it | limit |\n|---|---|---|---|---|---|---|")
    for which, (_, name) in CLIENTS.items():
        found, cpu, wall, peak = results[which]
        beside = f"1/{cpu / results['ours'][1]:.1f}" if which != "ours" else ""
        limit = f"1/{1 / CPU_LIMIT:.0f}" if which != "ours" else f"{MEMORY_LIMIT_MIB:,} MiB"
        print(f"| {name} | {found:,} | {cpu:.1f} | {wall:.1f} | {peak:,.0f} | {beside} | {limit} |")


def run(client: list[str]) -> list[float]:
    """Run a client in a process of its own."""
    command = [sys.executable, __file__, "--client", *client]
    return list(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    main()
