"""Which currencies costs are told in, where the metadata of calls says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.schema import USAGE_KINDS

if TYPE_CHECKING:
    from llmlens.traces import Traces

_NAMED = r'"(?:cost_)?currency"\s*:\s*"([A-Za-z]{3})"'


def currency_note(traces: Traces) -> str:
    """Say which reported costs are told to be in another currency than USD; "" where none is."""
    spans = traces.table("spans")
    paid = spans.filter(spans.kind.isin(USAGE_KINDS) & (spans.cost_source == "reported") & spans.cost_usd.notnull())
    # Looking for the plain text first spares most calls the regular expression.
    told = paid.filter(paid.metadata.contains('currency"'))
    named = told.select(currency=told.metadata.re_extract(_NAMED, 1).upper())
    counts = traces.fetch(named.group_by("currency").agg(n=named.count()).order_by("currency"))
    foreign = counts[counts["currency"].notna() & ~counts["currency"].isin(["", "USD"])]
    if foreign.empty:
        return ""
    listed = ", ".join(f"{currency} {n:,}" for currency, n in zip(foreign["currency"], foreign["n"], strict=True))
    return f"{foreign['n'].sum():,} reported costs are not in USD ({listed}): summed as if they were."
