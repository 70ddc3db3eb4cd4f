"""What was asked and what was answered, as plain texts: a row a trace or a model call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import SelectionError, UnknownArgumentError, nearest, unknown
from .json_values import is_key
from .keyed import keyed
from .ordering import earliest, latest
from .schema import SPANS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from .traces import Traces

TEXTS = ("output", "input")
UNITS = ("trace", "span")
#: Who else speaks in what an agent gives back.
_OTHERS = ("user", "tool", "system", "developer")


def text_rows(
    traces: Traces, text: str = "output", *, by: str | Iterable[str] | None = None, per: str = "trace"
) -> pd.DataFrame:
    """Give the texts of traces, ordered by time: trace_id, span_id, start, prompt, text and the columns `by`.

    A row is a trace (`per="trace"`: what its root was asked and answered; where the root does not say, its last model
    call) or a model call (`per="span"`). `prompt` is the last message of the user; with `text="input"` it is NA and
    `text` is what the user said. `by` are columns of spans, with `per="trace"` those of the root, else of the last
    model call that has them. Rows without a text are left out. Chat messages are read as their text.

    Raises `UnknownArgumentError` or `UnknownNameError` for what does not exist.
    """
    return traces.fetch(text_table(traces, text, by=by, per=per).order_by(["start", "trace_id", "span_id"]))


def text_table(
    traces: Traces, text: str = "output", *, by: str | Iterable[str] | None = None, per: str = "trace"
) -> ir.Table:
    """Give the same texts as an Ibis table, in no order."""
    import ibis

    _one_of("text", text, TEXTS)
    _one_of("per", per, UNITS)
    names = group_columns(by)
    spans = keyed(traces, names).table("spans")
    said = _said(traces, spans)
    said = _of_trace(said, names) if per == "trace" else said.filter(said.kind == "llm")
    said = said.mutate(text=said.answer if text == "output" else said.prompt)
    said = said.filter(said.text.notnull() & (said.text.lstrip() != ""))  # strip() takes 40 times as long
    prompt = said.prompt if text == "output" else ibis.null("string")
    return said.select("trace_id", "span_id", "start", prompt=prompt, text=said.text, **{n: said[n] for n in names})


def group_columns(by: str | Iterable[str] | None) -> list[str]:
    """Check the columns to group texts by; raise `UnknownNameError` or `SelectionError`."""
    names = [] if by is None else [by] if isinstance(by, str) or not isinstance(by, Iterable) else list(by)
    for name in names:
        if is_key(name):
            continue
        if name not in SPANS.names:
            what = "column of spans:"
            raise unknown(what, str(name), SPANS.names)
        if name in ("trace_id", "span_id", "start") or SPANS[name].dtype == "texts":
            raise SelectionError(f"by={name!r} makes no groups of texts. Columns such as feature or model do.")
    return list(dict.fromkeys(names))


def _one_of(argument: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        told = f"{argument}={value!r} is not one of {', '.join(map(repr, known))}."
        raise UnknownArgumentError(told + nearest(str(value), known))


def _said(traces: Traces, spans: ir.Table) -> ir.Table:
    """Give the roots and the model calls, with what they were asked (`prompt`) and answered (`answer`)."""
    messages = _since_asked(traces.table("messages"))
    spoken = messages.content.lstrip() != ""
    own = messages.since_asked & ~messages.role.isin(_OTHERS).fill_null(False)
    chat = messages.group_by(["trace_id", "span_id"]).agg(
        asked=messages.content.argmax(
            messages.position, where=spoken & (messages.direction == "input") & (messages.role == "user")
        ),
        told=messages.content.group_concat(
            "\n", where=spoken & (messages.direction == "output") & own, order_by=messages.position
        ),
        is_chat=messages.count() > 0,
    )
    wanted = spans.filter((spans.depth == 0) | (spans.kind == "llm"))
    contents = traces.table("contents").select("trace_id", "span_id", "input", "output")
    joined = wanted.left_join(contents, ["trace_id", "span_id"]).left_join(chat, ["trace_id", "span_id"])
    # A span whose messages are known says nothing beside them: a call of a tool is no text.
    plain = joined.is_chat.isnull()
    return joined.select(
        *[joined[name] for name in spans.columns],
        prompt=joined.asked.coalesce(plain.ifelse(joined.input, None)),
        answer=joined.told.coalesce(plain.ifelse(joined.output, None)),
    )


def _since_asked(messages: ir.Table) -> ir.Table:
    """Mark the messages after the last that a user has in what a span gave back.

    An agent's state holds the whole conversation: what was asked, what tools gave and what was answered to earlier
    questions is no answer to this one.
    """
    ids = ["trace_id", "span_id"]
    asked = messages.filter((messages.direction == "output") & (messages.role == "user"))
    last = asked.group_by(ids).agg(asked_at=asked.position.max())
    joined = messages.left_join(last, ids)
    since = (joined.position > joined.asked_at).fill_null(True)
    return joined.select(*[joined[name] for name in messages.columns], since_asked=since)


def _of_trace(said: ir.Table, names: list[str]) -> ir.Table:
    """Give a row a trace: what the root says, else what its last model call with an answer does."""
    import ibis

    root = _first(said.filter(said.depth == 0), ["start", "span_id"]).select("trace_id", "prompt", *names)
    best = said.mutate(wordless=said.answer.isnull(), below=(said.depth > 0).fill_null(True))
    latest_first = ibis.desc("start"), ibis.desc("span_id")
    best = _first(best, ["wordless", "below", *latest_first]).select("trace_id", "span_id", "start", "answer")
    # Where the root does not say it: the last model call that knows a column, the first prompt there was.
    anywhere = said.group_by("trace_id").agg(
        any_prompt=earliest(said.prompt, said.start, said.span_id, where=said.prompt.notnull()),
        **{f"any_{n}": latest(said[n], said.start, said.span_id, where=said[n].notnull()) for n in names},
    )
    both = best.left_join(root, "trace_id").left_join(anywhere, "trace_id")
    columns = {name: both[name].coalesce(both[f"any_{name}"]) for name in ("prompt", *names)}
    return both.select("trace_id", "span_id", "start", "answer", **columns)


def _first(table: ir.Table, order: list[Any]) -> ir.Table:
    """Give the first row of each trace in this order."""
    import ibis

    ranked = table.mutate(place=ibis.row_number().over(group_by="trace_id", order_by=order))
    # Not drop(): a query with one repeats what it uses twice instead of sharing it.
    return ranked.filter(ranked.place == 0).select(*table.columns)
