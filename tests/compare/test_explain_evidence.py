"""The statistics of `explain` equal references on small tables: enumeration, scipy, published intervals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from llmlens.compare.explain.evidence import deviance, log_bennett, log_p, log_tail, newcombe, tabulated


def tail_by_enumeration(both: int, marked: int, selected: int, n: int) -> float:
    """Draw `selected` of `n` rows in every way there is."""
    draws = [sum(row < marked for row in rows) for rows in itertools.combinations(range(n), selected)]
    return sum(d >= both for d in draws) / len(draws)


@pytest.mark.parametrize(("marked", "selected", "n"), [(3, 4, 9), (5, 5, 10), (1, 3, 7), (8, 3, 9)])
def test_the_tail_bounds_the_enumerated_one_closely(marked: int, selected: int, n: int) -> None:
    for both in range(max(0, marked + selected - n), min(marked, selected) + 1):
        exact = tail_by_enumeration(both, marked, selected, n)
        bound = math.exp(float(log_tail(both, marked, selected, n)))
        assert bound >= exact - 1e-12
        if exact < 0.2:
            assert bound <= exact * 1.3


def test_the_tail_is_that_of_scipy_far_out() -> None:
    for both, marked, selected, n in [(30, 100, 50, 1000), (8, 10, 200, 10_000), (500, 5_000, 2_000, 30_000)]:
        exact = stats.hypergeom.logsf(both - 1, n, marked, selected)
        assert exact - 1e-6 <= float(log_tail(both, marked, selected, n)) <= exact + 0.15


def test_an_impossible_excess_and_a_certain_one() -> None:
    assert float(log_tail(0, 5, 3, 10)) == 0.0
    assert float(log_tail(3, 10, 3, 10)) == 0.0


def test_both_sides_of_a_table_are_tested() -> None:
    more, fewer = float(log_p(9, 10, 50, 1000)), float(log_p(41, 990, 50, 1000))
    assert more == pytest.approx(fewer)
    assert more < math.log(1e-6)


def test_the_strength_is_the_g_statistic_with_the_sign_of_the_difference() -> None:
    table = np.array([[20, 30], [30, 170]])
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert float(deviance(20, 50, 50, 250)) == pytest.approx(g)
    assert float(deviance(30, 200, 50, 250)) == pytest.approx(-g)
    assert float(deviance(20, 50, 50, 250, tabulated(250))) == pytest.approx(g)


@pytest.mark.parametrize(("both", "marked"), [(2, 2), (0, 1), (1, 1)])
def test_two_traces_are_not_a_pattern(both: int, marked: int) -> None:
    assert float(deviance(both, marked, 20, 10_000)) == 0.0


def test_the_bound_for_sums_over_strata_is_never_below_the_exact_tail() -> None:
    marked, selected, n = 12, 20, 100
    mean = selected * marked / n
    variance = mean * (n - marked) / n * (n - selected) / (n - 1)
    for both in range(4, 13):
        assert float(log_bennett(both, mean, variance)) >= stats.hypergeom.logsf(both - 1, n, marked, selected)
    assert float(log_bennett(5, 5, 0)) == 0.0


def test_intervals_are_those_newcombe_published() -> None:
    # Newcombe 1998, table II, method 10: 56/70 against 48/80, and 9/10 against 3/10.
    low, high = newcombe(56, 104, 70, 150)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0524, 0.3339)
    low, high = newcombe(9, 12, 10, 20)
    assert (round(float(low), 4), round(float(high), 4)) == (0.1705, 0.8090)
