"""Making things on a server that would make them twice when a request arrives twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from llmlens.errors import LangfuseError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_WAITS_S = (0.25, 1.0, 4.0)


def made_once(make: Callable[[], T], find: Callable[[], T | None]) -> T:
    """Make something by one request; when no answer comes, look whether it is there before it is made again."""
    for wait in _WAITS_S:
        try:
            return make()
        except LangfuseError:
            if (there := find()) is not None:
                return there
        time.sleep(wait)
    return make()
