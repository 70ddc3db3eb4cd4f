"""Spans that are alike: a load has few different sets of attributes, and what follows from a set is found once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Alike:
    """Spans with attributes of the same names in the same order; `rows` are their places among all."""

    names: tuple[str, ...]
    rows: list[int]
    attributes: list[Mapping[str, Any]]

    def values(self, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """Give, for each span, the values of some of its attributes."""
        if len(names) == 1:
            return ((has[names[0]],) for has in self.attributes)
        return map(itemgetter(*names), self.attributes)


def alike(attributes: Sequence[Mapping[str, Any]]) -> list[Alike]:
    """Put together what is alike."""
    rows: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, has in enumerate(attributes):
        rows[tuple(has)].append(row)
    return [Alike(names, found, [attributes[row] for row in found]) for names, found in rows.items()]
