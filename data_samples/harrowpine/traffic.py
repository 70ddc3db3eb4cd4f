"""The traffic of a scenario: conversations of one to six questions, each answered by a feature."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

from .conversation import Conversation, Outcome
from .models import ModelTimeoutError
from .shop import Customer, arrival_us, make_customer, make_order
from .texts import phrases, products
from .tracing import Context, Judgement, Message, Span, Tracer

if TYPE_CHECKING:
    from .scenario import Scenario

STAYS_ON_TOPIC = 0.35
GOLDEN_RATIO = 0.6180339887498949
EMOJI = (" 🙂", " 🙏", "!!", " 😕", " ???", " thx")
SORRY = {
    "en": "Sorry, something went wrong on our side. Please try again in a moment.",
    "de": "Entschuldigung, da ist bei uns etwas schiefgegangen. Bitte versuche es gleich noch einmal.",
    "fr": "Désolé, un problème est survenu de notre côté. Veuillez réessayer dans un instant.",
    "es": "Lo siento, algo ha fallado por nuestra parte. Inténtalo de nuevo en un momento.",
}


def make_spans(scenario: Scenario, seed: int) -> list[Span]:
    """Make all spans of `scenario`, in the order in which they ended. The same seed gives the same spans."""
    customers = [make_customer(Random(f"{seed}/customer/{n}")) for n in range(scenario.customers)]
    spans = [
        span
        for n in range(scenario.sessions)
        for span in _session(scenario, n, Random(f"{seed}/session/{n}"), customers)
    ]
    return sorted(spans, key=lambda span: (span.end_us, span.context.trace_id, -span.start_us))


def _session(scenario: Scenario, n: int, rng: Random, customers: list[Customer]) -> list[Span]:
    """Make the `n`-th session; days and first features go round in turn, lest chance look like an incident."""
    customer = scenario.writer(rng, customers, n / scenario.sessions)
    now_us = arrival_us(rng, scenario, customer.country, n / scenario.sessions)
    session_id = f"s_{rng.getrandbits(48):012x}"
    talk = Conversation(customer, make_order(rng, customer, scenario.when(now_us)), rng.choice(products()))
    feature = _feature_at(scenario.shares(now_us), n * GOLDEN_RATIO % 1)
    spans = []
    turns = rng.choices(range(1, len(scenario.turns_weights) + 1), scenario.turns_weights)[0]
    asked: tuple[str, Any] | None = None
    while turns:
        context = Context(
            trace_id=f"{rng.getrandbits(128):032x}",
            service=(service := scenario.features()[feature].service),
            release=scenario.release(service, now_us),
            session_id=session_id,
            customer=customer,
            feature=feature,
            environment=scenario.environment(session_id, now_us),
            tags=tuple(scenario.tags(customer, session_id, now_us)),
        )
        tracer = Tracer(scenario, context, rng, now_us)
        asked = _trace(tracer, talk, asked)
        spans += tracer.finished
        now_us = tracer.now_us + rng.randrange(20_000_000, 200_000_000)
        if asked:
            continue
        turns -= 1
        if rng.random() > STAYS_ON_TOPIC:
            feature = _feature_at(scenario.shares(now_us), rng.random())
    return spans


def _feature_at(shares: dict[str, float], position: float) -> str:
    """Give the feature at `position` (0 to 1) when they lie side by side, each as wide as its share of the traffic."""
    return list(shares)[bisect(list(accumulate(shares.values()))[:-1], position)]


def _trace(tracer: Tracer, talk: Conversation, asked: tuple[str, Any] | None) -> tuple[str, Any] | None:
    """Answer what is `asked`, else a new question; give what the customer asks next because of the answer."""
    scenario, feature = tracer.scenario, tracer.scenario.features()[tracer.context.feature]
    question, about = asked or feature.ask(tracer.rng, talk)
    question = question if asked else _as_typed(tracer.rng, question)
    with tracer.span("chain", tracer.context.feature, input=question, http_status=200) as root:
        try:
            outcome: Outcome = feature.answer(tracer, talk, question, about)
        except ModelTimeoutError:
            outcome = Outcome(SORRY[talk.customer.language], 0.05)
            root.fail("APITimeoutError", "The model did not answer in time.")
        root.output = outcome.answer
        if tracer.rng.random() < scenario.judged_share:
            _judge(tracer, question, outcome)
        if tracer.rng.random() < scenario.thumbs_share:
            pleases = outcome.quality if outcome.pleases is None else outcome.pleases
            up = tracer.rng.random() < pleases
            root.reactions.append(Judgement("thumbs", float(up), "up" if up else "down"))
        root.reactions += scenario.judgements(tracer, root, outcome)
    talk.history += [Message("user", question), Message("assistant", outcome.answer)]
    return scenario.follow_up(tracer, talk, question, about, outcome)


def _judge(tracer: Tracer, question: str, outcome: Outcome) -> None:
    value = round(min(1.0, max(0.0, tracer.rng.gauss(outcome.quality, 0.09))), 2)
    label = "helpful" if value >= 0.6 else "not helpful"
    explanation = tracer.rng.choice(phrases()["judge"][label])
    with tracer.span("evaluator", "evaluate helpfulness", input=question, output=outcome.answer) as span:
        tracer.wait_about(210)
        span.judgement = Judgement("helpfulness", value, label, explanation)


def _as_typed(rng: Random, text: str) -> str:
    """Type `text` as people do: now and then with a slip, in lower case, or with an emoji."""
    luck = rng.random()
    if luck < 0.07:
        words = text.split(" ")
        long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
        if long:
            i, at = rng.choice(long), rng.randrange(1, 4)
            words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
        return " ".join(words)
    if luck < 0.12:
        return text.rstrip("?.!")
    if luck < 0.17:
        return text[0].lower() + text[1:]
    return text + rng.choice(EMOJI) if luck < 0.21 else text
