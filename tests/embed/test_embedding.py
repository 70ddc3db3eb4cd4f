"""`ll.embed`: what is encoded, by what, and what is said about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from llmlens.embed import Cache, EndpointEncoder, GivenVectors, LexicalEncoder

if TYPE_CHECKING:
    from llmlens.embed.encoder import Vectors
    from llmlens.traces import Traces
    from tests.embed.endpoint_server import Endpoint


def traces_of(outputs: list[str], metadata: list[Any] | None = None) -> Traces:
    rows = {
        "trace_id": [f"{n:032x}" for n in range(len(outputs))],
        "span_id": [f"{n:016x}" for n in range(len(outputs))],
        "start": pd.date_range("2026-11-02", periods=len(outputs), freq="min", tz="UTC"),
        "kind": "llm",
        "name": "answer",
        "model": "m",
        "feature": ["refunds", "search"] * (len(outputs) // 2) + ["refunds"] * (len(outputs) % 2),
        "input": [f"question {n}" for n in range(len(outputs))],
        "output": outputs,
    }
    if metadata is not None:
        rows["metadata"] = [json.dumps(each) for each in metadata]
    return ll.read_frame(pd.DataFrame(rows))


OUTPUTS = [f"The refund {n} was sent" if n % 2 else f"Parcel {n} arrives tomorrow" for n in range(20)]


class Lengths:
    """Vectors (length, 1)."""

    name = "lengths"

    def encode(self, texts: list[str], /) -> Vectors:
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_outputs_are_encoded_by_their_words_when_nothing_else_is_said() -> None:
    found = ll.embed(traces_of(OUTPUTS))
    assert found.vectors.shape == (20, 100)
    assert found.there.all()
    assert len(found) == 20
    assert list(found.frame.columns[:2]) == ["trace_id", "span_id"]
    assert found.frame.text.tolist() == OUTPUTS
    assert isinstance(found.encoder, LexicalEncoder)
    assert "20 of 20 texts, 100 dimensions, by lexical" in repr(found)
    assert found.notes == ()


def test_rows_and_vectors_belong_together_and_columns_come_along() -> None:
    found = ll.embed(traces_of(OUTPUTS), encoder=Lengths(), by="feature")
    assert found.vectors[:, 0].tolist() == [len(text) for text in found.frame.text]
    assert set(found.frame.feature) == {"refunds", "search"}


def test_inputs_can_be_encoded() -> None:
    assert ll.embed(traces_of(OUTPUTS), "input").frame.text.tolist() == [f"question {n}" for n in range(20)]


def test_an_encoder_that_was_fitted_on_a_reference_stays_as_it_is() -> None:
    reference = ll.embed(traces_of(OUTPUTS)).encoder
    name = reference.name
    later = ll.embed(traces_of(["The refund was late"]), encoder=reference)
    assert later.encoder is reference
    assert reference.name == name
    assert later.vectors.shape == (1, 100)


def test_a_sample_of_real_shape_is_embedded_and_repeats(week: Traces) -> None:
    first, second = ll.embed(week, by="feature"), ll.embed(week, by="feature", cache=False)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert len(first) > 1_000


def test_no_texts_are_said() -> None:
    empty = ll.embed(traces_of(OUTPUTS).where(model="another"))
    assert len(empty) == 0
    assert empty.notes == ("There is no output in these traces.",)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_traces_are_enough(count: int) -> None:
    assert ll.embed(traces_of(OUTPUTS[:count])).vectors.shape == (count, 100)


# ---------------------------------------------------------------------- vectors that are there


def vector_of(text: str) -> list[float]:
    return [len(text), 1.0, 2.0]


def test_a_column_of_the_metadata_holds_the_vectors() -> None:
    traces = traces_of(OUTPUTS, [{"embedding": vector_of(text)} for text in OUTPUTS])
    found = ll.embed(traces, column="metadata.embedding")
    assert found.vectors[:, 0].tolist() == [len(text) for text in OUTPUTS]
    assert found.encoder.name == "given in metadata.embedding"
    assert Cache().size() == 0


def test_partial_vectors_are_kept_and_the_others_are_counted_by_what_is_wrong() -> None:
    held: list[Any] = [{"embedding": vector_of(text)} for text in OUTPUTS]
    held[0] = {}
    held[1] = {"embedding": [1, 2]}
    held[2] = {"embedding": [1, None, 2]}
    held[3] = {"embedding": "not a list"}
    held[4] = {"embedding": json.dumps(vector_of(OUTPUTS[4]))}
    found = ll.embed(traces_of(OUTPUTS, held), column="metadata.embedding")
    assert np.flatnonzero(~found.there).tolist() == [0, 1, 2, 3]
    said = " ".join(found.notes)
    assert "4 of 20 texts have no vector." in said
    for reason in ("1 of 2 instead of 3 numbers", "1 with NaN", "1 that are no list of numbers"):
        assert reason in said


@pytest.mark.parametrize("column", ["embedding", "metadata", "metadata.", "output"])
def test_another_column_is_refused(column: str) -> None:
    with pytest.raises(ll.EmbeddingError, match="expected a key of the metadata"):
        ll.embed(traces_of(OUTPUTS), column=column)


def test_a_column_that_nobody_has_gives_no_vectors_and_says_so() -> None:
    found = ll.embed(traces_of(OUTPUTS, [{}] * 20), column="metadata.embedding")
    assert not found.there.any()
    assert "20 of 20 texts have no vector." in found.notes


def test_an_encoder_and_a_column_are_too_much() -> None:
    with pytest.raises(ll.EmbeddingError, match="not both"):
        ll.embed(traces_of(OUTPUTS), encoder=Lengths(), column="metadata.embedding")


def otlp_line(trace: int, span: int, name: str, attributes: dict[str, Any]) -> str:
    def value(each: Any) -> dict[str, Any]:
        if isinstance(each, list):
            return {"arrayValue": {"values": [{"doubleValue": x} for x in each]}}
        return {"stringValue": each}

    held = [{"key": key, "value": value(each)} for key, each in attributes.items()]
    ids = {"traceId": f"{trace:032x}", "spanId": f"{span:016x}", "name": name}
    times = {"startTimeUnixNano": "1762000000000000000", "endTimeUnixNano": "1762000001000000000"}
    one = {**ids, **times, "attributes": held}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]})


def openinference(tmp_path: Any, embedded: int) -> Traces:
    """Write traces whose first outputs were embedded by a span of their own, with other white space."""
    lines = []
    for n, text in enumerate(OUTPUTS):
        said = {"openinference.span.kind": "LLM", "input.value": "q", "output.value": text}
        lines.append(otlp_line(n + 1, 2 * n + 1, "chat", said))
        if n < embedded:
            key = "embedding.embeddings.{}.embedding.{}".format
            held = {key(0, "text"): "something else", key(0, "vector"): [9.0] * 3,
                    key(1, "text"): text.replace(" ", "\n "), key(1, "vector"): vector_of(text)}  # fmt: skip
            lines.append(otlp_line(n + 1, 2 * n + 2, "embed", {"openinference.span.kind": "EMBEDDING", **held}))
    path = tmp_path / "dump.jsonl"
    path.write_text("\n".join(lines))
    return ll.read_otlp(path)


def test_vectors_in_the_spans_are_taken_when_most_texts_have_one(tmp_path: Any) -> None:
    found = ll.embed(openinference(tmp_path, 15), per="span")
    assert isinstance(found.encoder, GivenVectors)
    lengths = [len(text) for text in found.frame.text]
    assert found.there.sum() == 15
    assert found.vectors[found.there, 0].tolist() == [n for n, there in zip(lengths, found.there, strict=True) if there]
    assert "5 of 20 texts have no vector." in found.notes


def test_a_few_vectors_in_the_spans_are_said_and_can_be_asked_for(tmp_path: Any) -> None:
    traces = openinference(tmp_path, 4)
    found = ll.embed(traces, per="span")
    assert isinstance(found.encoder, LexicalEncoder)
    assert "only 4 of 20 texts" in found.notes[0]
    given = ll.embed(traces, per="span", encoder=GivenVectors.from_spans(traces))
    assert given.there.sum() == 4


def test_vectors_without_a_text_are_counted() -> None:
    given = GivenVectors([(None, [1.0, 2.0]), ("a", [3.0, 4.0]), ("", [1.0, 1.0])], "the spans")
    assert given.notes == ("Vectors in the spans that could not be used: 2 without a text.",)
    assert len(given) == 1
    assert given.encode(["a"]).tolist() == [[3, 4]]
    assert "1 of 2 dimensions" in repr(given)


# ---------------------------------------------------------------------- what is paid for


class Paid(Lengths):
    """Costs what it is told to."""

    def __init__(self, usd: float | None) -> None:
        self.usd = usd
        self.asked: list[str] = []

    def estimate(self, texts: list[str]) -> Any:
        from llmlens.embed.estimate import Estimate

        return Estimate("lengths", len(texts), 10, self.usd)

    def encode(self, texts: list[str], /) -> Vectors:
        self.asked += texts
        return super().encode(texts)


def test_the_cost_is_said_before_it_is_spent(capsys: pytest.CaptureFixture[str]) -> None:
    ll.embed(traces_of(OUTPUTS), encoder=Paid(0.5))
    assert "lengths: 20 texts, about 10 tokens (estimated: characters / 4), about 0.5 USD" in capsys.readouterr().out


@pytest.mark.parametrize(("usd", "says"), [(2.0, "above ask_above_usd=1"), (None, "Its price is not known")])
def test_what_is_dear_or_of_unknown_price_needs_a_word(usd: float | None, says: str) -> None:
    encoder = Paid(usd)
    with pytest.raises(ll.EmbeddingError, match=says + r".*nothing was sent\. Say confirm=True"):
        ll.embed(traces_of(OUTPUTS), encoder=encoder)
    assert encoder.asked == []
    ll.embed(traces_of(OUTPUTS), encoder=encoder, confirm=True)
    assert len(encoder.asked) == 20
    ll.embed(traces_of(OUTPUTS), encoder=encoder)  # what is known costs nothing
    assert len(encoder.asked) == 20


def test_the_limit_can_be_set() -> None:
    ll.embed(traces_of(OUTPUTS), encoder=Paid(2.0), ask_above_usd=3)


def test_a_server_on_this_machine_costs_nothing(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    found = ll.embed(traces_of(OUTPUTS), encoder=EndpointEncoder("ours", base_url=endpoint.url))
    assert found.vectors[:, 0].tolist() == [len(text) for text in OUTPUTS]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("wrong", "right"), [("encodr", "encoder"), ("perr", "per"), ("confirmed", "confirm")])
def test_an_unknown_argument_is_explained(wrong: str, right: str) -> None:
    arguments: dict[str, Any] = {wrong: 1}
    with pytest.raises(ll.UnknownArgumentError, match=f"Did you mean '{right}'"):
        ll.embed(traces_of(OUTPUTS), **arguments)
