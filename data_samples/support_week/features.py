"""The features of the assistant: each answers one question and leaves its spans with the tracer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from . import page
from .incidents import ADMITTED_SHARE, OUTAGE_SHARE, pastes_whole_page, policy_is_down
from .models import PromptCache, call_model, count_tokens, embed
from .shop import Customer, Order
from .texts import Document, Product, documents, phrases, products, prompts
from .tracing import Hit, Message, Span, ToolCall, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

USES = {
    "de": {"hiking": "Wandern", "winter": "den Winter", "camping": "Camping", "travel": "Reisen", "running": "Trailrunning"},
    "fr": {"hiking": "la randonnée", "winter": "l'hiver", "camping": "le camping", "travel": "le voyage"},
    "es": {"hiking": "senderismo", "winter": "el invierno", "camping": "acampar", "travel": "viajar"},
}
WEEKDAYS = ("Monday", "Tuesday", "Thursday", "Friday", "Saturday", "the weekend")


@dataclass
class Conversation:
    """What stays the same through a session: who writes, about which order and product, and what was said."""

    customer: Customer
    order: Order
    product: Product
    cache: PromptCache = field(default_factory=PromptCache)
    history: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a trace went: `quality` is what a fair judge would say, from 0 to 1."""

    answer: str
    quality: float


Feature = "Callable[[Tracer, Conversation, str, Any], Outcome]"


def fill(rng: Random, template: str, talk: Conversation, **more: object) -> str:
    """Fill a template with what the conversation is about."""
    order = talk.order
    values: dict[str, object] = {
        "order": order.number, "item": order.product.name, "days": order.days, "weekday": rng.choice(WEEKDAYS), "carrier": order.carrier,
        "hub": order.hub, "eta": f"{order.eta:%d.%m.%Y}" if talk.customer.language == "de" else f"{order.eta:%-d %B}",
        "country_name": talk.customer.country.names["en"], "currency": talk.customer.country.currency, **more,
    }  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda m: str(values[m[1]]), template)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _tool(tracer: Tracer, call: ToolCall, result: object, median_ms: float) -> Message:
    with tracer.span("tool", f"execute_tool {call.name}", tool=call) as span:
        tracer.wait_about(median_ms)
        span.output = _json(result)
    return Message("tool", span.output, call_id=call.id)


def _ask_for(rng: Random, prompt_model: str, name: str, **arguments: Any) -> Message:
    prefix = "toolu_" if prompt_model.startswith("claude") else "call_"
    return Message("assistant", calls=(ToolCall(f"{prefix}{rng.getrandbits(80):020x}", name, arguments),))


def _money(price: float) -> str:
    return f"{price:.2f}"


# order_status


def ask_order_status(rng: Random, talk: Conversation) -> tuple[str, None]:
    """Write a question about an order."""
    questions = phrases()["order_status"]["questions"][talk.customer.language]
    return fill(rng, rng.choice(questions), talk), None


def order_status(tracer: Tracer, talk: Conversation, question: str, _: None) -> Outcome:
    """Look the order up with a tool and answer."""
    prompt, order = prompts()["order_status"], talk.order
    messages = [Message("system", prompt.text), *talk.history[-4:], Message("user", question)]
    wanted = _ask_for(tracer.rng, prompt.model, "get_order", order=order.number)
    call_model(tracer, prompt, messages, wanted, talk.cache, prompt.text)
    found = {
        "order": order.number,
        "status": order.state,
        "carrier": order.carrier,
        "last_scan": {"hub": order.hub, "days_ago": order.days % 3},
        "estimated_delivery": order.eta.isoformat(),
        "items": [{"sku": order.product.sku, "name": order.product.name, "quantity": 1, "price": _money(order.product.price)}],
        "customer": {"name": talk.customer.name, "email": talk.customer.email, "country": talk.customer.country.code},
    }
    messages += [wanted, _tool(tracer, wanted.calls[0], found, 95)]
    answers = phrases()["order_status"]["answers"][talk.customer.language][order.state]
    answer = fill(tracer.rng, tracer.rng.choice(answers), talk)
    call_model(tracer, prompt, messages, Message("assistant", answer), talk.cache, prompt.text)
    return Outcome(answer, 0.78 if order.state == "delayed" else 0.88)


# refunds


