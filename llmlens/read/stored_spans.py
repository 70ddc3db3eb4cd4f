"""The spans of a store, one after the other, with all that they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from .contents import SpanContent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.store import Store

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
    # JSON comes as UTF-8, which is parsed without making Python texts of it first; so do texts, which few spans need.
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
        named = zip(batch.schema.names, batch.columns, strict=True)
        columns = (c.view(pa.binary()) if name in {"given", "gave"} else c for name, c in named)
        rows = zip(*(c.to_pylist() for c in columns), strict=True)
        for n, lacks, start, talks, finds, wanted, trace_id, span_id, kind, name, status, *texts in rows:
            if not wanted:
                continue
            given, gave, attributes, events = texts
            span = SpanContent(
                trace_id, span_id, None, kind, name, status, given, gave,
                orjson.loads(attributes) if attributes else {}, orjson.loads(events) if events else [],
            )  # fmt: skip
            if lacks and filling:
                filling.fill(n, span)
            yield StoredSpan(span, start, talks, finds)


def parents(store: Store) -> dict[tuple[str, str], str | None]:
    """Give the parent of every span, by trace_id and span_id."""
    columns = store.arrow("SELECT trace_id, span_id, parent_id FROM spans").columns
    return {(trace, span): parent for trace, span, parent in zip(*(c.to_pylist() for c in columns), strict=True)}
