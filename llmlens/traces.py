"""`Traces`: an immutable set of traces, held as tidy tables. Every selection is again a `Traces`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import schema
from .errors import ReadError, SelectionError, SourceNotFoundError, unknown
from .store import STORED, Store, to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

_FORMAT = 1


class Traces:
    """A set of whole traces.

    Each table of `llmlens.schema()` is a property that returns a pandas DataFrame; `table(name)` gives the Ibis table
    behind it, for what should not come into memory. `where`, `trace`, `sample`, `low_scoring` and `|` give new `Traces`.
    """

    def __init__(
        self,
        store: Store,
        *,
        trace_ids: str | None = None,
        span_ids: str | None = None,
        scores: str = "scores",
        notes: tuple[str, ...] = (),
        origin: Traces | None = None,
    ) -> None:
        """Select from a store; users get theirs from a reader.

        `trace_ids` and `span_ids` name tables of the store that hold what is selected, `scores` the table of scores.
        Those tables are dropped with the `Traces` that made them: `origin` is kept alive while this one uses them.
        """
        self._store = store
        self._trace_ids = trace_ids
        self._span_ids = span_ids
        self._scores = scores
        self._origin = origin
        self.notes = notes

    # ------------------------------------------------------------------ building

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], *, notes: tuple[str, ...] = ()) -> Traces:
        """Build `Traces` from DataFrames by name of table; columns of the schema that are missing become NA.

        Raises `UnknownNameError` for a table or column that the schema does not have.
        """
        store = Store()
        store.create_empty()
        for name, frame in frames.items():
            if name not in STORED:
                what = "stored table"
                raise unknown(what, name, STORED)
            store.insert_frame(name, frame)
        if "depth" not in frames.get("spans", ()):
            from .read.tree import set_depths

            set_depths(store)
        return cls(store, notes=notes)

    # ------------------------------------------------------------------ tables

    def table(self, name: str) -> ir.Table:
        """Give the Ibis table `name` of this selection.

        Raises `UnknownNameError` for a table that the schema does not have.
        """
        if name not in schema.TABLES:
            what = "table"
            raise unknown(what, name, schema.TABLES)
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
        return self._selected(self._store.ibis(self._scores if name == "scores" else name))

    def _selected(self, table: ir.Table) -> ir.Table:
        if self._trace_ids is not None:
            table = table.semi_join(self._store.ibis(self._trace_ids), "trace_id")
        if self._span_ids is not None and "span_id" in table.columns:
            table = table.semi_join(self._store.ibis(self._span_ids), ["trace_id", "span_id"])
        return table

    def _rollup(self) -> ir.Table:
        """Give the traces without the texts of their roots; for whole traces it is computed once a store."""
        from .rollups import trace_rollup

        info = self._store.ibis("trace_info")
        if self._span_ids is not None:
            return trace_rollup(self.table("spans"), info)

        def make() -> None:
            import ibis

            rollup = ibis.to_sql(trace_rollup(self._store.ibis("spans"), info), dialect="duckdb")
            columns = [c for c in schema.TRACES.columns if c.name not in ("input", "output")]
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
        return rollup.left_join(texts, "trace_id").select(*schema.TRACES.names)

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
            "problems": ["source", "line", "reason"],
            "messages": ["trace_id", "span_id", "position"],
            "documents": ["trace_id", "span_id", "rank"],
        }.get(name, ["trace_id"])
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
        trace. `since` (inclusive) and `until` (exclusive) are about the start of the trace; without a zone they are UTC.

        With `spans_only=True` only the spans that fit are kept, else the whole trace is.

        Raises `SelectionError` or `UnknownNameError` for what cannot be understood.
        """
        from .selecting import Conditions

        conditions = Conditions(equals, expression, _moment(since, "since"), _moment(until, "until"))
        if conditions.empty:
            return self
        spans, traces = self.table("spans"), self._rollup()
        span_ids = conditions.matching_spans(spans, traces)
        if span_ids is None:
            return self._keep(conditions.matching_traces(traces))
        if not spans_only:
            return self._keep(span_ids.select("trace_id").distinct())
        import ibis

        name = self._store.materialise(ibis.to_sql(span_ids, dialect="duckdb"), "chosen_spans")
        traces_name = self._store.materialise(f"SELECT DISTINCT trace_id FROM {name}", "chosen")
        return self._derived(traces_name, span_ids=name)

    def trace(self, trace_id: str) -> Traces:
        """Select one trace by its id, or by a beginning of it that only one trace has.

        Raises `UnknownNameError` when there is none.
        """
        rollup = self._rollup()
        found = self.fetch_arrow(rollup.filter(rollup.trace_id.startswith(trace_id)).select("trace_id").limit(10_000))
        ids = [str(i) for i in found.column(0).to_pylist()]
        exact = [i for i in ids if i == trace_id] or ids
        if len(exact) == 1:
            return self._keep(rollup.filter(rollup.trace_id == exact[0]).select("trace_id"))
        if not ids:
            raise unknown("trace", trace_id, self.trace_ids[:1000] if len(self) <= 1000 else ())
        raise SelectionError(f"{len(ids)} traces begin with {trace_id!r}, such as {ids[0]!r} and {ids[1]!r}.")

    def sample(self, n: int, seed: int = 0) -> Traces:
        """Select `n` traces at random; the same seed gives the same traces, in whatever order they were read."""
        if n < 0:
            raise SelectionError(f"sample needs a number of traces, 0 or more; got {n}.")
        rollup = self._rollup()
        import ibis

        shuffled = rollup.mutate(_key=(rollup.trace_id + ibis.literal(f":{seed}")).hexdigest("md5"))
        return self._keep(shuffled.order_by("_key", "trace_id").limit(n).select("trace_id"))

    def low_scoring(self, name: str, below: float) -> Traces:
        """Select the traces with a score called `name` under `below`, given to the trace or to any of its spans.

        Raises `UnknownNameError` when no trace has such a score.
        """
        scores = self.table("scores")
        names = self.fetch_arrow(scores.select("name").distinct()).column(0).to_pylist()
        if name not in names:
            what = "score"
            raise unknown(what, name, [str(n) for n in names])
        return self._keep(scores.filter((scores.name == name) & (scores.value < below)).select("trace_id").distinct())

    def with_scores(self, scores: pd.DataFrame) -> Traces:
        """Add judgements: a DataFrame with columns of the `scores` table, `trace_id`, `name` and `value` or `label`.

        A score with a `score_id` that is there already replaces it. Ids that are missing are made from the trace, the
        span, the name and the author, so that adding the same frame twice adds it once.

        Raises `UnknownNameError` for other columns, `SelectionError` for missing ones.
        """
        from .read.scores import complete_scores

        frame = complete_scores(scores)
        number = self._store.materialise(f"SELECT * FROM {self._scores}", "scores")
        fresh = Traces(
            self._store,
            trace_ids=self._trace_ids,
            span_ids=self._span_ids,
            scores=number,
            notes=self.notes,
            origin=self,
        )
        self._store.drop_with(fresh, number)
        columns = ", ".join(f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' for c in schema.SCORES.columns)
        replaced = f"DELETE FROM {number} WHERE score_id IN (SELECT score_id FROM incoming)"
        self._store.insert(replaced, incoming=frame)
        self._store.insert(f"INSERT INTO {number} SELECT {columns} FROM incoming", incoming=frame)
        return fresh

    def __or__(self, other: Traces) -> Traces:
        """Unite two selections; a trace that is in both is one trace."""
        if not isinstance(other, Traces):
            return NotImplemented
        if other._store is self._store and self._span_ids is None and other._span_ids is None:
            return self._keep(self._rollup().select("trace_id").union(other._rollup().select("trace_id"), distinct=True))
        from .union import unite

        return Traces(unite(self, other), notes=(*self.notes, *(n for n in other.notes if n not in self.notes)))

    def _keep(self, ids: ir.Table) -> Traces:
        import ibis

        return self._derived(self._store.materialise(ibis.to_sql(ids, dialect="duckdb"), "chosen"))

    def _derived(self, trace_ids: str, *, span_ids: str | None = None) -> Traces:
        made = Traces(
            self._store,
            trace_ids=trace_ids,
            span_ids=span_ids or self._span_ids,
            scores=self._scores,
            notes=self.notes,
            origin=self,
        )
        self._store.drop_with(made, trace_ids)
        if span_ids:
            self._store.drop_with(made, span_ids)
        return made

    # ------------------------------------------------------------------ keeping

    def save(self, folder: str | Path) -> Path:
        """Write the selection as Parquet files into a folder; `llmlens.open(folder)` reads them back.

        The folder is made if need be. Raises `ReadError` when it holds other files.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        ours = {f"{name}.parquet" for name in (*STORED, "trace_info")} | {"llmlens.json"}
        foreign = sorted(p.name for p in target.iterdir() if p.name not in ours)
        if foreign:
            raise ReadError(f"{target} holds other files ({foreign[0]}): save into an empty or a new folder.")
        import ibis

        tables = {name: self.table(name) for name in STORED}
        tables["trace_info"] = self._selected(self._store.ibis("trace_info"))
        for name, table in tables.items():
            sort = [c for c in ("trace_id", "start") if c in table.columns]
            query = ibis.to_sql(table.order_by(sort) if sort else table, dialect="duckdb")
            partial = target / f".{name}.parquet"
            path = str(partial).replace("'", "''")
            self._store.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)")
            partial.replace(target / f"{name}.parquet")
        manifest = {"format": _FORMAT, "notes": list(self.notes)}
        (target / "llmlens.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        return target

    @classmethod
    def open(cls, folder: str | Path) -> Traces:
        """Open what `save` wrote. The texts stay in the files until they are asked for.

        Raises `SourceNotFoundError` when there is no such folder, `ReadError` when it holds something else.
        """
        source = Path(folder)
        if not source.is_dir():
            raise SourceNotFoundError(f"There is no folder {source}. open() takes what Traces.save(folder) wrote.")
        try:
            manifest = json.loads((source / "llmlens.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ReadError(f"{source} has no readable llmlens.json: it was not written by Traces.save().") from None
        if manifest.get("format") != _FORMAT:
            raise ReadError(f"{source} has format {manifest.get('format')!r}; this version of llmlens reads {_FORMAT}.")
        store = Store()
        for name in (*STORED, "trace_info"):
            file = source / f"{name}.parquet"
            if not file.is_file():
                raise ReadError(f"{source} lacks {file.name}: the save was not finished. Save again.")
            path = str(file).replace("'", "''")
            kind = "VIEW" if name == "contents" else "TABLE"
            store.execute(f"CREATE {kind} {name} AS SELECT * FROM read_parquet('{path}')")
        return cls(store, notes=tuple(manifest.get("notes", ())))

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


def _moment(value: str | date | None, name: str) -> datetime | None:
    """Understand a point in time; without a zone it is UTC."""
    if value is None:
        return None
    import pandas as pd

    try:
        moment = pd.Timestamp(value)
    except (ValueError, TypeError):
        hint = "a date such as '2026-11-02', a time such as '2026-11-02 14:30', or a datetime"
        raise SelectionError(f"{name}={value!r} is not a time. Expected {hint}.") from None
    if moment is pd.NaT:
        raise SelectionError(f"{name}={value!r} is not a time.")
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return moment.to_pydatetime()


def union(traces: Iterable[Traces]) -> Traces:
    """Unite many selections into one; the same as `a | b | c`.

    Raises `SelectionError` when there is none.
    """
    result: Traces | None = None
    for each in traces:
        result = each if result is None else result | each
    if result is None:
        raise SelectionError("union needs at least one Traces.")
    return result


def open(folder: str | Path) -> Traces:
    """Open what `Traces.save(folder)` wrote; the same as `Traces.open`."""
    return Traces.open(folder)
