"""A server in a process of its own: it says where it listens in one line of JSON, and ends with its standard input."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import orjson

from .limits import CORE, HOBBY, PRO
from .params import iso
from .server import LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLANS: dict[str, Any] = {"none": {}, "hobby": HOBBY, "core": CORE, "pro": PRO}
_WORDS = ("refund", "order", "ledger", "the", "customer", "asked", "twice", "bank", "said", "no", "and", "we", "looked")


def main(args: Sequence[str] | None = None) -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.langfuse_server", description=__doc__)
    parser.add_argument("--version", default="4.16.0")
    parser.add_argument("--mode", default="events_only", choices=("v3", "dual", "events_only"))
    parser.add_argument("--plan", default="none", choices=_PLANS, help="the rate limits of a plan of the cloud")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--observations", type=int, default=0, help="how many to make up, in traces of ten")
    parser.add_argument("--text-bytes", type=int, default=2000, help="length of each input and of each output")
    given = parser.parse_args(args)
    with LangfuseServer(given.version, given.mode, rate_limits=_PLANS[given.plan], port=given.port) as server:
        server.add_observations(made_up(given.observations, given.text_bytes))
        said = {"url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
        sys.stdout.write(orjson.dumps(said).decode() + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def made_up(count: int, text_bytes: int = 2000, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Make up observations, ten a trace and a trace a second back from 2026-11-24: a chat with a tool and a search."""
    random = Random(seed)  # noqa: S311  # chance, not secrets
    words = " ".join(random.choices(_WORDS, k=20 * text_bytes))
    end = datetime(2026, 11, 24, tzinfo=UTC)
    for number in range(count):
        trace, place = divmod(number, 10)
        start = end - timedelta(seconds=trace + 1) + timedelta(milliseconds=40 * place)
        kind = ("CHAIN", "RETRIEVER", "TOOL")[place] if place < 3 else "GENERATION"
        row: dict[str, Any] = {
            "id": f"{number:016x}", "traceId": f"{trace:032x}", "type": kind, "name": kind.lower(),
            "parentObservationId": f"{trace * 10:016x}" if place else None, "traceName": "support",
            "startTime": iso(start), "endTime": iso(start + timedelta(milliseconds=random.randint(20, 900))),
            "input": _text(random, words, text_bytes, "user"), "output": _text(random, words, text_bytes, "assistant"),
            "metadata": {"scope.name": "langfuse-sdk", "resourceAttributes.service.name": "support", "tier": "gold"},
            "userId": f"user-{trace % 500}", "sessionId": f"session-{trace // 3}", "tags": ["web"], "release": "1.4",
        }  # fmt: skip
        if kind == "GENERATION":
            used = {"input": random.randint(200, 900), "output": random.randint(50, 300)}
            price = {"input": used["input"] * 2.5e-6, "output": used["output"] * 1e-5}
            row |= {
                "model": "gpt-4o", "modelParameters": {"temperature": 0.5}, "inputPrice": "0.0000025",
                "usageDetails": {**used, "total": sum(used.values())}, "outputPrice": "0.00001",
                "costDetails": {**price, "total": sum(price.values())},
            }  # fmt: skip
        yield row


def _text(random: Random, words: str, length: int, role: str) -> str:
    start = random.randrange(len(words) - length)
    return f'[{{"role":"{role}","content":"{words[start : start + length]}"}}]'


if __name__ == "__main__":
    main()
