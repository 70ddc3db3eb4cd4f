"""A week in which a release pastes whole web pages into a prompt, and a tool fails for one region."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harrowpine import page
from harrowpine.chat import product_qa
from harrowpine.features import FEATURES
from harrowpine.scenario import Scenario

if TYPE_CHECKING:
    from harrowpine.conversation import Conversation, Outcome
    from harrowpine.features import Feature
    from harrowpine.texts import Prompt
    from harrowpine.tracing import Tracer

#: Share of the calls for the region that fail.
OUTAGE_SHARE = 0.9
OUTAGE_REGION = "eu-central"


class SupportWeek(Scenario):
    """Two incidents that have nothing to do with each other."""

    name = "support_week"
    start = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
    days = 7
    sessions, customers = 890, 640

    def __init__(self) -> None:
        """Set when things change."""
        #: Thursday: a release changes the prompt of `product_qa`, which now carries the whole web page.
        self.release_us = self.at_us(4, 10, 40)
        #: Friday: the refund policy service stops answering for one region.
        self.outage_us = self.at_us(5, 8, 15)

    def features(self) -> dict[str, Feature]:
        """Let `product_qa` answer from the web page since the release."""
        return {**FEATURES, "product_qa": replace(FEATURES["product_qa"], answer=self._product_qa)}

    def release(self, _service: str, time_us: int) -> str:
        """Release on Thursday."""
        return "4.3.0" if time_us >= self.release_us else "4.2.0"

    def prompt(self, tracer: Tracer, name: str) -> Prompt:
        """Bring a new version with the release."""
        prompt = super().prompt(tracer, name)
        if name == "product_qa" and tracer.now_us >= self.release_us:
            return replace(prompt, version=str(int(prompt.version) + 1))
        return prompt

    def _product_qa(self, tracer: Tracer, talk: Conversation, question: str, wanted: str) -> Outcome:
        pasted = tracer.now_us >= self.release_us
        given = f"Product page:\n{page.render(talk.product)}" if pasted else None
        return product_qa(tracer, talk, question, wanted, given=given)

    def tool_is_down(self, tracer: Tracer, tool: str) -> bool:
        """Break the policy service for one region since Friday."""
        region = tracer.context.customer.country.region
        broken = tool == "check_refund_policy" and tracer.now_us >= self.outage_us and region == OUTAGE_REGION
        return broken and tracer.rng.random() < OUTAGE_SHARE

    def truth(self) -> list[dict[str, Any]]:
        """Tell of both."""
        return [
            {
                "what": "product_qa pastes the whole web page into its prompt: about 35 times the cost a call",
                "kind": "cost",
                "since": self.when(self.release_us),
                "slice": {"feature": "product_qa", "prompt_version": "8"},
            },
            {
                "what": "check_refund_policy fails for one region; less than half of the failed spans say so",
                "kind": "tool_failure",
                "since": self.when(self.outage_us),
                "slice": {"feature": "refunds", "tool": "check_refund_policy", "region": OUTAGE_REGION},
            },
        ]
