"""What can be written, by the suffix of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page import page

if TYPE_CHECKING:
    from pathlib import Path

    from .page import Review


def write_html(review: Review, path: Path, _max_mb: float) -> None:
    """Write the page."""
    path.write_text(page(review), "utf-8", newline="\n")


FORMATS = {".html": write_html}
