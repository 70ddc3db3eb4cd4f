"""Advice on equipment: long questions, answered from a part of the catalogue at some length."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .conversation import Conversation, Outcome, fill, money
from .models import call_model
from .texts import Product, Prompt, phrases, products
from .tracing import Message, Tracer

if TYPE_CHECKING:
    from random import Random

#: The two categories that a question is about.
About: TypeAlias = "tuple[str, str]"


@cache
def advice_texts() -> dict[str, Any]:
    """Give the texts of the feature."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def advice_prompt() -> Prompt:
    """Give the prompt of the feature."""
    values = advice_texts()["prompt"]
    return Prompt("gear_advice", **{**values, "tools": (), "text": values["text"].strip()})


def ask_advice(rng: Random, talk: Conversation) -> tuple[str, About]:
    """Write a question in four sentences, in German or in English, that nobody has asked before."""
    german = talk.customer.language == "de"
    texts = advice_texts()["de" if german else "en"]
    first, second = rng.sample(sorted({p.category for p in products()}), 2)
    words = phrases()["product_search"]["words"]["de"] if german else texts["words"]
    parts = [rng.choice(texts[part]) for part in ("openers", "plans", "needs", "limits")]
    question = fill(
        rng,
        " ".join(parts),
        talk,
        first=words.get(first, first),
        second=words.get(second, second),
        trail=rng.choice(texts["trails"]),
        month=rng.choice(texts["months"]),
        km=rng.randint(8, 120),
        n=rng.randint(3, 14),
        metres=rng.randrange(700, 3200, 50),
        grams=rng.randrange(250, 1500, 50),
        budget=rng.randrange(60, 520, 10),
    )
    return question, (first, second)


def gear_advice(tracer: Tracer, talk: Conversation, question: str, about: About, *, long: bool = False) -> Outcome:
    """Recommend an item of each category; a `long` answer goes on about it."""
    prompt, rng = tracer.prompt("gear_advice"), tracer.rng
    listed = [p for category in about for p in products() if p.category == category]
    if long:
        listed += [p for p in products() if p not in listed][:3]
    chosen = [rng.choice([p for p in listed if p.category == category]) for category in about]
    context = "\n".join(f"- {_line(p)}" for p in listed)
    messages = [Message("system", f"{prompt.text}\n\n{context}"), Message("user", question)]
    answer = _answer(rng, talk, chosen, long=long)
    call_model(tracer, prompt, messages, Message("assistant", answer), cache=talk.cache, prefix=prompt.text)
    return Outcome(answer, 0.86)


def _line(p: Product) -> str:
    made, wet = p.facts["material"], p.facts["water"]
    return f"{p.name} ({p.category}): {p.blurb} {made}; {wet}; {p.weight} g; {money(p.price)}"


def _answer(rng: Random, talk: Conversation, chosen: list[Product], *, long: bool) -> str:
    texts = advice_texts()["answers"].get(talk.customer.language, advice_texts()["answers"]["en"])
    parts = [("first", chosen[0]), ("second", chosen[1])]
    if long:
        parts += [("more", chosen[0])]
    parts += [("tips", chosen[0])]
    return "\n\n".join(
        fill(
            rng,
            rng.choice(texts[part]),
            talk,
            name=p.name,
            blurb=p.blurb,
            blurb_low=p.blurb[0].lower() + p.blurb[1:],
            price=money(p.price),
            weight=p.weight,
            **p.facts,
        )
        for part, p in parts
    )
