"""`prompt_cache`: how much of the input the provider's cache serves, and what better prefixes would save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.arguments import check_count
from llmlens.errors import SelectionError

from .asking import takes_traces
from .figures import bars, lines
from .list_prices import listed_calls
from .prompt_texts import common_prefixes, constant_share, prompts
from .shape import Result, buckets, columns_by, result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.read.prices import UserPrices
    from llmlens.traces import Traces

#: Prompts of a group that tell which lines are always there.
_SAMPLE = 200
_COLUMNS = ("calls", "n", "input_tokens", "cached_tokens", "cached_share", "prefix_tokens", "constant_tokens")
_SAVED = ("saved_usd", "prefix_saving_usd", "constant_saving_usd")


@takes_traces
def prompt_cache(
    traces: Traces,
    by: str | Iterable[str] | None = ("feature", "prompt_version"),
    every: str | None = None,
    *,
    life: str = "5min",
    least_tokens: int = 1024,
    prices: UserPrices = None,
) -> Result:
    """Say what the provider's prompt cache serves, and what it could.

    A provider reads the beginning of a prompt from its cache, at a fraction of the price, when the same beginning of at
    least `least_tokens` was sent within its `life`; both differ by provider. `by` and `every`: as for all measures.
    `prices`: prices of your own, as for the readers.

    One row a group and period, the largest possible saving first: the columns of `by`, `period`, `calls` (of models,
    with input tokens), `n` (those whose prompt is known), `input_tokens`, `cached_tokens`, `cached_share`,
    `prefix_tokens` (mean over n: how far a prompt begins like the one before it, in its group or its trace),
    `constant_tokens` (mean: in lines that at least 90 % of the group's prompts have, wherever they stand), `saved_usd`
    (what the cache saved), `prefix_saving_usd` (what it would save more if it held the common prefixes as they are: a
    switch, a marker or a longer life is missing), `constant_saving_usd` (what it would save more if the constant lines
    came first: something that changes stands before them).

    Tokens of a part of a prompt are its share of the characters; definitions of tools are not in the text. Savings are
    at list price, reads only: writing to the cache costs extra with some providers. A group without a list price or
    without prompts has NA, and `notes` say so; they also count the calls that do not say what was read from the cache,
    which is taken to be nothing.

    Raises `UnknownNameError` for a column, `SelectionError` for a life or a number of tokens that is none.
    """
    names = columns_by(by, taken=(*_COLUMNS, *_SAVED, "trace_id", "span_id", "start", "period", "cost_usd"))
    lasting = _life(life)
    check_count("least_tokens", least_tokens, "the tokens of the shortest prefix that is cached", least=0)
    calls = listed_calls(traces, names, prices)
    calls = calls[calls["input_tokens"].notna() & (calls["kind"] == "llm")]
    texts = traces.fetch(prompts(traces))
    calls = calls.merge(texts, on=["trace_id", "span_id"], how="left") if len(texts) else calls.assign(prompt=None)
    calls = calls.sort_values(["start", "trace_id", "span_id"], ignore_index=True)
    calls = _reachable(calls, names, lasting, least_tokens)
    keys = list(names)
    if every is not None:
        calls["period"] = buckets(calls["start"], every)
        keys.append("period")
    notes = [
        _counted(calls["prompt"].isna(), "calls do not say what they were sent"),
        _counted(calls["start"].isna(), "calls have no time: not known whether a prefix was still in the cache"),
        _counted(calls["cache_read_tokens"].isna(), "calls do not say what was read from the cache: as if nothing was"),
        _counted(calls["list_cache_read"].isna(), "calls are of models without a list price: no saving is known"),
        "" if len(calls) else "no model call says how many tokens it read",
    ]
    return result(_grouped(calls, keys), _draw, notes)


def _life(life: str) -> pd.Timedelta:
    try:
        found = pd.Timedelta(life if isinstance(life, str) else "NaT")
    except ValueError:
        found = pd.Timedelta("NaT")
    if not found > pd.Timedelta(0):
        raise SelectionError(f"life={life!r} is not a length of time. Expected a number and a unit: '5min', '1h'.")
    return found


def _counted(which: pd.Series[bool], text: str) -> str:
    return f"{int(which.sum()):,} of {len(which):,} {text}" if which.any() else ""


def _reachable(calls: pd.DataFrame, names: list[str], life: pd.Timedelta, least: int) -> pd.DataFrame:
    """Add, for each call, the tokens of its common prefix and of its constant lines, and what the cache could read."""
    known = calls["prompt"].notna().to_numpy()
    texts = calls["prompt"].fillna("").tolist()
    places = pd.Series(np.arange(len(calls)), index=calls.index)
    groups = calls.groupby(names, dropna=False).ngroup() if names else pd.Series(0, index=calls.index)
    length = np.maximum([len(text) for text in texts], 1)
    tokens = calls["input_tokens"].to_numpy(dtype=float)
    prefix, warm, recent = (np.zeros(len(calls)) for _ in range(3))
    at = calls["start"].to_numpy(dtype="datetime64[us]")
    for key in (groups, calls["trace_id"]):
        before = places.where(known).groupby([groups, key]).ffill().groupby([groups, key]).shift()
        earlier = before.fillna(-1).to_numpy(dtype=np.int64)
        same = np.where(known, common_prefixes(texts, np.where(known, earlier, -1)), 0) / length * tokens
        alive = (earlier >= 0) & (at - at[np.maximum(earlier, 0)] <= life.to_timedelta64())
        prefix = np.maximum(prefix, same)
        warm = np.maximum(warm, np.where(alive, same, 0))
        recent = np.maximum(recent, alive)
    shares = pd.Series(texts, index=calls.index)[known].groupby(groups[known]).agg(_constant)
    # Constant lines are equally long in the short prompts of a group and in the long ones.
    usual = pd.Series(length, index=calls.index).where(known).groupby(groups).transform("mean")
    constant = np.minimum((groups.map(shares) * usual).to_numpy(dtype=float) / length, 1) * tokens
    read = calls["cache_read_tokens"].fillna(0).to_numpy(dtype=float)
    price = (calls["list_input"] - calls["list_cache_read"]).to_numpy(dtype=float, na_value=np.nan) / 1e6
    ahead = np.maximum(warm, np.nan_to_num(constant) * recent)
    gains = [np.where(each >= least, np.maximum(each - read, 0), 0) * price for each in (warm, ahead)]
    unknown = np.where(known, 1.0, np.nan)
    timed = np.where(np.isnat(at), np.nan, unknown)
    return calls.assign(
        n=known.astype(int), prefix=prefix * unknown, constant=constant * unknown, read=read, saved_usd=read * price,
        prefix_saving_usd=gains[0] * timed, constant_saving_usd=(gains[1] - gains[0]) * timed,
    )  # fmt: skip


def _constant(texts: pd.Series[str]) -> float:
    step = max(1, len(texts) // _SAMPLE)
    return constant_share(texts.iloc[::step].tolist())


def _grouped(calls: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    parts = calls[keys].assign(
        calls=1, n=calls["n"], input_tokens=calls["input_tokens"], cached_tokens=calls["read"],
        prefix_tokens=calls["prefix"], constant_tokens=calls["constant"], **{name: calls[name] for name in _SAVED},
    )  # fmt: skip
    sums = ["calls", "n", "input_tokens", "cached_tokens", "prefix_tokens", "constant_tokens", *_SAVED]
    if keys:
        frame = parts.groupby(keys, dropna=False)[sums].sum(min_count=1).reset_index()
    else:
        frame = parts[sums].sum(min_count=1).to_frame().T
        frame[["calls", "n"]] = len(parts), parts["n"].sum()
    frame["cached_share"] = frame["cached_tokens"] / frame["input_tokens"].where(frame["input_tokens"] > 0)
    for name in ("prefix_tokens", "constant_tokens"):
        frame[name] /= frame["n"].where(frame["n"] > 0)
    whole = dict.fromkeys(("calls", "n", "input_tokens", "cached_tokens"), "Int64")
    frame = frame.astype({**whole, **dict.fromkeys((*_COLUMNS[4:], *_SAVED), "Float64")})
    order = ["period"] if "period" in keys else []
    possible = frame["prefix_saving_usd"].fillna(0) + frame["constant_saving_usd"].fillna(0)
    frame = frame.assign(_possible=-possible).sort_values([*order, "_possible"], kind="stable")
    return frame[[*keys, *_COLUMNS, *_SAVED]].reset_index(drop=True)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("calls")])
    if "period" in names:
        names.remove("period")
        return lines(frame, "period", "cached_share", names, title="Input read from the cache", unit="share")
    return bars(frame, "cached_share", names, title="Input read from the cache", unit="share")
