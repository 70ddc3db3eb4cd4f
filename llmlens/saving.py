"""A selection <-> a folder of Parquet files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .errors import ReadError, SourceNotFoundError
from .sql import duckdb_sql
from .store import STORED, Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import ibis.expr.types as ir

_FORMAT = 1
_MANIFEST = "llmlens.json"
_SAVED = (*STORED, "trace_info")
_HOW = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, USE_TMP_FILE false"


def save_tables(store: Store, tables: Mapping[str, ir.Table], notes: tuple[str, ...], folder: Path) -> Path:
    """Write tables of a store into a folder; see `Traces.save`.

    The manifest goes first and comes back last: a folder without it does not open, so an interrupted save is never
    taken for a whole one, nor a mixture of two saves for one.
    """
    if folder.exists() and not folder.is_dir():
        raise ReadError(f"{folder} is a file: save into an empty or a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() == store.folder:
        raise ReadError(f"These Traces were opened from {folder} and still read it: save into another folder.")
    ours = {f"{name}.parquet" for name in _SAVED} | {_MANIFEST}
    ours |= {f".{name}" for name in ours}  # what a save that was interrupted left behind
    foreign = sorted(p.name for p in folder.iterdir() if p.name not in ours)
    if foreign:
        raise ReadError(f"{folder} holds other files ({foreign[0]}): save into an empty or a new folder.")
    (folder / _MANIFEST).unlink(missing_ok=True)
    for name, table in tables.items():
        sort = [c for c in ("trace_id", "start") if c in table.columns]
        query = duckdb_sql(table.order_by(sort) if sort else table)
        partial = folder / f".{name}.parquet"
        store.execute(f"COPY ({query}) TO {_quoted(partial)} ({_HOW})")
        partial.replace(folder / f"{name}.parquet")
    partial = folder / f".{_MANIFEST}"
    partial.write_text(json.dumps({"format": _FORMAT, "notes": list(notes)}, indent=1), encoding="utf-8")
    partial.replace(folder / _MANIFEST)
    return folder


def open_tables(folder: Path) -> tuple[Store, tuple[str, ...]]:
    """Open what `save_tables` wrote, as a store and the notes; see `Traces.open`."""
    import duckdb

    if not folder.is_dir():
        raise SourceNotFoundError(f"There is no folder {folder}. open() takes what Traces.save(folder) wrote.")
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = "it was not written by Traces.save(), or the save was not finished"
        raise ReadError(f"{folder} has no readable {_MANIFEST}: {told}.") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != _FORMAT:
        raise ReadError(f"{folder} has format {found!r}; this version of llmlens reads {_FORMAT}.")
    store = Store()
    store.folder = folder.resolve()
    for name in _SAVED:
        file = folder / f"{name}.parquet"
        if not file.is_file():
            raise ReadError(f"{folder} lacks {file.name}: the save was not finished. Save again.")
        kind = "VIEW" if name == "contents" else "TABLE"
        try:
            store.execute(f"CREATE {kind} {name} AS SELECT * FROM read_parquet({_quoted(file)})")
        except duckdb.Error as error:
            raise ReadError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
    notes = manifest.get("notes")
    return store, tuple(map(str, notes)) if isinstance(notes, list) else ()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
