"""Retrieval calls and the documents they gave, as frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from llmlens.errors import unknown
from llmlens.json_values import is_key, text_at
from llmlens.measure.grouping import MARK, marked
from llmlens.measure.shape import bucket
from llmlens.schema import SPANS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

KINDS = ("retriever", "reranker")
#: Columns of documents that make groups too; and what begins like this is a key of their metadata.
OF_DOCUMENTS, METADATA = ("document_id", "rank"), "metadata."
_CALL = ["trace_id", "span_id"]


def document_columns(traces: Traces, by: str | Iterable[str] | None) -> tuple[list[str], list[str]]:
    """Part the columns to group by in those of spans (unchecked) and those of documents.

    A key of the metadata is of documents where one has it.
    """
    names: list[Any] = [] if by is None else list(by) if not isinstance(by, str) and isinstance(by, Iterable) else [by]
    documents = traces.table("documents")
    keys = {n: text_at(documents.metadata, [n.removeprefix(METADATA)]).count() for n in names if is_key(n)}
    (told,) = traces.fetch_arrow(documents.agg(**keys)).to_pylist() if keys else [{}]
    of_documents = [n for n in names if isinstance(n, str) and (n in OF_DOCUMENTS or told.get(n))]
    return [name for name in names if name not in of_documents], of_documents


def calls_of(traces: Traces, names: list[str], every: str | None) -> pd.DataFrame:
    """Give a row a retriever or reranker span: trace_id, span_id, kind, start and its groups (marked)."""
    table = _calls(traces)
    groups = {MARK + name: table[name] for name in names}
    if every is not None:
        groups[MARK + "period"] = bucket(table.start, every)
    chosen = table.select(*_CALL, "kind", "start", **groups)
    return traces.fetch(chosen.order_by(["start", *_CALL]))[[*_CALL, "kind", "start", *marked(names, every)]]


def timeless(calls: pd.DataFrame) -> str:
    """Say how many calls have no time: they have no period, and their documents no age."""
    n = int(calls["start"].isna().sum())
    return f"{n:,} of {len(calls):,} calls have no time: their documents have no age." if n else ""


def documents_of(traces: Traces, *more: str) -> pd.DataFrame:
    """Give a row a document of these calls, by rank: trace_id, span_id, rank, document_id, score and columns more."""
    documents = traces.table("documents")
    asked = documents.select(*_CALL, "rank", "document_id", "score", *more).semi_join(_calls(traces), _CALL)
    return traces.fetch(asked.order_by([*_CALL, "rank"]))


def queries_of(traces: Traces) -> pd.DataFrame:
    """Give what each call was asked: trace_id, span_id, query, without differences of case and spacing."""
    from llmlens.texts import text_rows

    contents = traces.table("contents").select(*_CALL, "input").semi_join(_calls(traces), _CALL)
    found = traces.fetch(contents).merge(text_rows(traces, "input")[["trace_id", "text"]], on="trace_id", how="left")
    found["query"] = normalised(found["input"].fillna(found["text"]))
    return found[[*_CALL, "query"]]


def normalised(text: pd.Series[str]) -> pd.Series[str]:
    """Write texts without differences of case and spacing; blank ones are NA."""
    plain = text.astype("str").str.strip().str.casefold().str.replace(r"\s+", " ", regex=True)
    return plain.where(plain.notna() & (plain != ""))


def metadata_values(metadata: pd.Series[str], key: str) -> pd.Series[str]:
    """Give what the metadata of documents say under a key, as text; NA where they do not."""
    import orjson

    def value(text: str) -> str | None:
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        given = found.get(key) if isinstance(found, dict) else None
        return None if given is None else given if isinstance(given, str) else orjson.dumps(given).decode()

    values = {text: value(text) for text in metadata.dropna().unique()}
    return metadata.map(values).astype("str")


def check_names(names: list[str]) -> None:
    """Raise `UnknownNameError` that names columns of documents too."""
    for name in names:
        if name not in SPANS.names and not is_key(name):
            what = "column of spans or documents:"
            raise unknown(what, str(name), [*SPANS.names, *OF_DOCUMENTS, METADATA + "key"])


def _calls(traces: Traces) -> ir.Table:
    spans = traces.table("spans")
    return spans.filter(spans.kind.isin(KINDS))
