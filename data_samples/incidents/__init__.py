"""The scenarios that the dumps hold, a module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .agent_loop import AgentLoop
from .budget_overrun import BudgetOverrun
from .model_change import ModelChange
from .stale_index import StaleIndex
from .support_week import SupportWeek

if TYPE_CHECKING:
    from harrowpine.scenario import Scenario

#: By name.
SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (SupportWeek(), ModelChange(), StaleIndex(), AgentLoop(), BudgetOverrun())
}
