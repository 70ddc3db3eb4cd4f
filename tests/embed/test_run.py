"""Each different text is encoded once; what was done stays, whatever ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import llmlens as ll
from llmlens.embed import Cache, embed_texts

if TYPE_CHECKING:
    from llmlens.embed.encoder import Vectors


class Counting:
    """Vectors (length, 1); remembers what it was asked, and can fail or be interrupted at its n-th call."""

    at_once = 3

    def __init__(self, name: str = "counting", fails_at: dict[int, BaseException] | None = None, size: int = 2) -> None:
        self.name = name
        self.calls: list[list[str]] = []
        self.fails_at = fails_at or {}
        self.size = size

    def encode(self, texts: list[str], /) -> Vectors:
        self.calls.append(list(texts))
        if len(self.calls) in self.fails_at:
            raise self.fails_at[len(self.calls)]
        vectors = np.ones((len(texts), self.size), dtype=np.float32)
        vectors[:, 0] = [np.nan if text == "nan" else len(text) for text in texts]
        return vectors

    @property
    def asked(self) -> list[str]:
        return [text for call in self.calls for text in call]


TEXTS = ["a", "bb", "a", "ccc", "dddd", "eeeee", "bb", "ffffff", "g" * 7]
LENGTHS = [len(text) for text in TEXTS]


def test_each_text_has_its_vector_and_each_different_one_is_encoded_once() -> None:
    encoder = Counting()
    vectors = embed_texts(TEXTS, encoder)
    assert vectors[:, 0].tolist() == LENGTHS
    assert vectors.dtype == np.float32
    assert sorted(encoder.asked) == sorted(set(TEXTS))
    assert max(map(len, encoder.calls)) == 3


def test_texts_of_a_length_are_encoded_together_the_longest_first() -> None:
    encoder = Counting()
    mixed = ["a" * length for length in (1, 9, 2, 8, 3, 7)]
    assert embed_texts(mixed, encoder)[:, 0].tolist() == [1, 9, 2, 8, 3, 7]
    assert encoder.calls == [["a" * 9, "a" * 8, "a" * 7], ["a" * 3, "a" * 2, "a"]]


def test_what_is_known_is_not_encoded_again_even_by_another_object() -> None:
    embed_texts(TEXTS[:4], Counting())
    encoder = Counting()
    vectors = embed_texts(TEXTS, encoder)
    assert vectors[:, 0].tolist() == LENGTHS
    assert not {"a", "bb", "ccc"} & set(encoder.asked)


def test_without_a_cache_nothing_is_kept() -> None:
    embed_texts(TEXTS, Counting(), cache=False)
    assert Cache().size() == 0


def test_a_cache_of_ones_own_is_used(tmp_path: Any) -> None:
    own = Cache(tmp_path / "own")
    embed_texts(TEXTS, Counting(), cache=own)
    assert own.size() > 0
    assert Cache().size() == 0


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), MemoryError()])
def test_an_interrupt_keeps_what_was_done_and_the_same_call_goes_on(ends: BaseException) -> None:
    with pytest.raises(type(ends)):
        embed_texts(TEXTS, Counting(fails_at={2: ends}))
    encoder = Counting()
    assert embed_texts(TEXTS, encoder)[:, 0].tolist() == LENGTHS
    assert sorted(encoder.asked) == ["a", "bb", "ccc", "dddd"]


def test_an_error_says_what_is_stored_and_how_to_go_on() -> None:
    failing = Counting(fails_at={3: ll.EmbeddingError("The server is down.")})
    with pytest.raises(ll.EmbeddingError, match=r"The server is down\. 6 of 7 texts are in the cache: the same call"):
        embed_texts(TEXTS, failing)
    failing = Counting("other", fails_at={2: ll.EmbeddingError("The server is down.")})
    with pytest.raises(ll.EmbeddingError, match="3 of 7 texts are lost: there is no cache"):
        embed_texts(TEXTS, failing, cache=False)


def test_no_text_has_no_vector_and_is_not_asked_for() -> None:
    encoder = Counting()
    vectors = embed_texts([None, "a", "", " \n"], encoder)
    assert np.isnan(vectors).all(axis=1).tolist() == [True, False, True, True]
    assert encoder.asked == ["a"]


def test_no_texts_at_all() -> None:
    assert embed_texts([], Counting()).shape == (0, 0)
    assert embed_texts([None], Counting()).shape == (1, 0)


def test_a_vector_with_nan_is_given_and_not_kept() -> None:
    assert np.isnan(embed_texts(["nan", "a"], Counting())[0, 0])
    encoder = Counting()
    embed_texts(["nan", "a"], encoder)
    assert encoder.asked == ["nan"]


@pytest.mark.parametrize("text", [3, b"bytes", ["a"], float("nan")])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(ll.EmbeddingError, match=r"Expected texts, or None for none; got .* in place 1"):
        embed_texts(["a", text], Counting())


@pytest.mark.parametrize("encoder", [None, "minilm", object()])
def test_what_is_no_encoder_is_refused(encoder: Any) -> None:
    with pytest.raises(ll.EmbeddingError, match=r"An encoder has a name and encode\(texts\); got"):
        embed_texts(["a"], encoder)


@pytest.mark.parametrize("answer", [np.ones(3), np.ones((2, 3)), np.ones((1, 2, 3)), [[]] * 4])
def test_an_encoder_that_gives_something_else_is_named(answer: Any) -> None:
    class Wrong:
        name = "wrong"

        def encode(self, _: list[str], /) -> Vectors:
            return np.asarray(answer)

    with pytest.raises(ll.EmbeddingError, match=r"wrong: expected an array of \(3, dimensions\) for 3 texts"):
        embed_texts(["a", "b", "c"], Wrong())


def test_a_dimension_that_changes_half_way_is_said_and_what_came_is_kept() -> None:
    class Changing(Counting):
        def encode(self, texts: list[str], /) -> Vectors:
            self.size = 2 if not self.calls else 5
            return super().encode(texts)

    with pytest.raises(ll.EmbeddingError, match=r"had 2 dimensions and now have 5.*clear\('counting'\).* 3 of 7 texts"):
        embed_texts(TEXTS, Changing())
    assert len(embed_texts(["g" * 7, "ffffff", "eeeee"], Counting(fails_at={1: AssertionError()}))) == 3


def test_a_dimension_that_changed_between_two_calls_is_said() -> None:
    embed_texts(["a"], Counting())
    embed_texts(["bb"], Counting(size=5))
    with pytest.raises(ll.EmbeddingError, match="the model behind this name was changed"):
        embed_texts(["a", "bb"], Counting())


def test_what_is_unknown_is_asked_for_first_and_can_be_refused() -> None:
    embed_texts(["a"], Counting())
    asked: list[list[str]] = []
    encoder = Counting()

    def refuse(texts: list[str]) -> None:
        asked.append(texts)
        raise ll.EmbeddingError("Too dear.")

    with pytest.raises(ll.EmbeddingError, match="Too dear"):
        embed_texts(["a", "bb", "bb"], encoder, allow=refuse)
    assert asked == [["bb"]]
    assert encoder.calls == []
    embed_texts(["a"], encoder, allow=refuse)


def test_progress_is_shown_on_a_terminal_only(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    embed_texts(TEXTS, Counting())
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    embed_texts(TEXTS, Counting("again"))
    assert "of 7 texts embedded" in capsys.readouterr().err
    embed_texts(TEXTS, Counting("once more"), progress=False)
    assert capsys.readouterr().err == ""
