"""What can only be done when all spans are there: duplicates, logs, trees, what a trace shares, prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.schema import SPANS

from .prices import price_table
from .raw import Problem
from .trace_rows import give_to_roots, set_aside
from .tree import depths, parents_of

if TYPE_CHECKING:
    from llmlens.store import Store

#: Log records that belong to spans wait here until all spans are known.
LOGS = """
    CREATE TABLE logs (trace_id VARCHAR, span_id VARCHAR, time_ns BIGINT, event VARCHAR, source VARCHAR, line BIGINT,
                       n BIGINT)
"""

Found = Iterator[tuple[Problem, str]]

#: Given somewhere in a trace, they hold for all of its spans.
_SHARED = ("session_id", "user_id", "environment", "release", "tags")


def finish(store: Store, *, prices: Any) -> Found:
    """Turn `staged` into `spans`; yield the problems met, with their source."""
    yield from _drop_duplicates(store)
    yield from set_aside(store)
    yield from _join_logs(store)
    yield from _build_trees(store)
    give_to_roots(store)
    yield from _flag_unread_cache(store)
    yield from _write_spans(store, prices)
    store.execute("DROP TABLE staged")
    store.execute("DROP TABLE span_depths")
    store.execute("DROP TABLE logs")


def _drop_duplicates(store: Store) -> Found:
    """Keep one of the spans with the same identity: the one updated or ended last, that holds most, came first."""
    doubles = "SELECT trace_id, span_id FROM staged GROUP BY ALL HAVING count(*) > 1"
    if store.execute(f"SELECT 1 FROM ({doubles}) LIMIT 1").fetchone() is None:
        return
    store.execute(f"""
        CREATE TABLE doubles AS
        SELECT n, source, line, trace_id, span_id, fingerprint,
               row_number() OVER w AS place, first_value(n) OVER w AS winner
        FROM (SELECT s.*, c.attributes, c.events,
                     hash(s.name, s.parent_id, s.start, s."end", s.status, s.status_message, c.attributes, c.events,
                          c.links) AS fingerprint
              FROM staged s JOIN content_rows c USING (n) JOIN ({doubles}) d
              ON s.trace_id = d.trace_id AND s.span_id = d.span_id)
        WINDOW w AS (PARTITION BY trace_id, span_id
                     ORDER BY updated DESC NULLS LAST, "end" IS NULL, "end" DESC,
                              length(attributes) DESC, length(events) DESC, fingerprint, n)
    """)
    rows = store.execute("""
        SELECT d.source, d.fingerprint = w.fingerprint AS equal, count(*),
               any_value(d.trace_id || '/' || d.span_id ORDER BY d.n), any_value(d.line ORDER BY d.n)
        FROM doubles d JOIN doubles w ON d.winner = w.n WHERE d.place > 1 GROUP BY ALL ORDER BY ALL
    """).fetchall()
    losers = "(SELECT n FROM doubles WHERE place > 1)"
    store.execute(f"DELETE FROM staged WHERE n IN {losers}")
    store.execute(f"DELETE FROM content_rows WHERE n IN {losers}")
    store.execute("DROP TABLE doubles")
    for source, equal, count, example, line in rows:
        reason = (
            "span came more than once, all the same: one was kept"
            if equal
            else "span came more than once, not all the same: the most complete one was kept"
        )
        yield Problem(line, reason, example, count), source


def _join_logs(store: Store) -> Found:
    """Append log records to the events of their span: its messages may be only there."""
    if store.execute("SELECT 1 FROM logs LIMIT 1").fetchone() is None:
        return
    came_before = "row_number() OVER (PARTITION BY trace_id, span_id, time_ns, event ORDER BY n) > 1"
    store.execute(f"CREATE TABLE log_doubles AS SELECT n FROM logs QUALIFY {came_before}")
    for reason, which in (
        ("log record came more than once: one was kept", "logs SEMI JOIN log_doubles USING (n)"),
        ("log record of a span that is not in the load",
         "logs ANTI JOIN log_doubles USING (n) ANTI JOIN content_rows USING (trace_id, span_id)"),
    ):  # fmt: skip
        found = store.execute(f"""
            SELECT source, any_value(line ORDER BY n), count(*), any_value(event ORDER BY n)
            FROM {which} GROUP BY source ORDER BY ALL
        """).fetchall()
        for source, line, count, example in found:
            yield Problem(line, reason, example[:200], count), source
    store.execute("DELETE FROM logs WHERE n IN (SELECT n FROM log_doubles)")
    store.execute("DROP TABLE log_doubles")
    store.execute("""
        UPDATE content_rows SET events = x.events FROM (
            SELECT c.n, '[' || concat_ws(',', nullif(any_value(c.events[2:-2]), ''),
                                         string_agg(l.event, ',' ORDER BY l.time_ns, l.n)) || ']' AS events
            FROM content_rows c JOIN logs l USING (trace_id, span_id) GROUP BY c.n) x
        WHERE content_rows.n = x.n
    """)


def _build_trees(store: Store) -> Found:
    import pyarrow as pa

    n, parent, start = parents_of(store, "staged")
    found = depths(parent, start)
    cut = np.zeros(len(n), bool)
    cut[found.cut] = True
    table = pa.table({"n": n, "depth": found.depth, "cut": cut})
    store.insert("CREATE TABLE span_depths AS SELECT * FROM found", found=table)
    cycles = store.execute("""
        SELECT s.source, count(*), any_value(s.trace_id || '/' || s.span_id ORDER BY s.n),
               any_value(s.line ORDER BY s.n)
        FROM staged s JOIN span_depths d USING (n) WHERE d.cut GROUP BY s.source ORDER BY ALL
    """).fetchall()
    for source, count, example, line in cycles:
        yield Problem(line, "span is its own ancestor: the cycle was cut here", example, count, "repaired"), source
    orphans = store.execute("""
        SELECT s.source, count(*), any_value(s.trace_id || '/' || s.span_id ORDER BY s.n),
               any_value(s.line ORDER BY s.n)
        FROM staged s JOIN span_depths d USING (n)
        WHERE d.depth = 0 AND NOT d.cut AND s.parent_id IS NOT NULL GROUP BY s.source ORDER BY ALL
    """).fetchall()
    for source, count, example, line in orphans:
        yield (
            Problem(line, "parent of the span is not in the load: it is shown as a root", example, count, "noted"),
            source,
        )


def _flag_unread_cache(store: Store) -> Found:
    rows = store.execute("""
        SELECT source, count(*), any_value(unread_cache ORDER BY n), any_value(line ORDER BY n) FROM staged
        WHERE unread_cache IS NOT NULL AND cache_read_tokens IS NULL AND cache_write_tokens IS NULL
        GROUP BY source ORDER BY ALL
    """).fetchall()
    for source, count, example, line in rows:
        reason = "cached tokens are given in keys of the caller's own: not read, so the cost may be too high"
        yield Problem(line, reason, example, count, "noted"), source


def _write_spans(store: Store, prices: Any) -> Found:

    def first(name: str, where: str = "true") -> str:
        column = f's."{name}"'
        return f"first({column} ORDER BY s.start, s.span_id) FILTER ({column} IS NOT NULL AND {where})"

    shared = ", ".join(f'{first(name)} AS "{name}"' for name in (*_SHARED, "trace_name", "trace_url"))
    store.execute(f"""
        CREATE TABLE shared AS
        SELECT s.trace_id, {shared}, {first("name", "d.depth = 0")} AS root_name,
               coalesce({first("feature", "d.depth = 0")}, {first("feature")}) AS feature
        FROM staged s JOIN span_depths d USING (n) GROUP BY s.trace_id
    """)
    store.execute("""
        INSERT INTO trace_info SELECT trace_id, trace_name, trace_url FROM shared
        WHERE trace_name IS NOT NULL OR trace_url IS NOT NULL
    """)
    cursor = store.cursor()  # one for both: the price rules are a temporary table
    rules = price_table(cursor, "staged", prices)
    made = {name: f'coalesce(s."{name}", t."{name}")' for name in _SHARED}
    made["feature"] = "coalesce(s.feature, t.feature, t.trace_name, t.root_name)"
    made["depth"] = "d.depth"
    made["parent_id"] = "CASE WHEN NOT d.cut THEN s.parent_id END"
    made["cost_usd"] = rules.cost_sql()
    made["cost_source"] = rules.source_sql()
    columns = ", ".join(f'{made.get(c.name, f"s.{_quoted(c.name)}")} AS "{c.name}"' for c in SPANS.columns)
    cursor.execute(f"""
        CREATE OR REPLACE TABLE spans AS SELECT {columns}
        FROM staged s JOIN span_depths d USING (n) JOIN shared t ON t.trace_id = s.trace_id {rules.join_sql()}
    """)
    store.execute("DROP TABLE shared")
    for problem in rules.problems:
        yield problem, "prices"


def _quoted(name: str) -> str:
    return f'"{name}"'
