"""Intervals and corrections against published values and other libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llmlens.statistics.estimate import Estimate
from llmlens.statistics.means import sum_of_means
from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.statistics.quantiles import Distribution, difference_of_quantiles
from llmlens.statistics.resampling import resampled_moments
from llmlens.statistics.shares import difference_of_paired_shares, difference_of_shares, wilson
from llmlens.statistics.strata import common_strata


def test_wilson_is_the_published_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I: 81/263, 15/148, 0/20, 1/29.
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson(successes / n, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_the_difference_of_shares_is_the_published_interval() -> None:
    # Newcombe (1998), 873-890, table II, method 5: 56/70 - 48/80, 9/10 - 3/10, 5/56 - 0/29.
    for (x, n), (y, m), low, high in (
        ((56, 70), (48, 80), 0.0528, 0.3382),
        ((9, 10), (3, 10), 0.1700, 0.8406),
        ((5, 56), (0, 29), -0.0326, 0.1933),
    ):
        found = difference_of_shares((y / m, m), (x / n, n))
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_the_p_value_of_shares_agrees_with_their_interval() -> None:
    for b in np.linspace(0, 0.3, 31):
        found = difference_of_shares((0.1, 100), (float(b), 100))
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    assert difference_of_shares((0.1, 100), (0.1, 100)).p == 1


@pytest.mark.parametrize(
    ("a", "b"), [((0.0, 12), (0.0, 9)), ((1.0, 12), (0.0, 9)), ((0.3, 11), (0.7, 40)), ((1.0, 8), (1.0, 30))]
)
def test_the_interval_of_shares_holds_what_the_likelihood_does_not_reject(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    def rejected(difference: float) -> bool:
        shares = np.linspace(max(0, -difference), min(1, 1 - difference), 200_001)[1:-1]
        likelihood = sum(
            n * (share * np.log(p) + (1 - share) * np.log1p(-p))
            for (share, n), p in ((a, shares), (b, shares + difference))
        )
        p = shares[np.argmax(likelihood)]
        variances = [p * (1 - p) / n for (_, n), p in ((a, p), (b, p + difference))]
        n = a[1] + b[1]
        return bool(abs(b[0] - a[0] - difference) > 1.959964 * np.sqrt(sum(variances) * n / (n - 1)))

    found = difference_of_shares(a, b)
    for end, outwards in ((found.low, -1), (found.high, 1)):
        assert abs(end) == pytest.approx(1) or rejected(end + outwards * 2e-3)
        assert not rejected(end - outwards * 2e-3)


@pytest.mark.parametrize(("gained", "lost", "pairs"), [(8, 2, 30), (0, 0, 12), (3.5, 1.25, 40), (60, 20, 200)])
def test_the_interval_of_pairs_is_that_of_draws_from_the_shares_that_are_likely(
    gained: float, lost: float, pairs: int
) -> None:
    found = difference_of_paired_shares(gained, lost, pairs)
    random = np.random.default_rng(0)
    drawn = random.dirichlet([gained + 0.5, lost + 0.5, pairs - gained - lost + 0.5], 400_000)
    difference = drawn[:, 0] - drawn[:, 1]
    assert found.value == pytest.approx((gained - lost) / pairs)
    assert (found.low, found.high) == pytest.approx(np.quantile(difference, [0.025, 0.975]).tolist(), abs=2e-3)
    assert found.p == pytest.approx(2 * min((difference <= 0).mean(), (difference >= 0).mean()), abs=5e-3)
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    other = difference_of_paired_shares(lost, gained, pairs)
    assert (other.low, other.high, other.p) == pytest.approx((-found.high, -found.low, found.p))


def test_the_interval_of_pairs_that_all_changed_alike_reaches_to_the_estimate() -> None:
    found = difference_of_paired_shares(10, 0, 10)
    assert (found.value, found.high) == (1, 1)
    assert 0.4 < found.low < 0.7


def test_benjamini_hochberg_is_the_published_example() -> None:
    # Benjamini and Hochberg (1995), section 3.2: the first four of fifteen are significant at 0.05.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
    p += [0.7590, 1.0000]
    q = benjamini_hochberg(p)
    assert (q <= 0.05).tolist() == [True] * 4 + [False] * 11
    shuffled = np.random.default_rng(0).permutation(15)
    np.testing.assert_allclose(benjamini_hochberg(np.array(p)[shuffled]), q[shuffled])


def test_what_was_not_tested_counts_as_no_test() -> None:
    np.testing.assert_allclose(benjamini_hochberg([0.01, np.nan, 0.5]), [0.02, np.nan, 0.5])
    assert benjamini_hochberg([]).tolist() == []


def test_resampled_means_have_the_moments_of_the_mean() -> None:
    values = np.random.default_rng(1).exponential(size=(300, 2))
    means, variances = resampled_moments(values, np.random.default_rng(2), draws=20_000)
    expected = values.var(axis=0) / 300
    np.testing.assert_allclose(means.var(axis=0), expected, rtol=0.03)
    np.testing.assert_allclose(variances.mean(axis=0), expected, rtol=0.02)
    np.testing.assert_allclose(means.mean(axis=0), 0, atol=0.002)


def test_blocks_of_many_values_have_the_same_moments() -> None:
    values = np.random.default_rng(3).lognormal(size=(50_123, 1))
    means, variances = resampled_moments(values, np.random.default_rng(4), draws=5_000)
    expected = float(values.var() / len(values))
    assert means.var() == pytest.approx(expected, rel=0.12)
    assert variances.mean() == pytest.approx(expected, rel=0.12)


def test_what_belongs_to_one_unit_is_drawn_together() -> None:
    values = np.random.default_rng(5).normal(size=100)
    means, _ = resampled_moments(np.column_stack([values, 2 * values]), np.random.default_rng(6))
    np.testing.assert_allclose(means[:, 1], 2 * means[:, 0])


def test_the_interval_of_a_mean_is_students_where_values_are_normal() -> None:
    values = np.random.default_rng(7).normal(3, 2, 40)
    found = sum_of_means([(1.0, values)], np.random.default_rng(8))
    low, high = stats.t.interval(0.95, 39, values.mean(), values.std(ddof=1) / np.sqrt(40))
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.05)
    assert found.value == pytest.approx(values.mean())


def test_the_p_value_of_means_agrees_with_their_interval_and_goes_on_beyond_the_draws() -> None:
    random = np.random.default_rng(9)
    for shift in (0.0, 0.2, 0.35, 0.5, 1.0, 3.0):
        a, b = random.normal(size=60), random.normal(shift, size=60)
        found = sum_of_means([(-1.0, a), (1.0, b)], np.random.default_rng(10))
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    assert found.p < 1e-9


def test_values_that_are_all_alike_have_no_interval() -> None:
    found = sum_of_means([(1.0, np.ones(50))], np.random.default_rng(0))
    assert found.value == 1
    assert np.isnan([found.low, found.high, found.p]).all()


def test_quantiles_of_equal_weights_are_hazens() -> None:
    values = np.random.default_rng(11).exponential(size=57)
    levels = np.linspace(0.02, 0.98, 25)
    expected = np.quantile(values, levels, method="hazen")
    np.testing.assert_allclose(Distribution(values, np.ones(57)).quantile(levels), expected)


def test_a_value_that_weighs_as_three_is_there_thrice() -> None:
    weighted = Distribution(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 1.0]))
    assert float(weighted.quantile(0.5)) == 2
    assert float(weighted.quantile(0.0)) == 1
    assert float(weighted.quantile(1.0)) == 3


def test_draws_of_one_quantile_are_the_order_statistics_of_its_exact_interval() -> None:
    values = np.sort(np.random.default_rng(12).normal(size=300))
    levels = (np.random.default_rng(13).random((20_000, 300)) < 0.95).mean(axis=1) - 0.95
    constant = Distribution(np.zeros(1), np.ones(1))
    found = difference_of_quantiles(0.95, constant, Distribution(values, np.ones(300)), np.zeros(20_000), levels)
    low, high = (int(stats.binom.ppf(p, 300, 0.95)) for p in (0.025, 0.975))
    assert values[low - 2] <= found.low <= values[low + 1]
    assert values[high - 2] <= found.high <= values[min(high + 1, 299)]


def test_the_detectable_difference_is_that_of_the_textbook() -> None:
    # Half of 1.96 standard errors on either side: (1.96 + 0.84) of them.
    assert Estimate(0.0, -1.96, 1.96, 1.0).detectable == pytest.approx(2.8016, abs=1e-3)


def test_strata_weigh_as_in_a_and_what_cannot_be_compared_is_named() -> None:
    found = common_strata({"x": 60, "y": 30, "z": 3, "gone": 7}, {"x": 5, "y": 50, "z": 90, "new": 9}, least=5)
    assert found.weights == pytest.approx({"x": 2 / 3, "y": 1 / 3})
    assert (found.only_a, found.only_b, found.small) == (["gone"], ["new"], ["z"])
    assert common_strata({"x": 1}, {"y": 1}).weights == {}
