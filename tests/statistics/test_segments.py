"""The odd stretch of a series: found where it is, and not where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from llmlens.statistics.segments import odd_segment


def noise(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_step_is_a_stretch_that_lasts_to_the_end() -> None:
    values = noise(400, 1)
    values[250:] += 2
    found = odd_segment(values, random())
    assert found is not None
    assert abs(found.first - 250) <= 4
    assert found.end == 400
    assert found.p < 1e-6


def test_a_stretch_in_between_has_two_borders() -> None:
    values = noise(600, 2)
    values[200:260] -= 2
    found = odd_segment(values, random())
    assert found is not None
    assert abs(found.first - 200) <= 6
    assert abs(found.end - 260) <= 6
    assert found.p < 1e-4


def test_what_is_odd_at_the_beginning_is_a_step_after_it() -> None:
    values = noise(400, 3)
    values[:120] += 2
    found = odd_segment(values, random())
    assert found is not None
    assert (abs(found.first - 120) <= 4, found.end) == (True, 400)


def test_with_a_baseline_the_stretch_begins_after_it() -> None:
    values = noise(400, 4)
    values[100:300] += 1.5
    found = odd_segment(values, random(), begin=200)
    assert found is not None
    assert found.first >= 200


@pytest.mark.parametrize("kind", ["normal", "rare", "skewed"])
def test_noise_is_called_odd_about_as_often_as_it_says(kind: str) -> None:
    p = []
    for seed in range(200):
        source = np.random.default_rng([9, seed])
        values = {
            "normal": lambda s=source: s.normal(size=300),
            "rare": lambda s=source: (s.random(300) < 0.03).astype(float),
            "skewed": lambda s=source: s.exponential(size=300) ** 2,
        }[kind]()
        found = odd_segment(values, random(seed))
        p.append(1.0 if found is None else found.p)
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # two standard errors above 0.05
    assert np.mean(np.array(p) <= 0.01) <= 0.03


def test_neighbours_that_are_alike_are_no_stretch() -> None:
    called = 0
    for seed in range(60):
        steps = np.random.default_rng([5, seed]).normal(size=600)
        values = np.empty(600)
        values[0] = steps[0]
        for place in range(1, 600):
            values[place] = 0.6 * values[place - 1] + steps[place]
        found = odd_segment(values, random(seed))
        called += found is not None and found.p <= 0.05
    assert called <= 8


def test_too_few_or_equal_values_have_none() -> None:
    assert odd_segment(noise(31, 1), random()) is None
    assert odd_segment(np.ones(500), random()) is None
    assert odd_segment(noise(400, 1), random(), begin=399) is None


def test_the_same_seed_gives_the_same() -> None:
    assert odd_segment(noise(300, 8), random(3)) == odd_segment(noise(300, 8), random(3))
