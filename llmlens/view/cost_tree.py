"""What model calls cost, as a tree: one level per column of a path, small groups folded into "(other n)"."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmlens.errors import SelectionError, unknown
from llmlens.keyed import keyed
from llmlens.schema import USAGE_KINDS

from .cost_sums import check_path, check_value, models_without, sums_of_levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmlens.traces import Traces

NONE = "(none)"
LEAVES = 250
_MAX_GROUPS = 200_000
_AMOUNTS = ("value", "cost_usd")
_COUNTS = ("tokens", "calls", "n_missing", "n_unpriced")


@dataclass(slots=True, eq=False)
class Node:
    """A group of model calls; `where` are the conditions on one span that its calls meet.

    `n_traces` is None on a fold: distinct traces do not add up. `folded` is the number of groups in a fold, else 0.
    """

    label: str
    where: dict[str, Any]
    value: float = 0.0
    cost_usd: float = 0.0
    tokens: int = 0
    calls: int = 0
    n_missing: int = 0
    n_unpriced: int = 0
    n_traces: int | None = None
    folded: int = 0
    children: list[Node] = field(default_factory=list)

    def leaves(self) -> Iterator[Node]:
        """Give the groups that have none below them."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


class CostTree:
    """The model calls of `traces`, grouped by the columns of `path`; `value` (one of `VALUES`) is summed.

    `root` is all calls; `missing` says how many calls of which model lack the value. Raises `UnknownNameError` for
    other names, `SelectionError` for a path that cannot be grouped by or that gives too many groups.
    """

    def __init__(self, traces: Traces, path: Sequence[str], value: str) -> None:
        """Sum the calls in one query."""
        self.path = check_path(path)
        self.value = check_value(value)
        calls = keyed(traces, self.path).table("spans")
        calls = calls.filter(calls.kind.isin(USAGE_KINDS))
        sums = sums_of_levels(calls, self.path, value).limit(_MAX_GROUPS + 1)
        rows = traces.fetch_arrow(sums).to_pylist()
        if len(rows) > _MAX_GROUPS:
            raise SelectionError(
                f"path={list(self.path)} gives more than {_MAX_GROUPS:,} groups. Leave out the one with most values."
            )
        top = next(row for row in rows if row["level"] == 0)
        self.since, self.until = top["since"], top["until"]
        self.root = _build(rows, self.path)
        self.missing: list[tuple[str, int]] = []
        if self.root.n_missing:
            models = traces.fetch_arrow(models_without(calls, value)).to_pylist()
            self.missing = [(label_of(row["model"]), row["n"]) for row in models]

    def find(self, labels: Sequence[str]) -> list[Node]:
        """Give the nodes from the root to the one at `labels`; raise `UnknownNameError` when there is none."""
        chain = [self.root]
        for label in labels:
            here = chain[-1]
            below = here.children
            if label.startswith("(other "):
                below = fold(here).children
            found = next((child for child in below if child.label == label), None)
            if found is None:
                place = " > ".join(labels[: len(chain) - 1]) or "all calls"
                raise unknown(f"group in {place}:", label, [c.label for c in below[:40]])
            chain.append(found)
        return chain

    def view(self, labels: Sequence[str] = (), limit: int = LEAVES) -> tuple[dict[str, list[Any]], int]:
        """Give what to draw when the group at `labels` is selected, and the number of its row.

        The rows come as one list per column, parents before children; `parent` is a row number, -1 on the root. The
        root's view is the whole tree, folded; another one has the groups on the way and, below the last, its own groups
        as far as there is room for `limit` leaves. A group without children is shown among its siblings.
        """
        chain = self.find(labels)
        target = chain[-1]
        if not target.children and len(chain) > 1:
            chain.pop()
        shown = fold(chain[-1], limit)
        while target is not chain[-1] and target not in shown.children:
            chain.append(shown.children[-1])  # the fold that it is in
            shown = fold(chain[-1], limit)
        rows: list[tuple[int, Node]] = [(i - 1, node) for i, node in enumerate(chain[:-1])]
        _walk(shown, len(chain) - 2, rows)
        selected = next((i for i, (_, node) in enumerate(rows) if node is target), len(chain) - 1)
        names = ("label", *_AMOUNTS, *_COUNTS, "n_traces", "folded")
        columns: dict[str, list[Any]] = {name: [getattr(node, name) for _, node in rows] for name in names}
        return {"parent": [parent for parent, _ in rows], **columns}, selected


def label_of(value: object) -> str:
    """Name a group; a value that reads like one of our own names is put in quotes, so that labels stay distinct."""
    if value is None:
        return NONE
    text = str(value)
    ours = not text or text == NONE or text.startswith("(other ") or (text[0] == text[-1] == "'")
    return f"'{text}'" if ours else text


def fold(node: Node, limit: int = LEAVES) -> Node:
    """Give `node` with its `limit` largest leaves; the others are folded, per group, into "(other n)" at its end."""
    leaves = list(node.leaves())
    if len(leaves) <= limit:
        return node
    kept = {id(leaf) for leaf in heapq.nlargest(limit, leaves, key=lambda leaf: (leaf.value, leaf.calls))}
    return _folded(node, kept)


def _folded(node: Node, kept: set[int]) -> Node:
    if not node.children:
        return node
    shown: list[Node] = []
    hidden: list[Node] = []
    for child in node.children:
        (shown if any(id(leaf) in kept for leaf in child.leaves()) else hidden).append(child)
    if len(hidden) == 1:
        shown, hidden = shown + hidden, []
    children = [_folded(child, kept) for child in shown]
    if hidden:
        children.append(_other(node, hidden))
    return Node(**{**_fields(node), "children": children})


def _fields(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in Node.__dataclass_fields__}


def _other(parent: Node, hidden: list[Node]) -> Node:
    column = list(hidden[0].where)[-1]
    where = {**parent.where, column: [child.where[column] for child in hidden]}
    other = Node(f"(other {len(hidden)})", where, folded=len(hidden), children=hidden)
    return _add_up(other)


def _add_up(node: Node) -> Node:
    """Make a group the sum of those below it, so that the areas fit exactly."""
    for name in _AMOUNTS:
        setattr(node, name, math.fsum(getattr(child, name) for child in node.children))
    for name in _COUNTS:
        setattr(node, name, sum(getattr(child, name) for child in node.children))
    return node


def _walk(node: Node, parent: int, rows: list[tuple[int, Node]]) -> None:
    here = len(rows)
    rows.append((parent, node))
    for child in node.children:
        if child.folded:
            rows.append((here, child))  # closed: what is in it is sent when it is opened
        else:
            _walk(child, here, rows)


def _build(rows: list[dict[str, Any]], path: tuple[str, ...]) -> Node:
    nodes: dict[tuple[Any, ...], Node] = {}
    for row in sorted(rows, key=lambda row: row["level"]):
        key = tuple(row[column] for column in path[: row["level"]])
        label = label_of(key[-1]) if key else "all"
        sums: dict[str, Any] = {name: float(row[name] or 0) for name in _AMOUNTS}
        sums |= {name: int(row[name] or 0) for name in (*_COUNTS, "n_traces")}
        node = nodes[key] = Node(label, dict(zip(path, key, strict=False)), **sums)
        if key:
            nodes[key[:-1]].children.append(node)
    for node in reversed(nodes.values()):
        if node.children:
            _add_up(node)
            node.children.sort(key=lambda child: (-child.value, -child.calls, child.label))
    return nodes[()]
