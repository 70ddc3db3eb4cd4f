"""What several tests look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import llmlens as ll

if TYPE_CHECKING:
    from llmlens.traces import Traces

SAMPLE = Path(__file__).resolve().parents[1] / "data_samples/support_week.otlp.jsonl.gz"


@pytest.fixture(scope="session")
def week() -> Traces:
    """A week of sample traffic, loaded once: `Traces` do not change."""
    return ll.read_otlp(SAMPLE)
