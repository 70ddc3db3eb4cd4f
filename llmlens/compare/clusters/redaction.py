"""What must not become part of a name: addresses, ids, keys and numbers are taken out of texts before they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In order; each match becomes a full stop, so that words on its two sides are no pair.
PATTERNS: tuple[str, ...] = (
    r"[\w.+%-]+@[\w-]+(\.[\w-]+)+",  # e-mail addresses
    r"(?i)\b(https?|ftp|s3|gs|file)://\S+|\bwww\.\S+",
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}",
    r"(?i)\b(sk|pk|rk|ghp|gho|xox[abp]|akia|aiza)[-_]?[a-z0-9_-]{8,}",  # keys by their well-known beginnings
    r"(?i)\b[0-9a-f]{8,}(-[0-9a-f]{4,})*\b",  # hex and UUIDs, also those that happen to have no digit
    r"\S*\p{N}\S*",  # all else with a digit: numbers, dates, orders, phones, cards, ids
    r"[\w+/=-]{30,}",  # base64 and the like
)


def redacted(texts: Sequence[str]) -> list[str]:
    """Give the texts without what tells one person, order or account from another.

    Names of people are words like others: naming asks that a term is in many texts of a group.
    """
    import pyarrow.compute as pc

    from llmlens.embed.words import beginnings_of

    array = beginnings_of(texts)
    for pattern in PATTERNS:
        array = pc.replace_substring_regex(array, pattern, " . ")
    return [str(text) for text in array.to_pylist()]
