"""An OpenAI-compatible endpoint: what is sent, what is tried again, and what never leaks."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import llmlens as ll
from llmlens.embed import Cache, EndpointEncoder, embed_texts
from llmlens.embed import requests as requests_module
from tests.embed.endpoint_server import Endpoint, Reply, right

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests_module, "_FIRST_WAIT_S", 0.001)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def encoder_of(endpoint: Endpoint, **more: Any) -> EndpointEncoder:
    return EndpointEncoder("small", base_url=endpoint.url, api_key=KEY, **more)


def answer(status: int, body: Any, **headers: str) -> Callable[[dict[str, Any]], Reply]:
    return lambda _: (status, body, headers)


def test_texts_are_sent_in_batches_and_vectors_come_in_their_order(endpoint: Endpoint) -> None:
    vectors = encoder_of(endpoint, at_once=2).encode(["a", "bbb", "aeiou"])
    assert vectors.tolist() == [[1, 1, 1], [3, 0, 1], [5, 5, 1]]
    assert [body["input"] for body in endpoint.bodies] == [["a", "bbb"], ["aeiou"]]
    assert endpoint.bodies[0]["model"] == "small"
    assert "dimensions" not in endpoint.bodies[0]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_dimensions_are_asked_for_and_are_in_the_name(endpoint: Endpoint) -> None:
    encoder = encoder_of(endpoint, dimensions=3)
    encoder.encode(["a"])
    assert endpoint.bodies[0]["dimensions"] == 3
    assert encoder.name != encoder_of(endpoint).name


def test_long_texts_are_cut_and_half_characters_replaced(endpoint: Endpoint) -> None:
    encoder_of(endpoint, longest=4).encode(["abcdefgh", "a\ud800"])
    assert endpoint.bodies[0]["input"] == ["abcd", "a?"]


def test_address_and_key_come_from_the_environment(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url + "/")
    monkeypatch.setenv("OPENAI_API_KEY", "from-there")
    EndpointEncoder("small").encode(["a"])
    assert endpoint.headers[0]["Authorization"] == "Bearer from-there"


def test_a_server_without_keys_gets_none(endpoint: Endpoint) -> None:
    EndpointEncoder("small", base_url=endpoint.url).encode(["a"])
    assert "Authorization" not in endpoint.headers[0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(endpoint: Endpoint, status: int) -> None:
    endpoint.replies = [answer(status, {"error": {"message": "later"}}), answer(status, b"<html>"), None]
    assert encoder_of(endpoint).encode(["a"]).tolist() == [[1, 1, 1]]
    assert len(endpoint.bodies) == 3


def test_a_wait_that_the_server_asks_for_is_kept(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("llmlens.embed.requests.time.sleep", waits.append)
    endpoint.replies = [answer(429, {}, **{"Retry-After": "7"}), answer(503, {}), None]
    encoder_of(endpoint).encode(["a"])
    assert waits[0] == 7
    assert waits[1] < 1


def test_a_wait_that_is_too_long_ends_it_at_once(endpoint: Endpoint) -> None:
    endpoint.replies = [answer(429, {"error": "quota"}, **{"Retry-After": "3600"})]
    with pytest.raises(ll.EmbeddingError, match=r"tried 1 x in 300 s.*429: quota"):
        encoder_of(endpoint).encode(["a"])


def test_patience_ends(endpoint: Endpoint) -> None:
    endpoint.replies = [answer(500, {"error": {"message": "boom"}})] * 1_000
    with pytest.raises(
        ll.EmbeddingError,
        match=r"tried \d+ x in 0.2 s. The last time: (it answered 500: boom|it.* slowly|it did not)",
    ):
        encoder_of(endpoint, patience=0.2).encode(["a"])


@pytest.mark.parametrize(
    ("status", "says"),
    [(400, "400"), (401, "does not know this key"), (403, "may not use"), (404, "is base_url right"), (302, "302")],
)
def test_what_will_not_pass_is_said_at_once(endpoint: Endpoint, status: int, says: str) -> None:
    endpoint.replies = [answer(status, {"error": {"message": "because"}}, Location="http://127.0.0.1:9/")]
    with pytest.raises(ll.EmbeddingError, match=says + r".*because"):
        encoder_of(endpoint).encode(["a"])
    assert len(endpoint.bodies) == 1


def test_a_web_page_of_a_proxy_is_recognised(endpoint: Endpoint) -> None:
    endpoint.replies = [answer(200, b" <!doctype html><title>Sign in</title>")]
    with pytest.raises(ll.EmbeddingError, match=r"sent a web page.*a proxy or a sign-in page"):
        encoder_of(endpoint).encode(["a"])


def test_an_answer_that_was_cut_off_is_asked_for_again(endpoint: Endpoint) -> None:
    endpoint.replies = [answer(200, b'{"data": [{"ind'), None]
    assert encoder_of(endpoint).encode(["a"]).tolist() == [[1, 1, 1]]


def row(vector: Any, index: int = 0) -> dict[str, Any]:
    return {"index": index, "embedding": vector}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"data": [row([1])]}, "2 texts were sent and 1 vectors came back"),
        ({"data": [row([1]), row([1, 2], 1)]}, "vectors of one size; got 1, 2"),
        ({"data": [row([1]), row("AACAPw==", 1)]}, "got 1, none"),
        ({"data": [row([1]), row([None], 1)]}, "1 of 2 vectors hold NaN"),
        ({"data": [row([1]), row(["x"], 1)]}, "something that is no number"),
        ({"data": [row([]), row([], 1)]}, "vectors of one size; got 0"),
        ({"data": [row([1]), row([1], 0)]}, "none"),
        ({"object": "list"}, "a list `data` of embeddings; it said: keys object"),
        ([], "a list `data`"),
        ({"data": ["a", "b"]}, "a list `data`"),
    ],
)
def test_an_answer_that_is_wrong_is_said(endpoint: Endpoint, body: Any, says: str) -> None:
    endpoint.replies = [answer(200, body)]
    with pytest.raises(ll.EmbeddingError, match=says):
        encoder_of(endpoint).encode(["a", "b"])


def test_a_dimension_that_changes_within_a_call_is_said(endpoint: Endpoint) -> None:
    endpoint.replies = [None, answer(200, {"data": [row([1, 2])]})]
    with pytest.raises(ll.EmbeddingError, match="its dimension changed half-way"):
        encoder_of(endpoint, at_once=1).encode(["a", "b"])


def test_a_failure_half_way_keeps_what_came_and_goes_on(endpoint: Endpoint) -> None:
    endpoint.replies = [None, answer(401, {"error": "revoked"})]
    with pytest.raises(ll.EmbeddingError, match="2 of 4 texts are in the cache: the same call goes on there"):
        embed_texts(["a", "bb", "ccc", "dddd"], encoder_of(endpoint, at_once=2))
    assert embed_texts(["a", "bb", "ccc", "dddd"], encoder_of(endpoint, at_once=2))[:, 0].tolist() == [1, 2, 3, 4]
    assert endpoint.bodies[-1]["input"] == ["bb", "a"]


def test_a_server_that_is_down_is_said(endpoint: Endpoint) -> None:
    encoder = encoder_of(endpoint, patience=0.05)
    endpoint.close()
    with pytest.raises(ll.EmbeddingError, match="it cannot be reached: is the address right"):
        encoder.encode(["a"])


def test_a_server_that_is_slow_is_said(endpoint: Endpoint) -> None:
    done = threading.Event()

    def slow(body: dict[str, Any]) -> Reply:
        done.wait(10)
        return right(body)

    endpoint.replies = [slow] * 100
    with pytest.raises(ll.EmbeddingError, match=r"did not answer within 0\.0\d+ s"):
        encoder_of(endpoint, timeout=0.05, patience=0.2).encode(["a"])
    done.set()


def test_the_key_is_nowhere(endpoint: Endpoint, cache_folder: Path) -> None:
    encoder = encoder_of(endpoint)
    embed_texts(["a"], encoder)
    endpoint.replies = [answer(401, {"error": {"message": f"Incorrect key: {KEY}"}})]
    with pytest.raises(ll.EmbeddingError) as caught:
        encoder.encode(["a"])
    assert "(the key)" in str(caught.value)
    shown = [repr(encoder), str(caught.value), repr(caught.value), encoder.name, repr(encoder._requests)]
    assert all(KEY not in text for text in shown)
    assert caught.value.__cause__ is None
    assert all(KEY.encode() not in path.read_bytes() for path in cache_folder.iterdir())
    with pytest.raises(TypeError, match="holds a key and cannot be pickled"):
        pickle.dumps(encoder)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://user:secret@host/v1", "holds an @"),
        ("host/v1", "begins with https"),
        ("ftp://host", "begins with https"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, says: str) -> None:
    with pytest.raises(ll.EmbeddingError, match=says) as caught:
        EndpointEncoder("small", base_url=address)
    assert "secret" not in str(caught.value)


def test_an_unknown_argument_is_explained() -> None:
    arguments: dict[str, Any] = {"apikey": "k"}
    with pytest.raises(ll.UnknownArgumentError, match="Did you mean 'api_key'"):
        EndpointEncoder("small", **arguments)


def test_the_cost_is_estimated_without_sending_anything() -> None:
    costs = EndpointEncoder("text-embedding-3-small", longest=400).estimate(["a" * 400, "b" * 4_000, "c"])
    assert costs.tokens == 100 + 100 + 1
    assert costs.usd == pytest.approx(201 * 0.02 / 1e6)
    assert "estimated: characters / 4" in str(costs)


def test_a_price_that_is_not_known_is_none() -> None:
    costs = EndpointEncoder("our-own-model", base_url="https://embed.example/v1").estimate(["a"])
    assert costs.usd is None
    assert "not known" in str(costs)


def test_vectors_are_float32_and_cached_under_the_server_and_model(endpoint: Endpoint) -> None:
    encoder = encoder_of(endpoint)
    assert embed_texts(["a"], encoder).dtype == np.float32
    Cache().clear(encoder.name)
    embed_texts(["a"], encoder)
    assert len(endpoint.bodies) == 2
    assert endpoint.url in encoder.name
    assert "small" in encoder.name
