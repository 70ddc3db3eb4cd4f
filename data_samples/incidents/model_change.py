"""Two weeks in which the provider changes the model behind one feature, on the day of a marketing mail."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harrowpine.features import FEATURES
from harrowpine.scenario import Scenario
from harrowpine.search import product_search

if TYPE_CHECKING:
    from random import Random

    from harrowpine.conversation import Conversation, Outcome
    from harrowpine.features import Feature
    from harrowpine.shop import Customer
    from harrowpine.texts import Prompt
    from harrowpine.tracing import Tracer

CHANGED = "product_search"
#: The name that the new model gives itself, and the share of its answers that carry it.
NEW_NAME, NAMED_SHARE = "gpt-6-luna-2026-11-12", 0.5
REFUSALS_BEFORE, REFUSALS_AFTER = 0.005, 0.06
#: Share of the new answers in the new manner.
ALTERED_SHARE = 0.85
SHARES = {
    "order_status": 0.18, "refunds": 0.10, "product_search": 0.38,
    "returns_policy": 0.10, "product_qa": 0.14, "small_talk": 0.10,
}  # fmt: skip
#: The readers of the mail look at products and chat; they have not ordered yet.
SHARES_AFTER_MAIL = {
    "order_status": 0.11, "refunds": 0.05, "product_search": 0.33,
    "returns_policy": 0.06, "product_qa": 0.29, "small_talk": 0.16,
}  # fmt: skip
MAILED_TENANTS = ("hp-uk", "hp-us")


@cache
def _texts() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class ModelChange(Scenario):
    """The alias of the model stays, its answers don't; half of them tell the new name."""

    name = "model_change"
    start = datetime(2026, 11, 9, tzinfo=UTC)  # a Monday
    days = 14
    sessions, customers = 540, 400
    models = {  # noqa: RUF012
        "order_status": "gpt-5.6-luna", "refunds": "claude-sonnet-5-5", "product_search": "gpt-6-luna",
        "returns_policy": "gpt-5.6-luna", "product_qa": "gpt-6.1-terra", "small_talk": "gpt-5.6-luna",
    }  # fmt: skip

    def __init__(self) -> None:
        """Set when things change."""
        self.change_us = self.at_us(9, 6, 20)
        #: Decoys: a mail, a release of the other service with a new prompt, and a canary.
        self.mail_us = self.at_us(9, 8)
        self.release_us = self.at_us(9, 10, 15)
        self.canary_us = self.at_us(5, 9)

    def features(self) -> dict[str, Feature]:
        """Let `product_search` answer as the model of the time does."""
        return {**FEATURES, CHANGED: replace(FEATURES[CHANGED], answer=self._product_search)}

    def shares(self, time_us: int) -> dict[str, float]:
        """Shift the mix with the mail."""
        return SHARES_AFTER_MAIL if time_us >= self.mail_us else SHARES

    @cache  # noqa: B019 scenarios live as long as the program
    def day_weights(self) -> list[float]:
        """Bring more traffic after the mail."""
        return [w * (1.25 if day >= self.day(self.mail_us) else 1) for day, w in enumerate(super().day_weights(), 1)]

    def writer(self, rng: Random, customers: list[Customer], share: float) -> Customer:
        """Bring more customers of the mailed tenants after the mail."""
        weights = self.day_weights()
        mailed = share > sum(weights[: self.day(self.mail_us) - 1]) / sum(weights)
        chosen = rng.choice(customers)
        if mailed and chosen.country.tenant not in MAILED_TENANTS:
            chosen = rng.choice(customers)  # a second draw of the same people, so nobody disappears
        return chosen

    def tags(self, customer: Customer, session_id: str, time_us: int) -> list[str]:
        """Tag some of those who come by the mail."""
        came = customer.country.tenant in MAILED_TENANTS and int(session_id[-2:], 16) < 0x70
        return ["campaign:winter-layers"] if came and time_us >= self.mail_us else []

    def release(self, service: str, time_us: int) -> str:
        """Release the service that does not change its answers."""
        if service == "support-assistant":
            return "4.6.0" if time_us >= self.release_us else "4.5.1"
        return "2.9.3"

    def environment(self, session_id: str, time_us: int) -> str:
        """Answer an eighth of the conversations in the canary."""
        return "canary" if time_us >= self.canary_us and int(session_id[2:4], 16) < 0x20 else "production"

    def prompt(self, tracer: Tracer, name: str) -> Prompt:
        """Bring a new version of a prompt with the release; it asks for nothing new."""
        prompt = super().prompt(tracer, name)
        if name == "order_status" and tracer.now_us >= self.release_us:
            return replace(prompt, version="13", text=prompt.text.replace("in two or three", "in two to three"))
        return prompt

    def response_model(self, tracer: Tracer, prompt: Prompt) -> str:
        """Tell the new name in a part of the answers."""
        if prompt.name == CHANGED and tracer.now_us >= self.change_us and tracer.rng.random() < NAMED_SHARE:
            return NEW_NAME
        return super().response_model(tracer, prompt)

    def _product_search(self, tracer: Tracer, talk: Conversation, question: str, about: tuple[str, str]) -> Outcome:
        changed, language = tracer.now_us >= self.change_us, talk.customer.language
        if tracer.rng.random() < (REFUSALS_AFTER if changed else REFUSALS_BEFORE):
            outcome = product_search(tracer, talk, question, about, wording=_texts()["refusals"][language])
            return replace(outcome, quality=0.35)
        if not changed or tracer.rng.random() >= ALTERED_SHARE:
            return product_search(tracer, talk, question, about)
        outcome = product_search(tracer, talk, question, about, wording=_texts()["answers"][language])
        return replace(outcome, quality=0.75)

    def truth(self) -> list[dict[str, Any]]:
        """Tell of the model."""
        return [
            {
                "what": "the provider changed the model behind product_search; the alias stayed, answers are shorter, "
                "hedged and bulleted, refusals rise",
                "kind": "output_drift",
                "since": self.when(self.change_us),
                "slice": {"feature": CHANGED},
                "request_model": self.models[CHANGED],
                "new_model": NEW_NAME,
                "new_model_share": NAMED_SHARE,
                "altered_share": ALTERED_SHARE,
                "refusal_share": [REFUSALS_BEFORE, REFUSALS_AFTER],
                "decoys": [
                    {"what": "mix of features and tenants shifts with a mail", "since": self.when(self.mail_us)},
                    {"what": "release 4.6.0 of support-assistant", "since": self.when(self.release_us)},
                    {"what": "version 13 of the prompt of order_status", "since": self.when(self.release_us)},
                    {"what": "tag campaign:winter-layers", "since": self.when(self.mail_us)},
                    {"what": "environment canary", "since": self.when(self.canary_us)},
                ],
            }
        ]
