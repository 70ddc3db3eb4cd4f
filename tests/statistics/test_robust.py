"""Qn: the standard deviation of normal values, unmoved by odd ones; and futures that are drawn as the past was."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from llmlens.statistics.robust import qn_scale
from llmlens.statistics.smoothing import simulate


def test_qn_is_the_standard_deviation_of_normal_values() -> None:
    random = np.random.default_rng(0)
    for n in (10, 31, 200):
        assert np.mean([qn_scale(random.normal(5, 2, n)) for _ in range(400)]) == pytest.approx(2, rel=0.06)


def test_qn_is_the_order_statistic_of_all_distances() -> None:
    values = np.random.default_rng(1).normal(size=9)
    distances = sorted(abs(a - b) for a, b in combinations(values, 2))
    assert qn_scale(values) == pytest.approx(2.2219 * distances[5 * 4 // 2 - 1] * 9 / 10.4)


def test_odd_values_do_not_move_qn() -> None:
    values = np.random.default_rng(2).normal(size=100)
    values[:30] = 1e6
    assert qn_scale(values) < 3
    assert np.isnan(qn_scale(values[:1]))
    assert qn_scale(np.random.default_rng(3).normal(size=5_000)) == pytest.approx(1, rel=0.1)


def test_the_future_of_an_even_series_is_covered() -> None:
    covered = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        series = random.normal(10, 1, 34)
        drawn = simulate(series[:20], 14, 400, random).sum(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        covered += low <= series[20:].sum() <= high
    assert covered / 150 > 0.88


def test_a_series_that_moved_is_followed() -> None:
    series = np.r_[np.full(14, 10.0), np.full(14, 20.0)] * np.random.default_rng(0).normal(1, 0.02, 28)
    drawn = simulate(series, 3, 2_000, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(20, rel=0.15)
    assert (drawn >= 0).all()
