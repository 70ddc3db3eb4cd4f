"""Values as strangers write them -> texts, numbers and times. Nothing here raises."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

# orjson writes no deeper than this, and nobody means to.
_DEEPEST = 250

# Python's own way to write a dict or a list of texts or dicts; of those that are longer, parsing takes its time.
_REPR = re.compile(r"\s*(?:\{\s*'|\[\s*(?:'|\{\s*'))")
_LONGEST = 1 << 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(value: Any, *, quoted: bool = False) -> Any:
    """Give what a JSON text, or the repr of a dict or list, holds; whatever else there is comes back as it is.

    `quoted` also takes the quotes off a JSON string: some conventions encode every value.
    """
    if not isinstance(value, str):
        return value
    start = value[:1]
    if start.isspace():
        start = value[:1]
    if start.isspace():
        start = value[:64].lstrip()[:1]
    if not start or start not in ('{["' if quoted else "{["):
        return value
    try:
        found = orjson.loads(value)
        if len(value) > 2 * _DEEPEST and value.count("[") + value.count("{") > _DEEPEST:
            orjson.dumps(found)  # what could not be written again is better kept as the text it came as
    except (ValueError, TypeError):
        return _literal(value)
    return found


def _literal(text: str) -> Any:
    """Give the dict or list that Python wrote with single quotes; any other text comes back as it is."""
    if _REPR.match(text) is None or len(text) > _LONGEST:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of "\d" in what strangers wrote
            found = ast.literal_eval(text.strip())
        return orjson.loads(orjson.dumps(found))  # tuples are lists
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return text


def dumps(value: Any) -> str:
    """Give compact JSON, keys in the order given.

    >>> dumps({"b": 1, "a": "é"})
    '{"b":1,"a":"é"}'
    """
    return encoded(value).decode()


def encoded(value: Any) -> bytes:
    """Give compact JSON as UTF-8."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        pass
    try:
        return json.dumps(value, separators=(",", ":"), default=str).encode()
    except (TypeError, ValueError, RecursionError):
        return json.dumps(object.__repr__(value)).encode()


def text_of(value: Any) -> str | None:
    """Give a text as it is, None as None and anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return dumps(value)


def unpacked(text: str | bytes | None) -> str | None:
    """Give a text that may still be UTF-8."""
    return text.decode() if isinstance(text, bytes) else text


def name_of(value: Any) -> str | None:
    """Give an id or name: a non-empty text, or a number as text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return dumps(value)
    return None


def json_of(value: Any) -> str | None:
    """Give a value, or the JSON text of one, as compact JSON; a text that is not JSON becomes a JSON string."""
    if value is None or value == "":
        return None
    return dumps(decode(value, quoted=True))


def number_of(value: Any) -> float | None:
    """Give a finite number: true and false are 1 and 0, and the text of a number is one."""
    if isinstance(value, (float, int, str)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None
    return None


def time_of(value: Any) -> datetime | None:
    """Give the time in UTC of an ISO or HTTP date, or of a number since the epoch in s, ms, us or ns.

    Times without a zone are UTC. Numbers that are no time between 1990 and 2100 give None.
    """
    if isinstance(value, bool) or value is None:
        return None
    # What begins as an ISO date is no time as a number, and to ask takes longer than to read the date.
    number = None if isinstance(value, str) and value[4:5] == "-" else number_of(value)
    if number is not None:
        for scale in (1, 1e3, 1e6, 1e9):
            if 631_152_000 <= number / scale < 4_102_444_800:
                return datetime.fromtimestamp(number / scale, UTC)
    if not isinstance(value, str) or not 8 <= len(value) <= 64:
        return None
    try:
        time = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            time = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nanoseconds_of(value: Any) -> int | None:
    """Give nanoseconds since the epoch of a time as `time_of` takes it; integers in ns keep all their digits."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, int) and 631_152_000_000_000_000 <= value < 4_102_444_800_000_000_000:
        return int(value)
    time = time_of(value)
    if time is None:
        return None
    past = time - _EPOCH
    return (past.days * 86_400 + past.seconds) * 1_000_000_000 + past.microseconds * 1000
