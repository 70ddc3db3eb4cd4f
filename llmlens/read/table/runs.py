"""Rows that are spans of another system (LangSmith runs, Phoenix spans) -> raw spans in its convention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Problem, Raw, RawEvent, RawScore, RawSpan, Value

from . import cells
from .rows import dump

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS = {"ok": 1, "success": 1, "error": 2}


def raw_shape(headers: Collection[str]) -> str | None:
    """Say whether rows with these headers are "langsmith" runs or "phoenix" spans.

    >>> raw_shape(["id", "trace_id", "run_type", "dotted_order"])
    'langsmith'
    """
    if {"id", "trace_id", "run_type"} <= set(headers) and not {
        "dotted_order",
        "extra",
        "inputs",
        "parent_run_id",
    }.isdisjoint(headers):
        return "langsmith"
    flat = "context.span_id" in headers and any(h.startswith("attributes.") for h in headers)
    if flat or {"context", "span_kind", "attributes"} <= set(headers):
        return "phoenix"
    return None


def to_raw_spans(
    records: Iterable[Mapping[str, Any]], source: str, lines: Sequence[int] | None = None
) -> Iterator[Raw]:
    """Make raw spans (and scores) of records that are LangSmith runs or Phoenix spans; nested values may be JSON texts.

    `lines` are the lines of the records, else they count from 1. A record without its ids is a problem.
    """
    for position, record in enumerate(records):
        line = lines[position] if lines is not None else position + 1
        shape = raw_shape(record)
        if shape == "phoenix" or (shape is None and "span_kind" in record):
            yield from _phoenix(record, line)
        elif shape == "langsmith" or "run_type" in record:
            yield from _langsmith(record, line)
        else:
            yield Problem(
                line, f"the row of {source} is neither a LangSmith run nor a Phoenix span", dump(dict(record))[:200]
            )


def _langsmith(run: Mapping[str, Any], line: int) -> Iterator[Raw]:
    span_id = _id(run.get("id"))
    trace_id = _id(run.get("trace_id")) or span_id
    if not span_id or not trace_id:
        yield Problem(line, "the run has no id", dump(dict(run))[:200])
        return
    extra = _object(run.get("extra"))
    metadata = _object(extra.get("metadata"))
    inputs, outputs = _nested(run.get("inputs")), _nested(run.get("outputs"))
    parameters = _object(extra.get("invocation_params"))
    attributes: dict[str, Value] = {
        "langsmith.span.kind": run.get("run_type"),
        "langsmith.trace.session_name": run.get("session_name"),
        "langsmith.span.tags": ",".join(map(str, tags)) if isinstance(tags := _nested(run.get("tags")), list) else None,
        "gen_ai.prompt": dump(inputs) if inputs else None,
        "gen_ai.completion": dump(outputs) if outputs else None,
        "gen_ai.request.model": metadata.get("ls_model_name")
        or parameters.get("model")
        or parameters.get("model_name"),
        "gen_ai.request.temperature": parameters.get("temperature"),
        "gen_ai.usage.cost": _float(run.get("total_cost")),
    }
    attributes |= {
        f"langsmith.metadata.{key}": dump(value) if isinstance(value, dict) else value
        for key, value in metadata.items()
    }
    attributes |= _usage(run, metadata, outputs)
    attributes |= {
        f"langsmith.{key}": _plain(run[key]) for key in run if key not in _LANGSMITH and run[key] is not None
    }
    start, end, problems = _span_times(run, line)
    first = _ns(run.get("first_token_time"))
    events = [_event(event) for event in _list(run.get("events"))]
    first = first or next((event.time_ns for event in events if event.name == "new_token"), None)
    if first is not None and start is not None and first >= start:
        attributes["gen_ai.response.time_to_first_chunk"] = (first - start) / 1e9
    error = run.get("error")
    status = 2 if error else _STATUS.get(str(run.get("status")).lower(), 1 if end is not None else 0)
    if isinstance(error, str) and (name := error.partition("(")[0].partition(":")[0].strip()).isidentifier():
        attributes["error.type"] = name
    runtime = {f"langsmith.runtime.{key}": _plain(value) for key, value in _object(extra.get("runtime")).items()}
    yield from problems
    yield RawSpan(
        trace_id,
        span_id,
        _id(run.get("parent_run_id")),
        str(run.get("name") or ""),
        start,
        end,
        status,
        str(error) if error else None,
        {k: v for k, v in attributes.items() if v is not None},
        events,
        [],
        Origin(runtime, "langsmith"),
        line,
    )
    for name, stats in _object(run.get("feedback_stats")).items():
        value = _float(stats.get("avg")) if isinstance(stats, dict) else None
        if value is not None:
            yield RawScore(
                trace_id,
                span_id,
                str(name),
                value,
                comment=f"average of {stats.get('n', '?')} in LangSmith's feedback_stats",
            )


#: Fields of a run that are read; the others become attributes.
_LANGSMITH = frozenset(
    {
        "id",
        "trace_id",
        "parent_run_id",
        "name",
        "run_type",
        "start_time",
        "end_time",
        "first_token_time",
        "inputs",
        "outputs",
        "events",
        "extra",
        "error",
        "status",
        "tags",
        "session_name",
        "feedback_stats",
        "total_cost",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_token_details",
        "completion_token_details",
    }
)


def _usage(run: Mapping[str, Any], metadata: Mapping[str, Any], outputs: Any) -> dict[str, Value]:
    """Read tokens from wherever this version of LangSmith has them."""
    generation = _first(_first(outputs.get("generations"))) if isinstance(outputs, dict) else None
    message = _object(_object(generation).get("message"))
    found = outputs if isinstance(outputs, dict) else {}
    places = (
        {
            "input_tokens": run.get("prompt_tokens"),
            "output_tokens": run.get("completion_tokens"),
            "input_token_details": run.get("prompt_token_details"),
            "output_token_details": run.get("completion_token_details"),
        },
        _object(metadata.get("usage_metadata")),
        _object(_object(message.get("kwargs")).get("usage_metadata")) or _object(message.get("usage_metadata")),
        _object(found.get("usage_metadata")),
        _object(_object(found.get("llm_output")).get("token_usage")),
    )
    if run.get("run_type") not in ("llm", "embedding"):  # chains show the sums of their children
        return {}
    usage = next((p for p in places if p.get("input_tokens") or p.get("prompt_tokens") or p.get("output_tokens")), {})
    details, written = _object(usage.get("input_token_details")), _object(usage.get("output_token_details"))
    return {
        "gen_ai.usage.input_tokens": _int(usage.get("input_tokens", usage.get("prompt_tokens"))),
        "gen_ai.usage.output_tokens": _int(usage.get("output_tokens", usage.get("completion_tokens"))),
        "gen_ai.usage.cache_read.input_tokens": _int(details.get("cache_read")),
        "gen_ai.usage.cache_creation.input_tokens": _int(details.get("cache_creation")),
        "gen_ai.usage.reasoning.output_tokens": _int(written.get("reasoning")),
    }


def _phoenix(row: Mapping[str, Any], line: int) -> Iterator[Raw]:
    context = _object(row.get("context"))
    span_id = _id(row.get("context.span_id") or context.get("span_id") or row.get("span_id"))
    trace_id = _id(row.get("context.trace_id") or context.get("trace_id") or row.get("trace_id"))
    if not span_id or not trace_id:
        yield Problem(line, "the span has no context.trace_id and context.span_id", dump(dict(row))[:200])
        return
    attributes: dict[str, Value] = {}
    for key, value in row.items():
        if key.startswith("attributes."):
            attributes |= _flat(key.removeprefix("attributes."), _nested(value))
        elif key not in _PHOENIX and value is not None:
            attributes[f"phoenix.{key}"] = _plain(value)
    for key, value in _object(row.get("attributes")).items():
        attributes |= _flat(key, value)
    if row.get("span_kind"):
        attributes.setdefault("openinference.span.kind", str(row["span_kind"]))
    start, end, problems = _span_times(row, line)
    status = {"OK": 1, "ERROR": 2}.get(str(row.get("status_code")).upper(), 0)
    yield from problems
    yield RawSpan(
        trace_id,
        span_id,
        _id(row.get("parent_id")),
        str(row.get("name") or ""),
        start,
        end,
        status,
        str(row["status_message"]) if row.get("status_message") else None,
        attributes,
        [_event(event) for event in _list(row.get("events"))],
        [],
        Origin({}, "phoenix"),
        line,
    )


_PHOENIX = frozenset(
    {
        "context",
        "context.span_id",
        "context.trace_id",
        "span_id",
        "trace_id",
        "parent_id",
        "name",
        "span_kind",
        "start_time",
        "end_time",
        "status_code",
        "status_message",
        "events",
        "attributes",
    }
)


def _flat(name: str, value: Any) -> dict[str, Value]:
    """Spell nested attributes as OpenInference does on the wire: `llm.input_messages.0.message.role`."""
    if name == "metadata" or not value or isinstance(value, str):
        return {} if value is None else {name: dump(value) if isinstance(value, dict) else value}
    if isinstance(value, dict):
        return {path: leaf for key, item in value.items() for path, leaf in _flat(f"{name}.{key}", item).items()}
    if isinstance(value, list) and isinstance(value[0], dict):
        return {path: leaf for n, item in enumerate(value) for path, leaf in _flat(f"{name}.{n}", item).items()}
    return {name: value}


def _span_times(row: Mapping[str, Any], line: int) -> tuple[int | None, int | None, list[Problem]]:
    times, problems = [], []
    for key in ("start_time", "end_time"):
        times.append(_ns(row.get(key)))
        if times[-1] is None and row.get(key):
            problems.append(Problem(line, f"{key} is not a time", str(row[key])[:200], action="repaired"))
    return times[0], times[1], problems


def _ns(value: Any) -> int | None:
    """Read an ISO time (without a zone: UTC) as nanoseconds since the epoch."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None:
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1) * 1000


def _event(event: Any) -> RawEvent:
    known = _object(event)
    time_ns = _ns(known.get("time") or known.get("timestamp"))
    attributes = _object(known.get("attributes")) or {
        k: _plain(v) for k, v in known.items() if k not in ("name", "time", "timestamp")
    }
    return RawEvent(str(known.get("name", "")), time_ns, attributes)


def _id(value: Any) -> str | None:
    return str(value).strip().lower() or None if value is not None else None


def _nested(value: Any) -> Any:
    """Decode a text that holds a JSON object or list."""
    parsed = cells.parse(value) if isinstance(value, str) and value[:1] in ("{", "[") else None
    return value if parsed is None else parsed


def _object(value: Any) -> dict[str, Any]:
    found = _nested(value)
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    found = _nested(value)
    return found if isinstance(found, list) else []


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _plain(value: Any) -> Value:
    return dump(value) if isinstance(value, (dict, list)) else value


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and abs(number) < 2**53 and number == int(number) else None
