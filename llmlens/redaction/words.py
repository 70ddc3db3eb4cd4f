"""Words that are always taken out: what the environment keeps secret, and what a user says."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from llmlens.errors import RedactionError

from .pattern import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 8
#: What markup is made of, and how it is written where it must not be any.
_MARKUP, _ENTITIES = frozenset("&<>\"'$%{}"), ("&#{};", "\\u{:04x}", "\\x{:02x}")


def of_environment(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Give the values of variables whose names say that they are secret, longest first."""
    variables = os.environ if environment is None else environment
    values = {v.strip() for name, v in variables.items() if _SECRET.search(name) and len(v.strip()) >= _SHORTEST}
    return tuple(sorted(values, key=lambda value: (-len(value), value)))


def find_values(data: bytes, values: Iterable[str], rank: int) -> Iterator[Found]:
    """Find these values as they are, and as JSON, URLs and base64 write them; `data` is as it was written."""
    for value in values:
        for form in _forms(value):
            at = data.find(form)
            while at >= 0:
                yield Found(at, at + len(form), "ENV_SECRET", value.encode(), rank)
                at = data.find(form, at + len(form))


def _forms(value: str) -> list[bytes]:
    plain = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], value.replace("/", "\\/")}
    forms = {*plain, quote(value, safe=""), quote(value), quote_plus(value)}
    # As markup, labels of plotly, and JSON within a page write what markup is made of.
    forms |= {html.escape(each, quote=quoted) for each in plain for quoted in (True, False)}
    forms |= {"".join(form.format(ord(c)) if c in _MARKUP else c for c in value) for form in _ENTITIES}
    encoded = {form.encode("utf-8", "surrogateescape") for form in forms}
    encoded.add(base64.b64encode(value.encode("utf-8", "surrogateescape")))
    return sorted(encoded, key=lambda form: (-len(form), form))


class UserPattern:
    """An expression of the user's own, or their list of words; it reads texts, not bytes."""

    def __init__(self, kind: str, expression: str, *, ignore_case: bool = False) -> None:
        """Compile it; raises `RedactionError` that names the pattern and the place when it cannot be."""
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", kind):
            raise RedactionError(
                f"The pattern {kind!r} needs another name: capital letters, digits and _, as CUSTOMER_NO."
            )
        try:
            self._regex = re.compile(expression, re.IGNORECASE if ignore_case else 0)
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            place = getattr(error, "pos", None)
            where = "" if place is None else f" at character {place + 1}"
            reason = getattr(error, "msg", None) or str(error)
            raise RedactionError(f"The pattern {kind} does not compile{where}: {reason}: {expression!r}") from None
        if self._regex.match(""):
            raise RedactionError(f"The pattern {kind} fits the empty text, so it would be everywhere: {expression!r}")
        self.kind = kind
        self._fold = ignore_case

    def find(self, text: str, offset: int, rank: int) -> Iterator[Found]:
        """Find it in a text whose first byte is at `offset`; a group `value` is what is taken out, else all of it."""
        ascii_only = text.isascii()
        for match in self._regex.finditer(text):
            group = "value" if "value" in self._regex.groupindex else 0
            start, end = match.span(group)
            if start == end:
                continue
            value = match[group].casefold() if self._fold else match[group]
            if not ascii_only:
                start, end = (len(text[:at].encode("utf-8", "surrogatepass")) for at in (start, end))
            yield Found(offset + start, offset + end, self.kind, value.encode("utf-8", "surrogatepass"), rank)


def of_words(words: Iterable[str]) -> list[UserPattern]:
    """Make one pattern of a list of words: whole words, whatever their case."""
    given = [words] if isinstance(words, str) else list(words)
    for word in given:
        if not isinstance(word, str) or len(word.strip()) < 2:
            raise RedactionError(f"words= takes texts of two characters or more; got {word!r}.")
    if not given:
        return []
    longest_first = sorted({word.strip() for word in given}, key=lambda word: (-len(word), word))
    return [UserPattern("WORD", rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", ignore_case=True)]
