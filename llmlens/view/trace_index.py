"""What the explorer's list and tree show: narrow columns of traces, and of the spans of one trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from llmlens.errors import unknown

from . import wire
from .trace_rows import rows_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

#: As many rows as the browser holds, sorts and filters itself; beyond, it asks for pages.
PAGE = 10_000

#: How the list can be sorted: its word -> the column of `traces`.
SORTS = {
    "time": "start",
    "name": "name",
    "feature": "feature",
    "duration": "duration_s",
    "cost": "cost_usd",
    "tokens": "tokens",
    "errors": "n_errors",
    "spans": "n_spans",
}

_LIST = (
    "trace_id", "name", "feature", "user_id", "session_id", "start", "duration_s", "status", "n_spans", "n_errors",
    "input_tokens", "output_tokens", "cost_usd", "n_unpriced",
)  # fmt: skip
_HEAD = (*_LIST, "service", "environment", "release", "n_llm_calls", "n_tool_calls", "max_depth", "cache_read_tokens")
_SPAN = (
    "span_id", "parent_id", "name", "kind", "model", "agent_name", "start", "end", "duration_s", "ttft_s", "status",
    "error_type", "usage_source", "input_tokens", "output_tokens", "cost_usd",
)  # fmt: skip
_CODED = ("name", "kind", "model", "agent_name", "status", "error_type")
_PREVIEW = 2000
#: Ids that are sooner written than found again.
_FEW = 500
_CONTENT = re.compile(r'"(?:content|text|prompt|query|query_str|question|inputs?|message|q)"\s*:\s*"((?:[^"\\]|\\.)+)')


def trace_page(
    traces: Traces, *, sort: str = "time", descending: bool = True, search: str = "", offset: int = 0, limit: int = PAGE
) -> dict[str, Any]:
    """Give one page of the list: `{total, matching, offset, columns}`; times are epoch milliseconds.

    Raises `UnknownNameError` for a sort that does not exist.
    """
    if sort not in SORTS:
        what = "sort:"
        raise unknown(what, sort, SORTS)
    table = traces.table("traces")
    chosen = _matching(traces, table, search) if search.strip() else table
    chosen = chosen.select(*_LIST, preview=chosen.input.substr(0, _PREVIEW))
    chosen = chosen.mutate(tokens=chosen.input_tokens.fill_null(0) + chosen.output_tokens.fill_null(0))
    key = chosen[SORTS[sort]]
    key = key.desc(nulls_first=False) if descending else key.asc(nulls_first=False)
    page = chosen.order_by([key, chosen.trace_id]).limit(max(0, min(limit, PAGE)), offset=max(0, offset))
    frame = traces.fetch(page)
    total = len(traces)
    matching = total
    if search.strip():
        matching = int(traces.fetch(chosen.count().name("n").as_table())["n"].iloc[0])
    models = _models(traces, page, frame["trace_id"].tolist(), whole=len(frame) == total)
    out = wire.columns(frame.drop(columns=["preview", "tokens"]))
    out["models"] = [models.get(trace_id) for trace_id in out["trace_id"]]
    out["preview"] = [first_line(text) if isinstance(text, str) else None for text in frame["preview"]]
    return {"total": total, "matching": matching, "offset": offset, "columns": out}


def matching_ids(traces: Traces, search: str) -> list[str]:
    """Give the ids of the traces that mention `search` in an id, a name or a text, in whatever case."""
    table = traces.table("traces")
    found = traces.fetch(_matching(traces, table, search).select("trace_id").limit(PAGE))
    return [str(i) for i in found["trace_id"]]


def matching_spans(traces: Traces, trace_id: str, search: str) -> list[str]:
    """Give the ids of the spans of a trace whose texts or attributes mention `search`."""
    contents = traces.table("contents")
    hit = _mentions([contents.input, contents.output, contents.attributes, contents.events], search)
    found = traces.fetch(contents.filter((contents.trace_id == trace_id) & hit).select("span_id"))
    return [str(i) for i in found["span_id"]]


def _matching(traces: Traces, table: ir.Table, search: str) -> ir.Table:
    contents, spans = traces.table("contents"), traces.table("spans")
    in_texts = contents.filter(_mentions([contents.input, contents.output], search)).select("trace_id")
    in_spans = spans.filter(_mentions([spans.name, spans.model, spans.error_type], search)).select("trace_id")
    found = in_texts.union(in_spans, distinct=True)
    named = _mentions([table[c] for c in ("trace_id", "name", "feature", "user_id", "session_id")], search)
    return table.filter(named | table.trace_id.isin(found.trace_id))


def _mentions(columns: list[ir.StringColumn], search: str) -> ir.BooleanColumn:
    needle = search.strip().lower()
    hits = [column.lower().contains(needle).fill_null(False) for column in columns]
    any_hit = hits[0]
    for hit in hits[1:]:
        any_hit = any_hit | hit
    return any_hit


def _models(traces: Traces, page: ir.Table, trace_ids: list[str], *, whole: bool) -> dict[str, str]:
    """Name the models of each trace of a page; `whole` says that these are all traces."""
    spans = traces.table("spans").drop_null("model")
    if not whole:  # joined where many are: thousands of ids take seconds to write as a condition
        few = len(trace_ids) <= _FEW
        spans = spans.filter(spans.trace_id.isin(trace_ids)) if few else spans.semi_join(page, "trace_id")
    pairs = traces.fetch(spans.select("trace_id", "model").distinct().order_by(["trace_id", "model"]))
    models: dict[str, str] = {}
    for trace_id, model in zip(pairs["trace_id"], pairs["model"], strict=True):
        models[trace_id] = f"{models[trace_id]}, {model}" if trace_id in models else str(model)
    return models


def first_line(text: str, limit: int = 160) -> str:
    """Give the line that says most about an input: of a JSON of messages the last text in it, else its first line.

    >>> first_line('[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is my parcel?"}]')
    'Where is my parcel?'
    """
    line = text.strip()
    if line[:1] in "[{":
        texts = _CONTENT.findall(line)
        if texts:
            line = texts[-1].replace("\\n", "\n").replace('\\"', '"').replace("\\t", " ")
    line = line.strip().split("\n", 1)[0]
    return line if len(line) <= limit else line[: limit - 1] + "…"


def span_index(traces: Traces, trace_id: str) -> dict[str, Any]:
    """Give the spans of a trace in columns, ordered by start.

    `start` and `end` are milliseconds since `trace.start` (epoch milliseconds), `parent` is a row number (-1: a root,
    -2: a parent that is not in the trace), `same` numbers the groups of tool calls with equal tool and input.
    Raises `UnknownNameError` when there is no such trace.
    """
    rows = rows_of(traces)
    head = rows.fetch(f"SELECT {', '.join(_HEAD)} FROM {{traces}}", trace_id)
    if head.empty:
        raise unknown("trace", trace_id, ())
    frame = rows.spans(trace_id, _SPAN, order="start, depth, span_id")
    zero = frame["start"].min()
    trace = {name: values[0] for name, values in wire.columns(head).items()}
    names = wire.columns(frame[list(_CODED)])
    return {
        "trace": trace,
        "n": len(frame),
        "span_id": frame["span_id"].tolist(),
        "parent": _parents(frame),
        "start": _since(frame["start"], zero),
        "end": _since(frame["end"], zero),
        "ttft_ms": [None if v is None else v * 1000 for v in wire.columns(frame[["ttft_s"]])["ttft_s"]],
        **{name: wire.codes(names[name]) for name in _CODED},
        **wire.columns(frame[["input_tokens", "output_tokens", "cost_usd"]]),
        "used": (frame["usage_source"].fillna("") != "missing").astype(int).tolist(),
        "same": _same_calls(traces, trace_id, frame),
        "scores": _scores(traces, trace_id),
    }


def _parents(frame: pd.DataFrame) -> list[int]:
    import pandas as pd

    rows = pd.Series(range(len(frame)), index=frame["span_id"])
    found = frame["parent_id"].map(rows).fillna(-2).astype(int)
    return [int(v) for v in found.where(frame["parent_id"].notna(), -1)]


def _since(times: pd.Series[Any], zero: Any) -> list[float | None]:
    micros = (times - zero).to_numpy().astype("timedelta64[us]").astype("int64")
    return [None if missing else int(us) / 1000 for us, missing in zip(micros, times.isna(), strict=True)]


def _same_calls(traces: Traces, trace_id: str, frame: pd.DataFrame) -> dict[int, int]:
    """Give the rows of tool calls made more than once, each with the number of its group of identical ones."""
    if not (frame["kind"] == "tool").any():
        return {}
    query = """
        SELECT s.span_id, s.name, md5(c.input) AS key FROM {spans} s JOIN {contents} c ON s.span_id = c.span_id
        WHERE s.kind = 'tool' AND c.input IS NOT NULL ORDER BY s.span_id
    """
    calls = rows_of(traces).fetch(query, trace_id)
    groups = calls.groupby(["name", "key"]).ngroup()
    repeated = groups[groups.map(groups.value_counts()) > 1]
    by_span = dict(zip(calls.loc[repeated.index, "span_id"], repeated, strict=True))
    return {row: int(by_span[s]) for row, s in enumerate(frame["span_id"]) if s in by_span}


def _scores(traces: Traces, trace_id: str) -> list[dict[str, Any]]:
    query = """
        SELECT span_id, name, value, label, data_type, source, author, substr(comment, 1, 2000) AS comment FROM {scores}
        ORDER BY name, source, author LIMIT 500
    """
    data = wire.columns(rows_of(traces).fetch(query, trace_id))
    return [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]
