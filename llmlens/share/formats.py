"""What can be written, by the suffix of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fitting import fitted
from .github import github_notebook
from .markdown_file import markdown_file
from .pdf import print_page

if TYPE_CHECKING:
    from pathlib import Path

    from .review import Review


def _html(review: Review, path: Path, max_mb: float) -> None:
    path.write_text(fitted(review, max_mb), "utf-8", newline="\n")


def _ipynb(review: Review, path: Path, max_mb: float) -> None:
    path.write_text(fitted(review, max_mb, github_notebook), "utf-8", newline="\n")


def _md(review: Review, path: Path, max_mb: float) -> None:
    path.write_text(fitted(review, max_mb, markdown_file), "utf-8", newline="\n")


def _pdf(review: Review, path: Path, max_mb: float) -> None:
    print_page(fitted(review, max_mb), path)


FORMATS = {".html": _html, ".ipynb": _ipynb, ".md": _md, ".pdf": _pdf}
