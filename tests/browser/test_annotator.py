"""The panel in a real JupyterLab: ten traces of a Langfuse server by keyboard alone, with a kernel that dies."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from llmlens.cli import demo_file
from llmlens.label.store import LabelStore
from tests.langfuse_server import LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("LLMLENS_SCREENSHOTS")
KEYS, STORE = "langfuse.json", "labels-of-ada.sqlite"
SAVED = re.compile("^(saved|pending|sent|confirmed)$")
PATIENCE_MS = 20_000
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
QUEUE = "refunds to read"
CELLS = [
    f"""import json, os, pathlib
pathlib.Path("kernel.pid").write_text(str(os.getpid()))
os.environ.update(json.loads(pathlib.Path("{KEYS}").read_text()))""",
    """import llmlens as ll

traces = ll.read_langfuse("2026-11-23", "2026-11-24", progress=False)
scores = [ll.Score("helpful", 1, 5, help="Did it solve the request?"), ll.Score("tool_failed", bool)]""",
    f"""panel = ll.Annotator(traces, scores, to=ll.langfuse(), store="{STORE}", author="ada", order="start", height=600)
panel""",
]
QUESTIONS = ("Where is my refund for the blue tent?", "Can I still send the gloves back?", "Wo bleibt mein Geld?")


def support(place: int) -> list[dict[str, Any]]:
    """Make up a trace of a support assistant: a question, a search, a tool that may fail, an answer."""
    trace_id, start = f"{place:032x}", START + timedelta(minutes=place)

    def row(name: str, kind: str, at_ms: int, said: Any, answered: Any, **more: Any) -> dict[str, Any]:
        begun, ended = start + timedelta(milliseconds=at_ms), start + timedelta(milliseconds=at_ms + 400)
        times = {"startTime": iso(begun), "endTime": iso(ended)}
        parent = None if name == "support" else f"{place}-support"
        texts = {"input": json.dumps(said), "output": json.dumps(answered)}
        same = {"traceId": trace_id, "traceName": "support", "userId": f"user-{place}", "parentObservationId": parent}
        return {"id": f"{place}-{name}", "name": name, "type": kind, **same, **times, **texts, **more}

    question = QUESTIONS[place % 3]
    answer = f"I looked into it. The refund of order HP-{4711 + place} was sent on Monday, by the way you paid."
    chat = [{"role": "system", "content": "You help the customers of a shop."}, {"role": "user", "content": question}]
    failed = {"level": "ERROR", "statusMessage": "the ledger did not answer"} if place % 4 == 3 else {}
    price = {"model": "gpt-4o", "usageDetails": {"input": 400, "output": 60, "total": 460}}
    return [
        row("support", "CHAIN", 0, question, answer),
        row("search", "RETRIEVER", 10, question, [{"page_content": "Refunds take five working days."}]),
        row(
            "find_refund",
            "TOOL",
            500,
            {"order": f"HP-{4711 + place}"},
            {"error": "timeout"} if failed else {},
            **failed,
        ),
        row("answer", "GENERATION", 950, chat, {"role": "assistant", "content": answer}, **price),
    ]


def iso(at: datetime) -> str:
    """Write a time as Langfuse does."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def server(lab: Any) -> Any:
    """A server with ten traces and what is asked of them; its keys are in a file beside the notebook."""
    with LangfuseServer(eventual_s=1.0) as running:
        running.add_observations(row for place in range(10) for row in support(place))
        running.add_config("helpful", "NUMERIC", minValue=1, maxValue=5)
        running.add_config("tool_failed", "BOOLEAN")
        keys = {"BASE_URL": running.url, "PUBLIC_KEY": running.public_key, "SECRET_KEY": running.secret_key}
        (lab.folder / KEYS).write_text(json.dumps({f"LANGFUSE_{name}": value for name, value in keys.items()}))
        for old in lab.folder.glob(f"{STORE}*"):
            old.unlink()
        yield running


