"""A week of agents in which a release changes the schema of a tool, and they call it again and again."""

from __future__ import annotations

import tomllib
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harrowpine import kits
from harrowpine.features import FEATURES, Feature
from harrowpine.scenario import Scenario
from harrowpine.texts import products

if TYPE_CHECKING:
    from collections.abc import Callable

    from harrowpine.conversation import Conversation, Outcome
    from harrowpine.kits import Crew
    from harrowpine.shop import Customer
    from harrowpine.texts import Prompt
    from harrowpine.tracing import Tracer

FEATURE, TOOL, UNKNOWN_TOOL = "kit_planner", "check_stock", "get_stock_levels"
RELEASE = "5.2.0"
#: Of the calls that break the schema, the share whose span says that it failed.
ADMITTED_SHARE = 0.55
OTHER_NAMES = ("{}", "{} store", "{} shop", "Harrow & Pine {}", "{}, city centre", "the {} shop")
SIZES, COLOURS = ("XS", "S", "M", "L", "XL"), ("moss", "slate", "ochre")


@cache
def _new_tool() -> dict[str, Any]:
    read = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {"type": "function", "name": TOOL, **read[TOOL]}


class AgentLoop(Scenario):
    """The definition of the tool is new, the prompt still tells of the old one."""

    name = "agent_loop"
    start = datetime(2026, 12, 7, tzinfo=UTC)  # a Monday
    days = 7
    sessions, customers = 590, 440
    turns_weights = (0.56, 0.24, 0.12, 0.08)
    recorded_characters = 240
    models = {  # noqa: RUF012
        "order_status": "gpt-5.6-luna", "refunds": "claude-sonnet-5-5", "small_talk": "gpt-5.6-luna",
    }  # fmt: skip

    def __init__(self) -> None:
        """Set when things change."""
        self.release_us = self.at_us(4, 14, 5)
        #: On Tuesday another tool is down for two hours.
        self.outage_us = self.at_us(2, 11), self.at_us(2, 13)
        #: Decoys: a release of the other service on the same day, and a canary.
        self.other_release_us = self.at_us(4, 9, 40)
        self.canary_us = self.at_us(3, 8)

    def features(self) -> dict[str, Feature]:
        """Give the kit planner half of the traffic."""
        shares = {"order_status": 0.28, "refunds": 0.10, "small_talk": 0.29}
        return {
            FEATURE: Feature("kit-planner", 0.33, kits.ask_kit, self._kit_planner),
            **{name: replace(FEATURES[name], share=share) for name, share in shares.items()},
        }

    def release(self, service: str, time_us: int) -> str:
        """Release both services on Thursday."""
        if service == "kit-planner":
            return RELEASE if time_us >= self.release_us else "5.1.3"
        return "4.8.0" if time_us >= self.other_release_us else "4.7.1"

    def environment(self, session_id: str, time_us: int) -> str:
        """Answer an eighth of the conversations in the canary."""
        return "canary" if time_us >= self.canary_us and int(session_id[2:4], 16) < 0x20 else "production"

    def tags(self, _customer: Customer, session_id: str, time_us: int) -> list[str]:
        """Try a greeting on a third of the conversations since the other release."""
        return ["experiment:warm-greeting"] if time_us >= self.other_release_us and session_id[-1] < "5" else []

    def prompt(self, tracer: Tracer, name: str) -> Prompt:
        """Know the prompts of the agents too."""
        return kits.kit_prompt(name) if name in (kits.PLANNER, kits.STOCK) else super().prompt(tracer, name)

    def tools(self, tracer: Tracer, prompt: Prompt) -> list[dict[str, Any]]:
        """Give the new definition of the tool since the release."""
        if prompt.name not in (kits.PLANNER, kits.STOCK):
            return super().tools(tracer, prompt)
        tools = kits.kit_tools(prompt.tools)
        return [_new_tool() if self.is_new(tracer) and tool["name"] == TOOL else tool for tool in tools]

    def tool_is_down(self, tracer: Tracer, tool: str) -> bool:
        """Let the weather fail for two hours."""
        return tool == "get_weather" and self.outage_us[0] <= tracer.now_us < self.outage_us[1]

    def is_new(self, tracer: Tracer) -> bool:
        """Tell whether a trace runs on the new release."""
        return tracer.context.release == RELEASE

    def _kit_planner(self, tracer: Tracer, talk: Conversation, question: str, wish: kits.Wish) -> Outcome:
        check: Callable[[Crew], bool] | None = None
        if self.is_new(tracer):
            check = tracer.rng.choices(list(WAYS), list(WAYS.values()))[0]
        return kits.kit_planner(tracer, talk, question, wish, check=check)

    def truth(self) -> list[dict[str, Any]]:
        """Tell of the loops and of the two hours on Tuesday."""
        return [
            {
                "what": "release 5.2.0 changes the arguments of check_stock, the prompt still tells of the old ones: "
                "the agents repeat the call, alternate it with find_stores, hand over to each other, or call a tool "
                "that does not exist",
                "kind": "agent_loop",
                "since": self.when(self.release_us),
                "slice": {"feature": FEATURE, "release": RELEASE, "tool": TOOL},
                "patterns": [way.__name__.strip("_") for way in LOOPS],
                "looping_share": round(sum(LOOPS.values()), 4),
                "unknown_tool": UNKNOWN_TOOL,
                "agents": [kits.PLANNER, kits.STOCK],
                "window": 200_000,
                "decoys": [
                    {"what": "release 4.8.0 of support-assistant", "since": self.when(self.other_release_us)},
                    {"what": "tag experiment:warm-greeting", "since": self.when(self.other_release_us)},
                    {"what": "environment canary", "since": self.when(self.canary_us)},
                    {"what": "reservation_status is rightly asked again while it says pending"},
                ],
            },
            {
                "what": "get_weather refuses connections for two hours; the planner tries three or four times, goes on",
                "kind": "tool_failure",
                "since": self.when(self.outage_us[0]),
                "until": self.when(self.outage_us[1]),
                "slice": {"feature": FEATURE, "tool": "get_weather"},
            },
        ]


