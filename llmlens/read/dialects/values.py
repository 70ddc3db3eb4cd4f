"""The small things that every dialect spells in its own way: ids, times, status codes, attribute values."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.read.raw import Problem, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRACE_DIGITS, SPAN_DIGITS = 32, 16

#: Nanoseconds between which a time is taken for what it says: the years 1979 and 2262 (the end of 64 bits).
EARLIEST_NS, LATEST_NS = 3 * 10**17, 2**63 - 1

#: Levels of lists and dicts in one attribute. What is deeper is cut: most JSON writers stop at about 250.
MAX_DEPTH = 100

_HEX = re.compile(r"[0-9a-fA-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((10**9, "seconds"), (10**6, "milliseconds"), (10**3, "microseconds"))


class Notes(list[Problem]):
    """What was odd about one span or record, yielded after it."""

    def __init__(self, line: int) -> None:
        """Note things about what stands at `line`."""
        super().__init__()
        self.line = line

    def add(self, action: str, reason: str, example: object = "") -> None:
        """Note one thing; `action` as in `Problem`."""
        self.append(Problem(self.line, reason, clip(example), action=action))


def clip(example: object, length: int = 200) -> str:
    """Show the beginning of anything as a text of at most `length` characters, without ever failing.

    >>> clip({"a": [1, 2]})
    '{"a":[1,2]}'
    """
    if isinstance(example, str):
        return example[:length]
    if isinstance(example, bytes):
        return example[: 4 * length].decode("utf-8", "replace")[:length]
    try:
        return clip(orjson.dumps(example, option=orjson.OPT_NON_STR_KEYS), length)
    except (TypeError, ValueError, RecursionError):
        return f"<{type(example).__name__}>"


def dropped(line: int | None, reason: str, example: object = "") -> Problem:
    """Make the problem of something that is not in the tables."""
    return Problem(line, reason, clip(example))


def first(item: Mapping[str, Any], *names: str) -> Any:
    """Give the first of the fields `names` that is there and not null, else None."""
    for name in names:
        if (value := item.get(name)) is not None:
            return value
    return None


def items(value: object, what: str, notes: Notes) -> list[Any]:
    """Give a list that should be one; None is an empty one, one object is a list of it, anything else is dropped."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value]
    notes.add("dropped", f"{what} is not a list", value)
    return []


def hex_id(value: object, digits: int, notes: Notes | None = None) -> str:
    """Normalise an id in hex (any case, `0x`), base64 or UUID to lower-case hex; short hex is padded with zeros.

    Raises `ValueError` when it is none of these, too long, or all zeros.

    >>> hex_id("Ntpnunjsegc=", 16)
    '36da67ba78ec7a07'
    """
    if not isinstance(value, str) or not (text := value.strip()):
        raise ValueError("missing" if value is None or isinstance(value, str) else "not a text")
    if _HEX.fullmatch(text, 2 if text[:2] in {"0x", "0X"} else 0):
        found = (text[2:] if text[:2] in {"0x", "0X"} else text).lower()
    elif _UUID.fullmatch(text):
        found = text.replace("-", "").lower().removeprefix("0" * (TRACE_DIGITS - digits))
    else:
        found = _from_base64(text, digits)
    if not found.strip("0"):
        raise ValueError("all zeros")
    if len(found) < digits:
        if notes is not None:
            notes.add("repaired", f"an id of fewer than {digits} hex digits was padded with zeros", text)
        return found.zfill(digits)
    if len(found) not in {digits, TRACE_DIGITS}:
        raise ValueError(f"of {len(found)} hex digits instead of {digits}")
    return found


def _from_base64(text: str, digits: int) -> str:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        found = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).hex()
    except (binascii.Error, ValueError):
        found = ""
    if len(found) != digits:
        raise ValueError("neither hex, base64 nor UUID")
    return found


def parent_id(value: object, notes: Notes) -> str | None:
    """Normalise the id of a parent: absent, empty and all zeros mean none. One that cannot be read is noted."""
    if value is None or value == "":
        return None
    try:
        return hex_id(value, SPAN_DIGITS, notes)
    except ValueError as error:
        if str(error) != "all zeros":
            notes.add("repaired", f"the parent's id is {error}: the span became a root", value)
        return None


def time_ns(value: object, notes: Notes, what: str, unit: int | None = 1) -> int | None:
    """Read a time as ns since the epoch: ISO-8601, or a number (or its text) of `unit` ns.

    `unit=None` guesses the unit from the size. A number that can only be of another unit is repaired and noted; 0 and
    null are None.
    """
    if value is None or value == "" or isinstance(value, bool):
        return None
    if isinstance(value, str) and (iso := _ISO.fullmatch(value.strip())):
        try:
            return _iso_ns(*iso.groups())
        except ValueError:
            notes.add("repaired", f"the {what} is no time", value)
            return None
    number = _number(value)
    if number is None:
        notes.add("repaired", f"the {what} is no time", value)
        return None
    ns = number * (unit or 1)
    if ns == 0 or EARLIEST_NS <= ns <= LATEST_NS:
        return ns or None
    for factor, name in _UNITS:
        if EARLIEST_NS <= number * factor <= EARLIEST_NS * 25:
            if unit is not None:
                notes.add("repaired", f"the {what} was given in {name}", value)
            return number * factor
    if EARLIEST_NS <= number <= LATEST_NS:
        notes.add("repaired", f"the {what} was given in nanoseconds", value)
        return number
    if abs(ns) > LATEST_NS:
        notes.add("repaired", f"the {what} is out of range", value)
        return None
    notes.add("noted", f"the {what} is before 1979", value)
    return ns


