"""LangSmith's runs -> raw spans in its convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Problem, Raw, RawScore, RawSpan, Value

from .rows import dump
from .run_fields import event_of, id_of, list_of, nanoseconds, nested, object_of, plain, span_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATUS = {"ok": 1, "success": 1, "error": 2}
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


def langsmith_raw(run: Mapping[str, Any], line: int) -> Iterator[Raw]:
    """Make a raw span of a LangSmith run, and scores of its feedback."""
    span_id = id_of(run.get("id"))
    trace_id = id_of(run.get("trace_id")) or span_id
    if not span_id or not trace_id:
        yield Problem(line, "the run has no id", dump(dict(run))[:200])
        return
    extra = object_of(run.get("extra"))
    metadata = object_of(extra.get("metadata"))
    inputs, outputs = nested(run.get("inputs")), nested(run.get("outputs"))
    parameters = object_of(extra.get("invocation_params"))
    attributes: dict[str, Value] = {
        "langsmith.span.kind": run.get("run_type"),
        "langsmith.trace.session_name": run.get("session_name"),
        "langsmith.span.tags": ",".join(map(str, tags)) if isinstance(tags := nested(run.get("tags")), list) else None,
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
    attributes |= {f"langsmith.{key}": plain(run[key]) for key in run if key not in _LANGSMITH and run[key] is not None}
    start, end, problems = span_times(run, line)
    first = nanoseconds(run.get("first_token_time"))
    events = [event_of(event) for event in list_of(run.get("events"))]
    first = first or next((event.time_ns for event in events if event.name == "new_token"), None)
    if first is not None and start is not None and first >= start:
        attributes["gen_ai.response.time_to_first_chunk"] = (first - start) / 1e9
    error = run.get("error")
    status = 2 if error else _STATUS.get(str(run.get("status")).lower(), 1 if end is not None else 0)
    if isinstance(error, str) and (name := error.partition("(")[0].partition(":")[0].strip()).isidentifier():
        attributes["error.type"] = name
    runtime = {f"langsmith.runtime.{key}": plain(value) for key, value in object_of(extra.get("runtime")).items()}
    yield from problems
    yield RawSpan(
        trace_id,
        span_id,
        id_of(run.get("parent_run_id")),
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
    for name, stats in object_of(run.get("feedback_stats")).items():
        value = _float(stats.get("avg")) if isinstance(stats, dict) else None
        if value is not None:
            yield RawScore(
                trace_id,
                span_id,
                str(name),
                value,
                comment=f"average of {stats.get('n', '?')} in LangSmith's feedback_stats",
            )


def _usage(run: Mapping[str, Any], metadata: Mapping[str, Any], outputs: Any) -> dict[str, Value]:
    """Read tokens from wherever this version of LangSmith has them."""
    generation = _first(_first(outputs.get("generations"))) if isinstance(outputs, dict) else None
    message = object_of(object_of(generation).get("message"))
    found = outputs if isinstance(outputs, dict) else {}
    places = (
        {
            "input_tokens": run.get("prompt_tokens"),
            "output_tokens": run.get("completion_tokens"),
            "input_token_details": run.get("prompt_token_details"),
            "output_token_details": run.get("completion_token_details"),
        },
        object_of(metadata.get("usage_metadata")),
        object_of(object_of(message.get("kwargs")).get("usage_metadata")) or object_of(message.get("usage_metadata")),
        object_of(found.get("usage_metadata")),
        object_of(object_of(found.get("llm_output")).get("token_usage")),
    )
    if run.get("run_type") not in ("llm", "embedding"):  # chains show the sums of their children
        return {}
    usage = next((p for p in places if p.get("input_tokens") or p.get("prompt_tokens") or p.get("output_tokens")), {})
    details, written = object_of(usage.get("input_token_details")), object_of(usage.get("output_token_details"))
    return {
        "gen_ai.usage.input_tokens": _int(usage.get("input_tokens", usage.get("prompt_tokens"))),
        "gen_ai.usage.output_tokens": _int(usage.get("output_tokens", usage.get("completion_tokens"))),
        "gen_ai.usage.cache_read.input_tokens": _int(details.get("cache_read")),
        "gen_ai.usage.cache_creation.input_tokens": _int(details.get("cache_creation")),
        "gen_ai.usage.reasoning.output_tokens": _int(written.get("reasoning")),
    }


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and abs(number) < 2**53 and number == int(number) else None
