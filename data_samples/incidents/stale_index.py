"""Two weeks in which the retrieval index of one area of the help centre is rebuilt from an old snapshot."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harrowpine.features import FEATURES
from harrowpine.scenario import Scenario
from harrowpine.search import ask_about, ask_returns_policy, returns_policy
from harrowpine.texts import Document, documents

if TYPE_CHECKING:
    from random import Random

    from harrowpine.conversation import Conversation, Outcome
    from harrowpine.features import Feature
    from harrowpine.shop import Customer
    from harrowpine.tracing import Tracer

FEATURE, AREA = "returns_policy", "returns"
#: Share of the English questions that are about the newest articles.
NEW_SHARE = 0.16
#: How often a customer asks on: by doubting an outdated answer, and for no special reason.
DOUBTS, ASKS_MORE = 0.42, 0.07
SHARES = {
    "order_status": 0.20, "refunds": 0.06, "product_search": 0.08,
    "returns_policy": 0.46, "product_qa": 0.12, "small_talk": 0.08,
}  # fmt: skip
#: Cyber Monday: fewer questions about what to buy, more about what was bought.
SHARES_AFTER_SALE = {
    "order_status": 0.24, "refunds": 0.07, "product_search": 0.05,
    "returns_policy": 0.47, "product_qa": 0.08, "small_talk": 0.09,
}  # fmt: skip


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@cache
def new_documents() -> tuple[Document, ...]:
    """Give the newest articles of the area, which the snapshot does not know."""
    return tuple(Document(**{**d, "questions": tuple(d["questions"])}) for d in _texts()["new"])


@cache
def old_documents() -> tuple[Document, ...]:
    """Give the area as the snapshot knows it."""
    return tuple(Document(**d, questions=()) for d in _texts()["old"])


class StaleIndex(Scenario):
    """What was found is old, what is new is not found, and every answer is backed by what was found."""

    name = "stale_index"
    start = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday
    days = 14
    sessions, customers = 450, 340
    thumbs_share = 0.16
    models = {  # noqa: RUF012
        "order_status": "gpt-5.6-luna", "refunds": "claude-sonnet-5-5", "product_search": "gpt-6-luna",
        "returns_policy": "gpt-5.6-luna", "product_qa": "gpt-6.1-terra", "small_talk": "gpt-5.6-luna",
    }  # fmt: skip

    def __init__(self) -> None:
        """Set when things change."""
        self.rebuild_us = self.at_us(8, 3, 12)
        #: Decoys: a sale, a release of the other service, and a canary.
        self.sale_us = self.at_us(8)
        self.release_us = self.at_us(8, 9, 30)
        self.canary_us = self.at_us(6, 13)

    def features(self) -> dict[str, Feature]:
        """Let the help centre answer from the index of the time."""
        return {**FEATURES, FEATURE: replace(FEATURES[FEATURE], ask=_ask, answer=self._returns_policy)}

    def shares(self, time_us: int) -> dict[str, float]:
        """Shift the mix with the sale."""
        return SHARES_AFTER_SALE if time_us >= self.sale_us else SHARES

    @cache  # noqa: B019 scenarios live as long as the program
    def day_weights(self) -> list[float]:
        """Bring more traffic around the sale, from Friday to Tuesday."""
        return [w * (1.4 if 5 <= day <= 9 else 1) for day, w in enumerate(super().day_weights(), 1)]

    def tags(self, customer: Customer, session_id: str, time_us: int) -> list[str]:
        """Tag conversations that come from the page of the sale."""
        came = customer.channel == "web" and int(session_id[-2:], 16) < 0x60
        return ["campaign:cyber-week"] if came and time_us >= self.sale_us else []

    def release(self, service: str, time_us: int) -> str:
        """Release the service that does not retrieve."""
        if service == "support-assistant":
            return "4.7.0" if time_us >= self.release_us else "4.6.2"
        return "2.9.4"

    def environment(self, session_id: str, time_us: int) -> str:
        """Answer a tenth of the conversations in the canary."""
        return "canary" if time_us >= self.canary_us and int(session_id[2:4], 16) < 0x1A else "production"

    def index(self, time_us: int) -> tuple[Document, ...]:
        """Give the articles that are in the index: refreshed every night, but for the area since the rebuild."""
        today = (self.when(time_us) - timedelta(hours=4)).date()
        stale = time_us >= self.rebuild_us
        kept = [d for d in documents() if not (stale and d.topic == AREA)]
        return (*(_refreshed(d, today) for d in kept), *(old_documents() if stale else new_documents()))

    def _returns_policy(
        self, tracer: Tracer, talk: Conversation, question: str, wanted: tuple[Document, str]
    ) -> Outcome:
        document, answer = wanted
        index = self.index(tracer.now_us)
        found = next((d for d in index if d.id == document.id), None)
        if found and found.text == document.text:
            return returns_policy(tracer, talk, question, (found, answer), index=index)
        answer = _outdated(tracer.rng, talk, document, found, answer)
        outcome = returns_policy(tracer, talk, question, (document, answer), index=index)
        return replace(outcome, quality=0.8 if found else 0.62, pleases=0.3)

    def follow_up(
        self, tracer: Tracer, talk: Conversation, question: str, about: Any, outcome: Outcome
    ) -> tuple[str, Any] | None:
        """Let customers doubt what is outdated, once; the assistant says it again."""
        asked_on = [*_in_language(talk, "doubts"), *_in_language(talk, "more")]
        if tracer.context.feature != FEATURE or question in asked_on:
            return None
        outdated = outcome.pleases is not None
        if tracer.rng.random() >= (DOUBTS if outdated else ASKS_MORE):
            return None
        return tracer.rng.choice(_in_language(talk, "doubts" if outdated else "more")), about

    def truth(self) -> list[dict[str, Any]]:
        """Tell of the index."""
        known = {d.id for d in old_documents()}
        current = [d.id for d in (*documents(), *new_documents()) if d.topic == AREA]
        return [
            {
                "what": "the index of the area `returns` was rebuilt from an old snapshot: old versions and deleted "
                "articles come back, newer ones vanish, answers cite outdated rules",
                "kind": "retrieval_drift",
                "since": self.when(self.rebuild_us),
                "slice": {"feature": FEATURE, "topic": AREA},
                "vanished": [i for i in current if i not in known],
                "outdated": [i for i in current if i in known],
                "reappeared": sorted(known - set(current)),
                "newest_in_snapshot": max(d.updated for d in old_documents()),
                "outdated_answers": [
                    "14 days from delivery",
                    "14 Tage ab",
                    "14 jours",
                    "14 días",
                    "5.90 per parcel",
                    "5,90",
                ],
                "decoys": [
                    {"what": "more questions after the sale", "since": self.when(self.sale_us)},
                    {"what": "release 4.7.0 of support-assistant", "since": self.when(self.release_us)},
                    {"what": "tag campaign:cyber-week", "since": self.when(self.sale_us)},
                    {"what": "environment canary", "since": self.when(self.canary_us)},
                ],
            }
        ]


def _ask(rng: Random, talk: Conversation) -> tuple[str, tuple[Document, str]]:
    if talk.customer.language == "en" and rng.random() < NEW_SHARE:
        return ask_about(rng, talk, rng.choice(new_documents()))
    return ask_returns_policy(rng, talk)


def _refreshed(document: Document, today: Any) -> Document:
    """Give `document` with the day on which an editor went over it last: each one every 45 days or so."""
    offset = sum(document.id.encode()) * 7
    edited = today - timedelta(days=(today.toordinal() + offset) % 45)
    return replace(document, updated=max(document.updated, edited.isoformat()))


def _outdated(rng: Random, talk: Conversation, document: Document, found: Document | None, answer: str) -> str:
    """Give the answer that the index allows for a question about `document`, of which it has `found`."""
    if found is None:
        return str(rng.choice(_in_language(talk, "unknown")))
    if document.gist in answer:
        return answer.replace(document.gist, found.gist)
    answers: dict[str, str] = _texts()["answers"][talk.customer.language]
    return answers.get(document.id, answer)


def _in_language(talk: Conversation, kind: str) -> list[str]:
    by_language: dict[str, list[str]] = _texts()[kind]
    return by_language.get(talk.customer.language, by_language["en"])
