"""What a notebook stores of a view leaves the machine with it: secrets and people are taken out of it."""

from __future__ import annotations

import pandas as pd
import pytest

import llmlens as ll
from llmlens.view.base import View

SECRET = "sk-proj-" + "a1B2c3D4" * 5


@pytest.fixture
def leaky() -> ll.Traces:
    spans = pd.DataFrame(
        {
            "trace_id": ["t1"],
            "span_id": ["a"],
            "name": [f"chat with bob@example.com <b> {SECRET}"],
            "user_id": ["bob@example.com"],
            "kind": ["llm"],
            "start": pd.to_datetime(["2026-11-01"], utc=True),
        }
    )
    said = f'password: "hunter2" and {SECRET}'
    contents = pd.DataFrame({"trace_id": ["t1"], "span_id": ["a"], "input": [said], "output": [said]})
    return ll.Traces.from_frames({"spans": spans, "contents": contents})


def stored(view: View) -> str:
    bundle = view._repr_mimebundle_()
    assert bundle is not None
    return str(bundle[0]["text/html"]) + str(bundle[0]["text/plain"])


def test_a_trace_explorer_stores_no_secret(leaky: ll.Traces) -> None:
    view = ll.TraceExplorer(leaky)
    assert "bob@example.com" in view.snapshot()  # who has the kernel sees what there is
    html = stored(view)
    assert not [word for word in (SECRET, SECRET[:20], "bob@example.com", "hunter2") if word in html]
    assert "&lt;EMAIL:" in html
    assert "<EMAIL:" not in html
    assert "&lt;b&gt;" in html


def test_a_view_without_secrets_is_stored_as_it_is(week: ll.Traces) -> None:
    view = ll.CostTreemap(week.sample(20, seed=1))
    assert view.snapshot() in stored(view)


def test_secrets_of_the_environment_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_SECRET", "sentinel & more")

    class Leaking(View):
        def snapshot(self) -> str:
            return "<p>sentinel &amp; more</p>"

    empty = ll.Traces.from_frames({})
    assert "sentinel" not in stored(Leaking(empty))
