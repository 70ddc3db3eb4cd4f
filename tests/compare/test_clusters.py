from __future__ import annotations

from collections import Counter
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from llmlens.compare.clusters import clusters
from llmlens.compare.clusters.grouping import OUTLIER, groups
from llmlens.compare.clusters.naming import OUTLIERS, names_of
from llmlens.compare.clusters.redaction import redacted
from llmlens.compare.clusters.shares import share_changes
from llmlens.compare.drift import drift
from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError
from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.statistics.shares import difference_of_shares
from llmlens.traces import Traces
from tests.topics import said

if TYPE_CHECKING:
    from numpy.typing import NDArray


def blobs(counts: tuple[int, ...], seed: int = 1, noise: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give points about directions that are at right angles, and points that are nowhere; with their blobs."""
    random = np.random.default_rng(seed)
    middles = np.eye(len(counts), 12) * 5
    of = np.repeat(np.arange(len(counts)), counts)
    near = middles[of] + random.normal(scale=0.25, size=(len(of), 12))
    far = random.normal(scale=3, size=(noise, 12))
    truth = np.concatenate([of, np.full(noise, OUTLIER)])
    return np.vstack([near, far]).astype(np.float32), truth


@pytest.fixture(scope="module")
def before() -> Traces:
    return said({"refund": 60, "weather": 50, "sizes": 10}, "2026-11-01", "old")


@pytest.fixture(scope="module")
def after() -> Traces:
    return said({"refund": 60, "weather": 8, "sizes": 52}, "2026-11-08", "new", seed=1)


# Groups --------------------------------------------------------------------------------------------------------------


def test_groups_are_the_blobs_and_are_numbered_by_size() -> None:
    vectors, truth = blobs((40, 120, 80))
    found = groups(vectors)
    for blob, number in {0: 2, 1: 0, 2: 1}.items():
        assert Counter(found[truth == blob].tolist()).most_common(1)[0][0] == number
        assert (found[truth == blob] == number).mean() > 0.95


def test_points_that_are_nowhere_stay_outliers() -> None:
    vectors, truth = blobs((100, 100), seed=3, noise=20)
    found = groups(vectors)
    assert (found[truth == OUTLIER] == OUTLIER).mean() > 0.8
    assert (found[truth != OUTLIER] != OUTLIER).mean() > 0.95


def test_the_same_vectors_and_seed_give_the_same_groups() -> None:
    vectors, _ = blobs((60, 60, 60), noise=40)
    assert groups(vectors, seed=3).tolist() == groups(vectors.copy(), seed=3).tolist()


def test_beyond_the_limit_others_join_the_group_that_they_are_in_and_strangers_do_not() -> None:
    vectors, truth = blobs((300, 200, 100), noise=40)
    found = groups(vectors, limit=200)
    for blob, number in {0: 0, 1: 1, 2: 2}.items():
        inside = found[truth == blob]
        assert set(inside.tolist()) <= {number, OUTLIER}
        assert (inside == number).mean() > 0.9
    assert (found[truth == OUTLIER] == OUTLIER).mean() > 0.5


def test_rows_without_a_vector_are_outliers() -> None:
    vectors, _ = blobs((40, 40))
    vectors[3] = np.nan
    found = groups(vectors)
    assert found[3] == OUTLIER
    assert found[4] != OUTLIER


@pytest.mark.parametrize("vectors", [np.zeros((0, 5)), np.zeros((4, 5)), np.full((30, 5), np.nan), np.zeros((30, 0))])
def test_what_is_too_little_has_no_groups(vectors: NDArray[np.float64]) -> None:
    assert groups(vectors.astype(np.float32)).tolist() == [OUTLIER] * len(vectors)


def test_identical_vectors_are_one_group() -> None:
    assert groups(np.ones((50, 4), dtype=np.float32)).tolist() == [0] * 50


def test_a_text_that_is_often_the_same_is_a_group_of_its_own() -> None:
    vectors, truth = blobs((100, 1), seed=2)
    vectors = np.vstack([vectors, np.repeat(vectors[-1:], 59, axis=0)])
    found = groups(vectors)
    assert len(set(found[100:].tolist())) == 1
    assert found[100] not in {OUTLIER, Counter(found[:100].tolist()).most_common(1)[0][0]}
    assert len(truth) == 101


# Names ---------------------------------------------------------------------------------------------------------------


def test_names_are_the_terms_that_only_that_group_says() -> None:
    texts = [f"hello there your refund is approved {i % 7}" for i in range(30)]
    texts += ["hello there expect rain tomorrow"] * 30
    names = names_of(np.repeat([0, 1], 30), texts)
    assert {"refund", "approved"} & set(names[0].replace(" · ", " ").split())
    assert {"rain", "tomorrow", "expect"} & set(names[1].replace(" · ", " ").split())
    assert not {"hello", "there"} & set(" ".join(names).split())


SECRETS = (
    "anna.smith@example.com", "https://shop.example/o/anna", "sk-abcdefghijklmnop", "Bearer abcdef.ghijkl", "HP-374209",
    "deadbeefcafe", "0b8f9c1e-1111-4222-8333-abcdefabcdef", "4111 1111 1111 1111", "+49 170 1234567", "2026-11-02",
    "ghp_AbCdEfGhIjKl", "AKIAABCDEFGHIJKLMNOP", "QWxhZGRpbjpvcGVuIHNlc2FtZQabcdefgh", "x7f3k9",
)  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_what_identifies_somebody_is_taken_out_of_texts(secret: str) -> None:
    (left,) = redacted([f"please see {secret} for more"])
    assert left.replace(".", " ").split() == ["please", "see", "for", "more"]


def test_no_name_has_an_id_an_address_or_a_number() -> None:
    texts = [f"refund {secret} done" for secret in SECRETS for _ in range(5)] + ["rain comes soon"] * 60
    names = names_of(np.array([0] * (5 * len(SECRETS)) + [1] * 60), texts)
    assert set(names[0].replace(" · ", " ").split()) <= {"refund", "done"}


def test_what_a_single_text_says_is_in_no_name() -> None:
    texts = ["parcel lost", "parcel lost", "parcel lost xylophone", "rain comes", "rain comes", "rain comes zebra"]
    joined = " ".join(names_of(np.array([0, 0, 0, 1, 1, 1]), texts))
    assert "xylophone" not in joined
    assert "zebra" not in joined


def test_groups_with_the_same_words_or_none_are_told_apart_by_their_number() -> None:
    assert names_of(np.array([0, 0, 1, 1]), ["1", "2", "3", "4"]) == ["group 0", "group 1"]


def test_names_in_scripts_without_spaces() -> None:
    texts = ["退款已经批准"] * 20 + ["明天会下大雨"] * 20
    first, second = names_of(np.repeat([0, 1], 20), texts)
    assert "退" in first or "款" in first
    assert "雨" in second or "明" in second or "天" in second


# Shares --------------------------------------------------------------------------------------------------------------


def test_shares_their_interval_and_their_p_are_those_of_brute_force() -> None:
    labels = np.array([0] * 30 + [1] * 20 + [0] * 12 + [1] * 28 + [OUTLIER] * 10)
    after = np.array([False] * 50 + [True] * 50)
    frame = share_changes(labels, after)
    expected = difference_of_shares((0.6, 50), (0.24, 50))
    row = frame[frame["cluster"] == 0].to_dict("records")[0]
    assert (row["n_before"], row["n_after"]) == (30, 12)
    assert [float(row[name]) for name in ("difference", "low", "high")] == pytest.approx(
        [-0.36, expected.low, expected.high]
    )
    ways = {k: comb(50, k) * comb(50, 42 - k) for k in range(43)}
    as_rare = sum(n for n in ways.values() if n <= ways[30])
    assert float(row["p"]) == pytest.approx(as_rare / comb(100, 42))
    assert frame["q"].astype(float).tolist() == pytest.approx(
        benjamini_hochberg(frame["p"].astype(float).tolist()).tolist()
    )
    assert frame["n_before"].sum() == frame["n_after"].sum() == 50


@pytest.mark.parametrize("n_before", [0, 7])
def test_too_few_of_a_window_give_no_number(n_before: int) -> None:
    labels = np.zeros(n_before + 40, dtype=np.int64)
    frame = share_changes(labels, np.arange(len(labels)) >= n_before)
    assert frame.drop(columns=["cluster", "n_before", "n_after"]).isna().all(axis=None)


# The table -----------------------------------------------------------------------------------------------------------


def test_what_grew_and_what_shrank_come_first_and_outliers_last(before: Traces, after: Traces) -> None:
    found = clusters(before, after, by="feature")
    assert found["name"].iloc[-1] == OUTLIERS or OUTLIERS not in set(found["name"])
    first = dict(zip(found["main_slice"][:2], found["difference"][:2].astype(float), strict=True))
    assert first["support sizes"] > 0.25
    assert first["support weather"] < -0.25
    assert (found["q"][:2] < 0.001).all()
    assert found["n_before"].sum() == found["n_after"].sum() == 120
    still = found[found["main_slice"].str.startswith("support refund")]
    assert (still["q"] > 0.05).all()


def test_a_cluster_leads_to_its_traces(before: Traces, after: Traces) -> None:
    found = clusters(before, after, by="feature")
    row = found.iloc[0]
    ids = found.trace_ids(row["name"])
    assert ids == found.trace_ids(int(row["cluster"]))
    assert len(ids) == row["n_before"] + row["n_after"]
    assert set(row["examples"]) <= set(ids)
    with pytest.raises(UnknownNameError, match="There is no cluster"):
        found.trace_ids("nothing of the kind")


def test_the_same_traces_and_seed_give_the_same_table(before: Traces, after: Traces) -> None:
    pd.testing.assert_frame_equal(
        pd.DataFrame(clusters(before, after, seed=4)), pd.DataFrame(clusters(before, after, seed=4))
    )


def test_the_plot_has_a_point_a_cluster_and_escapes_names(before: Traces, after: Traces) -> None:
    found = clusters(before, after)
    found["name"] = ["<b>%{x}</b> " + name for name in found["name"]]
    figure = found.plot()
    assert sum(len(trace.x) for trace in figure.data) == len(found)
    assert "<b>" not in figure.to_json()


def test_a_drift_knows_its_clusters(before: Traces, after: Traces) -> None:
    found = drift(before, after, by="feature", permutations=199)
    assert found.clusters is not None
    assert found.clusters is found.clusters
    pd.testing.assert_frame_equal(pd.DataFrame(found.clusters), pd.DataFrame(clusters(before, after, by="feature")))


def test_the_clusters_of_a_drift_are_of_the_encoder_it_was_given(before: Traces, after: Traces) -> None:
    class FirstLetter:
        name = "first letter"

        def encode(self, texts: list[str]) -> NDArray[np.float32]:
            return np.array([[float(t[0] == "T"), float(t[0] != "T")] for t in texts], dtype=np.float32)

    found = drift(before, after, by="feature", permutations=199, encoder=FirstLetter())
    assert found.clusters is not None
    expected = clusters(before, after, by="feature", encoder=FirstLetter())
    pd.testing.assert_frame_equal(pd.DataFrame(found.clusters), pd.DataFrame(expected))


def test_a_drift_of_nothing_has_no_clusters(before: Traces) -> None:
    assert drift(before, Traces.from_frames({})).clusters is None


def test_one_window_empty_is_said_and_gives_no_number(before: Traces) -> None:
    found = clusters(before, Traces.from_frames({}))
    assert found["p"].isna().all()
    assert "Too few outputs to compare shares (after: 0; at least 8 are needed)." in found.notes


def test_nothing_at_all_is_an_empty_table() -> None:
    found = clusters(Traces.from_frames({}), Traces.from_frames({}))
    assert found.empty
    assert list(found.plot().data) == []


def test_misuse_is_explained(before: Traces, after: Traces) -> None:
    with pytest.raises(SelectionError, match="in common"):
        clusters(before, before)
    with pytest.raises(UnknownNameError, match="feature"):
        clusters(before, after, by="featur")
    with pytest.raises(UnknownArgumentError, match="encoder"):
        clusters(before, after, encodr=None)  # type: ignore[call-arg]
    with pytest.raises(SelectionError, match="seed"):
        clusters(before, after, seed=-1)
