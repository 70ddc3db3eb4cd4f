"""Langfuse's buckets of tokens and costs -> the columns of `spans`.

The buckets are disjoint: `input` leaves out what was cached, `output` leaves out reasoning. The server itself counts as
input every bucket whose name holds "input", and as output every one whose name holds "output"; so does this. What is
named after a part (`prompt_details.cache_read`) says more about one of them, and is not added.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .cells import number, object_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 1e15  # a count beyond is a mistake, and its sums would overflow
#: What counts where there is no bucket of Langfuse's own.
_SPELLINGS = {
    "input_tokens": ("prompt_tokens", "prompt"),
    "output_tokens": ("completion_tokens", "completion"),
}


@lru_cache(maxsize=4096)
def _columns(bucket: str) -> tuple[str | None, str | None]:
    """Say which sum a bucket belongs to, and which part of it is."""
    name = bucket.lower()
    whole = None
    if "details." not in name and "total" not in name:
        whole = "input_tokens" if "input" in name else "output_tokens" if "output" in name else None
    if "cach" in name:
        return whole, "cache_write_tokens" if "creation" in name or "write" in name else "cache_read_tokens"
    if "reason" in name or "thought" in name or "thinking" in name:
        return whole, "reasoning_tokens"
    return whole, None


def tokens(row: Mapping[str, Any]) -> dict[str, int]:
    """Give the token columns of an observation: inputs include what was cached, outputs include reasoning.

    Columns that are not known are left out.
    """
    details = row.get("usageDetails")
    if not details or details == "{}":
        return _old_usage(row)
    sums: dict[str, float] = {}
    detailed: dict[str, float] = {}
    values = {}
    for bucket, value in object_of(details).items():
        count = number(value)
        if count is None or not 0 <= count < _MOST:
            continue
        values[bucket] = count
        whole, part = _columns(bucket)
        if whole is not None:
            sums[whole] = sums.get(whole, 0) + count
        if part is not None:
            found = detailed if whole is None else sums
            found[part] = found.get(part, 0) + count
    for column, spellings in _SPELLINGS.items():
        if column not in sums and (name := next((s for s in spellings if s in values), None)) is not None:
            sums[column] = values[name]
    if not sums and "total" in values and row.get("type") == "EMBEDDING":  # which writes none
        sums["input_tokens"] = values["total"]
    return {column: round(count) for column, count in {**detailed, **sums}.items()}


def _old_usage(row: Mapping[str, Any]) -> dict[str, int]:
    """Read the fields of before there were buckets; 0 in all of them says that nothing is known."""
    usage = object_of(row.get("usage"))
    found = {}
    for column, (new, old, older) in {
        "input_tokens": ("inputUsage", "promptTokens", "input"),
        "output_tokens": ("outputUsage", "completionTokens", "output"),
    }.items():
        count = number(row.get(new)) or number(row.get(old)) or number(usage.get(older)) or 0
        found[column] = round(count) if 0 < count < _MOST else 0
    return found if any(found.values()) else {}


def cost(row: Mapping[str, Any]) -> float | None:
    """Give the cost in USD: 0 where the server has priced it so, None where it is not known.

    `totalCost` is 0 for "not known" too, and -1 in lists that leave the costs out: without details only more than 0
    says something.
    """
    details = row.get("costDetails")
    if details and details != "{}":
        costs = {name: number(value) for name, value in object_of(details).items()}
        known = {name: value for name, value in costs.items() if value is not None and value >= 0}
        if known:
            return known["total"] if "total" in known else sum(known.values())
    total = number(row.get("totalCost")) or number(row.get("calculatedTotalCost"))
    return total if total is not None and total > 0 else None