def ask_refund(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write a request for a refund, and give its reason."""
    words, language = phrases()["refunds"], talk.customer.language
    reason = rng.choice(("damaged", "faulty", "wrong_item", "wrong_size", "changed_mind", "late"))
    template = rng.choice(words["questions"][language])
    return fill(rng, template, talk, problem=words["problems"][language][reason]), reason


def refunds(tracer: Tracer, talk: Conversation, question: str, reason: str) -> Outcome:
    """Let the refund agent look up the order, check the policy and pay."""
    with tracer.span("agent", "invoke_agent refund_agent", input=question) as agent:
        outcome = _refund_agent(tracer, talk, question, reason)
        agent.output = outcome.answer
    return outcome


def _refund_agent(tracer: Tracer, talk: Conversation, question: str, reason: str) -> Outcome:
    rng, order, country = tracer.rng, talk.order, talk.customer.country
    prompt, language = prompts()["refunds"], talk.customer.language
    words = phrases()["refunds"]
    messages = [Message("system", prompt.text), *talk.history[-2:], Message("user", question)]

    def think(reply: Message) -> Message:
        call_model(tracer, prompt, messages, reply, talk.cache, prompt.text)
        messages.append(reply)
        return reply

    def use(name: str, result: object, median_ms: float, **arguments: Any) -> None:
        wanted = think(_ask_for(rng, prompt.model, name, **arguments))
        messages.append(_tool(tracer, wanted.calls[0], result, median_ms))

    price = _money(order.product.price)
    bought = {"sku": order.product.sku, "name": order.product.name, "paid": price, "currency": country.currency}
    use("lookup_order", {"order": order.number, "items": [bought], "delivered_days_ago": order.days, "paid_with": "card",
                         "customer": {"name": talk.customer.name, "email": talk.customer.email}}, 110, order=order.number)  # fmt: skip

    asked = {"order": order.number, "region": country.region, "reason": reason}
    if policy_is_down(tracer.now_us, country.region) and rng.random() < OUTAGE_SHARE:
        for _ in range(rng.choices((3, 4, 5, 6), (4, 3, 2, 1))[0]):
            wanted = think(_ask_for(rng, prompt.model, "check_refund_policy", **asked))
            messages.append(_broken_policy(tracer, wanted.calls[0], country.region))
        answer = fill(rng, rng.choice(words["answers"][language]["unchecked"]), talk)
        think(Message("assistant", answer))
        return Outcome(answer, 0.3)

    verdict = "approved" if order.refundable else "declined"
    policy = {"eligible": order.refundable, "window_days": 30, "reason": reason, "return_fee": {"eu-west": "3.50", "us": "9.00"}.get(country.region, "0.00")}
    use("check_refund_policy", policy, 180, **asked)
    reference = f"RF-{rng.randrange(100_000, 1_000_000)}"
    if order.refundable:
        use("issue_refund", {"refund": reference, "state": "accepted"}, 320, order=order.number, amount=price, reason=reason)
    explained = words["policies"][language][verdict]
    template = rng.choice(words["answers"][language][verdict])
    answer = fill(rng, template, talk, amount=price, refund=reference, policy=explained)
    think(Message("assistant", answer))
    return Outcome(answer, 0.9 if order.refundable else 0.72)


def _broken_policy(tracer: Tracer, call: ToolCall, region: str) -> Message:
    """Fail to check the policy: in part of the cases the span says so, in the others only its result does."""
    with tracer.span("tool", f"execute_tool {call.name}", tool=call) as span:
        if tracer.rng.random() < ADMITTED_SHARE:
            tracer.wait(5_000_000)
            span.fail("TimeoutError", f"policy-service {region}: deadline of 5.0 s exceeded")
            span.output = _json({"error": "timeout"})
        else:
            tracer.wait_about(1900)
            span.output = _json({"eligible": None, "error": "upstream_unavailable", "policy": None})
    return Message("tool", span.output, call_id=call.id)


# product_search and returns_policy: retrieval


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


def _answer_from(tracer: Tracer, talk: Conversation, name: str, question: str, hits: list[Hit], answer: str) -> None:
    prompt = prompts()[name]
    context = "\n\n".join(f"[{i}] {hit.metadata['title']}\n{hit.content}" for i, hit in enumerate(hits, 1))
    messages = [Message("system", f"{prompt.text}\n\n{context}"), Message("user", question)]
    call_model(tracer, prompt, messages, Message("assistant", answer), talk.cache, prompt.text)


def ask_product_search(rng: Random, talk: Conversation) -> tuple[str, tuple[str, str]]:
    """Write a question about what to buy, and give the category and use it is about."""
    language = talk.customer.language
    category, use = talk.product.category, rng.choice([u for u in talk.product.uses if u in USES.get(language, {u: u})] or ["winter"])
    template = rng.choice(phrases()["product_search"]["questions"][language])
    budget = (talk.product.price // 50 + rng.randint(1, 3)) * 50
    return fill(rng, template, talk, category=category, use=USES.get(language, {}).get(use, use), budget=budget), (category, use)


def product_search(tracer: Tracer, talk: Conversation, question: str, about: tuple[str, str]) -> Outcome:
    """Recommend two products that were found."""
    category, use = about

    def fits(p: Product) -> float:
        return 0.42 + 0.3 * (p.category == category) + 0.14 * (use in p.uses) + tracer.rng.uniform(0, 0.08)

    scored = sorted(((round(fits(p), 4), p) for p in products()), key=lambda pair: (-pair[0], pair[1].sku))[:6]
    hits = [
        Hit(p.sku, score, f"{p.name}. {p.blurb} {p.facts['material']}; {p.weight} g; {_money(p.price)}.", {"title": p.name, "category": p.category})
        for score, p in scored
    ]
    best = _retrieve(tracer, question, hits, 3)
    by_sku = {p.sku: p for p in products()}
    first, second = by_sku[best[0].id], by_sku[best[1].id]
    answer = fill(
        tracer.rng, tracer.rng.choice(phrases()["product_search"]["answers"][talk.customer.language]), talk, use=use,
        first=first.name, first_price=first.price, first_blurb=first.blurb,
        second=second.name, second_price=second.price, second_blurb=second.blurb,
    )  # fmt: skip
    _answer_from(tracer, talk, "product_search", question, best, answer)
    return Outcome(answer, 0.8)


def ask_returns_policy(rng: Random, talk: Conversation) -> tuple[str, tuple[Document, str]]:
    """Write a question to the help centre, and give the document and the answer it calls for."""
    by_id = {d.id: d for d in documents()}
    foreign = phrases()["returns_policy"].get(talk.customer.language)
    if foreign:
        document_id, question, answer = rng.choice(foreign)
        return question, (by_id[document_id], answer)
    document = rng.choices(documents(), [3 if d.topic == "returns" else 1 for d in documents()])[0]
    wording = phrases()["returns_policy_wording"]
    answer = rng.choice(wording["openers"]) + document.gist + fill(rng, rng.choice(wording["closers"]), talk, title=document.title)
    return fill(rng, rng.choice(document.questions), talk), (document, answer)


def returns_policy(tracer: Tracer, talk: Conversation, question: str, wanted: tuple[Document, str]) -> Outcome:
    """Answer from the help centre."""
    document, answer = wanted
    asked = _words(question + document.title)

    def fits(d: Document) -> float:
        if d is document:
            return 0.86
        return 0.38 + 0.14 * (d.topic == document.topic) + 0.05 * len(asked & _words(d.text))

    scored = sorted(((round(min(0.84, fits(d)) + tracer.rng.uniform(-0.03, 0.03), 4), d) for d in documents()), key=lambda pair: (-pair[0], pair[1].id))
    hits = [Hit(d.id, score, d.text, {"title": d.title, "topic": d.topic, "updated_at": d.updated}) for score, d in scored[:5]]
    _answer_from(tracer, talk, "returns_policy", question, _retrieve(tracer, question, hits, 3), answer)
    return Outcome(answer, 0.86)


# product_qa


def ask_product_qa(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write a short question on a product page, and give the fact it asks for."""
    questions = phrases()["product_qa"]["questions"][talk.customer.language]
    wanted = rng.choice(list(questions))
    return fill(rng, rng.choice(questions[wanted]), talk, item=talk.product.name), wanted


def product_qa(tracer: Tracer, talk: Conversation, question: str, wanted: str) -> Outcome:
    """Answer from the facts of the product or, since the release, from its whole web page."""
    prompt, product, language = prompts()["product_qa"], talk.product, talk.customer.language
    known = page.facts(product)
    if pastes_whole_page(tracer.now_us):
        prompt = replace(prompt, version=str(int(prompt.version) + 1))
        given = f"Product page:\n{page.render(product)}"
    else:
        given = "Product facts:\n" + "\n".join(f"{key}: {value}" for key, value in known.items())
    messages = [Message("system", prompt.text), Message("user", f"{given}\n\nQuestion: {question}")]
    fact = known[{"wash": "care"}.get(wanted, wanted)]
    if wanted == "price":
        fact += f" {talk.customer.country.currency}"
    words = phrases()["product_qa"]
    closer = tracer.rng.choice(words["closers"][language])
    answer = fill(tracer.rng, words["answers"][language][wanted], talk, item=product.name, fact=fact) + closer
    call_model(tracer, prompt, messages, Message("assistant", answer), talk.cache, prompt.text + given)
    return Outcome(answer, 0.87)


# small_talk


def ask_small_talk(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write something friendly, and give the answer to it."""
    question, answer = rng.choice(phrases()["small_talk"][talk.customer.language])
    return question, answer


def small_talk(tracer: Tracer, talk: Conversation, question: str, answer: str) -> Outcome:
    """Answer in a sentence."""
    prompt = prompts()["small_talk"]
    messages = [Message("system", prompt.text), *talk.history[-4:], Message("user", question)]
    call_model(tracer, prompt, messages, Message("assistant", answer), talk.cache, prompt.text)
    return Outcome(answer, 0.82)


#: By name: the service it runs in, its share of the traffic, how a question is written, and how it is answered.
FEATURES = {
    "order_status": ("support-assistant", 0.24, ask_order_status, order_status),
    "refunds": ("support-assistant", 0.20, ask_refund, refunds),
    "product_search": ("shop-search", 0.15, ask_product_search, product_search),
    "returns_policy": ("shop-search", 0.14, ask_returns_policy, returns_policy),
    "product_qa": ("support-assistant", 0.18, ask_product_qa, product_qa),
    "small_talk": ("support-assistant", 0.09, ask_small_talk, small_talk),
}
