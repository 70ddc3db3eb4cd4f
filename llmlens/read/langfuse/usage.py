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

#: The columns that `tokens` may give.
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")

_MOST = 10**15  # a count beyond is a mistake, and its sums would overflow
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


@lru_cache(maxsize=4096)
def _sums(buckets: tuple[str, ...], embeds: bool) -> list[tuple[str, str, list[str]]]:
    """Say which buckets each column is the sum of: the first one, and the others."""
    sums: dict[str, list[str]] = {}
    detailed: dict[str, list[str]] = {}
    for bucket in buckets:
        whole, part = _columns(bucket)
        if whole is not None:
            sums.setdefault(whole, []).append(bucket)
        if part is not None:
            (detailed if whole is None else sums).setdefault(part, []).append(bucket)
    for column, spellings in _SPELLINGS.items():
        if column not in sums and (name := next((s for s in spellings if s in buckets), None)) is not None:
            sums[column] = [name]
    if not sums and "total" in buckets and embeds:  # which writes none
        sums["input_tokens"] = ["total"]
    return [(column, first, others) for column, (first, *others) in {**detailed, **sums}.items()]


def tokens(row: Mapping[str, Any]) -> dict[str, int]:
    """Give the token columns of an observation: inputs include what was cached, outputs include reasoning.

    Columns that are not known are left out.
    """
    details = row.get("usageDetails")
    if not details or details == "{}":
        return _old_usage(row)
    counts = {}
    for bucket, value in (details if type(details) is dict else object_of(details)).items():
        count = value if type(value) is int else number(value)
        if count is not None and 0 <= count < _MOST:
            counts[bucket] = count
    found = {}
    for column, first, more in _sums(tuple(counts), row.get("type") == "EMBEDDING"):
        whole = counts[first]
        for bucket in more:
            whole += counts[bucket]
        found[column] = whole if type(whole) is int else round(whole)
    return found


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
        costs = object_of(details)
        total = number(costs.get("total"))
        if total is not None and total >= 0:
            return total
        known = [cost for cost in map(number, costs.values()) if cost is not None and cost >= 0]
        if known:
            return sum(known)
    total = number(row.get("totalCost")) or number(row.get("calculatedTotalCost"))
    return total if total is not None and total > 0 else None
