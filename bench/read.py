"""Reading dumps: CPU, wall clock and memory beside their floors, each in a process of its own, all in one run.

    python bench/read.py                      # 100,000 spans, for every day
    python bench/read.py --spans 1000000      # the numbers of the README

Ratios are CPU time to the CPU time of the floor: `orjson.loads` of every line of the same file, or `FromString` of
every protobuf frame. Seconds depend on the machine and on what else it does; read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
READ_LIMIT, ZSTD_LIMIT, PROTOBUF_LIMIT, COST_LIMIT, MEMORY_LIMIT_GIB = 3.5, 1.15, 5.0, 5.0, 4.5


def dump(spans: int, kind: str) -> Path:
    """Make the dump unless it is there."""
    path = DATA / f"{spans}.{kind}"
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        command = [sys.executable, str(HERE / "generate.py"), "--spans", str(spans), "--out", str(path)]
        subprocess.run([*command, "--format", kind], check=True)
    return path


def floor_json(path: Path) -> dict[str, Any]:
    """`orjson.loads` of every line."""
    import orjson

    return timed(lambda: sum(1 for line in path.open("rb") if orjson.loads(line)))


def floor_protobuf(path: Path) -> dict[str, Any]:
    """`TracesData.FromString` of every frame."""
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    def parse() -> int:
        count = 0
        with path.open("rb") as file:
            while head := file.read(4):
                TracesData.FromString(file.read(int.from_bytes(head, "big")))
                count += 1
        return count

    return timed(parse)


def read(path: Path) -> dict[str, Any]:
    """`llmlens.read_otlp`: the flat span table, between two measurements of its floor."""
    import llmlens

    warm_up()
    return between_floors(path, lambda: len(llmlens.read_otlp(path).table("spans").columns))


def derive(path: Path) -> dict[str, Any]:
    """Make what is made at first use: texts, messages, documents, tool calls. Messages bring all the others."""
    import llmlens

    warm_up()
    traces = llmlens.read_otlp(path)

    def work() -> dict[str, int]:
        counted = {}
        for name in ("messages", "contents", "documents", "tool_calls"):
            table = traces.table(name)
            counted[name] = int(traces.fetch_arrow(table.count().name("n").as_table()).column(0)[0].as_py())
        return counted

    return between_floors(path, work)


def between_floors(path: Path, work: Callable[[], Any]) -> dict[str, Any]:
    """Measure `work`, and its floor before and after: the speed of a shared machine drifts within minutes."""
    floor = floor_protobuf if path.suffix == ".pb" else floor_json
    before = floor(unpacked(path))["cpu"]
    measured = timed(work)
    return {**measured, "floor": (before + floor(unpacked(path))["cpu"]) / 2}


def unpacked(path: Path) -> Path:
    """Name the same dump without packing: the floor is about parsing."""
    return path.with_suffix(".jsonl") if path.suffix == ".zst" else path


def cost(path: Path) -> dict[str, Any]:
    """`llmlens.cost` beside the same SQL in DuckDB itself, best of five each."""
    import llmlens

    traces = llmlens.read_otlp(path)
    by = ["feature", "model"]
    sql = """
        SELECT feature, model, date_trunc('day', start) AS period, count(*), count(DISTINCT trace_id),
               count(DISTINCT session_id), sum(input_tokens), sum(cache_read_tokens), sum(output_tokens), sum(cost_usd),
               count(*) FILTER (usage_source <> 'missing' AND cost_usd IS NULL)
        FROM spans WHERE kind IN ('llm', 'embedding', 'reranker') GROUP BY ALL
    """
    ours = min(timed(lambda: len(llmlens.cost(traces, by=by, every="1D")))["wall"] for _ in range(5))
    store = traces._store  # noqa: SLF001  # the peer runs in the same database
    peer = min(timed(lambda: len(store.arrow(sql)))["wall"] for _ in range(5))
    return {"ours": ours, "peer": peer}


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Run and measure: CPU and wall seconds, peak memory of the process, and what came out."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "result": result,
    }


def warm_up() -> None:
    """Import everything that a load and its tables need, the prices too, by loading a span."""
    import tempfile

    import llmlens

    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                  {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
                  {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1"}}]  # fmt: skip
    span = {"traceId": "1" * 32, "spanId": "1" * 16, "name": "chat", "attributes": attributes,
            "startTimeUnixNano": "1793577600000000000", "endTimeUnixNano": "1793577600000000001"}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.jsonl"
        one.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}), encoding="utf-8")
        llmlens.read_otlp(one).table("messages")


def apart(task: str, path: Path, threads: int = 2) -> dict[str, Any]:
    """Run one of the functions above in a process of its own."""
    environment = {**os.environ, "LLMLENS_THREADS": str(threads)}
    command = [sys.executable, __file__, "--task", task, "--path", str(path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def row(what: str, value: str, limit: str, *, met: bool) -> None:
    """Print one line of the table."""
    print(f"| {what} | {value} | {limit} | {'yes' if met else '**no**'} |", flush=True)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--task", choices=sorted(TASKS), help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.task:
        print(json.dumps(TASKS[chosen.task](chosen.path)))
        return
    paths = {kind: dump(chosen.spans, kind) for kind in ("jsonl", "zst", "pb")}
    print(f"{chosen.spans:,} spans, {paths['jsonl'].stat().st_size / 1e9:.2f} GB; {platform.machine()}, "
          f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}\n")  # fmt: skip
    print("| what | measured | limit | met |\n|---|---|---|---|")
    one, two = apart("read", paths["jsonl"], 1), apart("read", paths["jsonl"], 2)
    print(f"| floor: orjson.loads of every line | {two['floor']:.1f} s CPU | | |", flush=True)
    ratio = two["cpu"] / two["floor"]
    row("read_otlp, collector NDJSON", f"{ratio:.2f} × floor", f"{READ_LIMIT} ×", met=ratio <= READ_LIMIT)
    print(f"| wall clock with one engine thread | {one['wall']:.1f} s | | |")
    print(f"| wall clock with two engine threads | {two['wall']:.1f} s | | |", flush=True)
    peak = max(one["peak_gib"], two["peak_gib"])
    row("peak memory", f"{peak:.2f} GiB", f"{MEMORY_LIMIT_GIB} GiB", met=peak <= MEMORY_LIMIT_GIB)
    later = apart("derive", paths["jsonl"])
    later_ratio = later["cpu"] / later["floor"]
    what = "texts, messages, documents, tool calls at first use"
    row(what, f"{later_ratio:.2f} × floor", f"{READ_LIMIT} ×", met=later_ratio <= READ_LIMIT)
    packed = apart("read", paths["zst"])
    more = packed["cpu"] / packed["floor"] / ratio
    row("read_otlp, .zst", f"{more:.2f} × NDJSON", f"{ZSTD_LIMIT} ×", met=more <= ZSTD_LIMIT)
    frames = apart("read", paths["pb"])
    print(f"| floor: TracesData.FromString of every frame | {frames['floor']:.1f} s CPU | | |", flush=True)
    ratio = frames["cpu"] / frames["floor"]
    row("read_otlp, protobuf frames", f"{ratio:.2f} × floor", f"{PROTOBUF_LIMIT} ×", met=ratio <= PROTOBUF_LIMIT)
    spent = apart("cost", paths["jsonl"])
    ratio = spent["ours"] / spent["peer"]
    row("cost(by=feature, model; every=1D)", f"{ratio:.2f} × the SQL", f"{COST_LIMIT} ×", met=ratio <= COST_LIMIT)


TASKS: dict[str, Callable[[Path], dict[str, Any]]] = {task.__name__: task for task in (read, derive, cost)}

if __name__ == "__main__":
    main()
