"""`cost_audit`: what is wrong with the numbers that the bill is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.read.prices import price_version
from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS

from .asking import takes_traces
from .currencies import currency_note
from .figures import bars
from .list_prices import listed_calls
from .repeated_usage import repeated_usage
from .shape import Result, columns_by, result
from .usage import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.read.prices import UserPrices
    from llmlens.traces import Traces

#: What is looked for, and what a finding means.
FINDINGS: dict[str, str] = {
    "call counted twice": "a model call wraps another and repeats its usage: both are in every sum",
    "parent repeats calls": "an agent or chain sums up its calls: llmlens leaves it out, a sum over all spans does not",
    "cached billed twice": "the reported cost charges cached tokens in full and as cached",
    "cached counted twice": "input_tokens has the cached tokens twice: the reported cost is right, a computed one not",
    "outdated price": "the reported cost is that of the price list of an earlier date",
    "unlike list price": "the reported cost is not that of the list, for none of these reasons: a contract, an error",
    "no price": "neither reported nor in the price list: in no sum at all",
}
_COLUMNS = ("n", "checked", "share", "tokens", "effect_usd", "examples", "what")
#: Costs that differ by less agree: half a percent, or the sixth decimal that costs are often rounded to.
_RELATIVE, _ABSOLUTE = 5e-3, 5e-7
_EXAMPLES = 3
#: Findings about cached tokens -> the column with the cost that shows it.
_CACHED = {"cached billed twice": "twice", "cached counted twice": "once_less"}


@takes_traces
def cost_audit(traces: Traces, by: str | Iterable[str] | None = None, *, prices: UserPrices = None) -> Result:
    """Look for usage that is counted twice, and for costs that the price list does not explain.

    `by`: columns of spans, such as `["provider", "model"]`. `prices`: prices of your own, as for the readers.

    One row a finding and group, those with the largest effect first: `finding`, the columns of `by`, `n` (spans or
    calls), `checked` (of how many that could be said), `share`, `tokens`, `effect_usd`, `examples` (up to three trace
    ids), `what`. The findings:

    * call counted twice, parent repeats calls: input and output tokens of a span are the sum of those below it (the
      cost is, where tokens are not told). The effect is the cost that is there once too often.
    * cached billed twice: reported cost = list cost + all cached tokens at the full price, as when usage that excludes
      them is priced as if it included them. Effect: what was reported too much.
    * cached counted twice: reported cost = list cost once the cached tokens are taken off the input again. Effect: what
      a computed cost would have too much.
    * outdated price: reported cost = list cost of an earlier date. Effect: reported - listed, as with the next.
    * unlike list price: what is left of reported costs that differ from the list by more than half a percent.
    * no price: calls with usage, or that went well, whose cost nobody knows. The effect is NA.

    The two about cached tokens are only said of a model when together they explain half of its odd costs: a discount
    hits one of these numbers by chance now and then. Whether a computed cost is right cannot be told without a reported
    one.

    Raises `UnknownNameError` for a column, `ReadError` for unusable `prices`.
    """
    names = columns_by(by, taken=("finding", *_COLUMNS, "span_id", "cost_usd"))
    parents = repeated_usage(traces, names)
    calls = listed_calls(traces, [*dict.fromkeys((*names, "provider", "model"))], prices)
    told = calls[(calls["cost_source"] != "priced").fillna(value=True) & calls["paid"].notna()]
    listed = told[told["listed"].notna()]
    reasons = _reasons(listed)
    unknown = _of_unknown_cost(traces, names)
    found = {
        "call counted twice": (parents[parents["call"]], parents.loc[parents["call"], "repeats"]),
        "parent repeats calls": (parents[~parents["call"]], parents.loc[~parents["call"], "repeats"]),
        **{name: (reasons, reasons["reason"] == name) for name in list(FINDINGS)[2:6]},
        "no price": (unknown, unknown["unknown"]),
    }
    parts = [_rows(finding, *rows, names) for finding, rows in found.items()]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.iloc[np.lexsort((-frame["n"], -frame["effect_usd"].abs().fillna(-1)))].reset_index(drop=True)
    unlisted = len(told) - len(listed)
    notes = [f"list prices: {price_version()}" + (" and your own" if prices is not None else "")]
    notes.append(f"{unlisted:,} reported costs are of models without a list price: not checked" if unlisted else "")
    notes.append(
        "" if len(told) else "no call with tokens has a reported cost: there is nothing to hold against the list"
    )
    timeless = int(listed["start"].isna().sum())
    notes.append(f"{timeless:,} reported costs have no time: held against the prices of today" if timeless else "")
    notes.append(currency_note(traces))
    return result(frame, _draw, notes)


def _agree(one: pd.Series[float], other: pd.Series[float]) -> pd.Series[bool]:
    return ((one - other).abs() <= np.maximum(_RELATIVE * other.abs(), _ABSOLUTE)).fillna(value=False)


def _reasons(calls: pd.DataFrame) -> pd.DataFrame:
    """Add the reason why what was paid is not the list price ("" where it is), and the effect of that."""
    numbers = ["paid", "listed", "twice", "once_less", "other_date"]
    of = calls[numbers].astype("Float64").astype(float)
    odd = ~_agree(of["paid"], of["listed"])
    reason = pd.Series("", index=calls.index, dtype="str").mask(odd, "unlike list price")
    reason = reason.mask(odd & _agree(of["paid"], of["other_date"]), "outdated price")
    models = [calls["provider"].fillna(""), calls["model"].fillna("")]
    effect = of["paid"] - of["listed"]
    left = odd & (reason != "outdated price")
    asked = {name: left & ~_agree(of[column], of["listed"]) for name, column in _CACHED.items()}
    fits = {name: asked[name] & _agree(of["paid"], of[column]) for name, column in _CACHED.items()}
    told, any_asked = (pd.DataFrame(each).any(axis=1).groupby(models).transform("sum") for each in (fits, asked))
    for name, fit in fits.items():
        hit = fit & (told >= any_asked / 2) & (reason == "unlike list price")
        reason = reason.mask(hit, name)
        if name == "cached counted twice":
            effect = effect.where(~hit, -effect)
    tokens = calls[["input_tokens", "output_tokens"]].sum(axis=1, min_count=1)
    return calls.assign(reason=reason, effect=effect, tokens=tokens)


def _of_unknown_cost(traces: Traces, names: list[str]) -> pd.DataFrame:
    """Give the model calls, and whether their cost is one that nobody knows."""
    spans = traces.table("spans")
    calls = spans.mutate(unknown=unpriced(spans)).filter(lambda s: s.cost_usd.notnull() | s.unknown)
    calls = calls.filter(calls.kind.isin(USAGE_KINDS))
    tokens = tokens_of(calls)
    wanted = [calls[name] for name in dict.fromkeys(("trace_id", *names))]
    return traces.fetch(calls.select(*wanted, unknown=calls.unknown.fill_null(False), tokens=tokens)).assign(
        effect=np.nan
    )


def _rows(finding: str, checked: pd.DataFrame, found: pd.Series[bool], names: list[str]) -> pd.DataFrame:
    """Give a row a group in which something was found; without groups a row in any case."""
    hits = found.astype(bool).to_numpy()
    parts = checked[names].assign(
        n=hits.astype(int),
        checked=1,
        tokens=checked["tokens"].where(hits).astype("Float64"),
        effect_usd=checked["effect"].where(hits).astype("Float64"),
        examples=checked["trace_id"].where(hits),
    )
    first, known = {"n": "sum", "checked": "sum"}, ["tokens", "effect_usd"]
    if names:
        grouped = parts.groupby(names, dropna=False)
        frame = grouped.agg(first)
        frame[known] = grouped[known].sum(min_count=1)
        frame["examples"] = grouped["examples"].agg(_examples)
        frame = frame[frame["n"] > 0].reset_index()
    else:
        sums = {name: [parts[name].sum()] for name in first}
        frame = pd.DataFrame({**sums, "examples": [_examples(parts["examples"])]})
        frame[known] = parts[known].sum(min_count=1).to_frame().T.to_numpy()
        if not sums["n"][0]:  # nothing was found: where something was looked at it is 0, else not known
            frame[known] = 0.0 if sums["checked"][0] else np.nan
        if finding == "no price":
            frame["effect_usd"] = np.nan
    frame["share"] = frame["n"] / frame["checked"].where(frame["checked"] > 0)
    types = {"n": "Int64", "checked": "Int64", "tokens": "Int64", "share": "Float64", "effect_usd": "Float64"}
    frame = frame.assign(finding=finding, what=FINDINGS[finding]).astype({**types, "examples": "str"})
    return frame[["finding", *names, *_COLUMNS]]


def _examples(ids: pd.Series[str]) -> str:
    return ", ".join(list(dict.fromkeys(ids.dropna()))[:_EXAMPLES])


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    return bars(frame, "effect_usd", names, title="What is wrong with the costs", unit="USD")
