"""Parameters of a query, read as strictly as the server reads them; pages by number."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = TypeVar("Row")

#: A time needs its zone; the server shows this pattern to those who left it out.
ISO_TIME = (
    r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29"
    r"|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))"
    r"T(?:(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|([+-](?:[01]\d|2[0-3]):[0-5]\d)))$"
)
MOST_PER_PAGE = 100


class Params(dict[str, list[str]]):
    """The parameters of a query: lists of texts by name."""

    def text(self, name: str) -> str | None:
        """Give a parameter's text; None without it."""
        return self[name][0] if name in self else None

    def words(self, name: str) -> list[str]:
        """Give the parts of a text that commas divide."""
        return [word for word in (self.text(name) or "").split(",") if word]

    def whole(self, name: str, default: int, most: int | None = None) -> int:
        """Give a whole number of at least 1."""
        try:
            number = int(self.text(name) or default)
        except ValueError:
            said = "Invalid input: expected number, received NaN"
            raise invalid(name, said, expected="number", code="invalid_type", received="NaN") from None
        if most is not None and number > most:
            said = f"Too big: expected number to be <={most}"
            raise invalid(name, said, origin="number", code="too_big", maximum=most, inclusive=True)
        if number < 1:
            said = "Too small: expected number to be >=1"
            raise invalid(name, said, origin="number", code="too_small", minimum=1, inclusive=True)
        return number

    def time(self, name: str) -> str | None:
        """Give a time as the rows write it."""
        given = self.text(name)
        return None if given is None else time_of(given, name)


def time_of(given: Any, name: str) -> str:
    """Give a time as the rows write it; refuse one without a zone."""
    if not isinstance(given, str) or not re.match(ISO_TIME, given):
        said = {"origin": "string", "code": "invalid_format", "format": "datetime", "pattern": f"/{ISO_TIME}/"}
        raise invalid(name, "Invalid ISO datetime", **said)
    return iso(datetime.fromisoformat(given))


def iso(at: datetime) -> str:
    """Write a time as the server does: UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def paged(rows: Sequence[Row], params: Params, shown: Callable[[Row], Any] = lambda row: row) -> dict[str, Any]:
    """Give a page by number, and how many there are."""
    page, limit = params.whole("page", 1), params.whole("limit", 50, MOST_PER_PAGE)
    meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": -(-len(rows) // limit)}
    return {"data": [shown(row) for row in rows[(page - 1) * limit : page * limit]], "meta": meta}
