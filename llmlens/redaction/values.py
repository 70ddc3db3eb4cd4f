"""JSON values: their texts are redacted together, then put back where they were."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from .pattern import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Deeper than this a value goes as one text: Python cannot walk it.
_DEEPEST = 200
#: Keys that say what their value is; see assignments.py, phones.py and national_ids.py.
_ANNOUNCES = re.compile(
    r"pass|pwd|senha|contrase|clave|secret|token|key|auth|cred|cookie|sess|csrf|phone|tel|mobil|cell|fax|whats|sms|contact"
    r"|ssn|social|sin$|tfn|nhs|bsn|cpf|aadha|tax|national|personn|ident|patient|nino|(?:^|_)id$",
    re.IGNORECASE,
)
#: Numbers under this are no card, account or telephone number.
_SMALLEST = 10**6


class _Texts(Protocol):
    def __call__(self, texts: Sequence[str], *, after: Sequence[str]) -> list[Any]:
        """Redact texts, each as if what is in `after` stood before it."""
        ...


def redact_value(value: Any, texts: _Texts) -> Any:
    """Redact all texts of a JSON value, keys included, and numbers that are something.

    Texts under the same key are put next to each other, so that a secret that goes over two messages is seen.
    """
    leaves = list(_leaves(value, "", 0))
    order = sorted(range(len(leaves)), key=lambda place: leaves[place][0])
    after = [f"{leaves[place][0]}: {ALL}" if _ANNOUNCES.search(leaves[place][0]) else "" for place in order]
    written = [str(leaves[place][1]) for place in order]
    redacted: list[Any] = [None] * len(leaves)
    for place, before, done in zip(order, written, texts(written, after=after), strict=True):
        redacted[place] = leaves[place][1] if done == before else done
    return _rebuilt(value, iter(redacted), 0)


def _leaves(value: Any, key: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Give key and text of all that may be redacted, in the order in which `_rebuilt` takes it back."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for name, each in value.items():
            if isinstance(name, str):
                yield "", name
            yield from _leaves(each, str(name), depth + 1)
    elif isinstance(value, (list, tuple)) and depth < _DEEPEST:
        for each in value:
            yield from _leaves(each, key, depth + 1)
    elif _may_hold(value):
        yield key, value


def _rebuilt(value: Any, redacted: Iterator[Any], depth: int) -> Any:
    if isinstance(value, dict) and depth < _DEEPEST:
        return {
            (next(redacted) if isinstance(name, str) else name): _rebuilt(each, redacted, depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        items = [_rebuilt(each, redacted, depth + 1) for each in value]
        return items if isinstance(value, list) else tuple(items)
    return next(redacted) if _may_hold(value) else value


def _may_hold(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and value >= _SMALLEST
    return isinstance(value, (str, dict, list, tuple))
