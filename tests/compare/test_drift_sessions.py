"""Outputs of one session count together: in the mix of the traffic, and in the series over days."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from llmlens.compare.drift.days import _own
from llmlens.compare.drift.mix import mix_shift
from llmlens.compare.drift.onset import onset
from llmlens.compare.drift.quiet import Units
from llmlens.compare.drift.reference import Frozen, _drawn
from llmlens.compare.drift.stream import _overdispersion, watch
from llmlens.compare.drift.windows import Windows


def traffic(units: np.ndarray, slices: np.ndarray, after: np.ndarray) -> Windows:
    return Windows(pd.DataFrame({"row": units}), after, slices.astype(np.int64), ("a", "b", "c"))


def test_the_p_value_of_a_mix_is_that_of_all_permutations_of_the_sessions() -> None:
    units = np.repeat(np.arange(9), [4, 1, 3, 2, 1, 4, 2, 3, 1])
    slices = np.array([0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 0, 1, 1, 1, 2, 1, 2, 2, 1, 1, 0])
    after = units >= 5

    def far(chosen: tuple[int, ...]) -> float:
        counts = np.bincount(slices[np.isin(units, chosen)], minlength=3)
        expected = counts.sum() * np.bincount(slices) / len(slices)
        return float(((counts - expected) ** 2 / expected).sum())

    observed = far((5, 6, 7, 8))
    exact = np.mean([far(chosen) >= observed - 1e-9 for chosen in itertools.combinations(range(9), 4)])
    found = mix_shift(traffic(units, slices, after), np.zeros(len(units)), 8_000, 0, units)
    assert found.statistic == pytest.approx(observed)
    assert found.p == pytest.approx(exact, abs=0.02)


def test_a_mix_of_single_outputs_is_judged_as_before_by_their_slices() -> None:
    rng = np.random.default_rng(1)
    slices, after = rng.integers(0, 3, 60), np.arange(60) >= 30
    null = rng.multivariate_hypergeometric(np.bincount(slices), 30, size=20_000)
    expected = 30 * np.bincount(slices) / 60
    observed = ((np.bincount(slices[after]) - expected) ** 2 / expected).sum()
    found = mix_shift(traffic(np.arange(60), slices, after), np.zeros(60), 8_000, 0)
    assert found.p == pytest.approx(
        (((null - expected) ** 2 / expected).sum(axis=1) >= observed - 1e-9).mean(), abs=0.02
    )


def test_sessions_of_one_slice_each_do_not_make_a_mix_move() -> None:
    called = {"known": 0, "unknown": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(60), 6)
        slices, after = rng.integers(0, 3, 60)[units], units >= 30
        windows = traffic(units, slices, after)
        for name, of in (("known", units), ("unknown", None)):
            called[name] += mix_shift(windows, np.zeros(len(units)), 199, seed, of).p <= 0.05
    assert called["known"] <= 7
    assert called["unknown"] >= 25


def test_sessions_are_learnt_from_whole_or_not_at_all() -> None:
    units = np.array([0, 1, 0, 2, 2, 3, 4, 4, 5, 6, 0, 7, 8, 9])
    slices = np.array([0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1])
    for seed in range(20):
        drawn = _drawn(slices, units, seed)
        chosen = np.unique(units[drawn])
        assert np.isin(units, chosen).sum() == len(drawn)
        assert 2 <= len(chosen) <= 4


def test_streams_are_drawn_by_whole_sessions_one_after_another() -> None:
    rows, units = np.arange(10, 20), np.array([3, 5, 3, 3, 9, 9, 5, 1, 3, 7])
    sessions = {tuple(rows[units == unit]) for unit in units}
    for seed in range(30):
        drawn = list(Units.of(rows, units).drawn(11, np.random.default_rng(seed)))
        assert len(drawn) == 11
        while drawn:
            whole = next(each for each in sessions if each[0] == drawn[0])
            assert tuple(drawn[: len(whole)]) == whole[: len(drawn)]
            drawn = drawn[len(whole) :]


def test_days_are_wide_against_what_their_sessions_explain() -> None:
    rng = np.random.default_rng(2)
    units, rows = np.repeat(np.arange(24), 3), rng.standard_normal((72, 2))
    rows += 2 * rng.standard_normal((24, 2))[units]
    view = Frozen({"v": rows}, {"v": 1.0}, np.zeros(72, dtype=np.int64), 72, np.arange(72), units)
    day = units // 4
    mean = rows.mean(axis=0)
    of_session = sum(((rows[units == u] - mean).sum(axis=0) ** 2).sum() for u in range(24)) / 72 * 24 / 23
    between = sum(((rows[day == d] - mean).sum(axis=0) ** 2).sum() / 12 for d in range(6))
    assert _overdispersion(rows, view, day, -1) == pytest.approx(max(1.0, between / (6 * of_session * (1 - 12 / 72))))
    apart = rows + 3.0 * rng.standard_normal((6, 2))[day]
    assert _overdispersion(apart, view, day, 0) > 1.5
    assert _overdispersion(apart, view, None, 0) == 1


def test_an_output_of_the_reference_is_read_without_its_session() -> None:
    rng = np.random.default_rng(3)
    rows, units, new = rng.standard_normal((12, 3)), np.repeat(np.arange(5), [1, 2, 3, 2, 4]), np.ones(3)
    read = rows @ (new - rows.mean(axis=0)) + _own(rows, units)
    for place, row in enumerate(rows):
        assert read[place] == pytest.approx(row @ (new - rows[units != units[place]].mean(axis=0)))


def stream(seed: int, each: int, change: float = 0.0) -> tuple[Frozen, np.ndarray]:
    """Make sessions of `each` outputs that are nearly the same: 90 of the reference, 5 on each of 8 days."""
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(130), each)
    rows = rng.standard_normal((130, 3))[units] + 0.2 * rng.standard_normal((len(units), 3))
    day = (units[90 * each :] - 90) // 5
    rows[90 * each :] += change * (day >= 4)[:, None]
    none = np.zeros(len(units), dtype=np.int64)
    return Frozen({"v": rows}, {"v": 1.0}, none, 90 * each, np.arange(len(units)), units), day


def test_quiet_days_of_sessions_that_are_alike_raise_no_alarm_and_changed_ones_do() -> None:
    alarms = {"known": 0, "unknown": 0, "changed": 0}
    for seed in range(12):
        for name, change in (("known", 0.0), ("unknown", 0.0), ("changed", 2.0)):
            view, day = stream(seed, 5, change)
            if name == "unknown":
                view = Frozen(view.views, view.wider, view.slices, view.known, view.rows, view.rows)
            alarms[name] += watch(view, day, scopes=[], looks=8, times=99, seed=seed).p.min() <= 0.05
    assert alarms["known"] <= 2
    assert alarms["unknown"] >= 9
    assert alarms["changed"] == 12


def test_the_interval_of_an_onset_is_wider_where_outputs_are_of_few_sessions() -> None:
    width = {"known": 0, "unknown": 0}
    for seed in range(6):
        view, day = stream(seed, 5, 0.5)
        unknown = Frozen(view.views, view.wider, view.slices, view.known, view.rows, view.rows)
        for name, of in (("known", view), ("unknown", unknown)):
            found = onset(of, day, until=7, length=6, scope=-1)
            width[name] += found.high - found.low
    assert width["known"] > width["unknown"]
