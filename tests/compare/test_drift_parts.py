"""The parts of drift against plain references on small data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.compare.drift.components import components, normal_scores
from llmlens.compare.drift.folds import folds
from llmlens.compare.drift.format_features import FEATURES, format_features
from llmlens.compare.drift.permutation import Labels, Shifts, combined, p_value, tail, whitened
from llmlens.compare.drift.prompts import residuals
from llmlens.compare.drift.separation import scores, separation
from llmlens.compare.drift.strata import centred, propensity, subclasses
from llmlens.compare.drift.terms import edge_terms, inner_terms
from tests.examples import examples

BY_NAME = {feature.name: place for place, feature in enumerate(FEATURES)}


def counted(text: str) -> dict[str, float]:
    found = format_features([text, "x"])[0]
    return {name: float(found[place]) for name, place in BY_NAME.items()}


def test_format_features_count_what_they_say() -> None:
    found = counted("# Title\n\n- one\n- two\n1. three\n\n**Bold** text. Is it? See https://a.example!")
    assert found["headings"] == 1
    assert found["bullets"] == 2
    assert found["numbered"] == 1
    assert found["bold"] == 1
    assert found["questions"] == 1
    assert found["exclamations"] == 1
    assert found["links"] == 1
    assert found["paragraphs"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can’t help with that.",
        "As an AI, I will not.",
        "Dabei kann ich nicht helfen.",
        "抱歉，我无法提供。",
    ],
)
def test_refusals_are_seen_in_several_languages(text: str) -> None:
    assert counted(text)["refusals"] == 1


@pytest.mark.parametrize("text", ["Of course! Here you are.", "You may cancel it.", '{"refused": false}', ""])
def test_other_answers_are_no_refusals(text: str) -> None:
    assert counted(text)["refusals"] == 0


def test_the_length_of_a_huge_text_is_whole_though_only_its_beginning_is_read() -> None:
    assert counted("word " * 400_000)["characters"] == 2_000_000
    assert counted("word " * 400_000)["words"] == pytest.approx(400_000)


@examples(50)
@given(st.lists(st.text(max_size=200), max_size=20))
def test_any_texts_have_finite_features_and_terms(texts: list[str]) -> None:
    assert np.isfinite(format_features(texts)).all()
    for terms in (inner_terms(texts), edge_terms(texts)):
        assert terms.matrix.shape == (len(texts), len(terms.names))
        assert np.isfinite(terms.weighted().toarray()).all()


def test_inner_terms_are_words_and_pairs_with_numbers_read_as_0() -> None:
    texts = ["call 12 now", "call 345 now", "call 6 now", "other"]
    terms = inner_terms(texts)
    assert set(terms.names) == {"call", "0", "now", "call 0", "0 now"}
    assert terms.matrix.toarray()[:, terms.names.index("call 0")].tolist() == [1, 1, 1, 0]


def test_edge_terms_are_how_a_text_opens_and_closes() -> None:
    terms = edge_terms(["Yes, it is.", "Yes, it was.", "Yes, it will be.", "No."])
    assert "yes , it …" in terms.names
    assert "… ." not in terms.names  # all of them end so: it tells nothing
    assert "no …" not in terms.names  # a single one does


def test_terms_that_only_later_texts_have_are_not_known() -> None:
    terms = inner_terms(["old words"] * 4 + ["else"] + ["new words"] * 4, known=5)
    assert "old" in terms.names
    assert "new" not in terms.names
    assert terms.matrix.shape[0] == 9


def test_centring_takes_the_mean_of_the_stratum() -> None:
    columns = np.array([[1.0], [3.0], [10.0]])
    assert centred(columns, np.array([0, 0, 1])).ravel().tolist() == [-1, 1, 0]


def test_components_span_what_a_full_decomposition_spans() -> None:
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    matrix = (rng.random((30, 12)) < 0.4).astype(float)
    strata = np.repeat([0, 1, 2], 10)
    found = components(csr_matrix(matrix), strata, 12, seed=1)
    expected = centred(matrix, strata)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-8)


def test_normal_scores_keep_the_order_and_drop_what_does_not_vary() -> None:
    found = normal_scores(np.array([[1.0, 5], [100, 5], [2, 5]]))
    assert found.shape == (3, 1)
    assert np.argsort(found[:, 0]).tolist() == [0, 2, 1]


def test_residuals_are_what_leaving_each_row_out_gives() -> None:
    rng = np.random.default_rng(2)
    prompts = rng.standard_normal((25, 3))
    answers = prompts @ rng.standard_normal((3, 2)) * 3 + rng.standard_normal((25, 2)) * 0.1
    found = residuals(answers, prompts, np.zeros(25, dtype=np.int64))
    variances = np.linalg.svd(prompts, compute_uv=False) ** 2

    def refitted(ridge: float) -> np.ndarray:
        rest = np.empty_like(answers)
        for out in range(len(answers)):
            kept = np.arange(len(answers)) != out
            # The ridge is in units of the variances with all rows, as it is chosen once.
            gram = prompts[kept].T @ prompts[kept] + ridge * variances.mean() * np.eye(3)
            rest[out] = answers[out] - prompts[out] @ np.linalg.solve(gram, prompts[kept].T @ answers[kept])
        return rest

    assert min(np.abs(found - refitted(ridge)).max() for ridge in (0.01, 0.1, 1.0)) < 1e-8


def test_residuals_of_unrelated_prompts_change_nothing_much() -> None:
    rng = np.random.default_rng(3)
    answers = rng.standard_normal((40, 4))
    found = residuals(answers, rng.standard_normal((40, 5)), np.zeros(40, dtype=np.int64))
    assert (found**2).sum() <= (answers**2).sum() * (1 + 1e-12)


def test_the_statistic_is_the_squared_distance_of_the_means() -> None:
    rng = np.random.default_rng(4)
    view = centred(rng.standard_normal((12, 3)), np.zeros(12, dtype=np.int64))
    after = np.arange(12) >= 5
    labels = Labels.permuted(after, np.zeros(12, dtype=np.int64), 20, seed=0)
    statistic = Shifts.of(view, labels).statistic()
    assert statistic is not None
    for place, label in enumerate(labels.rows.astype(bool)):
        distance = ((view[label].mean(axis=0) - view[~label].mean(axis=0)) ** 2).sum()
        assert statistic[place] == pytest.approx(5 * 7 / 12 * distance, rel=1e-4)


def test_permutations_stay_within_strata() -> None:
    strata = np.array([0] * 6 + [1] * 4)
    after = np.array([True, False] * 5)
    labels = Labels.permuted(after, strata, 50, seed=1)
    for value in (0, 1):
        counts = labels.rows[:, strata == value].sum(axis=1)
        assert (counts == counts[0]).all()


def test_outputs_of_a_session_are_permuted_together_where_most_of_them_are() -> None:
    units = np.array([0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7])
    strata = np.array([0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0])
    after = np.isin(units, [0, 2, 5, 6])
    labels = Labels.permuted(after, strata, 200, seed=1, units=units)
    assert (labels.rows[0] == after).all()
    for unit in range(8):
        assert (labels.rows[:, units == unit] == labels.rows[:, units == unit][:, :1]).all()
    first = [int(np.flatnonzero(units == unit)[0]) for unit in (0, 1, 2, 3, 7)]  # at home in stratum 0
    assert (labels.rows[:, first].sum(axis=1) == 2).all()
    assert len(np.unique(labels.rows[:, first], axis=0)) == 10


def test_the_shift_of_permuted_sessions_is_the_difference_of_their_own_means() -> None:
    rng = np.random.default_rng(14)
    units = np.repeat(np.arange(6), [1, 2, 3, 1, 2, 3])
    none = np.zeros(12, dtype=np.int64)
    view = centred(rng.standard_normal((12, 3)), none)
    labels = Labels.permuted(units < 3, none, 20, seed=0, units=units)
    statistic = Shifts.of(view, labels).statistic()
    assert statistic is not None
    assert len({int(label.sum()) for label in labels.rows}) > 1
    for place, label in enumerate(labels.rows.astype(bool)):
        distance = ((view[label].mean(axis=0) - view[~label].mean(axis=0)) ** 2).sum()
        assert statistic[place] == pytest.approx(label.sum() * (~label).sum() / 12 * distance, rel=1e-4)


def test_the_variance_of_the_area_is_that_of_sessions_where_outputs_repeat() -> None:
    rng = np.random.default_rng(15)
    score, after = rng.standard_normal(60), np.arange(60) >= 30
    none = np.zeros(60, dtype=np.int64)
    once = separation(score, after, none)
    thrice = separation(np.repeat(score, 3), np.repeat(after, 3), np.repeat(none, 3), np.repeat(np.arange(60), 3))
    assert once is not None
    assert thrice == pytest.approx(once)


def test_no_rule_is_asked_about_a_session_it_was_fitted_on() -> None:
    units = np.repeat(np.arange(20), 3)
    after = units >= 10
    for learn, judge in folds(after, units, seed=0, least=5):
        assert not set(units[learn]) & set(units[judge])
    assert list(folds(after, np.repeat([0, 1], 30), seed=0, least=5)) == []


def test_the_p_value_is_close_to_that_of_all_permutations() -> None:
    rng = np.random.default_rng(5)
    view = centred(rng.standard_normal((9, 1)), np.zeros(9, dtype=np.int64))
    after = np.arange(9) >= 5
    every = []
    for chosen in itertools.combinations(range(9), 4):
        label = np.isin(np.arange(9), chosen)
        every.append(abs(view[label].mean() - view[~label].mean()))
    exact = np.mean(np.array(every) >= abs(view[after].mean() - view[~after].mean()) - 1e-12)
    statistic = Shifts.of(view, Labels.permuted(after, np.zeros(9, dtype=np.int64), 4_000, seed=0)).statistic()
    assert statistic is not None
    assert exact <= p_value(statistic) <= exact + 0.03


def test_tails_count_the_statistic_itself() -> None:
    assert tail(np.array([3.0, 1, 2, 3])).tolist() == [0.5, 1, 0.75, 0.5]
    assert combined([np.array([0.5, 1.0])]).tolist() == [pytest.approx(0.6931, abs=1e-4), 0]


def test_whitening_makes_directions_alike() -> None:
    rng = np.random.default_rng(6)
    view = rng.standard_normal((200, 3)) * np.array([10, 1, 0.1])
    spread = whitened(view - view.mean(axis=0)).std(axis=0)
    assert (spread <= 1).all()
    assert spread.max() / spread.min() < (10 / 0.1)


def test_subclasses_hold_equal_numbers_of_neighbouring_scores() -> None:
    strata = subclasses(np.arange(100.0), np.zeros(100, dtype=np.int64))
    assert np.bincount(strata).tolist() == [50, 50]
    assert strata[:50].max() < strata[50:].min()


def test_propensity_knows_a_shift_of_the_prompts_and_nothing_where_there_is_none() -> None:
    rng = np.random.default_rng(7)
    prompts, none = rng.standard_normal((200, 2)), np.zeros(200, dtype=np.int64)
    after = prompts[:, 0] + rng.standard_normal(200) > 0
    told = separation(propensity(prompts, none, after, 0), after, none)
    untold = separation(propensity(prompts, none, rng.random(200) < 0.5, 0), rng.random(200) < 0.5, none)
    assert told is not None
    assert untold is not None
    assert told.low > 0.6
    assert untold.low < 0.5 < untold.high


def test_separation_is_the_area_under_the_curve() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(8)
    score, after = np.round(rng.standard_normal(60), 1), rng.random(60) < 0.5
    found = separation(score + after, after, np.zeros(60, dtype=np.int64))
    assert found is not None
    assert found.auc == pytest.approx(roc_auc_score(after, score + after))
    assert found.low < found.auc < found.high
    assert separation(score[:1], after[:1], np.zeros(1, dtype=np.int64)) is None


def test_scores_of_noise_do_not_lean_to_either_side() -> None:
    areas = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        strata, after = np.repeat([0, 1], 30), rng.random(60) < 0.5
        view = whitened(centred(rng.standard_normal((60, 30)), strata))
        found = separation(scores(view, after, strata, seed), after, strata)
        assert found is not None
        areas.append(found.auc)
    assert abs(np.mean(areas) - 0.5) < 3 * np.std(areas) / np.sqrt(len(areas)) + 0.01
