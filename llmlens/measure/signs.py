"""What the rules of errors look at: the signs that spans give, a row a span that gives any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .languages import ASKED, with_language

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from llmlens.traces import Traces

_ID = ["trace_id", "span_id"]
#: How much of an answer is looked at for what it opens with.
_OPENING = 300
#: What looks like JSON, maybe in a fence.
_JSON = r"(?s)^\s*(```(json)?\s*)?[\[{].*[\]}]\s*(```)?\s*$"


def signs(traces: Traces, fields: set[str]) -> ir.Table:
    """Give spans with the signs `fields` (see error_rules.FIELDS); texts are fetched only where a rule asks for them.

    A span that failed because one below it failed gives no sign: the error is counted where it came from.
    """
    import ibis

    spans = traces.table("spans")
    failed = spans.filter(spans.status == "error")
    above = failed.filter(failed.parent_id.notnull()).select("trace_id", span_id="parent_id").distinct()
    origin = failed.anti_join(above, _ID)
    none = ibis.null("string")
    empty = {"answer": none, "format": none, "language": none}
    said = origin.error_type.fill_null("") + ": " + origin.status_message.fill_null("")
    parts = [origin.mutate(error=said, **empty)]
    answered = spans.filter((spans.kind == "llm") & (spans.status != "error").fill_null(True))
    if fields & set(empty):
        told = _answers(traces, language="language" in fields)
        both = answered.left_join(told, _ID)
        parts.append(both.select(*[both[c] for c in spans.columns], *empty, error=none))
    elif "finish_reason" in fields:
        parts.append(answered.mutate(error=none, **empty))
    columns = [*spans.columns, "error", *empty]
    return ibis.union(*(part.select(*columns) for part in parts)) if len(parts) > 1 else parts[0].select(*columns)


def silent_answers(traces: Traces, fields: set[str]) -> int:
    """Count the model calls that went well and do not say what they answered; 0 where no field asks for answers."""
    if not fields & {"answer", "format", "language"}:
        return 0
    told = _answers(traces, language="language" in fields)
    return int(traces.fetch_arrow(told.agg(n=told.silent.sum().fill_null(0))).to_pylist()[0]["n"])


def _answers(traces: Traces, *, language: bool) -> ir.Table:
    """Give a row a model call: the opening of what it answered, its format and, where asked for, its language.

    `silent`: it went well, and neither a text nor a call of a tool is known.
    """
    name = "answer_signs_with_language" if language else "answer_signs"
    return traces._selection.made_once(name, lambda: _read_answers(traces, language=language))  # noqa: SLF001  # kept beside the tables it is made of


def _read_answers(traces: Traces, *, language: bool) -> ir.Table:
    import ibis

    spans = traces.table("spans")
    calls = spans.filter(spans.kind == "llm").select(*_ID, "status", "output_tokens", "finish_reason", "params")
    messages = traces.table("messages")
    texts = messages.semi_join(calls, _ID)
    out = texts.direction == "output"
    user = (texts.direction == "input") & (texts.role == "user")
    chat = texts.group_by(_ID).agg(
        told=texts.content.group_concat("\n", where=out & (texts.content != ""), order_by=texts.position),
        asked=texts.content.argmax(texts.position, where=user),
        spoke=out.any(),
    )
    contents = traces.table("contents").select(*_ID, "output").semi_join(calls, _ID)
    asked_for = traces.table("tool_calls").filter(lambda t: t.requested_by.notnull())
    asked_for = asked_for.select("trace_id", span_id="requested_by").distinct().mutate(wants_tool=True)
    found = calls.left_join(chat, _ID).left_join(contents, _ID).left_join(asked_for, _ID)
    found = found.select(*[found[c] for c in calls.columns], "told", "asked", "spoke", "wants_tool", "output")
    plain = found.spoke.isnull()
    answer = found.told.coalesce(ibis.ifelse(plain, found.output, None))
    silent = (found.output_tokens == 0).fill_null(False) | (found.spoke.fill_null(False) & answer.isnull())
    calls_tool = found.wants_tool.notnull() | found.finish_reason.isin(["tool_calls", "tool_use", "function_call"])
    answer = ibis.ifelse(calls_tool.fill_null(False), None, ibis.ifelse(silent & answer.isnull(), "", answer))
    unsaid = answer.isnull() & ~calls_tool.fill_null(False) & (found.status != "error").fill_null(True)
    wants_json = found.params.re_search(r'(?i)json_schema|json_object|application/json|"json"')
    not_json = wants_json & ~answer.re_search(_JSON) & (answer.lstrip() != "")
    found = found.mutate(whole=answer, silent=unsaid, format=ibis.ifelse(not_json, "not json", None))
    found = found.mutate(answer=found.whole.substr(0, _OPENING))
    told = [*_ID, "answer", "format", "silent"]
    if not language:
        return found.select(*told, language=ibis.null("string"))
    both = with_language(with_language(found, "asked", "asked_in"), "whole", "answered_in")
    other = (both.asked_in != both.answered_in) & ~both.asked.re_search(ASKED)
    return both.select(*told, language=ibis.ifelse(other, "other", None))
