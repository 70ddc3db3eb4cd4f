from __future__ import annotations

from typing import Any

import pytest

from llmlens.read.contents import SpanContent, scores


def span(
    attributes: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    links: list[dict[str, Any]] | None = None,
    *,
    kind: str = "llm",
    span_id: str = "s",
) -> SpanContent:
    return SpanContent("t", span_id, None, kind, "n", "ok", None, None, attributes or {}, events or [], links or [])


def evaluation(**said: Any) -> dict[str, Any]:
    attributes = {"gen_ai.evaluation." + key.replace("__", "."): value for key, value in said.items()}
    return {"name": "gen_ai.evaluation.result", "time": "2026-01-02T03:04:05Z", "attributes": attributes}


def test_an_evaluation_event_is_a_score_of_its_span() -> None:
    (score,) = scores(
        span(events=[evaluation(name="relevance", score__value=0.5, score__label="ok", explanation="why")])
    )
    assert (score.trace_id, score.span_id, score.name) == ("t", "s", "relevance")
    assert (score.value, score.label, score.comment) == (0.5, "ok", "why")
    assert score.created_ns == 1_767_323_045_000_000_000


def test_the_time_of_an_event_may_be_nanoseconds() -> None:
    event = evaluation(name="a", score__value=1) | {"time": 1_767_323_045_123_456_789}
    assert scores(span(events=[event]))[0].created_ns == 1_767_323_045_123_456_789


def test_a_log_records_body_and_event_name_count() -> None:
    attributes = {
        "event.name": "gen_ai.evaluation.result",
        "body": {"gen_ai.evaluation.name": "a", "gen_ai.evaluation.score.value": 1},
    }
    (score,) = scores(span(events=[{"name": "", "time": None, "attributes": attributes}]))
    assert (score.name, score.value, score.created_ns) == ("a", 1.0, None)


@pytest.mark.parametrize(
    "said", [{"score__value": 1}, {"name": "a"}, {"name": "", "score__value": 1}, {"name": "a", "score__value": None}]
)
def test_an_event_that_judges_nothing_is_no_score(said: dict[str, Any]) -> None:
    assert scores(span(events=[evaluation(**said)])) == []


@pytest.mark.parametrize(("family", "item"), [("annotations", "annotation"), ("evaluations", "evaluation")])
def test_annotations_and_evaluations_are_scores(family: str, item: str) -> None:
    attributes = {
        f"{family}.0.{item}.name": "correct",
        f"{family}.0.{item}.score": 1,
        f"{family}.0.{item}.label": "yes",
        f"{family}.0.{item}.explanation": "why",
        f"{family}.0.{item}.annotator_kind": "LLM",
        f"{family}.0.{item}.identifier": "judge-1",
        f"{family}.1.{item}.name": "tone",
        f"{family}.1.{item}.label": "rude",
        f"{family}.1.{item}.annotator_kind": "HUMAN",
    }
    first, second = scores(span(attributes))
    assert (first.span_id, first.name, first.value, first.label, first.comment) == ("s", "correct", 1.0, "yes", "why")
    assert (first.source, first.author) == ("judge", "judge-1")
    assert (second.name, second.value, second.label, second.source) == ("tone", None, "rude", "human")


def test_an_unknown_annotator_is_not_guessed() -> None:
    assert scores(span({"annotations.0.annotation.name": "a", "annotations.0.annotation.score": 1}))[0].source is None


def test_a_score_that_is_no_number_is_a_label() -> None:
    (score,) = scores(span({"annotations.0.annotation.name": "a", "annotations.0.annotation.score": "good"}))
    assert (score.value, score.label) == (None, "good")


def test_the_scope_of_a_trace_or_session_is_kept() -> None:
    attributes = {
        "session.id": "chat-1",
        "trace.annotations.0.annotation.name": "a",
        "trace.annotations.0.annotation.score": 1,
        "session.annotations.0.annotation.name": "b",
        "session.annotations.0.annotation.score": 0,
    }
    of_trace, of_session = scores(span(attributes))
    assert (of_trace.trace_id, of_trace.span_id, of_trace.session_id) == ("t", None, None)
    assert (of_session.name, of_session.span_id, of_session.session_id) == ("b", None, "chat-1")


@pytest.mark.parametrize(("scope", "n"), [("trace.", 1), ("session.", 1), ("", 2)])
def test_what_is_repeated_on_every_span_has_one_id(scope: str, n: int) -> None:
    attributes = {
        "session.id": "x",
        f"{scope}annotations.0.annotation.name": "a",
        f"{scope}annotations.0.annotation.score": 1,
    }
    ids = {score.score_id for span_id in ("s1", "s2") for score in scores(span(attributes, span_id=span_id))}
    assert len(ids) == n


def test_two_opinions_on_one_span_have_two_ids() -> None:
    attributes = {
        "annotations.0.annotation.name": "a",
        "annotations.0.annotation.score": 1,
        "annotations.1.annotation.name": "a",
        "annotations.1.annotation.score": 1,
    }
    assert len({score.score_id for score in scores(span(attributes))}) == 2


def test_ids_are_the_same_on_every_load() -> None:
    attributes = {"annotations.0.annotation.name": "a", "annotations.0.annotation.score": 1}
    assert scores(span(attributes))[0].score_id == scores(span(dict(attributes)))[0].score_id


ANNOTATED = {"annotations.0.annotation.name": "a", "annotations.0.annotation.score": 1}
LINK = {"trace_id": "t2", "span_id": "s2", "attributes": {}}


def test_a_later_evaluators_link_tells_what_was_judged() -> None:
    (score,) = scores(span(ANNOTATED, links=[LINK], kind="evaluator"))
    assert (score.trace_id, score.span_id) == ("t2", "s2")


@pytest.mark.parametrize(
    ("kind", "links"),
    [("llm", [LINK]), ("evaluator", [LINK, LINK]), ("evaluator", [{"trace_id": None}]), ("evaluator", ["x"])],
)
def test_other_links_do_not(kind: str, links: list[Any]) -> None:
    (score,) = scores(span(ANNOTATED, links=links, kind=kind))
    assert (score.trace_id, score.span_id) == ("t", "s")
