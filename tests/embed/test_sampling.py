"""Samples keep the shares of their strata."""

from __future__ import annotations

from collections import Counter

import numpy as np

from llmlens.embed.sampling import stratified


def test_each_stratum_has_its_share_and_none_is_left_out() -> None:
    strata = ["a"] * 6_000 + ["b"] * 3_999 + ["rare"]
    chosen = stratified(10_000, 1_000, strata, seed=0)
    counts = Counter(strata[row] for row in chosen)
    assert len(chosen) == 1_000
    assert counts["rare"] == 1
    assert abs(counts["a"] - 600) <= 1
    assert (np.diff(chosen) > 0).all()


def test_the_same_seed_draws_the_same_rows_and_another_others() -> None:
    draws = [stratified(500, 50, None, seed).tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_few_rows_are_all_taken() -> None:
    assert stratified(5, 5, None, 0).tolist() == [0, 1, 2, 3, 4]
    assert stratified(0, 5, None, 0).tolist() == []


def test_missing_labels_are_a_stratum() -> None:
    strata = [None] * 90 + ["a"] * 10
    counts = Counter(strata[row] for row in stratified(100, 10, strata, 0))
    assert counts == {None: 9, "a": 1}


def test_more_strata_than_places_still_fit() -> None:
    assert len(stratified(100, 10, list(range(100)), 0)) == 10
