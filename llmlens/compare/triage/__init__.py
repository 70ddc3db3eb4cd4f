"""A load of traces -> its incidents: many series, the odd stretch of each, and what belongs together."""

from .findings import Findings
from .signs import SIGNS, Sign
from .triaging import triage

__all__ = ["SIGNS", "Findings", "Sign", "triage"]
