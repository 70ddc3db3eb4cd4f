"""The statistics of agreement against published examples, other implementations, and what must always hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from llmlens.label.reliability import cohen_kappa, fleiss_kappa, krippendorff_alpha, rated_alike
from llmlens.statistics.resampling import percentile_interval

if TYPE_CHECKING:
    from collections.abc import Callable

_ = np.nan
#: Krippendorff (2011), section C: four observers, twelve units.
OBSERVERS = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]).T  # fmt: skip
#: Ten subjects, fourteen raters, five categories: counts, the worked example of the encyclopedia's page on the method.
COUNTS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def pairs(table: list[list[int]]) -> Any:
    """Write a table of two raters' categories out, an item a row."""
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _n in range(count)]
    return np.array(cells, dtype=float)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_four_observers(level: Any, alpha: float) -> None:
    assert krippendorff_alpha(OBSERVERS, level) == pytest.approx(alpha, abs=0.0005)


def test_alpha_of_two_observers_of_ten_units() -> None:
    """Krippendorff (2011), section A: binary data, alpha 0.095; section B: nominal data, alpha 0.692."""
    binary = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], dtype=float).T
    assert krippendorff_alpha(binary) == pytest.approx(0.095, abs=0.0005)
    a, b, c, d, e = range(5)
    nominal = np.array([[a, a, b, b, d, c, c, c, e, d, d, a], [b, a, b, b, b, c, c, c, e, d, d, d]], dtype=float).T
    assert krippendorff_alpha(nominal) == pytest.approx(0.692, abs=0.0005)


def test_fleiss_kappa_of_fourteen_raters() -> None:
    ratings = np.array([np.repeat(np.arange(5.0), row) for row in COUNTS])
    assert fleiss_kappa(ratings) == pytest.approx(0.210, abs=0.0005)


def test_cohens_kappa_of_his_own_example() -> None:
    """Cohen (1960), table 1: two judges, 200 cases, kappa 0.492."""
    assert cohen_kappa(pairs([[88, 14, 18], [10, 40, 10], [2, 6, 12]])) == pytest.approx(0.492, abs=0.0005)


@pytest.mark.parametrize(("table", "kappa"), [([[20, 5], [10, 15]], 0.4), ([[45, 15], [25, 15]], 0.1304),
                                              ([[25, 35], [5, 35]], 0.2593)])  # fmt: skip
def test_cohens_kappa_of_small_tables(table: list[list[int]], kappa: float) -> None:
    assert cohen_kappa(pairs(table)) == pytest.approx(kappa, abs=0.00005)


@pytest.mark.parametrize(("power", "weights"), [(0, None), (1, "linear"), (2, "quadratic")])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_cohens_kappa_is_that_of_scikit_learn(power: int, weights: Any, rows: list[tuple[int, int]]) -> None:
    rows += [(0, 1), (1, 2), (2, 3), (3, 0)]  # every category is there: theirs weighs by place, ours by value
    ratings = np.array(rows, dtype=float)
    expected = cohen_kappa_score(*ratings.T, weights=weights)
    assert cohen_kappa(ratings, power) == pytest.approx(expected, abs=1e-12)


STATISTICS: dict[str, Callable[[Any], float]] = {
    "fleiss": fleiss_kappa,
    "nominal": krippendorff_alpha,
    "ordinal": lambda ratings: krippendorff_alpha(ratings, "ordinal"),
    "interval": lambda ratings: krippendorff_alpha(ratings, "interval"),
    "cohen": lambda ratings: cohen_kappa(ratings[:, :2]),
    "quadratic": lambda ratings: cohen_kappa(ratings[:, :2], 2),
}
tables = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0, _]), min_size=raters, max_size=raters), min_size=1, max_size=15
    ).map(np.array)
)


@pytest.mark.parametrize("name", STATISTICS)
@given(ratings=tables, seed=st.integers(0, 99))
def test_neither_the_order_of_items_nor_that_of_raters_matters(name: str, ratings: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    raters = random.permutation(2) if name in {"cohen", "quadratic"} else random.permutation(ratings.shape[1])
    shuffled = ratings[random.permutation(len(ratings))][:, raters]
    found = STATISTICS[name](ratings)
    assert STATISTICS[name](shuffled) == pytest.approx(found, nan_ok=True)
    assert np.isnan(found) or found <= 1 + 1e-12


@pytest.mark.parametrize("name", STATISTICS)
@given(values=st.lists(st.sampled_from([0.1, 0.2, 0.7, 3.0]), min_size=2, max_size=15))
def test_perfect_agreement_is_one_and_one_value_alone_tells_nothing(name: str, values: list[float]) -> None:
    ratings = np.array([values] * 3).T
    expected = 1 if len(set(values)) > 1 else np.nan
    assert STATISTICS[name](ratings) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", STATISTICS)
def test_raters_at_random_agree_as_chance_does(name: str) -> None:
    ratings = np.random.default_rng(7).integers(0, 4, (5000, 3)).astype(float)
    assert STATISTICS[name](ratings) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("ratings", [np.empty((0, 2)), np.full((3, 2), _), np.array([[1, _], [_, 2]])])
def test_nothing_to_compare_tells_nothing(name: str, ratings: Any) -> None:
    assert np.isnan(STATISTICS[name](ratings))


@given(ratings=tables)
def test_alpha_of_values_does_not_depend_on_their_unit_nor_alpha_of_ranks_on_their_distance(ratings: Any) -> None:
    assert krippendorff_alpha(ratings * 1000 - 7, "interval") == pytest.approx(
        krippendorff_alpha(ratings, "interval"), nan_ok=True
    )
    assert krippendorff_alpha(ratings**3, "ordinal") == pytest.approx(
        krippendorff_alpha(ratings, "ordinal"), nan_ok=True
    )


def test_fleiss_is_over_the_items_with_the_most_common_number_of_ratings() -> None:
    ratings = np.array([[1, 2, 3], [1, 1, _], [2, _, 2], [1, _, _]])
    assert len(rated_alike(ratings)) == 2
    assert rated_alike(np.array([[1, 2, 3], [1, 1, _]])).tolist() == [[1, 2, 3]]


def test_the_bootstrap_repeats_itself_and_holds_the_truth_as_often_as_it_says() -> None:
    def study(seed: int) -> tuple[float, float]:
        random = np.random.default_rng(seed)
        truth = random.integers(0, 2, 60)
        judged = [np.where(random.random(60) < 0.85, truth, 1 - truth) for _n in range(2)]
        return percentile_interval(np.array(judged, dtype=float).T, cohen_kappa, draws=200, seed=seed)

    assert study(1) == study(1)
    truth = 0.7**2  # each says the truth with 0.85: the product of the two raters' correlations with it
    held = [low <= truth <= high for low, high in map(study, range(200))]
    assert 0.88 <= np.mean(held) <= 0.99


def test_an_interval_is_not_told_from_draws_that_mostly_tell_nothing() -> None:
    ratings = np.array([[1.0, 1.0]] * 19 + [[1.0, 2.0]])
    low, high = percentile_interval(ratings, cohen_kappa, draws=200, seed=0)
    assert np.isnan(low)
    assert np.isnan(high)
