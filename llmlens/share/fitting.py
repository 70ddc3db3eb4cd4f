"""A page that stays below a size: first texts are shortened, then large outputs left out, and the page says so."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from llmlens.errors import ShareError

from .lengths import Scissors
from .page import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from .review import Review

#: Characters that a text keeps, until it fits.
_LIMITS = (20_000, 5_000, 1_000, 200)
#: An output longer than this is left out when short texts are not enough.
_LARGE = 50_000
_MEGABYTE = 1e6


def fitted(review: Review, max_mb: float, write: Callable[[Review], str] = page) -> str:
    """Write a review so that it is at most `max_mb` megabytes; raise `ShareError` when it cannot be."""
    made = write(review)
    for limit in _LIMITS:
        if _megabytes(made) <= max_mb:
            return made
        shorter = _shortened(review, limit, max_mb)
        made = write(shorter)
    if _megabytes(made) > max_mb:
        made = write(_without_large(shorter))
    if _megabytes(made) > max_mb:
        raise ShareError(
            f"The shared file would be {_megabytes(made):.1f} MB and max_mb is {max_mb:g}, with all texts shortened. "
            "Raise max_mb, or share with texts='none'."
        )
    return made


def _megabytes(text: str) -> float:
    return len(text.encode("utf-8", "replace")) / _MEGABYTE


def _shortened(review: Review, limit: int, max_mb: float) -> Review:
    scissors = Scissors(limit)
    notebook = copy.deepcopy(review.notebook)
    scissors.notebook(notebook)
    collected = None if review.collected is None else scissors.collected(review.collected)
    notice = (
        f"To stay below {max_mb:g} MB, {scissors.texts:,} texts were cut to {limit:,} characters; "
        "each says how much of it is missing."
    )
    return replace(review, notebook=notebook, collected=collected, notices=[*review.notices, notice])


def _without_large(review: Review) -> Review:
    """Leave out large outputs, and what views would answer at length."""
    left_out = 0
    for cell in review.notebook.cells:
        for output in cell.get("outputs", []):
            for kind, value in list(output.get("data", {}).items()):
                size = len(json.dumps(value))
                if size > _LARGE:
                    left_out += 1
                    del output["data"][kind]
                    output["data"].setdefault("text/plain", f"[{kind} of {size / _MEGABYTE:.1f} MB left out]")
    notice = f"{left_out:,} large outputs were left out."
    return replace(review, notices=[*review.notices, notice]) if left_out else review
