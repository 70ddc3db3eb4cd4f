"""What a `Traces` says of itself; hostile text in it stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import llmlens as ll
from llmlens.traces import Traces

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202eevil\n</td>&amp;"
TAGS = {"div", "table", "tbody", "tr", "td", "details", "summary", "ul", "li", "b", "br", "code"}


class Shown(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def traces(problems: int = 0, notes: tuple[str, ...] = (), **columns: Any) -> Traces:
    frame = pd.DataFrame({"trace_id": ["a"], "span_id": ["1"], "kind": ["llm"], **columns})
    told = pd.DataFrame(
        {
            "source": [f"file{n}" for n in range(problems)],
            "line": pd.array([n + 1 for n in range(problems)], dtype="Int64"),
            "reason": [f"reason {n}" for n in range(problems)],
            "count": pd.array([n + 1 for n in range(problems)], dtype="Int64"),
            "action": "dropped",
            "example": "{torn",
        }
    )
    return Traces.from_frames({"spans": frame, "problems": told}, notes=notes)


def test_a_load_says_what_when_who_and_how_much(week: Traces) -> None:
    said = week.summary()
    spans = week.spans
    assert said["traces"] == len(week)
    assert said["spans"] == len(spans)
    assert said["since"] == spans["start"].min()
    assert said["until"] == spans["end"].max()
    assert said["cost_usd"] == pytest.approx(float(ll.cost(week)["cost_usd"].sum()), abs=1e-9)
    assert said["features"] == spans["feature"].value_counts().to_dict()
    assert sum(said["kinds"].values()) == len(spans)
    for page in (repr(week), Shown(week._repr_html_()).text):
        assert f"{len(week):,} traces, {len(spans):,} spans" in page
        assert f"${said['cost_usd']:,.2f}" in page
        assert all(name in page for name in [*list(said["models"])[:6], *list(said["features"])[:6]])
        assert f"{said['since']:%Y-%m-%d %H:%M}" in page


def test_nothing_selected_says_so() -> None:
    empty = traces().where(feature="nothing")
    assert repr(empty) == "Traces: no traces"
    assert "no traces" in Shown(empty._repr_html_()).text
    assert empty.summary()["spans"] == 0
    assert empty.summary()["since"] is None
    assert repr(Traces.from_frames({})) == "Traces: no traces"


def test_what_is_not_known_is_said_and_not_made_up() -> None:
    said = repr(traces(input_tokens=[5]))
    assert "no times" in said
    assert "not known, and 1 call without a known price" in said
    assert "from      (no known convention)" in said


@pytest.mark.parametrize(
    ("usd", "shown"), [(0.0, "$0.00"), (0.000123, "$0.000123"), (3.14159, "$3.14"), (12345.6, "$12,345.60")]
)
def test_small_costs_are_not_rounded_to_nothing(usd: float, shown: str) -> None:
    assert f"cost      {shown}\n" in repr(traces(cost_usd=[usd]))


def test_a_span_that_never_ended_has_a_window() -> None:
    assert "2026-01-01 00:00 – 00:00 UTC" in repr(traces(start=[pd.Timestamp("2026-01-01", tz="UTC")]))


@pytest.mark.parametrize("problems", [0, 1, 6, 7, 400])
def test_problems_are_shown_with_their_place(problems: int) -> None:
    loaded = traces(problems)
    text, page = repr(loaded), Shown(loaded._repr_html_()).text
    if problems == 0:
        assert "No problems in the load." in page
        assert "dropped" not in text
        return
    total = sum(range(1, problems + 1))
    assert f"{total:,} problem{'' if total == 1 else 's'} in the load" in page
    assert "dropped: reason 0, file0:1" in text
    assert ("more in .problems" in text) is (problems > 6)
    assert len(loaded._repr_html_()) < 30_000
    if problems == 400:
        assert "394 more in .problems" in text
        assert "350 more in .problems" in page


def test_a_problem_of_which_little_is_known_is_shown() -> None:
    frame = pd.DataFrame({"trace_id": ["a"], "span_id": ["1"]})
    loaded = Traces.from_frames({"spans": frame, "problems": pd.DataFrame({"count": [3]})})
    for page in (repr(loaded), Shown(loaded._repr_html_()).text):
        assert "None" not in page
        assert "problem: no reason given (×3)" in page


def test_notes_of_the_load_are_shown() -> None:
    loaded = traces(notes=("duration_s <- took (ms)",))
    assert "note: duration_s <- took (ms)" in repr(loaded)
    assert "duration_s <- took (ms)" in Shown(loaded._repr_html_()).text


def test_hostile_text_stays_text_everywhere() -> None:
    frame = pd.DataFrame({"trace_id": ["a"], "span_id": ["1"], "kind": ["llm"]})
    for column in ("feature", "model", "service", "convention"):
        frame[column] = HOSTILE + column
    told = pd.DataFrame({c: [HOSTILE + c] for c in ("source", "reason", "action", "example")})
    loaded = Traces.from_frames({"spans": frame, "problems": told}, notes=(HOSTILE,))
    page = loaded._repr_html_()
    shown = Shown(page)
    assert shown.tags <= TAGS
    assert shown.attributes == {"class", "style"}
    assert shown.text.count("<img src=x onerror=alert(1)>") >= 8
    for said in (page, repr(loaded).replace("\n", "")):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)


def test_long_names_are_cut() -> None:
    loaded = traces(feature=["x" * 100_000], notes=("y" * 100_000,))
    assert len(repr(loaded)) < 3000
    assert len(loaded._repr_html_()) < 5000


def test_many_names_are_counted() -> None:
    frame = pd.DataFrame(
        {"trace_id": [str(n) for n in range(30)], "span_id": "1", "feature": [f"f{n}" for n in range(30)]}
    )
    assert "f13 (1) and 24 more" in repr(Traces.from_frames({"spans": frame}))


def test_what_was_only_noted_is_no_problem_and_comes_after_what_was_lost() -> None:
    frame = pd.DataFrame({"trace_id": ["a"], "span_id": ["1"], "kind": ["llm"]})
    told = pd.DataFrame(
        {"reason": ["ids were made", "torn line"], "action": ["noted", "dropped"], "count": [4_000, 2], "line": [1, 9]}
    )
    loaded = Traces.from_frames({"spans": frame, "problems": told})
    page = Shown(loaded._repr_html_()).text
    assert "2 problems in the load: torn line" in page
    assert [each["action"] for each in loaded.summary()["problems"]] == ["dropped", "noted"]
    assert repr(loaded).index("dropped: torn line") < repr(loaded).index("noted: ids were made")
    noted = Traces.from_frames({"spans": frame, "problems": told.head(1)})
    assert "No problems in the load; noted: ids were made" in Shown(noted._repr_html_()).text
