"""Faults on demand: what a network and a busy server do to requests."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "before",  # the connection is cut before anything was done
    "after",  # ... after it was done, so that the client cannot know
    "500", "502", "503", "422", "413", "429", "524",
    "slow", "truncated", "html",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A fault on the requests whose "METHOD /path" matches `pattern`, with some probability, at most `times` times."""

    kind: Kind
    pattern: str = ""
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0  # of `slow`, and of Retry-After


@dataclass
class Faults:
    """The faults in force; the same seed gives the same choices."""

    seed: int = 0
    active: list[Fault] = field(default_factory=list)
    happened: list[tuple[str, Kind]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin."""
        self._random = Random(self.seed)
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Let these happen from now on."""
        with self._lock:
            self.active.extend(faults)

    def clear(self) -> None:
        """Let nothing happen any more."""
        with self._lock:
            self.active.clear()

    def choose(self, request: str) -> Fault | None:
        """Choose what happens to a request."""
        with self._lock:
            for fault in self.active:
                done = sum(1 for r, kind in self.happened if kind == fault.kind and re.search(fault.pattern, r))
                if fault.times is not None and done >= fault.times:
                    continue
                if re.search(fault.pattern, request) and self._random.random() < fault.probability:
                    self.happened.append((request, fault.kind))
                    return fault
        return None
