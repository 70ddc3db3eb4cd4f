"""Calls of tools: when, with what, with what outcome, and what the model call that asked for them cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from .usage import tokens_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

#: A result that says by itself that the call failed; many tools answer so and leave the status of their span unset.
FAILED_RESULT = (
    r'(?i)^\s*(\{\s*"(error|errors|exception)"\s*:\s*[^nf\s\]\[{]|\{\s*"(error|exception)"\s*:\s*\{|\{[^{}]{0,80}"(ok|success)"\s*:\s*false'
    r'|\{[^{}]{0,80}"is_?error"\s*:\s*true|\{\s*"status"\s*:\s*"(error|failed|failure)"|error\b|traceback\b|exception\b)'
)
#: A result that holds nothing, bare or under the name that lists have in answers.
EMPTY_RESULT = (
    r'(?i)^\s*(|""|null|none|\[\s*\]|\{\s*\}'
    r'|\{[^\[\]{}]{0,200}"(results?|items|documents|hits|matches|data|rows|records|entries|content|output|answer)"\s*:'
    r'\s*(\[\s*\]|\{\s*\}|null|"")[^\[\]{}]{0,200}\}'
    r"|(no|0|zero)( (matching|relevant|such))? (results?|matches|documents|records|rows|entries|hits|items|data)"
    r"( (were |was )?(found|returned|available|match\w*))?[.!]?|(nothing|not)( was)? found[.!]?)\s*$"
)
#: A result that says that there is something to wait for: to ask again is right.
WAITING = r"(?i)\b(pending|in[ _]progress|processing|queued|running|not (yet )?ready|waiting|scheduled|in[ _]transit)\b"
#: So much of a result is read for what it says first, and so much for whether it says anything.
_OPENING, _WHOLE = 400, 600


def tool_runs(traces: Traces, names: Sequence[str] = ()) -> ir.Table:
    """Give a row a tool call: ids, tool, arguments, status, start, end, outcome, what asked for it, columns of spans.

    `start` of a call that was only asked for is when that was. `failed`: its span failed, or its result says so
    (`silent`); `empty`: it did not, and its result holds nothing (NA where no result is told); `waiting`: its result
    says that it is not done yet; `outcome`: a number that equal results share, NA where none is told.
    """
    import ibis

    spans = traces.table("spans")
    calls = traces.table("tool_calls")
    own = spans.select("trace_id", "span_id", "start", "end", "duration_s", said="status_message",
                       **{f"own_{n}": spans[n] for n in names})  # fmt: skip
    asking = spans.select(
        "trace_id", requested_by="span_id", asked="end", asked_s="duration_s", cost_usd="cost_usd",
        tokens=tokens_of(spans),
        **{f"asking_{n}": spans[n] for n in names},
    )  # fmt: skip
    joined = calls.left_join(own, ["trace_id", "span_id"]).left_join(asking, ["trace_id", "requested_by"])
    opening = joined.result.substr(0, _OPENING)
    silent = opening.re_search(FAILED_RESULT).fill_null(False)
    failed = (joined.status == "error").fill_null(False)
    outcome = ibis.ifelse(failed & joined.said.notnull(), joined.said, joined.result)
    return joined.select(
        "trace_id", "span_id", "requested_by", "call_id", "tool", "arguments", "status", "end", "duration_s",
        "asked_s", "cost_usd", "tokens", start=joined.start.coalesce(joined.asked),
        executed=joined.span_id.notnull(), failed=failed | silent, silent=silent & ~failed,
        empty=joined.result.substr(0, _WHOLE).re_search(EMPTY_RESULT) & ~failed & ~silent,
        waiting=(opening.re_search(WAITING) & ~failed & ~silent).fill_null(False),
        outcome=ibis.ifelse(outcome.notnull(), outcome.hash(), None),  # the hash of NA is a number
        **{n: joined[f"own_{n}"].coalesce(joined[f"asking_{n}"]) for n in names if n not in ("trace_id", "start")},
    )  # fmt: skip


def canonical(arguments: str | None) -> str:
    """Write arguments so that the same ones read the same: keys in order, no white space."""
    if arguments is None:
        return ""
    try:
        return orjson.dumps(orjson.loads(arguments), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, TypeError):
        return arguments.strip()


def words(arguments: str) -> frozenset[str]:
    """Give the words and numbers of arguments, in lower case."""
    return frozenset(re.findall(r"\w+", arguments.casefold()))


def distinct(column: pd.Series[str]) -> tuple[Any, list[str]]:
    """Give the number of each row's text, and the distinct texts; NA is the empty text."""
    codes, values = column.fillna("").factorize()
    return codes, [str(value) for value in values]
