"""Some attributes -> one JSON object a span: model parameters, metadata."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from .arrays import dumps
from .conventions import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .alike import Alike
    from .conventions import Source


class _Step(NamedTuple):
    """An attribute that is merged, under which key; or whose keys are, when it is an object."""

    name: str
    key: str
    whole: bool


def merged(groups: Sequence[Alike], count: int, sources: Sequence[Source], present: set[str]) -> list[bytes | None]:
    """Make one JSON object for each of `count` spans, or None; of two sources with the same key the first one wins."""
    steps = _steps(sources, present)
    found: list[bytes | None] = [None] * count
    # A load has few different ones: each is put together once.
    all_known: defaultdict[tuple[_Step, ...], dict[Any, bytes | None]] = defaultdict(dict)
    for group in groups:
        its = tuple(step for step in steps if step.name in group.names)
        if not its:
            continue
        known = all_known[its]
        its_values = list(group.values([step.name for step in its]))
        for row, values, key in zip(group.rows, its_values, _keys(its_values), strict=True):
            if key is None:
                found[row] = _merge(its, values)
            elif key in known:
                found[row] = known[key]
            else:
                found[row] = known[key] = _merge(its, values)
    return found


def _keys(rows: Sequence[tuple[Any, ...]]) -> Iterable[Any]:
    """Give each row what tells it from others of the load: its values, and their types; None where it cannot be."""
    kinds = set(map(type, chain.from_iterable(rows)))
    if kinds <= {str}:
        return zip(rows, repeat(str))
    if not kinds.isdisjoint((dict, list)):
        return repeat(None, len(rows))
    return ((values, tuple(map(type, values))) for values in rows)  # 1, 1.0 and True are equal


def _steps(sources: Sequence[Source], present: set[str]) -> list[_Step]:
    names = sorted(present)
    steps = []
    for source in sources:
        prefix = len(source.attribute) - 1 if source.attribute.endswith("*") else None
        for name in matching(source.attribute, names):
            key = name.rsplit(".", 1)[-1] if prefix is None else name[prefix:]
            if key not in source.ignore:
                steps.append(_Step(name, key, source.reader == "json"))
    return steps


def _merge(steps: Sequence[_Step], values: Sequence[Any]) -> bytes | None:
    result: dict[str, Any] = {}
    for step, given in zip(steps, values, strict=True):
        if given is None:
            continue
        value = _decoded(given)
        if step.whole and isinstance(value, dict):
            result = {**result, **value, **result}  # its keys come after those of the first sources, who win
        elif value not in ("", "None"):
            result.setdefault(step.key, value)
    return dumps(result) if result else None


def _decoded(value: Any) -> Any:
    """Undo the JSON that SDKs put into texts because attributes cannot hold it."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
