"""Anomalies of random days, beside plain loops over days."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import t as student

import llmlens as ll
from tests.examples import examples

from .paid_calls import MONDAY, told, traces_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DAY = st.lists(st.tuples(st.integers(0, 23), st.sampled_from([0.5, 1.0, 1.2, 3.0, None])), max_size=3)
DAYS = st.lists(st.tuples(DAY, DAY, st.sampled_from([1, 1, 1, 30])), min_size=6, max_size=19)


def median_of_others(values: Sequence[float | None], place: int, near: Iterable[int]) -> tuple[float, int]:
    """Give the median of the values at the places `near` but this one, and how many are known."""
    others = [values[other] for other in near if other != place and values[other] is not None]
    return (float(np.median(others)), len(others)) if others else (np.nan, 0)  # type: ignore[arg-type]


def centres(logs: Sequence[float | None], first_weekday: int | None) -> list[float]:
    """Give what is expected of each day: the level around it, and what its weekday has beside that."""
    n = len(logs)
    rhythm = [0.0] * n

    def less(other: Sequence[float]) -> list[float | None]:
        return [None if log is None or np.isnan(off) else log - off for log, off in zip(logs, other, strict=True)]

    def levels(values: Sequence[float | None]) -> list[float]:
        return [median_of_others(values, i, range(max(0, i - 7), min(n, i + 8)))[0] for i in range(n)]

    if first_weekday is None:
        return levels(logs)
    for _ in range(3):
        level = levels(less(rhythm))
        beside = less(level)
        for i in range(n):
            own, count = median_of_others(beside, i, [j for j in range(n) if (j - i) % 7 == 0])
            everything, _count = median_of_others(beside, i, range(n))
            trust = count / (count + 0.5)
            rhythm[i] = trust * own + (1 - trust) * everything if count else 0.0
            rhythm[i] = 0.0 if np.isnan(rhythm[i]) else rhythm[i]
    return [a + b for a, b in zip(level, rhythm, strict=True)]


def spread_of(values: list[float]) -> float:
    """Give Qn by sorting the distances of all pairs."""
    n, half = len(values), len(values) // 2 + 1
    distances = sorted(abs(a - b) for a, b in combinations(values, 2))
    return 2.2219 * distances[half * (half - 1) // 2 - 1] * (n / (n + 1.4) if n % 2 else n / (n + 3.8))


def unusual(values: list[float], errors: list[float], weekdays: int | None) -> list[dict[str, float | None]]:
    """Say of each day what was expected and how odd it is; NaN is a day on which nothing is known."""
    logs = [float(np.log(value)) if value > 0 else None for value in values]
    centre = centres(logs, weekdays)
    off = [
        None if log is None or np.isnan(middle) or np.isnan(error) else (log - middle) / max(error, 1e-3)
        for log, middle, error in zip(logs, centre, errors, strict=True)
    ]
    known = [each for each in off if each is not None]
    out: list[dict[str, float | None]] = [{"expected": float(np.exp(each))} for each in centre]
    if len(known) >= 8:
        scale, freedom = max(1.0, spread_of(known)), 0.82 * (len(known) - 1)
        for day, value, error, each in zip(out, values, errors, off, strict=True):
            width = float(student.ppf(0.975, freedom)) * scale * error
            day["low"], day["high"] = day["expected"] * np.exp(-width), day["expected"] * np.exp(width)
            day["change"] = value / day["expected"] - 1  # type: ignore[operator]
            day["p"] = None if each is None else 2 * float(student.sf(abs(each) / scale, freedom))
    return out


def whole_days(days: list[list[tuple[int, float | None]]]) -> range:
    """Give the days from the first to the last with calls, without ends that are silent for longer than is usual."""
    called = [n for n, calls in enumerate(days) if calls]
    if len(called) < 2:
        return range(called[0], called[-1] + 1) if called else range(0)
    late = [min(hour for hour, _ in days[n]) / 24 for n in called]
    early = [1 - max(hour for hour, _ in days[n]) / 24 for n in called]
    begin = called[0] + (late[0] > max(0.1, float(np.quantile(late[1:], 0.9))))
    return range(begin, called[-1] + 1 - (early[-1] > max(0.1, float(np.quantile(early[:-1], 0.9)))))


@examples(20)
@given(DAYS)
@example([([(20, 1.0)], [], 1), *[([(0, 1.0), (23, 1.2)], [], 1)] * 9, ([(2, 1.0)], [], 1)])
def test_anomalies_are_those_of_loops_over_days(drawn: list[Any]) -> None:
    days = {
        feature: [
            [(hour, cost and cost * (day[2] if feature == "a" else 1)) for hour, cost in day[place]] for day in drawn
        ]
        for place, feature in enumerate("ab")
    }
    calls = [
        {"feature": feature, "start": MONDAY + pd.Timedelta(days=n, hours=hour), "cost_usd": cost, "input_tokens": 1}
        for feature, own in days.items() for n, day in enumerate(own) for hour, cost in day
    ]  # fmt: skip
    frame = ll.cost_anomalies(traces_of(calls))
    whole = whole_days([a + b for a, b in zip(days["a"], days["b"], strict=True)])
    expected: list[dict[str, Any]] = []
    for feature, own in days.items():
        paid = [[cost for _, cost in own[n] if cost is not None] for n in whole]
        varied = [max(sum(c * c for c in day) * len(day) / sum(day) ** 2 - 1, 0.0) for day in paid if len(day) > 1]
        of_calls = float(np.median(varied)) if varied else 0.0
        for measure, variance in (("cost_usd", 1 + of_calls), ("cost_per_call", of_calls)):
            values = [sum(day) if measure == "cost_usd" else sum(day) / len(day) if day else np.nan for day in paid]
            errors = [(variance / len(day)) ** 0.5 if day else np.nan for day in paid]
            found = unusual(values, errors, whole[0] % 7 if len(whole) >= 14 else None)
            for n, day, value, each in zip(whole, paid, values, found, strict=True):
                times = len(day) if measure == "cost_per_call" else 1
                row = {"feature": feature, "period": MONDAY + pd.Timedelta(days=n), "measure": measure, "n": len(day),
                       "value": value, **each, "effect_usd": (value - each["expected"]) * times}  # type: ignore[operator]  # fmt: skip
                expected += [row] if day else []
    tests = [row["p"] for row in expected if row.get("p") is not None]
    for row in expected:
        if row.get("p") is not None:
            above = [p for p in tests if p >= row["p"]]
            row["q"] = min(1.0, *(p * len(tests) / sum(other <= p for other in tests) for p in above))
            row["anomaly"] = row["q"] <= 0.05
    columns = ["feature", "period", "measure", "n", "value", "expected", "low", "high", "change", "p", "q", "anomaly",
               "effect_usd"]  # fmt: skip
    assert list(frame.columns) == columns
    rows = {tuple(row[:3]): [told(value) for value in row[3:]] for row in frame.itertuples(index=False)}
    assert len(rows) == len(frame)
    assert rows == {
        tuple(row[name] for name in columns[:3]): [
            None if pd.isna(row.get(name)) else row[name] for name in columns[3:]
        ]
        for row in expected
    }
    odd = int(frame["anomaly"].fillna(value=False).sum())
    assert frame["anomaly"].head(odd).all()
    assert frame["q"].head(odd).is_monotonic_increasing
    assert frame["period"].tail(len(frame) - odd).is_monotonic_increasing
    unknown = sum(cost is None for own in days.values() for day in own for _, cost in day)
    assert any(note.startswith(f"{unknown} calls of unknown cost") for note in frame.notes) == (unknown > 0)
