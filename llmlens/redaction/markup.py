"""HTML as our own snapshots write it: its texts are redacted, and the attributes that hold texts; its markup stays."""

from __future__ import annotations

import html as escaping
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAG = re.compile(
    r"(<!--.*?-->|<(?:style|script)\b.*?</(?:style|script)\s*>|</?[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)",
    re.DOTALL | re.IGNORECASE,
)
#: Attributes whose values people or programs wrote; the others say how things look, and are numbers mostly.
_TEXTS = re.compile(
    r"""(\s(?:title|alt|aria-[a-z]+|value|placeholder|content|href|src|id|name|for|data-(?!bytes)[a-z-]+)\s*=\s*)("[^"]*"|'[^']*')""",
    re.IGNORECASE,
)


class _Texts(Protocol):
    def __call__(self, texts: Sequence[str]) -> list[Any]:
        """Redact texts."""
        ...


def redact_html(html: str, texts: _Texts) -> str:
    """Redact the texts of HTML, which stay escaped; styles and scripts are no texts."""
    parts: list[str] = []
    places: list[int] = []
    for number, piece in enumerate(_TAG.split(html)):
        if number % 2 == 0:
            places.append(len(parts))
            parts.append(piece)
        elif piece[:2] == "<!" or piece[:7].lower() in ("<script", "<style>", "<style "):
            parts.append(piece)
        else:
            for place, part in enumerate(_TEXTS.split(piece)):
                if place % 3 == 2 and part[1:6].lower() != "data:":
                    places.append(len(parts) + 1)
                    parts += [part[0], part[1:-1], part[-1]]  # the quotes stay
                else:
                    parts.append(part)
    plain = [escaping.unescape(parts[place]) for place in places]
    for place, before, redacted in zip(places, plain, texts(plain), strict=True):
        if redacted != before:
            parts[place] = escaping.escape(redacted)
    return "".join(parts)
