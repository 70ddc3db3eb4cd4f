"""What is selected of a store: its tables, and selections of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import SelectionError, unknown
from .schema import SCORES, TABLES, TRACES
from .sql import duckdb_sql
from .store import STORED, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir
    import pandas as pd

_ORDER = {
    "spans": ("start", "trace_id", "depth", "span_id"),
    "traces": ("start", "trace_id"),
    "sessions": ("start", "session_id"),
    "scores": ("created", "trace_id", "name", "score_id"),
    "problems": ("source", "line", "reason", "example"),
    "messages": ("trace_id", "span_id", "position"),
    "documents": ("trace_id", "span_id", "rank"),
    "tool_calls": ("trace_id", "requested_by", "span_id", "call_id", "tool", "arguments"),
    "contents": ("trace_id", "span_id"),
}


@dataclass(frozen=True, eq=False)
class Selection:
    """Some traces of a store, whole or some of their spans.

    `trace_ids` and `span_ids` are tables of the store that hold what is selected, None where all is; `scores` is the
    table of scores, None for the store's own.
    """

    store: Store
    trace_ids: ir.Table | None = None
    span_ids: ir.Table | None = None
    scores: ir.Table | None = None

    # ------------------------------------------------------------------ its tables

    def table(self, name: str) -> ir.Table:
        """Give a table of the schema; raises `UnknownNameError` for one that the schema does not have."""
        if name not in TABLES:
            what = "table"
            raise unknown(what, name, TABLES)
        if name == "problems":
            return self.store.ibis("problems")
        if name == "traces":
            return self._with_texts(self.rollup())
        if name == "sessions":
            from .rollups import session_rollup

            return session_rollup(self.rollup())
        if name in ("contents", "messages", "documents", "tool_calls"):
            from .read.derive import derive

            derive(self.store, name)
        if name == "scores":
            return self._selected_scores()
        return self._selected(self.store.ibis(name))

    def ordered(self, name: str) -> ir.Table:
        """Give a table of the schema in the order that users see."""
        return self.table(name).order_by(_ORDER[name])

    def stored(self) -> dict[str, ir.Table]:
        """Give the tables that a store of its own would hold, by name."""
        tables = {name: self.table(name) for name in STORED}
        return {**tables, "trace_info": self._selected(self.store.ibis("trace_info"))}

    def rollup(self) -> ir.Table:
        """Give the traces without the texts of their roots; for whole traces it is computed once a store."""
        from .rollups import trace_rollup

        info = self.store.ibis("trace_info")
        if self.span_ids is not None:
            return trace_rollup(self.table("spans"), info)

        def make() -> None:
            rollup = duckdb_sql(trace_rollup(self.store.ibis("spans"), info))
            columns = [c for c in TRACES.columns if c.name not in ("input", "output")]
            typed = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in columns)
            self.store.execute(f"CREATE TABLE trace_rollup AS SELECT {typed} FROM ({rollup})")

        self.store.once("trace_rollup", make)
        return self._selected(self.store.ibis("trace_rollup"))

    def made_once(self, name: str, make: Callable[[], ir.Table]) -> ir.Table:
        """Give the selected part of a table, by trace or by span, that takes long to make and is asked for often.

        `make` gives it for this selection. Where that is all that is stored the table is kept, and what is selected
        later is taken from it. Of single spans it is made anew: they say less than their trace.
        """
        known = self.store.has(name)
        if self.span_ids is not None or (self.trace_ids is not None and not known):
            return make()
        if not known:
            sql = duckdb_sql(make())
            self.store.once(name, lambda: self.store.execute(f"CREATE TABLE {name} AS {sql}"))
        return self._selected(self.store.ibis(name))

    def _selected(self, table: ir.Table) -> ir.Table:
        if self.span_ids is not None and "span_id" in table.columns:
            kept = self.span_ids
            same = table.span_id == kept.span_id
            if "requested_by" in table.columns:
                same |= table.requested_by == kept.span_id
            return table.semi_join(kept, [table.trace_id == kept.trace_id, same])
        if self.trace_ids is not None:
            return table.semi_join(self.trace_ids, "trace_id")
        return table

    def _selected_scores(self) -> ir.Table:
        """Give the scores of the spans, the traces and the sessions that are selected."""
        scores = self.store.ibis("scores") if self.scores is None else self.scores
        if self.trace_ids is None:
            return scores
        found = scores.filter(scores.trace_id.isnull()).semi_join(self.table("spans"), "session_id")
        if self.span_ids is None:
            return found.union(self._selected(scores))
        found = found.union(scores.filter(scores.span_id.isnull()).semi_join(self.trace_ids, "trace_id"))
        return found.union(self._selected(scores))

    def _with_texts(self, rollup: ir.Table) -> ir.Table:
        spans = self.table("spans")
        roots = spans.filter(spans.depth == 0)
        roots = roots.group_by("trace_id").agg(span_id=roots.span_id.first(order_by=[roots.start, roots.span_id]))
        texts = self.table("contents").inner_join(roots, ["trace_id", "span_id"])
        texts = texts.select("trace_id", "input", "output")
        return rollup.left_join(texts, "trace_id").select(*TRACES.names)

    # ------------------------------------------------------------------ selections of it

    def keep(self, trace_ids: ir.Table) -> Selection:
        """Select traces; raises `SelectionError` when what selects them cannot be evaluated."""
        kept = _evaluated(self.store, trace_ids, "chosen")
        if self.span_ids is None:
            return replace(self, trace_ids=kept)
        span_ids = self.store.keep(self.span_ids.semi_join(kept, "trace_id"), "chosen_spans")
        return replace(self, trace_ids=kept, span_ids=span_ids)

    def keep_spans(self, span_ids: ir.Table) -> Selection:
        """Select spans alone, by (trace_id, span_id); raises `SelectionError` like `keep`."""
        kept = _evaluated(self.store, span_ids, "chosen_spans")
        trace_ids = self.store.keep(kept.select("trace_id").distinct(), "chosen")
        return replace(self, trace_ids=trace_ids, span_ids=kept)

    def with_scores(self, frame: pd.DataFrame) -> Selection:
        """Add rows of the `scores` table; one with a `score_id` that is there already replaces it."""
        known = self.store.ibis("scores") if self.scores is None else self.scores
        kept = self.store.keep(known, "scores")
        columns = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in SCORES.columns)
        replaced = f"DELETE FROM {kept.get_name()} WHERE score_id IN (SELECT score_id FROM incoming)"
        added = f"INSERT INTO {kept.get_name()} SELECT {columns} FROM incoming"
        self.store.insert(replaced, incoming=frame)
        self.store.insert(added, incoming=frame)
        return replace(self, scores=kept)

    def __or__(self, other: Selection) -> Selection:
        """Unite two selections; whole traces of one store stay there, all else is copied into a new one."""
        if other.store is not self.store or self.span_ids is not None or other.span_ids is not None:
            from .unite import unite

            return Selection(unite(self, other))
        ids = self.rollup().select("trace_id").union(other.rollup().select("trace_id"), distinct=True)
        if other.scores is self.scores:
            return self.keep(ids)
        scores, more = self.table("scores"), other.table("scores")
        scores = self.store.keep(scores.union(more.anti_join(scores, "score_id")), "scores")
        return replace(self, trace_ids=self.store.keep(ids, "chosen"), scores=scores)


def _evaluated(store: Store, condition: ir.Table, prefix: str) -> ir.Table:
    """Keep what a condition of the user's selects; what only its evaluation finds wrong is the user's to mend too."""
    import duckdb

    try:
        return store.keep(condition, prefix)
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        raise SelectionError(f"The condition cannot be evaluated: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise SelectionError("The condition is nested too deeply.") from None
