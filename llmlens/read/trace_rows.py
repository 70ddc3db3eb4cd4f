"""What some systems say of a trace as a whole, in a row of its own -> the spans of the trace.

Such a row goes through the mapping as a raw span without a `span_id`. When all spans are there, its columns and
attributes go to the root, from where what a trace shares reaches all of its spans. A trace of which no span is in the
load becomes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from .arrays import dumps
from .raw import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.store import Store

_CHUNK = 2_000
_TAKEN = ("session_id", "user_id", "environment", "release", "feature", "tags", "trace_url")


def set_aside(store: Store) -> Iterator[tuple[Problem, str]]:
    """Move the rows of whole traces out of `staged` to `trace_rows`; yield the traces that have no spans."""
    if store.execute("SELECT 1 FROM staged WHERE span_id = '' LIMIT 1").fetchone() is None:
        return
    alone = "span_id = '' AND trace_id NOT IN (SELECT trace_id FROM staged WHERE span_id <> '')"
    found = store.execute(f"""
        SELECT source, any_value(line ORDER BY n), count(*), any_value(trace_id ORDER BY n)
        FROM staged WHERE {alone} GROUP BY source ORDER BY ALL
    """).fetchall()
    store.execute(f"UPDATE content_rows SET span_id = trace_id WHERE n IN (SELECT n FROM staged WHERE {alone})")
    store.execute(f"UPDATE staged SET span_id = trace_id WHERE {alone}")
    store.execute("""
        CREATE TABLE trace_rows AS SELECT s.*, c.attributes
        FROM staged s JOIN content_rows c USING (n) WHERE s.span_id = ''
    """)
    for table in ("staged", "content_rows"):
        store.execute(f"DELETE FROM {table} WHERE span_id = ''")
    for source, line, count, example in found:
        yield Problem(line, "trace without a span in the load: it is shown as one", example, count, "noted"), source


def give_to_roots(store: Store) -> None:
    """Give each of the `trace_rows` to the earliest root of its trace, which keeps what it has itself."""
    if not store.has("trace_rows"):
        return
    store.execute("""
        CREATE TABLE given AS SELECT t.* EXCLUDE (n), r.n FROM trace_rows t JOIN (
            SELECT trace_id, arg_min(n, (start, span_id)) AS n
            FROM staged JOIN span_depths d USING (n) WHERE d.depth = 0 GROUP BY trace_id) r USING (trace_id)
    """)
    store.execute("DROP TABLE trace_rows")
    # What a span says of the trace it is in may be of a trace within the trace.
    store.execute("""
        UPDATE staged SET trace_name = given.trace_name FROM given
        WHERE staged.trace_id = given.trace_id AND given.trace_name IS NOT NULL
    """)
    taken = ", ".join(f'"{name}" = coalesce(staged."{name}", given."{name}")' for name in _TAKEN)
    store.execute(f"UPDATE staged SET {taken} FROM given WHERE staged.n = given.n")
    _merge(store)
    store.execute("DROP TABLE given")


def _merge(store: Store) -> None:
    """Add the attributes and metadata of the traces to those of their roots, which win."""
    import pyarrow as pa

    query = """
        SELECT g.n, g.attributes, c.attributes, g.metadata, s.metadata
        FROM given g JOIN content_rows c USING (n) JOIN staged s USING (n)
    """
    kinds = {"n": pa.int64(), "attributes": pa.string(), "metadata": pa.string()}
    pieces = [pa.table({name: pa.array([], kind) for name, kind in kinds.items()})]
    for batch in store.batches(query, _CHUNK):
        n, of_trace, of_root, its_metadata, root_metadata = (column.to_pylist() for column in batch.columns)
        values = {
            "n": n,
            "attributes": list(map(_merged, of_trace, of_root)),
            "metadata": list(map(_merged, its_metadata, root_metadata)),
        }
        pieces.append(pa.table({name: pa.array(values[name], kind) for name, kind in kinds.items()}))
    merged = pa.concat_tables(pieces)
    for table, column in (("content_rows", "attributes"), ("staged", "metadata")):
        store.insert(f"UPDATE {table} SET {column} = m.{column} FROM merged m WHERE {table}.n = m.n", merged=merged)


def _merged(of_trace: str | None, of_root: str | None) -> str | None:
    if of_trace is None or of_root is None:
        return of_root or of_trace
    both: dict[str, Any] = {**orjson.loads(of_trace), **orjson.loads(of_root)}
    return dumps(both).decode()
