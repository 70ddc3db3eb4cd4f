"""Features that answer at once: short questions on a product page, and small talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import page
from .conversation import Conversation, Outcome, fill
from .models import call_model
from .texts import Product, phrases
from .tracing import Message, Tracer

if TYPE_CHECKING:
    from random import Random


def _inflected(product: Product) -> dict[str, str]:
    """Give the name of `product` and the English verbs that agree with it."""
    if product.plural:
        return {"item": product.name, "be": "are", "Be": "Are", "do": "do", "Do": "Do", "s": ""}
    return {"item": product.name, "be": "is", "Be": "Is", "do": "does", "Do": "Does", "s": "s"}


def ask_product_qa(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write a short question on a product page, and give the fact it asks for."""
    questions = phrases()["product_qa"]["questions"][talk.customer.language]
    wanted = rng.choice(list(questions))
    return fill(rng, rng.choice(questions[wanted]), talk, **_inflected(talk.product)), wanted


def product_qa(tracer: Tracer, talk: Conversation, question: str, wanted: str, *, given: str | None = None) -> Outcome:
    """Answer from what is `given`, else from the facts of the product."""
    prompt, product, language = tracer.prompt("product_qa"), talk.product, talk.customer.language
    known = page.facts(product)
    if given is None:
        given = "Product facts:\n" + "\n".join(f"{key}: {value}" for key, value in known.items())
    messages = [Message("system", prompt.text), Message("user", f"{given}\n\nQuestion: {question}")]
    fact = known[{"wash": "care"}.get(wanted, wanted)]
    if wanted == "price":
        fact += f" {talk.customer.country.currency}"
    words = phrases()["product_qa"]
    closer = tracer.rng.choice(words["closers"][language])
    answer = fill(tracer.rng, words["answers"][language][wanted], talk, fact=fact, **_inflected(product)) + closer
    call_model(tracer, prompt, messages, Message("assistant", answer), cache=talk.cache, prefix=prompt.text + given)
    return Outcome(answer, 0.87)


def ask_small_talk(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write something friendly, and give the answer to it."""
    question, answer = rng.choice(phrases()["small_talk"][talk.customer.language])
    return question, answer


def small_talk(tracer: Tracer, talk: Conversation, question: str, answer: str) -> Outcome:
    """Answer in a sentence."""
    prompt = tracer.prompt("small_talk")
    messages = [Message("system", prompt.text), *talk.history[-4:], Message("user", question)]
    call_model(tracer, prompt, messages, Message("assistant", answer), cache=talk.cache, prefix=prompt.text)
    return Outcome(answer, 0.82)