def shot(page: Any, name: str) -> None:
    """Keep a picture for people to look at, where LLMLENS_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def begin(opened: Any) -> Any:
    """Find the panel and bring the focus into it."""
    panel = opened.view("annotator")
    panel.locator(".lm-field[data-active]").focus()
    return panel


def label(page: Any, panel: Any, place: int, done: int, keys: list[str]) -> None:
    """Answer the open item and complete it."""
    expect(panel).to_have_attribute("data-place", str(place), timeout=PATIENCE_MS)
    for key in keys:
        page.keyboard.press(key)
    expect(panel.locator("[data-score=tool_failed]")).to_have_attribute("data-state", SAVED, timeout=PATIENCE_MS)
    page.keyboard.press("Control+Enter")
    expect(panel).to_have_attribute("data-done", str(done), timeout=PATIENCE_MS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ten_traces_are_labelled_by_keyboard_though_the_kernel_dies_half_way(
    notebook: Callable[..., Any], lab: Any, server: LangfuseServer, theme: str
) -> None:
    opened = notebook(lab.write(f"annotator-{theme}.ipynb", CELLS), theme=theme)
    page = opened.page
    opened.run_all()
    assert opened.errors() == []
    panel = begin(opened)
    expect(panel).to_have_attribute("data-theme", theme)
    cells = opened.cells()
    for place in range(4):
        label(page, panel, place, place + 1, [str(place + 1), "Enter", "1"])
    expect(panel).to_have_attribute("data-place", "4")
    page.keyboard.press("s")
    page.keyboard.type("not a text that I can read")
    page.keyboard.press("Enter")
    expect(panel).to_have_attribute("data-place", "5")
    page.keyboard.press("5")
    expect(panel.locator("[data-score=helpful]")).to_have_attribute("data-state", SAVED, timeout=PATIENCE_MS)
    shot(page, f"annotator-{theme}")

    os.kill(int((lab.folder / "kernel.pid").read_text()), signal.SIGKILL)
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    expect(panel.locator("[data-score=tool_failed]")).not_to_have_attribute("data-state", SAVED)
    shot(page, f"annotator-killed-{theme}")
    opened.wait_for_new_kernel()
    opened.run_all()
    assert opened.errors() == []

    panel = begin(opened)
    expect(panel).to_have_attribute("data-done", "4")
    expect(panel).to_have_attribute("data-skipped", "1")
    expect(panel.locator("[data-score=helpful] [aria-checked=true]")).to_have_attribute("data-value", "5")
    label(page, panel, 5, 5, ["2"])  # the first question that is left is the active one
    for place in range(6, 10):
        label(page, panel, place, place, [str(place - 5), "Enter", "2"])
    for place in (8, 7, 6, 5, 4):
        page.keyboard.press("ArrowLeft")
        expect(panel).to_have_attribute("data-place", str(place))
    label(page, panel, 4, 10, ["1", "Enter", "1"])
    expect(panel).to_have_attribute("data-left", "0")
    expect(panel.locator(".lm-deliveries")).to_have_text("20 confirmed", timeout=60_000)
    shot(page, f"annotator-done-{theme}")

    scores = server.scores()
    assert server.dropped == []
    assert {(score["source"], score["metadata"]["annotator"]) for score in scores} == {("ANNOTATION", "ada")}
    by_name = {name: [s for s in scores if s["name"] == name] for name in ("helpful", "tool_failed")}
    assert len(scores) == 20
    for found in by_name.values():
        assert sorted(score["subject"]["id"] for score in found) == [f"{place:032x}" for place in range(10)]
    assert sorted(score["value"] for score in by_name["helpful"]) == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    store = LabelStore(lab.folder / STORE)
    assert {event.score_id for event in store.current()} == {score["id"] for score in scores}
    assert {item.state for item in store.items("ada").values()} == {"done"}
    assert opened.cells() == cells, "JupyterLab took keys that were meant for the panel"
    assert server.secret_key not in opened.saved()
    assert opened.outside == []
    assert opened.trouble == []


def test_a_queue_is_worked_off_by_keyboard_and_completed_on_the_server(
    notebook: Callable[..., Any], lab: Any, server: LangfuseServer
) -> None:
    work = [
        f"""three = traces.where(trace_id=traces.trace_ids[:3])
queue = ll.create_queue(ll.langfuse(), "{QUEUE}", ["helpful", "tool_failed"], three)""",
        f"""panel = ll.Annotator(queue.worklist(), to=queue, store="{STORE}", author="ada", order="start", height=600)
panel""",
    ]
    opened = notebook(lab.write("queue.ipynb", [*CELLS[:2], *work]))
    page = opened.page
    opened.run_all()
    assert opened.errors() == []
    panel = begin(opened)
    expect(panel).to_have_attribute("data-items", "3")
    for place in range(3):
        label(page, panel, place, place + 1, ["4", "Enter", "2"])
    expect(panel.locator("[data-completed=true]")).to_have_text("and completed in the queue", timeout=60_000)
    shot(page, "annotator-queue")
    items = server.state.items
    assert [(item["status"], item["completedAt"] is not None) for item in items] == [("COMPLETED", True)] * 3
    page.keyboard.press("u")
    expect(panel).to_have_attribute("data-done", "2")
    page.keyboard.press("Control+Enter")
    expect(panel).to_have_attribute("data-done", "3")
    expect(panel.locator("[data-completed=true]")).to_have_text("and completed in the queue", timeout=60_000)
    assert {score["queueId"] for score in server.scores()} == {server.state.queues[0]["id"]}
    assert len(server.scores()) == 6
    assert opened.trouble == []


def test_the_notebook_about_low_scores_runs_and_shows_what_was_labelled(notebook: Callable[..., Any], lab: Any) -> None:
    for name in ("label_low_scoring.ipynb", "support_week.otlp.jsonl.gz"):
        shutil.copyfile(demo_file(name), lab.folder / name)
    opened = notebook("label_low_scoring.ipynb")
    page = opened.page
    opened.run_all()
    assert opened.errors() == []
    first, second = (opened.page.locator(".llmlens[data-view=annotator][data-ready]").nth(n) for n in (0, 1))
    expect(first).to_have_attribute("data-items", "18")
    first.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    shot(page, "label-notebook")
    first.locator(".lm-field[data-active]").focus()
    for key in ("2", "Enter", "1", "Control+Enter"):
        page.keyboard.press(key)
    expect(first).to_have_attribute("data-place", "1")
    explorer = opened.page.locator(".llmlens[data-view=trace-explorer]")
    expect(explorer).to_have_attribute("data-trace", first.get_attribute("data-trace") or "")
    opened.run_cell(5)
    expect(page.locator(".jp-Cell").nth(5)).to_contain_text("a tool failed")
    opened.run_cell(6)
    expect(page.locator(".jp-Cell").nth(6).locator("tbody tr")).to_have_count(1)
    second.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    expect(second.locator(".lm-chip")).to_have_count(0)
    shot(page, "label-notebook-blind")
    assert opened.errors() == []
    assert opened.outside == []
    assert opened.trouble == []
