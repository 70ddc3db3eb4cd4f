"""The explorer without scripts: a table of traces and the tree of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import snapshot, trace_index

if TYPE_CHECKING:
    from llmlens.traces import Traces

_TRACES, _SPANS, _DEEPEST = 20, 60, 12
_COLUMNS = (
    "start",
    "name",
    "feature",
    "duration_s",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "n_errors",
    "preview",
)


def explorer_snapshot(traces: Traces, trace_id: str | None) -> str:
    """Give the newest traces and the tree of `trace_id` (else of the newest) as HTML with inline styles."""
    page = trace_index.trace_page(traces, limit=_TRACES)
    columns = page["columns"]
    if not columns["trace_id"]:
        return snapshot.section("Traces", snapshot.note("There are no traces in this selection."))
    rows = [_trace_row(values) for values in zip(*(columns[name] for name in _COLUMNS), strict=True)]
    head = ("Start (UTC)", "Trace", "Feature", "Duration", "Cost", "Tokens", "Errors", "Input")
    table = snapshot.table(head, rows, "lllrrrrl")
    shown = (
        f"The newest {len(rows)} of {page['total']:,} traces" if page["total"] > len(rows) else f"{len(rows)} traces"
    )
    return snapshot.section(shown, table) + _tree(traces, trace_id or columns["trace_id"][0])


def _trace_row(values: tuple[Any, ...]) -> list[str]:
    start, name, feature, duration, cost, tokens_in, tokens_out, errors, preview = values
    return [
        _moment(start),
        snapshot.text(name or "", 40),
        snapshot.text(feature or "", 30),
        _seconds(duration),
        _usd(cost),
        f"{(tokens_in or 0) + (tokens_out or 0):,}",
        f"<b>{errors}</b>" if errors else "",
        snapshot.text(preview or "", 80),
    ]


def _tree(traces: Traces, trace_id: str) -> str:
    try:
        index = trace_index.span_index(traces, trace_id)
    except LookupError:
        return ""
    rows = []
    for row, depth in _order(index["parent"], _SPANS):
        cells = {name: _decode(index[name], row) for name in ("name", "kind", "model", "status", "error_type")}
        start, end = index["start"][row], index["end"][row]
        duration = (end - start) / 1000 if start is not None and end is not None else None
        name = "&nbsp;" * 4 * min(depth, _DEEPEST) + snapshot.text(cells["name"] or "", 60)
        failed = f"<b>error</b> {snapshot.text(cells['error_type'] or '', 40)}" if cells["status"] == "error" else ""
        rows.append([name, snapshot.text(cells["kind"] or "", 12), snapshot.text(cells["model"] or "", 30),
                     _seconds(duration), _usd(index["cost_usd"][row]), failed])  # fmt: skip
    head = ("Span", "Kind", "Model", "Duration", "Cost", "Status")
    cut = snapshot.note(f"The first {_SPANS} of {index['n']:,} spans.") if index["n"] > _SPANS else ""
    return snapshot.section(f"Trace {trace_id}", snapshot.table(head, rows, "lllrrl"), cut)


def _order(parents: list[int], limit: int) -> list[tuple[int, int]]:
    """Give (row, depth) of the first rows of the tree, parents before children."""
    children: dict[int, list[int]] = {}
    for row, parent in enumerate(parents):
        children.setdefault(max(parent, -1), []).append(row)
    order: list[tuple[int, int]] = []
    stack = [(row, 0) for row in reversed(children.get(-1, []))]
    while stack and len(order) < limit:
        row, depth = stack.pop()
        order.append((row, depth))
        stack.extend((child, depth + 1) for child in reversed(children.get(row, [])))
    return order


def _decode(coded: dict[str, list[Any]], row: int) -> Any:
    code = coded["codes"][row]
    return None if code < 0 else coded["values"][code]


def _moment(millis: float | None) -> str:
    from datetime import UTC, datetime

    return "" if millis is None else datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f} s"


def _usd(value: float | None) -> str:
    return "" if value is None else f"${value:,.4f}"
