"""Features that retrieve: products to recommend, and articles of the help centre."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .conversation import Conversation, Outcome, fill, money
from .models import call_model, embed
from .texts import Document, Product, documents, phrases, products
from .tracing import Hit, Message, Tracer

if TYPE_CHECKING:
    from random import Random


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))


def _retrieve(tracer: Tracer, question: str, hits: list[Hit], keep: int) -> list[Hit]:
    """Embed, retrieve and rerank; give the best `keep` hits."""
    embed(tracer, question)
    with tracer.span("retriever", "retrieve", input=question, hits=hits):
        tracer.wait_about(45)
    best = sorted(
        (replace(hit, score=round(min(0.99, hit.score * 1.1 + tracer.rng.uniform(-0.04, 0.04)), 4)) for hit in hits),
        key=lambda hit: -hit.score,
    )[:keep]
    with tracer.span("reranker", "rerank bge-reranker-v2-m3", input=question, candidates=hits, hits=best):
        tracer.wait_about(120)
    return best


def _answer_from(tracer: Tracer, talk: Conversation, question: str, hits: list[Hit], *, answer: str) -> None:
    prompt = tracer.prompt(tracer.context.feature)
    context = "\n\n".join(f"[{i}] {hit.metadata['title']}\n{hit.content}" for i, hit in enumerate(hits, 1))
    messages = [Message("system", f"{prompt.text}\n\n{context}"), Message("user", question)]
    call_model(tracer, prompt, messages, Message("assistant", answer), cache=talk.cache, prefix=prompt.text)


def ask_product_search(rng: Random, talk: Conversation) -> tuple[str, tuple[str, str]]:
    """Write a question about what to buy, and give the category and use it is about."""
    language = talk.customer.language
    category, use = talk.product.category, rng.choice(talk.product.uses)
    words = phrases()["product_search"]["words"].get(language, {})
    template = rng.choice(phrases()["product_search"]["questions"][language])
    budget = (talk.product.price // 50 + rng.randint(1, 3)) * 50
    return fill(rng, template, talk, category=words.get(category, category), use=words.get(use, use), budget=budget), (
        category,
        use,
    )


def product_search(
    tracer: Tracer, talk: Conversation, question: str, about: tuple[str, str], *, wording: list[str] | None = None
) -> Outcome:
    """Recommend two products that were found, in one of the ways of `wording`, else as usual."""
    category, use = about

    def fits(p: Product) -> float:
        return 0.42 + 0.3 * (p.category == category) + 0.14 * (use in p.uses) + tracer.rng.uniform(0, 0.08)

    scored = sorted(((round(fits(p), 4), p) for p in products()), key=lambda pair: (-pair[0], pair[1].sku))[:6]
    hits = [
        Hit(
            p.sku,
            score,
            f"{p.name}. {p.blurb} {p.facts['material']}; {p.weight} g; {money(p.price)}.",
            {"title": p.name, "category": p.category},
        )
        for score, p in scored
    ]
    best = _retrieve(tracer, question, hits, 3)
    by_sku = {p.sku: p for p in products()}
    first, second = by_sku[best[0].id], by_sku[best[1].id]
    templates = wording or phrases()["product_search"]["answers"][talk.customer.language]
    answer = fill(
        tracer.rng, tracer.rng.choice(templates), talk, use=use,
        first=first.name, first_price=first.price, first_blurb=first.blurb,
        second=second.name, second_price=second.price, second_blurb=second.blurb,
    )  # fmt: skip
    _answer_from(tracer, talk, question, best, answer=answer)
    return Outcome(answer, 0.8)


def ask_returns_policy(rng: Random, talk: Conversation) -> tuple[str, tuple[Document, str]]:
    """Write a question to the help centre, and give the document and the answer it calls for."""
    by_id = {d.id: d for d in documents()}
    foreign = phrases()["returns_policy"].get(talk.customer.language)
    if foreign:
        document_id, question, answer = rng.choice(foreign)
        return question, (by_id[document_id], answer)
    document = rng.choices(documents(), [3 if d.topic == "returns" else 1 for d in documents()])[0]
    return ask_about(rng, talk, document)


def ask_about(rng: Random, talk: Conversation, document: Document) -> tuple[str, tuple[Document, str]]:
    """Write an English question that `document` answers, and give it with the answer."""
    wording = phrases()["returns_policy_wording"]
    answer = (
        rng.choice(wording["openers"])
        + document.gist
        + fill(rng, rng.choice(wording["closers"]), talk, title=document.title)
    )
    return fill(rng, rng.choice(document.questions), talk), (document, answer)


def returns_policy(
    tracer: Tracer,
    talk: Conversation,
    question: str,
    wanted: tuple[Document, str],
    *,
    index: tuple[Document, ...] | None = None,
) -> Outcome:
    """Answer from the `index` of the help centre, else from all of it as it stands in the texts."""
    document, answer = wanted
    asked = _words(question + document.title)

    def fits(d: Document) -> float:
        if d is document:
            return 0.86
        if d.id == document.id:  # the same article, in other words than those that the question is after
            return 0.68
        return 0.38 + 0.14 * (d.topic == document.topic) + 0.05 * len(asked & _words(d.text))

    scored = sorted(
        ((round(min(0.84, fits(d)) + tracer.rng.uniform(-0.03, 0.03), 4), d) for d in index or documents()),
        key=lambda pair: (-pair[0], pair[1].id),
    )
    hits = [
        Hit(d.id, score, d.text, {"title": d.title, "topic": d.topic, "updated_at": d.updated})
        for score, d in scored[:5]
    ]
    _answer_from(tracer, talk, question, _retrieve(tracer, question, hits, 3), answer=answer)
    return Outcome(answer, 0.86)
