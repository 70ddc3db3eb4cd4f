"""`Traces`: an immutable set of traces, held as tidy tables. Every selection is again a `Traces`."""

from __future__ import annotations

import math
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .errors import ReadError, SelectionError, unknown
from .schema import SCORES, TABLES, TRACES
from .store import STORED, Store, to_pandas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa


@runtime_checkable
class HasFrame(Protocol):
    """What gives a frame of scores, such as a store of labels."""

    def frame(self) -> pd.DataFrame:
        """Give rows of the `scores` table."""
        ...


class Traces:
    """A set of whole traces.

    Each table of `llmlens.schema()` is a property that returns a pandas DataFrame; `table(name)` gives the Ibis table
    behind it, for what should not come into memory. `where`, `trace`, `sample`, `low_scoring` and `|` give new
    `Traces`.
    """

    def __init__(
        self,
        store: Store,
        *,
        trace_ids: ir.Table | None = None,
        span_ids: ir.Table | None = None,
        scores: ir.Table | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Select from a store; users get theirs from a reader.

        `trace_ids` and `span_ids` are tables of the store that hold what is selected, `scores` the table of scores.
        """
        self._store = store
        self._trace_ids = trace_ids
        self._span_ids = span_ids
        self._scores = scores
        self.notes = notes

    # ------------------------------------------------------------------ building

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], *, notes: tuple[str, ...] = ()) -> Traces:
        """Build `Traces` from DataFrames by name of table; columns of the schema that are missing become NA.

        Raises `UnknownNameError` for a table or column that the schema does not have, `ReadError` for values that do
        not fit their column and for spans that are not told apart by `trace_id` and `span_id`.
        """
        import duckdb
        import pyarrow as pa

        store = Store()
        store.create_empty()
        for name, frame in frames.items():
            if name not in STORED:
                what = "stored table"
                raise unknown(what, name, STORED)
            if not hasattr(frame, "columns"):
                raise ReadError(f"from_frames takes DataFrames by name of table; {name} is {type(frame).__name__}.")
            try:
                store.insert_frame(name, frame)
            except (pa.ArrowException, duckdb.Error) as error:
                raise ReadError(f"The frame of {name} does not fit the table: {_first_line(error)}") from None
            if lost := store.count_unidentified(name):
                told = "trace_id and span_id, which must be given and together occur once"
                raise ReadError(f"The frame of {name} has {lost} rows without {told}.")
        if "depth" not in frames.get("spans", ()):
            from .read.tree import set_depths

            set_depths(store)
        return cls(store, notes=notes)

    # ------------------------------------------------------------------ tables

    def table(self, name: str) -> ir.Table:
        """Give the Ibis table `name` of this selection.

        Raises `UnknownNameError` for a table that the schema does not have.
        """
        if name not in TABLES:
            what = "table"
            raise unknown(what, name, TABLES)
        if name == "problems":
            return self._store.ibis("problems")
        if name == "traces":
            return self._with_texts(self._rollup())
        if name == "sessions":
            from .rollups import session_rollup

            return session_rollup(self._rollup())
        if name in ("contents", "messages", "documents", "tool_calls"):
            from .read.derive import derive

            derive(self._store, name)
        if name == "scores":
            return self._selected_scores()
        return self._selected(self._store.ibis(name))

    def _selected(self, table: ir.Table) -> ir.Table:
        if self._span_ids is not None and "span_id" in table.columns:
            kept = self._span_ids
            same = table.span_id == kept.span_id
            if "requested_by" in table.columns:
                same |= table.requested_by == kept.span_id
            return table.semi_join(kept, [table.trace_id == kept.trace_id, same])
        if self._trace_ids is not None:
            return table.semi_join(self._trace_ids, "trace_id")
        return table

    def _selected_scores(self) -> ir.Table:
        """Give the scores of the spans, the traces and the sessions that are selected."""
        scores = self._store.ibis("scores") if self._scores is None else self._scores
        if self._trace_ids is None:
            return scores
        found = scores.filter(scores.trace_id.isnull()).semi_join(self.table("spans"), "session_id")
        if self._span_ids is None:
            return found.union(self._selected(scores))
        found = found.union(scores.filter(scores.span_id.isnull()).semi_join(self._trace_ids, "trace_id"))
        return found.union(self._selected(scores))

    def _rollup(self) -> ir.Table:
        """Give the traces without the texts of their roots; for whole traces it is computed once a store."""
        from .rollups import trace_rollup

        info = self._store.ibis("trace_info")
        if self._span_ids is not None:
            return trace_rollup(self.table("spans"), info)

        def make() -> None:
            import ibis

            rollup = ibis.to_sql(trace_rollup(self._store.ibis("spans"), info), dialect="duckdb")
            columns = [c for c in TRACES.columns if c.name not in ("input", "output")]
            typed = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in columns)
            self._store.execute(f"CREATE TABLE trace_rollup AS SELECT {typed} FROM ({rollup})")

        self._store.once("trace_rollup", make)
        return self._selected(self._store.ibis("trace_rollup"))

    def _with_texts(self, rollup: ir.Table) -> ir.Table:
        spans = self.table("spans")
        roots = spans.filter(spans.depth == 0)
        roots = roots.group_by("trace_id").agg(span_id=roots.span_id.first(order_by=[roots.start, roots.span_id]))
        texts = self.table("contents").inner_join(roots, ["trace_id", "span_id"])
        texts = texts.select("trace_id", "input", "output")
        return rollup.left_join(texts, "trace_id").select(*TRACES.names)

    def fetch_arrow(self, expression: ir.Expr) -> pa.Table:
        """Run an Ibis expression over this selection's tables and give an Arrow table; safe on any thread."""
        import ibis
        import pyarrow as pa

        table = self._store.arrow(ibis.to_sql(expression, dialect="duckdb"))
        # DuckDB widens sums of integers to 128 bits, which reach Arrow as floats.
        for place, (name, dtype) in enumerate(expression.as_table().schema().items()):
            if dtype.is_integer() and not pa.types.is_integer(table.schema.field(place).type):
                table = table.set_column(place, name, table.column(place).cast(pa.int64()))
        return table

    def fetch(self, expression: ir.Expr) -> pd.DataFrame:
        """Run an Ibis expression over this selection's tables and give a DataFrame; safe on any thread."""
        return to_pandas(self.fetch_arrow(expression))

    def _frame(self, name: str) -> pd.DataFrame:
        table = self.table(name)
        order = {
            "spans": ["start", "trace_id", "depth", "span_id"],
            "traces": ["start", "trace_id"],
            "sessions": ["start", "session_id"],
            "scores": ["created", "trace_id", "name", "score_id"],
            "problems": ["source", "line", "reason", "example"],
            "messages": ["trace_id", "span_id", "position"],
            "documents": ["trace_id", "span_id", "rank"],
            "tool_calls": ["trace_id", "requested_by", "span_id", "call_id", "tool", "arguments"],
            "contents": ["trace_id", "span_id"],
        }[name]
        return self.fetch(table.order_by(order))

    @property
    def spans(self) -> pd.DataFrame:
        """A row a span, ordered by start."""
        return self._frame("spans")

    @property
    def contents(self) -> pd.DataFrame:
        """A row a span: its texts and all its attributes. Large."""
        return self._frame("contents")

    @property
    def messages(self) -> pd.DataFrame:
        """A row a chat message; made at first use."""
        return self._frame("messages")

    @property
    def documents(self) -> pd.DataFrame:
        """A row a retrieved or reranked document; made at first use."""
        return self._frame("documents")

    @property
    def tool_calls(self) -> pd.DataFrame:
        """A row a tool call, asked for or executed; made at first use."""
        return self._frame("tool_calls")

    @property
    def scores(self) -> pd.DataFrame:
        """A row a judgement."""
        return self._frame("scores")

    @property
    def traces(self) -> pd.DataFrame:
        """A row a trace, rolled up from its spans."""
        return self._frame("traces")

    @property
    def sessions(self) -> pd.DataFrame:
        """A row a conversation, rolled up from its traces."""
        return self._frame("sessions")

    @property
    def problems(self) -> pd.DataFrame:
        """What the load could not take, or took with a reservation; it is about the whole load."""
        return self._frame("problems")

    @property
    def trace_ids(self) -> list[str]:
        """The ids of the traces, in order of their start."""
        rollup = self._rollup()
        ids = rollup.order_by([rollup.start, rollup.trace_id]).select("trace_id")
        return [str(i) for i in self.fetch_arrow(ids).column(0).to_pylist()]

    def __len__(self) -> int:
        """Count the traces."""
        counted = self.fetch_arrow(self._rollup().count().name("n").as_table())
        return int(counted.column(0)[0].as_py())

    def __getattr__(self, name: str) -> Any:
        """Explain a table that does not exist; everything that exists was found before this is asked."""
        if name.startswith("_"):
            raise AttributeError(name)
        from .errors import nearest

        public = [n for n in dir(type(self)) if not n.startswith("_")]
        raise AttributeError(f"Traces have no {name!r}.{nearest(name, public)}")

    # ------------------------------------------------------------------ selecting

    def where(
        self,
        expression: str | None = None,
        /,
        *,
        since: str | date | None = None,
        until: str | date | None = None,
        spans_only: bool = False,
        **equals: Any,
    ) -> Traces:
        """Select the traces that fit all that is asked.

        `equals` are columns of `spans` or `traces` and the value they must have; a list means one of, `None` means NA,
        and a tag fits when it is among the tags. `expression` is a condition such as
        `"duration_s > 10 and model == 'gpt-4o'"`; `trace.cost_usd` is the trace's where a span has that column too, and
        `metadata.tenant` looks into the metadata. Conditions on span columns must hold together on one span of the
        trace; a comparison with NA holds nowhere, but for `== None` and `isna()`. `since` (inclusive) and `until`
        (exclusive) are about the start of the trace; without a zone they are UTC.

        With `spans_only=True` only the spans that fit are kept, else the whole trace is.

        Raises `SelectionError` or `UnknownNameError` for what cannot be understood.
        """
        from .selecting import Conditions, moment

        first, last = (None if at is None else moment(at, name) for at, name in ((since, "since"), (until, "until")))
        conditions = Conditions(equals, expression, first, last)
        if conditions.empty:
            return self
        spans, traces = self.table("spans"), self._rollup()
        span_ids = conditions.matching_spans(spans, traces)
        if span_ids is None:
            return self._keep(conditions.matching_traces(traces))
        if not spans_only:
            return self._keep(span_ids.select("trace_id").distinct())
        kept = _evaluated(self._store, span_ids, "chosen_spans")
        trace_ids = self._store.keep(kept.select("trace_id").distinct(), "chosen")
        return self._with(trace_ids=trace_ids, span_ids=kept)

    def trace(self, trace_id: str) -> Traces:
        """Select one trace by its id, or by a beginning of it that only one trace has.

        Raises `UnknownNameError` when there is none.
        """
        if not isinstance(trace_id, str):
            raise SelectionError(f"trace takes the id of a trace as text, or its beginning; got {trace_id!r}.")
        rollup = self._rollup()
        found = self.fetch_arrow(
            rollup.filter(rollup.trace_id.startswith(trace_id)).select("trace_id").order_by("trace_id").limit(10_000)
        )
        ids = [str(i) for i in found.column(0).to_pylist()]
        exact = [i for i in ids if i == trace_id] or ids
        if len(exact) == 1:
            return self._keep(rollup.filter(rollup.trace_id == exact[0]).select("trace_id"))
        if not ids:
            raise unknown("trace", trace_id, self.trace_ids[:1000] if len(self) <= 1000 else ())
        raise SelectionError(f"{len(ids)} traces begin with {trace_id!r}, such as {ids[0]!r} and {ids[1]!r}.")

    def sample(self, n: int, seed: int = 0) -> Traces:
        """Select `n` traces at random; the same seed gives the same traces, in whatever order they were read."""
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 0:
            raise SelectionError(f"sample needs a number of traces, 0 or more; got {n!r}.")
        import ibis

        rollup = self._rollup()
        shuffled = rollup.mutate(_key=(rollup.trace_id + ibis.literal(f":{seed}")).hexdigest("md5"))
        return self._keep(shuffled.order_by("_key", "trace_id").limit(int(n)).select("trace_id"))

    def low_scoring(self, name: str, below: float) -> Traces:
        """Select the traces with a score called `name` under `below`, given to the trace or to any of its spans.

        Raises `UnknownNameError` when no trace has such a score.
        """
        scores = self.table("scores")
        names = self.fetch_arrow(scores.select("name").distinct()).column(0).to_pylist()
        if name not in names:
            what = "score"
            raise unknown(what, name, [str(n) for n in names])
        if isinstance(below, bool) or not isinstance(below, Real) or math.isnan(below):
            raise SelectionError(f"low_scoring needs a number: the scores below it are low; got below={below!r}.")
        return self._keep(
            scores.filter((scores.name == name) & (scores.value < float(below))).select("trace_id").distinct()
        )

    def with_scores(self, scores: pd.DataFrame | HasFrame) -> Traces:
        """Add judgements: a DataFrame with columns of the `scores` table, or a store of labels.

        Needed are `trace_id` or `session_id`, `name`, and `value` or `label`. A score with a `score_id` that is there
        already replaces it. Ids that are missing are made from the trace, the span or the session, the name and the
        author, so that adding the same frame twice adds it once.

        Raises `UnknownNameError` for other columns, `SelectionError` for missing ones, and for values that are none.
        """
        from .read.scores import complete_scores

        frame = complete_scores(scores.frame() if isinstance(scores, HasFrame) else scores)
        known = self._store.ibis("scores") if self._scores is None else self._scores
        kept = self._store.keep(known, "scores")
        columns = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in SCORES.columns)
        replaced = f"DELETE FROM {kept.get_name()} WHERE score_id IN (SELECT score_id FROM incoming)"
        added = f"INSERT INTO {kept.get_name()} SELECT {columns} FROM incoming"
        self._store.insert(replaced, incoming=frame)
        self._store.insert(added, incoming=frame)
        return self._with(scores=kept)

    def __or__(self, other: Traces) -> Traces:
        """Unite two selections; a trace that is in both is one trace."""
        if not isinstance(other, Traces):
            return NotImplemented
        if other._store is self._store and self._span_ids is None and other._span_ids is None:
            ids = self._rollup().select("trace_id").union(other._rollup().select("trace_id"), distinct=True)
            if other._scores is self._scores:
                return self._keep(ids)
            scores, more = self.table("scores"), other.table("scores")
            scores = self._store.keep(scores.union(more.anti_join(scores, "score_id")), "scores")
            return self._with(trace_ids=self._store.keep(ids, "chosen"), scores=scores)
        from .unite import unite

        return Traces(unite(self, other), notes=(*self.notes, *(n for n in other.notes if n not in self.notes)))

    def _keep(self, ids: ir.Table) -> Traces:
        trace_ids = _evaluated(self._store, ids, "chosen")
        if self._span_ids is None:
            return self._with(trace_ids=trace_ids)
        return self._with(
            trace_ids=trace_ids,
            span_ids=self._store.keep(self._span_ids.semi_join(trace_ids, "trace_id"), "chosen_spans"),
        )

    def _with(self, **changed: ir.Table) -> Traces:
        own = {"trace_ids": self._trace_ids, "span_ids": self._span_ids, "scores": self._scores}
        return Traces(self._store, **{**own, **changed}, notes=self.notes)

    # ------------------------------------------------------------------ keeping

    def save(self, folder: str | Path) -> Path:
        """Write the selection as Parquet files into a folder; `llmlens.open(folder)` reads them back.

        The folder is made if need be; what was saved there before is replaced. Raises `ReadError` when it holds other
        files, or is the one that these `Traces` were opened from.
        """
        from .saving import save_tables

        tables = {name: self.table(name) for name in STORED}
        tables["trace_info"] = self._selected(self._store.ibis("trace_info"))
        return save_tables(self._store, tables, self.notes, Path(folder))

    @classmethod
    def open(cls, folder: str | Path) -> Traces:
        """Open what `save` wrote. The texts stay in the files until they are asked for.

        Raises `SourceNotFoundError` when there is no such folder, `ReadError` when it holds something else.
        """
        from .saving import open_tables

        store, notes = open_tables(Path(folder))
        return cls(store, notes=notes)

    # ------------------------------------------------------------------ showing

    def summary(self) -> dict[str, Any]:
        """Say what there is: counts, window, models, features, tokens, cost and problems."""
        from .summary import summarise

        return summarise(self)

    def __repr__(self) -> str:
        """Say in a few lines what there is."""
        from .summary import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from .summary import as_html

        return as_html(self)


def _evaluated(store: Store, condition: ir.Table, prefix: str) -> ir.Table:
    """Keep what a condition of the user's selects; what only its evaluation finds wrong is the user's to mend too."""
    import duckdb

    try:
        return store.keep(condition, prefix)
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        raise SelectionError(f"The condition cannot be evaluated: {_first_line(error)}") from None
    except RecursionError:
        raise SelectionError("The condition is nested too deeply.") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def union(traces: Iterable[Traces]) -> Traces:
    """Unite many selections into one; the same as `a | b | c`.

    Raises `SelectionError` when there is none.
    """
    result: Traces | None = None
    for each in traces:
        if not isinstance(each, Traces):
            raise SelectionError(f"union takes Traces; got {type(each).__name__}.")
        result = each if result is None else result | each
    if result is None:
        raise SelectionError("union needs at least one Traces.")
    return result


def open(folder: str | Path) -> Traces:  # noqa: A001  # `llmlens.open`, by design
    """Open what `Traces.save(folder)` wrote; the same as `Traces.open`."""
    return Traces.open(folder)
