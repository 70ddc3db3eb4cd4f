"""The spans of a store, one after the other, with all that they say."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import orjson

from .contents import SpanContent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pyarrow as pa

    from llmlens.store import Store

    from .contents.pairing import Parents
    from .texts import Filling

#: Spans that say something as messages or calls; what the others give and take is none, whatever it looks like.
_TALKING = "coalesce(kind, 'span') NOT IN ('retriever', 'reranker', 'embedding', 'event')"
#: Spans that may have documents: in their answer, or written as such under names that all have this word.
_FINDING = """
    (kind IN ('retriever', 'reranker') OR coalesce(kind, 'span') NOT IN ('llm', 'embedding', 'event')
     AND (contains(attributes, 'documents') OR events IS NOT NULL))
"""
_CHUNK = 2_000


class StoredSpan(NamedTuple):
    """A span, its start in microseconds, and what it may have: messages or calls (`talks`), documents (`finds`)."""

    span: SpanContent
    start: int
    talks: bool
    finds: bool


def stored_spans(store: Store, filling: Filling | None, *, talking: bool, finding: bool) -> Iterator[StoredSpan]:
    """Give the spans that may have messages or calls (`talking`) or documents (`finding`), as they were read.

    Those that lack texts too when there is a `filling`; they have them when they are given.
    """
    import pyarrow as pa

    if filling:
        contents = "raw_contents"
    elif store.has("texts"):  # a load has its contents in two tables, which need not be joined to the resources
        contents = "(SELECT c.* EXCLUDE (input, output), t.input, t.output FROM content_rows c JOIN texts t USING (n))"
    else:
        contents = "contents"
    # JSON comes as UTF-8, which is parsed where it lies; texts come so too, since few spans need them.
    query = f"""
        SELECT {"n, c.input IS NULL OR c.output IS NULL" if filling else "NULL, false"} AS lacks,
               coalesce(epoch_us(s.start), 0), {_TALKING if talking else "false"} AS talks,
               {_FINDING if finding else "false"} AS finds, lacks OR talks OR finds AS wanted,
               c.trace_id, c.span_id, s.kind, s.name, s.status, c.input AS given, c.output AS gave,
               CASE WHEN wanted THEN encode(c.attributes) END, encode(c.events)
        FROM {contents} c JOIN spans s USING (trace_id, span_id) {"" if filling else "WHERE wanted"}
    """
    for batch in store.batches(query, _CHUNK):
        if filling:
            filling.add(batch)
        *plain, inputs, outputs, attribute_rows, event_rows = batch.columns
        plain += [texts.view(pa.binary()) for texts in (inputs, outputs)]
        rows = zip(*(c.to_pylist() for c in plain), _views(attribute_rows), _views(event_rows), strict=True)
        for n, lacks, start, talks, finds, wanted, trace_id, span_id, kind, name, status, *rest in rows:
            if not wanted:
                continue
            given, gave, attributes, events = rest
            span = SpanContent(
                trace_id, span_id, None, kind, name, status, given, gave,
                orjson.loads(attributes) if attributes else {}, orjson.loads(events) if events else [],
            )  # fmt: skip
            if lacks and filling:
                filling.fill(n, span)
            yield StoredSpan(span, start, talks, finds)


def _views(column: pa.BinaryArray) -> list[memoryview]:
    """Give the values of a column without copying them; a missing one is empty."""
    if not len(column):
        return []
    _, offsets, values = column.buffers()
    data = memoryview(values or b"")
    places = memoryview(offsets).cast("i")[column.offset : column.offset + len(column) + 1].tolist()
    return [data[begin:end] for begin, end in pairwise(places)]


def parents(store: Store, traces: Collection[str]) -> Parents:
    """Give the parent of every span of these traces, by trace_id and span_id."""
    query = "SELECT trace_id, span_id, parent_id FROM spans WHERE trace_id IN (SELECT unnest(?))"
    return {(trace, span): parent for trace, span, parent in store.execute(query, [list(traces)]).fetchall()}
