"""The kit planner: an agent that plans equipment for a trip, and one that checks the stock and reserves."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .conversation import Conversation, Outcome, ask_for, fill, money, use_tool
from .models import ContextOverflowError, call_model
from .texts import Product, Prompt, phrases, products
from .tracing import Message, ModelCall, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

PLANNER, STOCK = "planner_agent", "stock_agent"


@dataclass(frozen=True)
class Wish:
    """A trip, and what to buy for it."""

    place: str
    month: str
    items: tuple[Product, Product]
    budget: int


@cache
def kit_texts() -> dict[str, Any]:
    """Give the texts of the planner."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def kit_prompt(name: str) -> Prompt:
    """Give the prompt of the agent called `name`."""
    values = kit_texts()["prompts"][name]
    return Prompt(name, **{**values, "tools": tuple(values["tools"]), "text": values["text"].strip()})


def kit_tools(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Give the JSON schemas of the tools called `names`."""
    return [{"type": "function", "name": name, **kit_texts()["tools"][name]} for name in names]


def store(talk: Conversation) -> dict[str, str]:
    """Give name and id of the shop that is nearest to the customer."""
    found: dict[str, str] = kit_texts()["stores"][talk.customer.country.code]
    return found


class Crew:
    """The two agents at work on one wish; they share their messages, below the prompt of whoever speaks."""

    def __init__(self, tracer: Tracer, talk: Conversation, question: str, wish: Wish) -> None:
        """Begin with the question."""
        self.tracer, self.talk, self.wish = tracer, talk, wish
        self.store = store(talk)
        self.agent = PLANNER
        self.reservation = ""
        self.messages = [Message("user", question)]

    @contextmanager
    def at_work(self, agent: str) -> Iterator[None]:
        """Let `agent` work; its span repeats the usage of its own model calls, as agent frameworks do."""
        before, self.agent = self.agent, agent
        asked = self.messages[-1].text or self.messages[0].text
        tracer = self.tracer
        with tracer.span("agent", f"invoke_agent {agent}", input=tracer.recorded(asked)) as span:
            try:
                yield
            finally:
                own = [s.model for s in tracer.finished if s.parent_id == span.span_id and s.model]
                span.output = tracer.recorded(self.messages[-1].text)
                prompt = tracer.prompt(agent)
                span.model = ModelCall(
                    provider=own[0].provider if own else "anthropic",
                    request_model=prompt.model,
                    input_tokens=sum(call.input_tokens or 0 for call in own),
                    output_tokens=sum(call.output_tokens or 0 for call in own),
                )
                self.agent = before

    def think(self, reply: Message) -> Message:
        """Let the agent at work come to `reply`."""
        prompt = self.tracer.prompt(self.agent)
        messages = [Message("system", prompt.text), *self.messages]
        call_model(self.tracer, prompt, messages, reply, cache=self.talk.cache, prefix=prompt.text)
        self.messages.append(reply)
        return reply

    def use(
        self,
        name: str,
        result: object,
        median_ms: float,
        /,
        *,
        failure: tuple[str, str] | None = None,
        **arguments: Any,
    ) -> None:
        """Let the agent at work call a tool."""
        wanted = self.think(ask_for(self.tracer.rng, self.tracer.prompt(self.agent).model, name, **arguments))
        self.messages.append(use_tool(self.tracer, wanted.calls[0], result, median_ms, failure=failure))

    @contextmanager
    def handed_over(self, to: str, reason: str) -> Iterator[None]:
        """Hand over to the agent `to`, which works inside of the call that does so."""
        name = f"transfer_to_{to}"
        wanted = self.think(ask_for(self.tracer.rng, self.tracer.prompt(self.agent).model, name, reason=reason))
        call = wanted.calls[0]
        with self.tracer.span("tool", f"execute_tool {name}", tool=call) as span:
            self.messages.append(Message("tool", f'{{"transferred_to":"{to}"}}', call_id=call.id))
            with self.at_work(to):
                yield
            span.output = self.tracer.recorded(self.messages[-1].text)

    def total(self) -> str:
        """Give what the items cost together."""
        return money(sum(item.price for item in self.wish.items))


def ask_kit(rng: Random, talk: Conversation) -> tuple[str, Wish]:
    """Write a wish for a kit."""
    texts, language = kit_texts(), talk.customer.language
    first = talk.product
    second = rng.choice([p for p in products() if p.category != first.category])
    budget = (first.price + second.price) // 50 * 50 + rng.choice((50, 100, 150))
    said = texts["wishes"][language]
    wish = Wish(rng.choice(said["places"]), rng.choice(said["months"]), (first, second), budget)
    words = phrases()["product_search"]["words"].get(language) or texts["words"][language]
    question = fill(
        rng,
        rng.choice(texts["questions"][language]),
        talk,
        place=wish.place,
        month=wish.month,
        days=rng.randint(2, 14),
        companion=rng.choice(texts["wishes"]["en"]["companions"]),  # only there
        first=words.get(first.category, first.category),
        second=words.get(second.category, second.category),
        budget=budget,
        store=store(talk)["name"],
    )
    return question, wish


def kit_planner(
    tracer: Tracer,
    talk: Conversation,
    question: str,
    wish: Wish,
    *,
    check: Callable[[Crew], bool] | None = None,
) -> Outcome:
    """Plan, check the stock and reserve; `check` is how the stock agent goes about the stock, and tells of success."""
    crew = Crew(tracer, talk, question, wish)
    weather = {"low": tracer.rng.randint(-8, 4), "high": tracer.rng.randint(6, 17), "rain": tracer.rng.randint(4, 18)}
    reserved = False
    with crew.at_work(PLANNER):
        try:
            _plan(crew, weather)
            with crew.handed_over(STOCK, "check the stock and reserve"):
                reserved = (check or check_stock)(crew)
                if reserved:
                    _reserve(crew)
                crew.think(Message("assistant", _report(crew)))
            answer = _answer(crew, weather, reserved=reserved)
            crew.think(Message("assistant", answer))
        except ContextOverflowError:
            answer = _answer(crew, weather, reserved=False)
            crew.messages.append(Message("assistant", answer))
            reserved = False
    return Outcome(answer, 0.88 if reserved else 0.42)


def _plan(crew: Crew, weather: dict[str, int]) -> None:
    tracer, wish = crew.tracer, crew.wish
    asked: dict[str, Any] = {"place": wish.place, "month": wish.month}
    if tracer.scenario.tool_is_down(tracer, "get_weather"):
        for _ in range(tracer.rng.choice((3, 3, 4))):
            failure = ("ConnectionError", "weather-service: connection refused")
            crew.use("get_weather", {"error": "connection refused"}, 900, failure=failure, **asked)
    else:
        crew.use("get_weather", {**asked, **weather, "unit": "celsius"}, 140, **asked)
    categories = [item.category for item in wish.items]
    found = [{"sku": p.sku, "name": p.name, "price": money(p.price)} for p in products() if p.category in categories]
    crew.use("search_catalogue", {"found": found}, 110, categories=categories, max_price=wish.budget)


def check_stock(crew: Crew) -> bool:
    """Look for each item once."""
    for item in crew.wish.items:
        left = crew.tracer.rng.randint(1, 9)
        answer = {"sku": item.sku, "store": crew.store["name"], "available": left}
        crew.use("check_stock", answer, 130, sku=item.sku, store=crew.store["name"])
    return True


def _reserve(crew: Crew) -> None:
    rng = crew.tracer.rng
    crew.reservation = f"R-{rng.randrange(10_000, 100_000)}"
    skus = [item.sku for item in crew.wish.items]
    # Asking again is right here: the answer changes.
    states = ["pending"] * rng.choices((0, 1, 2), (7, 2, 1))[0] + ["confirmed"]
    answer = {"reservation": crew.reservation, "state": states[0]}
    crew.use("reserve_items", answer, 210, skus=skus, store=crew.store["name"])
    for state in states[1:]:
        crew.tracer.wait(2_000_000)
        crew.use("reservation_status", {**answer, "state": state}, 90, reservation=crew.reservation)


def _report(crew: Crew) -> str:
    names = " and ".join(item.name for item in crew.wish.items)
    if crew.reservation:
        return f"Reserved {names} in {crew.store['name']} for three days: {crew.reservation}, confirmed."
    return f"I could not confirm the stock of {names} in {crew.store['name']}; nothing is reserved."


def _answer(crew: Crew, weather: dict[str, int], *, reserved: bool) -> str:
    templates = kit_texts()["answers"]["reserved" if reserved else "unsure"][crew.talk.customer.language]
    first, second = crew.wish.items
    return fill(
        crew.tracer.rng,
        crew.tracer.rng.choice(templates),
        crew.talk,
        place=crew.wish.place,
        month=crew.wish.month,
        first=first.name,
        second=second.name,
        total=crew.total(),
        store=crew.store["name"],
        reservation=crew.reservation,
        **weather,
    )
