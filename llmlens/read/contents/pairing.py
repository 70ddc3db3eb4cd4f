"""A tool call that was asked for, and the span that executed it -> one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import decode, dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
    from typing import TypeAlias

    from .rows import ToolCall

    #: The parent of every span of some traces, by trace_id and span_id.
    Parents: TypeAlias = Mapping[tuple[str, str], str | None]


def merge_tool_calls(
    rows: Iterable[ToolCall], parents: Callable[[Collection[str]], Parents] | None = None
) -> list[ToolCall]:
    """Make one row of a call that was asked for and executed; nothing is counted twice.

    `rows` come in order of time. Within a trace a request and an execution belong together when they have the same call
    id or, where one of them has no id, when the execution comes later and has the same tool and equal arguments. An
    execution that was tried again keeps its own row.

    `parents` gives the parents of the spans of some traces: they tell a wrapper that repeats the call of a span below
    it, which is left out, from two calls that look alike. Without it, requests with the same id, tool and arguments are
    one.
    """
    traces: dict[str, list[ToolCall]] = {}
    for row in rows:
        traces.setdefault(row.trace_id, []).append(row)
    alike = {trace: found for trace, calls in traces.items() if (found := _alike(calls, by_id=parents is not None))}
    known = parents(alike) if parents and alike else None
    for trace, groups in alike.items():
        traces[trace] = _distinct(traces[trace], groups, known)
    return [row for calls in traces.values() for row in _merged(calls)]


def _merged(calls: list[ToolCall]) -> list[ToolCall]:
    open_at = {at for at, call in enumerate(calls) if call.span_id is None}
    executed = [at for at, call in enumerate(calls) if call.span_id is not None]
    if not open_at or not executed:
        return calls
    pairs = _by_id(calls, open_at, executed)
    for alike in (_named_arguments, _bare_arguments):
        if not open_at or len(pairs) == len(executed):
            break
        waiting: dict[Hashable, list[int]] = {}
        for at in sorted(open_at):
            waiting.setdefault(alike(calls[at]), []).append(at)
        for at in executed:
            if at in pairs:
                continue
            for asked in waiting.get(alike(calls[at]), ()):
                no_id = calls[asked].call_id is None or calls[at].call_id is None
                if asked < at and asked in open_at and no_id:
                    pairs[at] = asked
                    open_at.remove(asked)
                    break
    return [
        _joined(call, calls[pairs[at]]) if at in pairs else call
        for at, call in enumerate(calls)
        if call.span_id is not None or at in open_at
    ]


def _by_id(calls: list[ToolCall], open_at: set[int], executed: list[int]) -> dict[int, int]:
    """Pair executions with requests of the same id; takes the requests out of `open_at`."""
    asked: dict[str, list[int]] = {}
    for at in sorted(open_at):
        call_id = calls[at].call_id
        if call_id is not None:
            asked.setdefault(call_id, []).append(at)
    pairs: dict[int, int] = {}
    for at in executed:
        same = asked.get(calls[at].call_id or "")
        if same:
            # A call that is tried again was still asked for once.
            pairs[at] = same.pop(0) if len(same) > 1 else same[0]
            open_at.discard(pairs[at])
    return pairs


def _joined(execution: ToolCall, request: ToolCall) -> ToolCall:
    return execution._replace(
        call_id=execution.call_id or request.call_id,
        tool=request.tool or execution.tool,
        # What the model wrote is the same in every convention; what the tool's span shows may be wrapped.
        arguments=request.arguments or execution.arguments,
        requested_by=request.requested_by,
    )


def _alike(calls: list[ToolCall], *, by_id: bool) -> list[list[int]]:
    """Find the calls of a trace that may be one: those of the same id (`by_id`), tool and arguments."""
    if len(calls) < 2:
        return []
    groups: dict[Hashable, list[int]] = {}
    for at, call in enumerate(calls):
        what: Hashable = call.call_id if call.call_id is not None and by_id else _named_arguments(call)
        groups.setdefault((call.span_id is None, call.call_id, what), []).append(at)
    return [group for group in groups.values() if len(group) > 1]


def _distinct(calls: list[ToolCall], groups: list[list[int]], parents: Parents | None) -> list[ToolCall]:
    """Leave out what a wrapper repeats."""
    dropped: set[int] = set()
    for group in groups:
        if parents is not None:
            above = {span for at in group for span in _ancestors(calls[at], parents)}
            wrappers = [at for at in group if (calls[at].span_id or calls[at].requested_by) in above]
            if len(wrappers) < len(group):  # else the parents go round in a circle
                dropped.update(wrappers)
        elif calls[group[0]].span_id is None and calls[group[0]].call_id is not None:
            dropped.update(group[1:])
    return [call for at, call in enumerate(calls) if at not in dropped]


def _ancestors(call: ToolCall, parents: Parents) -> set[str]:
    above: set[str] = set()
    span = call.span_id or call.requested_by
    while span is not None:
        span = parents.get((call.trace_id, span))
        if span is None or span in above:
            break
        above.add(span)
    return above


def _named_arguments(call: ToolCall) -> Hashable:
    """Tell calls of one tool with equal arguments, whatever the order of their names."""
    found = decode(call.arguments or "{}")
    return call.tool, dumps(dict(sorted(found.items()))) if isinstance(found, dict) else call.arguments


def _bare_arguments(call: ToolCall) -> Hashable:
    """Tell calls whose arguments are equal but for their names: a function's span may know only their order."""
    found = decode(call.arguments or "{}", quoted=True)
    if isinstance(found, dict):
        positional, named = found.get("args"), found.get("kwargs")
        if isinstance(positional, list) and isinstance(named, dict):
            found = [*positional, *named.values()]
        else:
            found = list(found.values())
    else:
        found = [found]
    return call.tool, dumps(found)
