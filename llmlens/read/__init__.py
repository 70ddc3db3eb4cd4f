"""Anything -> `Traces`."""

from __future__ import annotations

from llmlens.callable_module import call_with

from .anything import read
from .langfuse.reader import read_langfuse
from .otlp import read_otlp
from .table import read_csv, read_frame, read_jsonl, read_parquet

__all__ = [
    "read",
    "read_csv",
    "read_frame",
    "read_jsonl",
    "read_langfuse",
    "read_otlp",
    "read_parquet",
]

call_with(__name__, read)
