"""CSV, JSON lines, Parquet and DataFrames with one row a call or a span -> `Traces`."""

from .calls import load_table, read_csv, read_frame, read_jsonl, read_parquet
from .tables import TableLoad

__all__ = ["TableLoad", "load_table", "read_csv", "read_frame", "read_jsonl", "read_parquet"]
