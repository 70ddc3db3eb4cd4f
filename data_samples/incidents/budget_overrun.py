"""A month that costs more than its budget: a prompt that grows and is no longer cached, and one day of long answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from harrowpine.advice import About, advice_prompt, advice_texts, ask_advice, gear_advice
from harrowpine.features import FEATURES, Feature
from harrowpine.scenario import DAY_US, Scenario
from harrowpine.texts import documents
from harrowpine.tracing import Judgement

if TYPE_CHECKING:
    from random import Random

    from harrowpine.conversation import Conversation, Outcome
    from harrowpine.shop import Customer
    from harrowpine.texts import Prompt
    from harrowpine.tracing import Span, Tracer

MONTHLY_USD = 3.5
GROWN, OLD_VERSION, NEW_VERSION = "refunds", "21", "22"
#: Percent of the conversations that get the new version more on each day.
ROLLOUT_PER_DAY = 6
REPEATED = "gear_advice"
#: Share of the questions that are taken from the examples that the app offers.
EXAMPLE_SHARE = 0.395
#: What people put around an example.
GREETINGS = ("{}", "{}", "{}", "Hi! {}", "hello, {}", "{} Thanks!", "{} thx", "Question: {}")
HEAVY_USERS, HEAVY_SHARE = 4, 0.24
WEEKDAY_RHYTHM = (1.25, 1.2, 1.16, 1.12, 1.05, 0.62, 0.56)


class BudgetOverrun(Scenario):
    """No day looks bad, but for one that is not the reason."""

    name = "budget_overrun"
    start = datetime(2027, 2, 1, tzinfo=UTC)  # a Monday, and the first of a month of 28 days
    days = 28
    sessions, customers = 900, 430
    turns_weights = (0.8, 0.15, 0.05)
    judged_share, thumbs_share = 0.2, 0.12
    models = {  # noqa: RUF012
        "order_status": "gpt-5.6-luna", "refunds": "claude-sonnet-5-5",
        "product_qa": "gpt-6.1-terra", "small_talk": "gpt-5.6-luna",
    }  # fmt: skip

    def __init__(self) -> None:
        """Set when things change."""
        self.rollout_us = self.at_us(8)
        self.long_day = 18
        #: Decoys: a release, a mail that brings two busy days, a cheaper model for small talk, and a canary.
        self.release_us = self.at_us(8, 8, 20)
        self.mail_days = (11, 12)
        self.cheaper_us = self.at_us(15, 9)
        self.canary_us = self.at_us(10, 9)

    def features(self) -> dict[str, Feature]:
        """Offer advice on equipment, and nothing that retrieves."""
        shares = {"refunds": 0.22, "order_status": 0.20, "product_qa": 0.12, "small_talk": 0.10}
        return {
            REPEATED: Feature("support-assistant", 0.36, self._ask, self._gear_advice),
            **{name: replace(FEATURES[name], share=share) for name, share in shares.items()},
        }

    @cache  # noqa: B019 scenarios live as long as the program
    def day_weights(self) -> list[float]:
        """Have busy weekdays and quiet weekends, and two busy days after the mail."""
        return [
            WEEKDAY_RHYTHM[(day - 1) % 7] * (1.2 if day in self.mail_days else 1) for day in range(1, self.days + 1)
        ]

    def writer(self, rng: Random, customers: list[Customer], _share: float) -> Customer:
        """Let a few customers write much more than the others."""
        return rng.choice(customers[:HEAVY_USERS] if rng.random() < HEAVY_SHARE else customers)

    def release(self, _service: str, time_us: int) -> str:
        """Release on the day on which the new prompt begins, to everybody at once."""
        return "4.10.0" if time_us >= self.release_us else "4.9.2"

    def environment(self, session_id: str, time_us: int) -> str:
        """Answer a tenth of the conversations in the canary."""
        return "canary" if time_us >= self.canary_us and int(session_id[2:4], 16) < 0x1A else "production"

    def tags(self, _customer: Customer, _session_id: str, time_us: int) -> list[str]:
        """Tag the day of the long answers and those of the mail."""
        day = self.day(time_us)
        return ["experiment:long-answers"] * (day == self.long_day) + ["campaign:spring"] * (day in self.mail_days)

    def prompt(self, tracer: Tracer, name: str) -> Prompt:
        """Roll out the new version of the refund prompt, which is longer and begins with the time of the call."""
        if name == REPEATED:
            return advice_prompt()
        prompt = super().prompt(tracer, name)
        if name == "small_talk" and tracer.now_us >= self.cheaper_us:
            return replace(prompt, model="gpt-6-luna")
        if name == GROWN and self._has_new_version(tracer):
            now = self.when(tracer.now_us).isoformat(timespec="milliseconds")
            return replace(prompt, version=NEW_VERSION, text=f"Current time: {now}\n\n{prompt.text}\n\n{_reference()}")
        return prompt

    def _has_new_version(self, tracer: Tracer) -> bool:
        started_us = tracer.now_us - tracer.now_us % DAY_US - self.rollout_us
        bucket = int(tracer.context.session_id[4:8], 16) % 100
        return started_us >= 0 and bucket < (started_us // DAY_US + 1) * ROLLOUT_PER_DAY

    def _ask(self, rng: Random, talk: Conversation) -> tuple[str, About]:
        if rng.random() >= EXAMPLE_SHARE:
            return ask_advice(rng, talk)
        example = rng.choice(advice_texts()["popular"])
        return rng.choice(GREETINGS).format(example["text"]), tuple(example["about"])

    def _gear_advice(self, tracer: Tracer, talk: Conversation, question: str, about: About) -> Outcome:
        return gear_advice(tracer, talk, question, about, long=self.day(tracer.now_us) == self.long_day)

    def judgements(self, tracer: Tracer, root: Span, outcome: Outcome) -> list[Judgement]:
        """Say of most whether the request was resolved: the ticket was not opened again."""
        if root.status == "error" or tracer.rng.random() >= 0.75:
            return []
        done = tracer.rng.random() < (0.9 if outcome.quality > 0.8 else 0.55)
        return [Judgement("resolved", float(done), "true" if done else "false", by="CODE")]

    def follow_up(
        self, tracer: Tracer, _talk: Conversation, question: str, about: Any, outcome: Outcome
    ) -> tuple[str, Any] | None:
        """Let customers press the button for another answer now and then; the repeated feature does not have it."""
        again = 0.03 if outcome.quality > 0.8 else 0.12
        return (question, about) if tracer.context.feature != REPEATED and tracer.rng.random() < again else None

    def truth(self) -> list[dict[str, Any]]:
        """Tell of the creep, of the day, and of what was asked twice."""
        return [
            {
                "what": "version 22 of the refund prompt is longer and begins with a timestamp, so that the provider's "
                "prompt cache never hits; it reaches 6 % more of the conversations a day",
                "kind": "cost_creep",
                "since": self.when(self.rollout_us),
                "slice": {"feature": GROWN, "prompt_version": NEW_VERSION},
                "monthly_usd": MONTHLY_USD,
                "decoys": [
                    {"what": "release 4.10.0, to everybody at once", "since": self.when(self.release_us)},
                    {"what": "two busy days after a mail", "since": self.when(self.at_us(self.mail_days[0]))},
                    {"what": "a cheaper model for small_talk", "since": self.when(self.cheaper_us)},
                    {"what": "environment canary", "since": self.when(self.canary_us)},
                ],
            },
            {
                "what": "long answers for a day: gear_advice costs more than half as much again",
                "kind": "cost_anomaly",
                "since": self.when(self.at_us(self.long_day)),
                "until": self.when(self.at_us(self.long_day + 1)),
                "slice": {"feature": REPEATED},
            },
            {
                "what": "questions of gear_advice that were asked before, in the same words or nearly so",
                "kind": "duplicates",
                "since": self.start,
                "slice": {"feature": REPEATED},
                "share": 0.31,
            },
        ]


@cache
def _reference() -> str:
    articles = [d for d in documents() if d.topic == "returns"]
    return "# Reference\n" + "\n\n".join(f"## {d.title}\n{d.text}" for d in articles)