def _iso_ns(day: str, clock: str, fraction: str | None, zone: str | None) -> int:
    offset = "+00:00" if zone is None or zone[0] not in "+-" else zone
    since = datetime.fromisoformat(f"{day}T{clock}{offset}") - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "0")[:9].ljust(9, "0"))


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return value
    try:
        if isinstance(value, float):
            return round(value)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return int(value) if value.strip().lstrip("+-").isdigit() else round(float(value))
    except (ValueError, OverflowError):
        pass
    return None


_CODES = {"": 0, "UNSET": 0, "OK": 1, "ERROR": 2, "0": 0, "1": 1, "2": 2}


def status_code(value: object, notes: Notes) -> int:
    """Read a status code (int, `STATUS_CODE_OK`, `OK`) as OpenTelemetry's number; what is unknown is unset."""
    text = "" if value is None else str(value).upper().removeprefix("STATUSCODE.").removeprefix("STATUS_CODE_")
    if text not in _CODES:
        notes.add("repaired", "an unknown status code became unset", value)
    return _CODES.get(text, 0)


def text_of(value: object) -> str:
    """Give a name as a text: itself, empty for null, else as JSON."""
    return value if isinstance(value, str) else "" if value is None else clip(value)


def attributes(value: object, notes: Notes) -> dict[str, Value]:
    """Decode attributes: OTLP's list of `{key, value}`, or a plain dict."""
    if isinstance(value, dict):
        return {str(key): any_value(each, notes) for key, each in value.items()}
    decoded: dict[str, Value] = {}
    for pair in items(value, "a set of attributes", notes):
        if isinstance(pair, dict) and isinstance(key := pair.get("key"), str):
            decoded[key] = any_value(pair.get("value"), notes)
        else:
            notes.add("repaired", "an attribute without a key was left out", pair)
    return decoded


def any_value(value: object, notes: Notes, depth: int = 0) -> Value:
    """Decode an AnyValue (camelCase or snake_case), or take plain JSON as it is; `{}` is None, bytes stay base64."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return finite(value, notes)
    if isinstance(value, int):
        return _int(value, notes, depth)
    if depth >= MAX_DEPTH:
        notes.add("repaired", f"an attribute nested deeper than {MAX_DEPTH} levels was cut")
        return f"(nested deeper than {MAX_DEPTH} levels)"
    if isinstance(value, list):
        return [any_value(each, notes, depth + 1) for each in value]
    if not isinstance(value, dict):
        return clip(value)
    if value.keys() <= _KINDS.keys():
        for name, each in value.items():
            if each is not None:
                return _KINDS[name](each, notes, depth + 1)
        return None
    return {str(key): any_value(each, notes, depth + 1) for key, each in value.items()}


def finite(value: float, notes: Notes) -> Value:
    """Give a number back, or the text that OTLP has for one that JSON has not: NaN, Infinity, -Infinity."""
    if math.isfinite(value):
        return value
    text = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    notes.add("noted", "a number is NaN or infinite: kept as a text", text)
    return text


def _string(value: Any, notes: Notes, depth: int) -> Value:
    return value if isinstance(value, str) else any_value(value, notes, depth)


def _int(value: Any, notes: Notes, depth: int) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return finite(value, notes)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return any_value(value, notes, depth)
    if -LATEST_NS <= number <= LATEST_NS:
        return number
    notes.add("repaired", "an integer of more than 64 bits became a number with a fraction", value)
    return float(number) if abs(number) < 10**300 else text_of(str(value))


def _double(value: Any, notes: Notes, depth: int) -> Value:
    try:
        return finite(float(value), notes)  # takes "NaN" and "Infinity" as JSON protobuf spells them
    except (TypeError, ValueError, OverflowError):
        return any_value(value, notes, depth)


def _array(value: Any, notes: Notes, depth: int) -> Value:
    values = value.get("values") if isinstance(value, dict) else value
    return [any_value(each, notes, depth) for each in items(values, "an array", notes)]


def _kvlist(value: Any, notes: Notes, depth: int) -> Value:
    decoded: dict[str, Value] = {}
    for pair in items(value.get("values") if isinstance(value, dict) else value, "a kvlist", notes):
        if isinstance(pair, dict):
            decoded[text_of(pair.get("key"))] = any_value(pair.get("value"), notes, depth)
        else:
            notes.add("repaired", "an attribute without a key was left out", pair)
    return decoded


def _both(camel: str, decode: Callable[[Any, Notes, int], Value]) -> dict[str, Callable[[Any, Notes, int], Value]]:
    return dict.fromkeys((camel + "Value", camel + "_value"), decode)


_KINDS = {
    **_both("string", _string),
    **_both("int", _int),
    **_both("double", _double),
    **_both("bool", _string),
    **_both("bytes", _string),
    **_both("array", _array),
    **_both("kvlist", _kvlist),
}
