"""Faults on demand: what a network and a busy server do to requests."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "before",  # the connection is cut before anything was done
    "after",  # ... after everything was done, so that the client cannot know
    "truncated",  # ... in the middle of the answer
    "slow",  # the answer comes `seconds` later
    "html",  # a proxy's page, with status 200
    "413", "422", "429", "500", "502", "503", "524",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What happens to requests whose "METHOD /path" `pattern` finds: after `skip` of them, at most `times` times."""

    kind: Kind
    pattern: str = ""
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    seconds: float = 0.0  # of "slow", and the Retry-After of "429"


class Faults:
    """The faults in force, the first that fits wins; one seed gives one sequence of choices."""

    def __init__(self, seed: int) -> None:
        self.happened: list[tuple[str, Kind]] = []
        self._random = Random(seed)  # noqa: S311  # chance, not secrets
        self._lock = threading.Lock()
        self._active: list[_Active] = []

    def add(self, *faults: Fault) -> None:
        """Let these happen from now on."""
        with self._lock:
            self._active.extend(_Active(fault) for fault in faults)

    def clear(self) -> None:
        """Let nothing happen any more."""
        with self._lock:
            self._active.clear()

    def choose(self, request: str) -> Fault | None:
        """Choose what happens to a request."""
        with self._lock:
            for active in self._active:
                if active.strikes(request, self._random):
                    self.happened.append((request, active.fault.kind))
                    return active.fault
        return None


@dataclass
class _Active:
    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self, request: str, random: Random) -> bool:
        if not re.search(self.fault.pattern, request):
            return False
        self.seen += 1
        spent = self.fault.times is not None and self.struck >= self.fault.times
        if spent or self.seen <= self.fault.skip or random.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True
