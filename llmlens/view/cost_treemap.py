"""`CostTreemap`: where the money goes, by any columns of the model calls; what is clicked becomes the selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from llmlens import theme
from llmlens.schema import USAGE_KINDS

from . import snapshot
from .base import View, css, esm, handles
from .cost_sums import VALUES, check_path, check_value
from .cost_tree import CostTree
from .plot import PlotlyView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmlens.traces import Traces

    from .cost_tree import Node

_SNAPSHOT_LEAVES = 24
#: What a copy without a kernel carries: which traces are in so many groups.
_STATIC_GROUPS = 200
_DASH = "\u2013"


class CostTreemap(PlotlyView):
    """Show the cost of model calls as a treemap: an area is a share of the total, its colour the cost per call.

    `path` are columns of spans, outermost first; `value` is what is summed: cost_usd, input_tokens, output_tokens,
    total_tokens, calls or duration_s. Only llm, embedding and reranker spans count. A click opens a group and selects
    the traces that have a call in it; `select("refunds", "gpt-4o")` does the same from Python.

    Raises `UnknownNameError` for columns, values and groups that do not exist.
    """

    _esm = esm("plotly_host.js", "cost_groups.js", "cost_table.js", "cost_head.js", "cost_map.js", "cost_treemap.js")
    _css = css("plot.css", "cost_treemap.css")

    path = traitlets.List(
        traitlets.Unicode(), ["feature", "model", "prompt_version"], help="columns to group by, outermost first"
    ).tag(sync=True, option=True)
    value = traitlets.Unicode("cost_usd", help="what is summed: " + ", ".join(VALUES)).tag(sync=True, option=True)
    path_selected = traitlets.List(traitlets.Unicode(), help="labels of the open group, outermost first").tag(sync=True)

    def __init__(self, source: Traces | View, **options: Any) -> None:
        """Show `source`; options are `path`, `value` and `height`."""
        if isinstance(options.get("path"), (str, tuple)):
            options["path"] = list(check_path(options["path"]))
        self._tree: CostTree | None = None
        super().__init__(source, **options)

    @property
    def tree(self) -> CostTree:
        """The groups shown, as numbers."""
        with self._lock:
            if self._tree is None:
                self._tree = CostTree(self.traces, self.path, self.value)
            return self._tree

    def select(self, *labels: Traces | str | None) -> None:
        """Open and select the group at these labels, such as `select("refunds", "gpt-4o")`; none selects all.

        Raises `UnknownNameError` for a group that does not exist.
        """
        if len(labels) != 1 or isinstance(labels[0], str):
            self.path_selected = [str(label) for label in labels]
            return
        if self.path_selected:
            self.path_selected = []
            if labels[0] is None:
                return  # closing the group has told everyone
        super().select(labels[0])

    @traitlets.validate("path")
    def _check_path(self, proposal: Any) -> list[str]:
        return list(check_path(proposal["value"]))

    @traitlets.validate("value")
    def _check_value(self, proposal: Any) -> str:
        return check_value(proposal["value"])

    @traitlets.validate("path_selected")
    def _check_selected(self, proposal: Any) -> list[str]:
        self.tree.find(proposal["value"])
        return list(proposal["value"])

    @traitlets.observe("path_selected")
    def _opened(self, _change: Any) -> None:
        if self.path_selected:
            super().select(self._within(self.tree.find(self.path_selected)[-1]))
        elif self._selected is not None:
            super().select(None)

    @traitlets.observe("path", "value")
    def _regrouped(self, change: Any) -> None:
        if change["old"] is not traitlets.Undefined and change["old"] != change["new"]:
            with self._lock:
                self._tree = None
            if change["name"] == "path":
                self.path_selected = []
            self.revision += 1

    def traces_changed(self) -> None:
        """Forget the groups of the former traces."""
        self._tree = None
        self.path_selected = []

    @handles("view")
    def _view(self, path: list[str]) -> dict[str, Any]:
        tree = self.tree
        rows, selected = tree.view(path)
        return {
            "selected": selected,
            "columns": list(tree.path),
            "value": tree.value,
            "unit": VALUES[tree.value],
            "since": _millis(tree.since),
            "until": _millis(tree.until),
            "missing": [list(pair) for pair in tree.missing],
            "complete": not any(rows["folded"]),
            "rows": rows,
            "looks": {
                mode: {"scale": theme.SEQUENTIAL[mode], **theme.template_spec(mode)} for mode in theme.SEQUENTIAL
            },
        }

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Keep the whole tree, and what is open, in a copy without a kernel."""
        paths: list[list[str]] = [[], list(self.path_selected)]
        return [("view", {"path": path}) for path in paths[: 2 if self.path_selected else 1]]

    def static_selections(self) -> Iterable[tuple[str, Any, Traces]]:
        """Name the groups, largest first."""
        found: list[tuple[tuple[str, ...], Node]] = []
        waiting: list[tuple[tuple[str, ...], Node]] = [((), self.tree.root)]
        while waiting:
            labels, node = waiting.pop()
            below = [((*labels, child.label), child) for child in node.children if not child.folded]
            found += below
            waiting += below
        for labels, node in sorted(found, key=lambda each: (-each[1].value, each[0]))[:_STATIC_GROUPS]:
            yield "path_selected", list(labels), self._within(node)

    def _within(self, node: Node) -> Traces:
        """Select the traces with a call in a group."""
        # All conditions hold on one span; a path through `kind` narrows the kinds itself.
        return self.traces.where(**{"kind": list(USAGE_KINDS), **node.where})

    def __repr__(self) -> str:
        """Say in one line what is shown."""
        return f"<CostTreemap of {self.n_traces:,} traces: {self.value} by {', '.join(self.path)}>"

    def snapshot(self) -> str:
        """Give the largest groups as a script-free table with bars."""
        tree = self.tree
        root = tree.root
        if not root.calls:
            return snapshot.section(repr(self).strip("<>"), snapshot.note("There are no model calls in these traces."))
        rows, _ = tree.view(limit=_SNAPSHOT_LEAVES)
        depths = [0] * len(rows["label"])
        for i, parent in enumerate(rows["parent"]):
            depths[i] = depths[parent] + 1 if parent >= 0 else 0
        cells = [_cells(rows, i, depths[i], tree.value) for i in range(len(depths))]
        head = (" > ".join(tree.path), tree.value, "share", "calls", "per call", "")
        parts = [snapshot.note(line) for line in _lines(tree)]
        parts.append(snapshot.table(head, cells, "lrrrrl"))
        return snapshot.section(f"{tree.value} by {', '.join(tree.path)}", *parts)


