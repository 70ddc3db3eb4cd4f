"""What is shared: a notebook, what was collected of its widgets, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Review:
    """What goes into a file: everything in it has passed the redaction.

    `collected` is what `collecting.collect` gives, or None; `code` is "fold", "show" or "hide"; `notices` are said at
    the head of the page, `redacted` says what was taken out.
    """

    notebook: Any
    collected: dict[str, Any] | None
    title: str
    code: str = "fold"
    notices: Sequence[str] = ()
    redacted: str = ""
