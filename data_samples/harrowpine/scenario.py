"""A scenario: a stretch of time in the shop's life, in which nothing goes wrong unless a subclass says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from .features import FEATURES
from .models import MODELS
from .texts import prompts, tool_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from random import Random

    from .conversation import Conversation, Outcome
    from .features import Feature
    from .shop import Customer
    from .texts import Prompt
    from .tracing import Judgement, Span, Tracer

#: Traffic by day of the week, from Monday.
WEEKDAY_WEIGHTS = (1.15, 1.08, 1.05, 1.03, 0.98, 0.84, 0.87)
DAY_US = 24 * 3_600_000_000


class Scenario:
    """When the traffic happens and how much of it, and every place where an incident can reach into it.

    Times are in microseconds since `start`. A subclass sets the first four and overrides what changes.
    """

    #: Name of the dump, and its first instant.
    name: str
    start: datetime
    days: int
    #: How many conversations there are, and how many people have them.
    sessions: int
    customers: int
    #: Shares of 0 to 5 more questions in a conversation.
    turns_weights: Sequence[float] = (0.42, 0.25, 0.16, 0.09, 0.05, 0.03)
    #: Shares of the answers that a judge scores, and for which the customer leaves a thumb.
    judged_share = 0.35
    thumbs_share = 0.08
    #: Models in place of those that the prompts name, by name of the prompt.
    models: Mapping[str, str] = {}
    #: The longest text of a message that is recorded, in characters; None records all of it.
    recorded_characters: int | None = None

    def features(self) -> dict[str, Feature]:
        """Give the features that the traffic uses, by name."""
        return FEATURES

    def shares(self, _time_us: int) -> dict[str, float]:
        """Give the share of the questions that goes to each feature."""
        return {name: feature.share for name, feature in self.features().items()}

    @cache  # noqa: B019 scenarios live as long as the program
    def day_weights(self) -> list[float]:
        """Give the traffic of each day, relative to the others."""
        first = self.start.weekday()
        return [WEEKDAY_WEIGHTS[(first + day) % 7] for day in range(self.days)]

    def release(self, _service: str, _time_us: int) -> str:
        """Give the version of a service that answers at a time."""
        return "4.2.0"

    def environment(self, _session_id: str, _time_us: int) -> str:
        """Give where a conversation is answered."""
        return "production"

    def tags(self, _customer: Customer, _session_id: str, _time_us: int) -> list[str]:
        """Give tags of a trace beside those of its channel and tenant."""
        return []

    def writer(self, rng: Random, customers: list[Customer], _share: float) -> Customer:
        """Choose who begins a conversation when a share of all conversations is over."""
        return rng.choice(customers)

    def prompt(self, _tracer: Tracer, name: str) -> Prompt:
        """Give the prompt called `name` as it is now."""
        prompt = prompts()[name]
        return replace(prompt, model=self.models.get(name, prompt.model))

    def response_model(self, _tracer: Tracer, prompt: Prompt) -> str:
        """Give the name under which the model of `prompt` answers now."""
        return MODELS[prompt.model].response_model

    def tool_is_down(self, _tracer: Tracer, _tool: str) -> bool:
        """Tell whether a tool fails this time."""
        return False

    def tools(self, _tracer: Tracer, prompt: Prompt) -> list[dict[str, Any]]:
        """Give the definitions of the tools that the model of `prompt` may call now."""
        return tool_definitions(prompt.tools) if prompt.tools else []

    def follow_up(
        self, _tracer: Tracer, _talk: Conversation, _question: str, _about: Any, _outcome: Outcome
    ) -> tuple[str, Any] | None:
        """Give what the customer asks next because of this answer, and what that is about; None for nothing."""
        return None

    def judgements(self, _tracer: Tracer, _root: Span, _outcome: Outcome) -> list[Judgement]:
        """Give what the customer does about the answer beside leaving a thumb."""
        return []

    def truth(self) -> list[dict[str, Any]]:
        """Give what goes wrong in it, an incident an entry: what, since when, in which slice."""
        return []

    # What every subclass needs to say when something happens.

    def at_us(self, day: int, hour: int = 0, minute: int = 0) -> int:
        """Give a time of the `day`, which counts from 1."""
        return (((day - 1) * 24 + hour) * 60 + minute) * 60_000_000

    def when(self, time_us: int) -> datetime:
        """Give the instant of a time."""
        return self.start + timedelta(microseconds=time_us)

    def day(self, time_us: int) -> int:
        """Give the day of a time, which counts from 1."""
        return time_us // DAY_US + 1
