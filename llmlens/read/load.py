"""Raw spans -> the tables: chunks are pivoted and mapped by SQL while more are decoded, then finished as a whole.

Rows in = rows out + rows in `problems` with action "dropped", always.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmlens.errors import ReadError
from llmlens.frames import arrow_of
from llmlens.store import Store

from .arrays import dumps
from .conventions import TEXTS, Conventions
from .finish import finish
from .pivot import FeatureFunction, Wide, resource_text
from .raw import Origin, Problem, Raw, RawLog, RawScore, RawSpan
from .scores import find_traces, log_scores, score_marks, score_rows, span_scores
from .staging import STAGED, Staging, staged_sql
from .texts import keep_text_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .table import TableLoad

#: Spans are pivoted when there are this many; rows are mapped by SQL when there are this many, or when their source has
#: given this many bytes.
_PIVOTED = 1024
_LOOK = 64  # how often that is looked at
_MAPPED = 16 * _PIVOTED
_MAPPED_BYTES = 64 << 20


class Loader:
    """Takes what dialects yield, and gives a finished `Store`.

    `strict` raises `ReadError` at the first problem that drops or repairs something.
    """

    def __init__(
        self,
        conventions: Conventions,
        *,
        feature: FeatureFunction | None = None,
        prices: Any = None,
        strict: bool = False,
    ) -> None:
        """Open an empty store."""
        self.store = Store()
        self.store.create_empty()
        self.conventions = conventions
        self.feature = feature
        self.prices = prices
        self.strict = strict
        self._others_in = 0
        self.notes: list[str] = []
        self._spans: list[RawSpan] = []
        self._sources: list[str] = []
        self._n = 0
        self._n_logs = 0
        self._logs: list[tuple[RawLog, str]] = []
        self._scores: list[RawScore] = []
        self._resources: dict[str, int] = {}
        self._origins: dict[int, tuple[int, Origin]] = {}  # by id, which is theirs as long as they are kept here
        self._numbers: list[int] = []
        self._texts = {a for name in TEXTS for a in conventions.text_attributes(name)}
        self._texts_met: set[str] = set()
        self._problems: dict[tuple[str, str, str], list[Any]] = {}
        self._wide = Wide()
        self._staging = Staging(self.store)

    @property
    def items_in(self) -> int:
        """Count the spans, rows, log records, scores and problems taken so far."""
        return self._n + self._wide.rows + len(self._spans) + self._others_in

    def add_all(self, raws: Iterable[Raw], source: str, position: Callable[[], int] = int) -> None:
        """Take everything a dialect yields from one source; `position` says how many bytes it has read by now."""
        flushed = 0
        with without_gc():
            for raw in raws:
                if type(raw) is not RawSpan:
                    self._add_other(raw, source)
                    continue
                self._spans.append(raw)
                self._sources.append(source)
                if len(self._spans) % _LOOK:
                    continue
                if len(self._spans) >= _PIVOTED:
                    self._pivot()
                if self._wide.rows >= _MAPPED or position() - flushed > _MAPPED_BYTES:
                    self._flush()
                    flushed = position()

    def _add_other(self, raw: Raw, source: str) -> None:
        self._others_in += 1
        if type(raw) is Problem:
            self.problem(raw, source)
        elif type(raw) is RawLog:
            self._logs.append((raw, source))
            if score_marks((), (raw.name,)):
                self._scores.extend(log_scores(raw))
            if len(self._logs) >= _MAPPED:
                self._flush_logs()
        elif type(raw) is RawScore:
            self._scores.append(raw)

    def add_tables(self, load: TableLoad, source: str) -> None:
        """Take the rows of a table, mapped already, and the spans that were in it raw."""
        for problem in load.problems:
            self.problem(problem, source)
        self.notes.extend(note for note in load.notes if note not in self.notes)
        self.add_all(load.raw, source)
        count = len(load.spans)
        if not count:
            return
        import pyarrow as pa

        self._flush()
        n = pa.array(range(self._n, self._n + count), pa.int64())
        self._n += count
        spans = arrow_of(load.spans).append_column("n", n)
        names = ", ".join(f'"{c.name}"' for c in STAGED)
        typed = ", ".join(f'CAST("{c.name}" AS {c.sql_type})' for c in STAGED)
        self._staging.insert(f"INSERT INTO staged ({names}, n) SELECT {typed}, n FROM rows", spans)
        contents = arrow_of(load.contents).append_column("n", n)
        columns = "trace_id, span_id, input, output, attributes, events, links, n"
        self._staging.insert(f"INSERT INTO content_rows ({columns}) SELECT {columns} FROM rows", contents)
        self.store.insert_frame("scores", load.scores)

    def problem(self, problem: Problem, source: str) -> None:
        """Count a problem; those with the same reason in the same source are one row."""
        if self.strict and problem.action in ("dropped", "repaired"):
            at = f"{source}:{problem.line}" if problem.line is not None else source
            example = f" It begins: {problem.example!r}." if problem.example else ""
            raise ReadError(f"{at}: {problem.reason}.{example} Without strict=True it is counted in `problems`.")
        key = (source, problem.reason, problem.action)
        row = self._problems.get(key)
        if row is None:
            self._problems[key] = [problem.line, problem.count, problem.example]
        else:
            row[1] += problem.count

    def finish(self) -> Store:
        """Map what is left, remove duplicates, build trees, price, and give the store."""
        self._flush()
        self._flush_logs()
        self._staging.close()
        for problem, source in finish(self.store, prices=self.prices):
            self.problem(problem, source)
        keep_text_sources(self.store, self.conventions, self._texts_met, self._resources)
        if self._scores:
            self.store.insert_frame("scores", score_rows(self._scores))
            find_traces(self.store)
        self._write_problems()
        return self.store

    def _write_problems(self) -> None:
        import pandas as pd

        rows = [
            {"source": s, "line": line, "reason": reason, "count": count, "action": action, "example": example or None}
            for (s, reason, action), (line, count, example) in self._problems.items()
        ]
        if rows:
            frame = pd.DataFrame(rows).astype({"line": "Int64", "count": "Int64", "example": "str"})
            self.store.insert_frame("problems", frame)

    def _pivot(self) -> None:
        """Put the spans into the wide table, and take from them what does not go through it."""
        spans, sources = self._spans, self._sources
        if not spans:
            return
        self._spans, self._sources = [], []
        self._wide.add(spans, sources, self.conventions, self.feature)
        origins = [id(span.origin) for span in spans]
        for new, origin in {key: span.origin for key, span in zip(origins, spans, strict=True)}.items():
            if new not in self._origins:
                number = self._resources.setdefault(resource_text(origin), len(self._resources))
                self._origins[new] = (number, origin)
        self._numbers += [self._origins[origin][0] for origin in origins]
        if marks := score_marks(self._wide.attributes, self._wide.events):
            self._scores.extend(score for span in spans for score in span_scores(span, marks))

    def _flush(self) -> None:
        """Map the wide table to `staged` and `content_rows`."""
        import pyarrow as pa

        self._pivot()
        wide, numbers = self._wide, self._numbers
        if not wide.rows:
            return
        self._wide, self._numbers, self._origins = Wide(), [], {}
        self._texts_met |= self._texts & wide.attributes
        n = pa.array(range(self._n, self._n + wide.rows), pa.int64())
        self._n += wide.rows
        table = wide.table().append_column("resource", pa.array(numbers, pa.int32())).append_column("n", n)
        sql = staged_sql(wide.known, wide.fields, feature_given=self.feature is not None)
        self._staging.insert(f"INSERT INTO staged {sql}", table)
        columns = "trace_id, span_id, attributes, events, links, resource, n"
        self._staging.insert(f"INSERT INTO content_rows ({columns}) SELECT {columns} FROM rows", table)

    def _flush_logs(self) -> None:
        import pyarrow as pa

        if not self._logs:
            return
        logs, self._logs = self._logs, []
        rows = [r for r, _ in logs]
        table = pa.table(
            {
                "trace_id": pa.array([r.trace_id for r in rows], pa.string()),
                "span_id": pa.array([r.span_id for r in rows], pa.string()),
                "time_ns": pa.array([r.time_ns for r in rows], pa.int64()),
                "event": pa.array([_log_event(r) for r in rows], pa.binary()).cast(pa.string()),
                "source": pa.array([s for _, s in logs], pa.string()),
                "line": pa.array([r.line for r in rows], pa.int64()),
                "n": pa.array(range(self._n_logs, self._n_logs + len(rows)), pa.int64()),
            }
        )
        self._n_logs += len(rows)
        self._staging.insert("INSERT INTO logs SELECT * FROM rows", table)


def _log_event(log: RawLog) -> bytes:
    body = {} if log.body in (None, "", {}) else {"body": log.body}
    return dumps({"name": log.name, "time": log.time_ns, "attributes": {**log.attributes, **body}})


@contextmanager
def without_gc() -> Iterator[None]:
    """Stop Python's cyclic collector while millions of short-lived lists and dicts are made; they have no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