# How the stock agent goes about the stock since the release. Each tells whether it came to know it.


def _right(crew: Crew) -> None:
    items = [{"sku": item.sku, "quantity": 1} for item in crew.wish.items]
    counts = {item.sku: crew.tracer.rng.randint(1, 9) for item in crew.wish.items}
    crew.use(TOOL, {"store_id": crew.store["id"], "available": counts}, 150, items=items, store_id=crew.store["id"])


def _wrong(crew: Crew, name: str | None = None) -> None:
    """Call with the arguments of old; the answer comes with everything that the caller might have meant."""
    sku = crew.wish.items[0].sku
    reason = "'items' is a required property; 'store_id' is a required property; additional properties: 'sku', 'store'"
    result = {"error": "invalid_request", "detail": reason, "hint": "See the catalogue below.", "catalogue": _listed()}
    failure = ("ValidationError", f"check_stock: {reason}") if crew.tracer.rng.random() < ADMITTED_SHARE else None
    crew.use(TOOL, result, 260, failure=failure, sku=sku, store=name or crew.store["name"])


@cache
def _listed() -> list[dict[str, Any]]:
    """Give every item in every size and colour: some 10,000 tokens."""
    return [
        {"sku": p.sku, "name": p.name, "size": size, "colour": colour, "stores": ["LDS", "FRB", "BLD"]}
        for p in products()
        for size in SIZES
        for colour in COLOURS
    ]


def _right_away(crew: Crew) -> bool:
    _right(crew)
    return True


def _at_the_second_try(crew: Crew) -> bool:
    _wrong(crew)
    _right(crew)
    return True


def _identical_calls(crew: Crew) -> bool:
    """Go A-A-A, sometimes until the model can't take any more."""
    for _ in range(crew.tracer.rng.choices((4, 5, 6, 8, 11, 40), (5, 5, 4, 3, 2, 4))[0]):
        _wrong(crew)
    return False


def _near_identical_calls(crew: Crew) -> bool:
    """Name the shop in other words, call after call."""
    for i in range(crew.tracer.rng.randint(4, 9)):
        name = OTHER_NAMES[i % len(OTHER_NAMES)].format(crew.store["name"])
        _wrong(crew, name.upper() if i >= len(OTHER_NAMES) else name)
    return False


def _alternating_calls(crew: Crew) -> bool:
    """Go A-B-A-B between two tools."""
    country = crew.talk.customer.country.code
    stores = [{"name": crew.store["name"], "id": crew.store["id"], "open": "10:00-19:00"}]
    for _ in range(crew.tracer.rng.randint(3, 6)):
        _wrong(crew)
        crew.use("find_stores", {"country": country, "stores": stores}, 80, country=country)
    return False


def _alternating_agents(crew: Crew) -> bool:
    """Go A-B-A-B between the agents, each inside of the other's call."""
    with ExitStack() as handed:
        for turn in range(2 * crew.tracer.rng.randint(1, 3)):
            if turn % 2 == 0:
                _wrong(crew)
                handed.enter_context(crew.handed_over(kits.PLANNER, "the shop is not known, please check the items"))
            else:
                handed.enter_context(crew.handed_over(kits.STOCK, "the items are right, check the stock and reserve"))
    return False


def _unknown_tool(crew: Crew) -> bool:
    """Call a tool that is not there, and then the right one."""
    for item in crew.wish.items:
        failure = ("ToolNotFoundError", f"Unknown tool: {UNKNOWN_TOOL}")
        error = {"error": f"Unknown tool: {UNKNOWN_TOOL}"}
        crew.use(UNKNOWN_TOOL, error, 12, failure=failure, sku=item.sku, store=crew.store["name"])
    _wrong(crew)
    _right(crew)
    return True


#: With their shares.
LOOPS: dict[Callable[[Crew], bool], float] = {
    _identical_calls: 0.13,
    _near_identical_calls: 0.09,
    _alternating_calls: 0.08,
    _alternating_agents: 0.06,
}
WAYS: dict[Callable[[Crew], bool], float] = {
    _right_away: 0.40,
    _at_the_second_try: 0.18,
    **LOOPS,
    _unknown_tool: 0.06,
}
