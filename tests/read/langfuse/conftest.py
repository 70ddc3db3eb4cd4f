"""Observations made by hand, and bodies captured from a real server."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from llmlens import Traces
from llmlens.read.langfuse.observations import to_raw
from llmlens.read.otlp import make_loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llmlens.read.raw import Raw

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


class Langfuse:
    """Makes observations, and reads what a mapping makes of them."""

    trace = "0af7651916cd43dd8448eb211c80319c"
    span = "b7ad6b7169203331"

    #: A generation as `GET /api/public/v2/observations` gives it with all groups of fields: "" and null are not set.
    generation: dict[str, Any] = {  # noqa: RUF012  # copied before it is changed
        "id": span, "traceId": trace, "startTime": "2026-11-21T05:11:38.349Z", "endTime": "2026-11-21T05:11:40.349Z",
        "projectId": "p1", "parentObservationId": None, "type": "GENERATION", "name": "answer", "level": "DEFAULT",
        "statusMessage": "", "version": "", "environment": "default", "completionStartTime": None,
        "createdAt": "2026-11-21T05:11:41.000Z", "updatedAt": "2026-11-21T05:11:41.000Z",
        "input": '[{"role": "user", "content": "hi"}]', "output": '{"role": "assistant", "content": "yo"}',
        "metadata": {"k": "v", "scope.name": "langfuse-sdk", "resourceAttributes.service.name": "shop"},
        "model": "gpt-4o", "internalModelId": "m1", "modelParameters": {"temperature": 0.5, "seed": None},
        "usageDetails": {"input": 60, "input_cached_tokens": 40, "output": 50, "total": 150},
        "inputUsage": 100, "outputUsage": 50, "totalUsage": 150,
        "costDetails": {"input": 0.00015, "input_cached_tokens": 0.00005, "output": 0.0005, "total": 0.0007},
        "inputCost": 0.0002, "outputCost": 0.0005, "totalCost": 0.0007, "promptId": "", "promptName": "",
        "promptVersion": None, "usagePricingTierId": None, "usagePricingTierName": None, "latency": 2.0,
        "timeToFirstToken": None, "userId": "u1", "sessionId": "s1", "isRootObservation": True, "traceName": "chat",
        "release": "", "tags": ["a", "b"], "bookmarked": False, "public": False, "modelId": "m1",
        "inputPrice": "0.0000025", "outputPrice": "0.00001", "totalPrice": None,
    }  # fmt: skip

    def observation(self, **changes: Any) -> dict[str, Any]:
        """Make a generation; fields given as `...` are left out."""
        row = {**copy.deepcopy(self.generation), **changes}
        return {field: value for field, value in row.items() if value is not ...}

    def load(self, raws: Iterable[Raw]) -> Traces:
        """Load what a mapping yields."""
        loader = make_loader(conventions=None, feature=None, prices=None, strict=False)
        loader.add_all(raws, "langfuse")
        return Traces(loader.finish(), notes=tuple(loader.notes))

    def read(self, *rows: Any) -> Traces:
        """Load observations."""
        return self.load(to_raw(rows))

    def row(self, **changes: Any) -> Any:
        """Give the row of `spans` of one observation."""
        return self.read(self.observation(**changes)).spans.iloc[0]


@pytest.fixture
def langfuse() -> Langfuse:
    """Give what makes and reads observations."""
    return Langfuse()


@pytest.fixture
def captured() -> Callable[[str], Any]:
    """Give a function that reads the body of an answer of a real server; skips where they are not there."""
    if not (DATA / "langfuse_api").is_dir():
        pytest.skip("the captured answers are not beside the project")

    def body(name: str) -> Any:
        document = orjson.loads((DATA / "langfuse_api" / f"{name}.json").read_bytes())
        return document.get("body", document)

    return body


@pytest.fixture
def downloads() -> Path:
    """Give the folder of ten real traces; skips where it is not there."""
    folder = DATA / "langfuse_traces"
    if not folder.is_dir():
        pytest.skip("the downloaded traces are not beside the project")
    return folder