def _millis(moment: Any) -> float | None:
    return None if moment is None else moment.timestamp() * 1000


def _lines(tree: CostTree) -> list[str]:
    window = f"{tree.since:%Y-%m-%d %H:%M} to {tree.until:%Y-%m-%d %H:%M} UTC" if tree.since and tree.until else ""
    lines = [", ".join(filter(None, [f"{tree.root.calls:,} model calls", window]))]
    lacks = "have no price" if tree.value == "cost_usd" else f"have no {tree.value}"
    lines += [f"{n:,} calls of {model!r} {lacks} and are not in the sum" for model, n in tree.missing[:5]]
    rest = sum(n for _, n in tree.missing[5:])
    return [*lines, f"{rest:,} calls of other models {lacks}"] if rest else lines


def _cells(rows: dict[str, list[Any]], i: int, depth: int, value: str) -> list[str]:
    amount, calls, missing = rows["value"][i], rows["calls"][i], rows["n_missing"][i]
    share = amount / rows["value"][0] if rows["value"][0] else 0.0
    known = calls - missing
    name = f'<span style="padding-left:{depth * 16}px">{snapshot.text(rows["label"][i], 60)}</span>'
    bar = (
        f'<div style="width:{max(1, round(160 * share))}px;height:10px;background:#5a9bd0"></div>' if amount > 0 else ""
    )
    shown = _amount(amount, value) if known else _DASH
    return [
        name,
        shown,
        f"{share:.1%}" if known else _DASH,
        f"{calls:,}",
        _amount(amount / known, value) if known else _DASH,
        bar,
    ]


def _amount(amount: float, value: str) -> str:
    """Write an amount as HTML."""
    if value == "cost_usd":
        tiny = 0 < amount < 0.00001
        return "&lt;$0.00001" if tiny else f"${amount:,.2f}" if amount >= 1 else f"${amount:.5f}"
    return f"{amount:,.1f} s" if value == "duration_s" else f"{amount:,.0f}"
