"""What several tests look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import llmlens as ll
from tests.examples import ORDINARY

if TYPE_CHECKING:
    from llmlens.traces import Traces

#: Tests make no key in the home of whoever runs them.
os.environ.setdefault("LLMLENS_REDACTION_KEY", "of the tests alone")
#: A worker a core, and one thread of linear algebra a worker: more of them wait for one another, with the core busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")
SAMPLE = Path(__file__).resolve().parents[1] / "data_samples/support_week.otlp.jsonl.gz"


# Random examples are for those who can look into what they find; a build says the same twice.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.register_profile("deep", deadline=None, max_examples=20 * ORDINARY)  # pytest --hypothesis-profile=deep
settings.load_profile("ci" if os.environ.get("CI") else "here")


#: Files of few but long tests that would come last, and leave one worker alone with them.
EARLY = ("test_house_rules.py", "test_data_samples.py", "test_traces.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that the workers end together."""
    items.sort(key=lambda item: item.path.name not in EARLY)


@pytest.fixture(scope="session")
def week() -> Traces:
    """A week of sample traffic, loaded once: `Traces` do not change."""
    return ll.read_otlp(SAMPLE)
