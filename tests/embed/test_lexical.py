"""Texts as vectors by their words: deterministic, in any script, and nothing is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import llmlens as ll
from llmlens.embed import Encoder, LexicalEncoder
from llmlens.embed.vocabulary import Vocabulary
from llmlens.embed.words import LONGEST, words_of

REFUNDS = [f"The refund of order {n} was sent to your bank account" for n in range(20)]
SHIPPING = [f"Parcel {n} is on its way and arrives by courier tomorrow" for n in range(20)]


def words(text: str) -> list[str]:
    return [str(word) for word in words_of([text]).words.to_pylist()]


def vocabulary_of(texts: list[str], most: int) -> Vocabulary:
    return Vocabulary.of(words_of(texts), len(texts), most)


def similar(encoder: LexicalEncoder, a: str, b: str) -> float:
    left, right = encoder.encode([a, b])
    return float(left @ right)


def test_a_word_is_a_run_of_letters_digits_and_marks_in_lower_case() -> None:
    assert words("Don't STOP: naïve_x 3.5 — ok!") == ["don", "t", "stop", "naïve_x", "3", "5", "ok"]


def test_scripts_without_spaces_are_cut_into_characters_and_others_are_not() -> None:
    assert words("退款 ok") == ["退", "款", "ok"]
    assert words("注文は") == ["注", "文", "は"]
    assert words("שלום עולם") == ["שלום", "עולם"]
    assert words("مرحبا بالعالم") == ["مرحبا", "بالعالم"]
    assert words("한국어 문장") == ["한국어", "문장"]


def test_each_word_knows_its_text_also_beside_texts_without_any() -> None:
    found = words_of(["", "a b", "!!!", "c"])
    assert found.texts.tolist() == [1, 1, 3]
    assert found.words.to_pylist() == ["a", "b", "c"]


def test_many_texts_are_cut_as_each_of_them_is() -> None:
    texts = [f"{'a ' * (n % 5)}b{n} 退款!" for n in range(1_003)]
    found = words_of(texts)
    alone = [words(text) for text in texts]
    assert found.words.to_pylist() == [word for each in alone for word in each]
    assert found.texts.tolist() == [n for n, each in enumerate(alone) for _ in each]


def test_no_texts_have_no_words() -> None:
    assert len(words_of([]).words) == 0


def test_a_long_text_is_known_by_its_beginning() -> None:
    assert words("a " * 5_000_000) == ["a"] * (LONGEST // 2)


def test_halves_of_surrogate_pairs_are_no_letters() -> None:
    assert words("a\ud800b c")[-1] == "c"


def test_the_matrix_is_that_of_scikit_learn() -> None:
    texts = [*REFUNDS[:3], *SHIPPING[:3], "the the the order"]
    pattern = r"\w+"
    reference = TfidfVectorizer(token_pattern=pattern, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float64)
    reference.fit(texts)
    vocabulary = vocabulary_of(texts, 10_000)
    expected = reference.transform(texts)
    got = vocabulary.matrix(words_of(texts), len(texts))
    assert got.shape == expected.shape
    np.testing.assert_allclose((got @ got.T).toarray(), (expected @ expected.T).toarray(), atol=1e-5)


def test_the_vocabulary_keeps_the_terms_of_the_most_texts() -> None:
    vocabulary = vocabulary_of(["a b", "a c", "a b d"], 2)
    assert vocabulary.words.to_pylist() == ["a", "b"]
    assert vocabulary.pairs.tolist() == [1]  # a b
    assert vocabulary.matrix(words_of(["d c"]), 1).nnz == 0


def test_vectors_are_those_of_a_truncated_svd() -> None:
    texts = REFUNDS + SHIPPING
    encoder = LexicalEncoder(2).fit(texts)
    got = encoder.encode(texts)
    matrix = vocabulary_of(texts, 10_000).matrix(words_of(texts), len(texts))
    expected = TruncatedSVD(2, algorithm="arpack", random_state=0).fit_transform(matrix)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(got @ got.T, expected @ expected.T, atol=1e-3)


def test_texts_of_one_kind_are_nearer_to_each_other() -> None:
    encoder = LexicalEncoder(2).fit(REFUNDS + SHIPPING)
    asked = "a refund to your account"
    assert similar(encoder, asked, "The refund was sent") > 0.9
    assert similar(encoder, asked, "the courier has your parcel") < 0.8


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("我要退款，请尽快处理", "请问退款什么时候处理", "包裹明天由快递送达"),
        ("返金をお願いします", "返金はいつですか", "荷物は明日届きます"),
        ("ขอเงินคืนด้วย", "เมื่อไหร่จะได้เงินคืน", "พัสดุจะมาถึงพรุ่งนี้"),
        ("أريد استرداد المال", "متى استرداد المال", "تصل الطرود غدا"),
    ],
)
def test_each_script_is_understood(one: str, same: str, other: str) -> None:
    encoder = LexicalEncoder(50).fit([one, same, other])
    assert similar(encoder, one, same) > similar(encoder, one, other) + 0.1


def test_the_same_texts_and_seed_give_the_same_vectors_and_name() -> None:
    texts = REFUNDS + SHIPPING
    first, second = LexicalEncoder(8, seed=3).fit(texts), LexicalEncoder(8, seed=3).fit(texts)
    np.testing.assert_array_equal(first.encode(texts), second.encode(texts))
    assert first.name == second.name


def test_the_name_tells_what_it_was_fitted_on() -> None:
    names = {LexicalEncoder(d, seed=s).fit(t).name for d in (5, 6) for s in (0, 1) for t in (REFUNDS, SHIPPING)}
    assert len(names) == 8


def test_a_text_has_its_vector_whatever_it_is_encoded_with() -> None:
    encoder = LexicalEncoder(8).fit(REFUNDS + SHIPPING)
    together = encoder.encode(REFUNDS + SHIPPING)
    np.testing.assert_allclose(encoder.encode(SHIPPING[3:4])[0], together[23], atol=1e-6)


@pytest.mark.parametrize(
    "texts",
    [[], [""], ["a"], ["a", "b", "c"], ["the same"] * 30, ["", "!!!", "…"], ["x" * 10_000_000, "y"], ["\ud800"]],
    ids=["none", "empty", "one", "three", "identical", "no words", "10 MB", "half a character"],
)
def test_nothing_is_refused(texts: list[str]) -> None:
    vectors = LexicalEncoder(100).fit(texts).encode([*texts, "a", "something else"])
    assert vectors.shape == (len(texts) + 2, 100)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert ((np.abs(lengths - 1) < 1e-5) | (lengths == 0)).all()


def test_a_text_without_known_words_is_zero() -> None:
    vectors = LexicalEncoder(5).fit(REFUNDS).encode(["xyzzy", "", "refund"])
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [0, 0, 1]


def test_many_texts_are_fitted_on_a_sample_of_them() -> None:
    texts = [f"{'refund' if n % 2 else 'parcel'} number {n}" for n in range(6_000)]
    encoder = LexicalEncoder(5).fit(texts)
    again = LexicalEncoder(5).fit(texts)
    assert encoder.name == again.name
    assert similar(encoder, "refund", "parcel") < 0.5
    np.testing.assert_array_equal(encoder.encode(texts[:9]), again.encode(texts[:9]))


def test_encoding_before_fitting_is_an_error() -> None:
    with pytest.raises(ll.EmbeddingError, match="not fitted yet: call fit"):
        LexicalEncoder().encode(["a"])


@pytest.mark.parametrize("dimensions", [0, -1, 2.5, True, "10"])
def test_dimensions_that_are_none_are_refused(dimensions: object) -> None:
    with pytest.raises(ll.EmbeddingError, match="dimensions is a whole number"):
        LexicalEncoder(dimensions)  # type: ignore[arg-type]


def test_it_is_an_encoder_and_says_what_it_is() -> None:
    encoder = LexicalEncoder(7)
    assert isinstance(encoder, Encoder)
    assert "nothing yet" in repr(encoder)
    assert "7 dimensions" in repr(encoder.fit(REFUNDS))
