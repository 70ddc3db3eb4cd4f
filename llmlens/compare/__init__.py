"""Two selections -> what changed."""

from __future__ import annotations

from llmlens.callable_module import call_with

from .comparison import compare

__all__ = ["compare"]

call_with(__name__, compare)
