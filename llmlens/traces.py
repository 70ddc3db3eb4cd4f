"""`Traces`: an immutable set of traces, held as tidy tables. Every selection is again a `Traces`."""

from __future__ import annotations

import math
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from .errors import SelectionError, unknown
from .frames import to_pandas
from .selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    from .store import Store


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
        self._selection = Selection(store, trace_ids, span_ids, scores)
        self.notes = notes

    # ------------------------------------------------------------------ building

    @classmethod
    def from_frames(cls, frames: Mapping[str, pd.DataFrame], *, notes: tuple[str, ...] = ()) -> Traces:
        """Build `Traces` from DataFrames by name of table; columns of the schema that are missing become NA.

        Raises `UnknownNameError` for a table or column that the schema does not have, `ReadError` for values that do
        not fit their column and for spans that are not told apart by `trace_id` and `span_id`.
        """
        from .building import store_of

        return cls(store_of(frames), notes=notes)

    # ------------------------------------------------------------------ tables

    def table(self, name: str) -> ir.Table:
        """Give the Ibis table `name` of this selection.

        Raises `UnknownNameError` for a table that the schema does not have.
        """
        return self._selection.table(name)

    def fetch_arrow(self, expression: ir.Expr) -> pa.Table:
        """Run an Ibis expression over this selection's tables and give an Arrow table; safe on any thread."""
        return self._store.compute(expression)

    def fetch(self, expression: ir.Expr) -> pd.DataFrame:
        """Run an Ibis expression over this selection's tables and give a DataFrame; safe on any thread."""
        return to_pandas(self.fetch_arrow(expression))

    def _frame(self, name: str) -> pd.DataFrame:
        return self.fetch(self._selection.ordered(name))

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
        rollup = self._selection.rollup()
        ids = rollup.order_by([rollup.start, rollup.trace_id]).select("trace_id")
        return [str(i) for i in self.fetch_arrow(ids).column(0).to_pylist()]

    def __len__(self) -> int:
        """Count the traces."""
        counted = self.fetch_arrow(self._selection.rollup().count().name("n").as_table())
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
        and a tag fits when it is among the tags; keys of JSON go as `**{"metadata.tenant": "acme"}`. `expression` is a
        condition such as `"duration_s > 10 and model == 'gpt-4o'"`; `trace.cost_usd` is the trace's where a span has
        that column too, and `metadata.tenant` looks into the metadata. Conditions on span columns must hold together on
        one span of the trace; a comparison with NA holds nowhere, but for `== None` and `isna()`. `since` (inclusive)
        and `until` (exclusive) are about the start of the trace; without a zone they are UTC.

        With `spans_only=True` only the spans that fit are kept, else the whole trace is.

        Raises `SelectionError` or `UnknownNameError` for what cannot be understood.
        """
        from .selecting import Conditions, moment

        first, last = (None if at is None else moment(at, name) for at, name in ((since, "since"), (until, "until")))
        conditions = Conditions(equals, expression, first, last)
        if conditions.empty:
            return self
        spans, traces = self.table("spans"), self._selection.rollup()
        span_ids = conditions.matching_spans(spans, traces)
        if span_ids is None:
            return self._keep(conditions.matching_traces(traces))
        if not spans_only:
            return self._keep(span_ids.select("trace_id").distinct())
        return self._of(self._selection.keep_spans(span_ids))

    def trace(self, trace_id: str) -> Traces:
        """Select one trace by its id, or by a beginning of it that only one trace has.

        Raises `UnknownNameError` when there is none.
        """
        if not isinstance(trace_id, str):
            raise SelectionError(f"trace takes the id of a trace as text, or its beginning; got {trace_id!r}.")
        rollup = self._selection.rollup()
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

        rollup = self._selection.rollup()
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
        return self._of(self._selection.with_scores(frame))

    def __or__(self, other: Traces) -> Traces:
        """Unite two selections; a trace that is in both is one trace."""
        if not isinstance(other, Traces):
            return NotImplemented
        more = (note for note in other.notes if note not in self.notes)
        return self._of(self._selection | other._selection, notes=(*self.notes, *more))

    def _keep(self, trace_ids: ir.Table) -> Traces:
        return self._of(self._selection.keep(trace_ids))

    def _of(self, selection: Selection, notes: tuple[str, ...] | None = None) -> Traces:
        parts = {"trace_ids": selection.trace_ids, "span_ids": selection.span_ids, "scores": selection.scores}
        return Traces(selection.store, **parts, notes=self.notes if notes is None else notes)

    # ------------------------------------------------------------------ keeping

    def save(self, folder: str | Path) -> Path:
        """Write the selection as Parquet files into a folder; `llmlens.open(folder)` reads them back.

        The folder is made if need be; what was saved there before is replaced. Raises `ReadError` when it holds other
        files, or is the one that these `Traces` were opened from.
        """
        from .saving import save_tables

        return save_tables(self._store, self._selection.stored(), self.notes, Path(folder))

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
