from __future__ import annotations

import gc
import json
import logging
import math
import threading
import weakref
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens.view
from llmlens.errors import UnknownNameError
from llmlens.traces import Traces
from llmlens.view import snapshot, wire
from llmlens.view.base import View, esm, handles

FOLDER = Path(llmlens.view.__file__).parent


class Counter(View):
    _esm = "export default {}"

    def __init__(self, source: Traces | View, **options: Any) -> None:
        self.forgotten = 0
        super().__init__(source, **options)

    def traces_changed(self) -> None:
        self.forgotten += 1

    @handles("double")
    def _double(self, number: int, plus: int = 0) -> dict[str, int]:
        return {"number": 2 * number + plus}

    @handles("fail")
    def _fail(self) -> None:
        raise RuntimeError("the disk is full")

    @handles("odd")
    def _odd(self) -> Any:
        return {
            "nan": math.nan,
            "na": pd.NA,
            "broken": "a\ud800b",
            "big": 2**60,
            "time": pd.Timestamp("2026-01-02", tz="UTC"),
        }


class Tripler(Counter):
    @handles("triple")
    def _triple(self, number: int) -> int:
        return 3 * number


@pytest.fixture
def traces() -> Traces:
    start = pd.Timestamp("2026-11-02", tz="UTC")
    rows = [
        {"trace_id": t, "span_id": f"{t}1", "name": "root", "kind": "chain", "start": start, "end": start, "depth": 0}
        for t in ("a", "b", "c")
    ]
    return Traces.from_frames({"spans": pd.DataFrame(rows)})


def ask(view: View, message: Any) -> Any:
    replies: list[Any] = []
    view.send = replies.append
    view._handle_custom_msg(message, [])
    (reply,) = replies
    return reply


def test_an_unknown_option_is_an_error_that_names_the_nearest_one(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"option of Counter: 'heigth'.*Did you mean 'height'"):
        Counter(traces, heigth=300)


def test_the_internals_of_a_widget_are_no_options(traces: Traces) -> None:
    for name in ("_esm", "revision", "n_traces", "layout"):
        with pytest.raises(UnknownNameError):
            Counter(traces, **{name: 1})


def test_a_source_that_holds_no_traces_is_an_error_that_says_what_is_expected() -> None:
    with pytest.raises(TypeError, match="shows a Traces or follows another view, but got DataFrame"):
        Counter(pd.DataFrame())  # type: ignore[arg-type]  # misuse


def test_everything_is_selected_until_something_is(traces: Traces) -> None:
    view = Counter(traces)
    assert view.selection is view.traces is traces
    chosen = traces.trace("b")
    view.select(chosen)
    assert view.selection is chosen
    view.select(None)
    assert view.selection is traces


def test_callbacks_are_told_until_they_are_stopped(traces: Traces) -> None:
    view, seen = Counter(traces), []
    stop = view.on_selection(lambda chosen: seen.append(chosen.trace_ids))
    view.select(traces.trace("b"))
    stop()
    stop()
    view.select(None)
    assert seen == [["b"]]


def test_a_failing_callback_is_logged_and_the_others_are_told(traces: Traces, caplog: pytest.LogCaptureFixture) -> None:
    view = Counter(traces)
    seen: list[Traces | None] = []
    view.on_selection(lambda _: 1 / 0)
    view.on_selection(seen.append)
    with caplog.at_level(logging.ERROR):
        view.select(None)
    assert seen == [traces]
    assert "ZeroDivisionError" in caplog.text


def test_a_view_follows_the_selection_of_a_view_and_of_the_one_before_it(traces: Traces) -> None:
    first = Counter(traces)
    second = Counter(first)
    third = Counter(second)
    first.select(traces.trace("c"))
    assert second.traces.trace_ids == third.traces.trace_ids == ["c"]
    assert (second.n_traces, second.revision, second.forgotten) == (1, 1, 1)
    second.select(second.traces.where(trace_id="nothing"))
    assert (third.n_traces, len(first.selection)) == (0, 1)


def test_a_view_follows_from_another_thread(traces: Traces) -> None:
    first = Counter(traces)
    second = Counter(first)
    chosen = traces.trace("a")
    threads = [threading.Thread(target=first.select, args=(chosen,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert second.revision == 8
    assert second.traces is chosen


def test_a_view_that_cannot_follow_logs_it_and_spares_the_others(
    traces: Traces, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Counter(traces)
    broken, sound = Counter(first), Counter(first)
    monkeypatch.setattr(broken, "traces_changed", lambda: 1 / 0)
    first.select(traces.trace("a"))
    assert sound.n_traces == 1
    assert "could not follow" in caplog.text


def test_a_closed_view_follows_no_more_and_is_let_go(traces: Traces) -> None:
    first = Counter(traces)
    second = Counter(first)
    gone = weakref.ref(second)
    second.close()
    first.select(traces.trace("a"))
    assert second.n_traces == 3
    del second
    gc.collect()
    assert gone() is None


def test_a_request_is_answered_with_its_id(traces: Traces) -> None:
    view = Counter(traces)
    reply = ask(view, {"id": "v:1", "kind": "double", "number": 4, "plus": 1})
    assert reply == {"id": "v:1", "ok": True, "result": {"number": 9}}


def test_a_subclass_answers_its_own_requests_and_those_of_its_base(traces: Traces) -> None:
    view = Tripler(traces)
    assert view.answer("triple", number=2) == 6
    assert view.answer("double", number=2) == {"number": 4}
    with pytest.raises(UnknownNameError, match="request 'tripel'"):
        view.answer("tripel", number=2)
    with pytest.raises(UnknownNameError):
        Counter(traces).answer("triple", number=2)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"id": 1, "kind": "doubel", "number": 1}, "no request 'doubel'. Did you mean 'double'"),
        ({"id": 1, "kind": "double"}, "missing a required argument: 'number'"),
        ({"id": 1, "kind": "double", "number": 1, "sql": "DROP"}, "unexpected keyword argument 'sql'"),
        ({"id": 1}, "no request 'None'"),
        ({"id": 1, "kind": ["double"]}, "no request"),
        ("double", "no request"),
        (None, "no request"),
    ],
)
def test_a_request_that_cannot_be_understood_gets_an_error_reply(traces: Traces, message: Any, said: str) -> None:
    reply = ask(Counter(traces), message)
    assert reply["ok"] is False
    assert said in reply["error"]["message"]


def test_a_failing_handler_is_logged_and_answered_with_its_message(
    traces: Traces, caplog: pytest.LogCaptureFixture
) -> None:
    reply = ask(Counter(traces), {"id": 7, "kind": "fail"})
    assert reply == {"id": 7, "ok": False, "error": {"message": "RuntimeError: the disk is full"}}
    assert "Traceback" in caplog.text


def test_replies_are_plain_json_whatever_the_handler_gives(traces: Traces) -> None:
    result = ask(Counter(traces), {"id": 7, "kind": "odd"})["result"]
    assert (result["nan"], result["na"], result["broken"]) == (None, None, "a?b")
    assert result["time"].startswith("2026-01-02T00:00:00")
    json.dumps(result, allow_nan=False).encode("utf-8")


def test_static_replies_leave_out_what_fails(
    traces: Traces, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = Counter(traces)
    monkeypatch.setattr(view, "static_requests", lambda: [("fail", {}), ("double", {"number": 1})])
    assert list(view.static_replies()) == [{"kind": "double", "arguments": {"number": 1}, "result": {"number": 2}}]
    assert "no static reply" in caplog.text


def test_a_view_shows_a_snapshot_where_there_is_no_kernel(traces: Traces) -> None:
    data, _ = Counter(traces)._repr_mimebundle_() or ({}, {})
    assert data["text/plain"] == "<Counter of 3 traces>"
    assert "Counter of 3 traces" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_failing_snapshot_does_not_stop_the_view(
    traces: Traces, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = Counter(traces)
    monkeypatch.setattr(view, "snapshot", lambda: 1 / 0)
    data, _ = view._repr_mimebundle_() or ({}, {})
    assert "No static copy" in data["text/html"]
    assert "has no snapshot" in caplog.text


def test_columns_make_na_none_and_times_epoch_milliseconds() -> None:
    times = pd.to_datetime(pd.Series(["2026-01-01T00:00:00.001500Z", None]), utc=True)
    frame = pd.DataFrame(
        {
            "us": times.dt.as_unit("us"),
            "ns": times.dt.as_unit("ns"),
            "n": pd.array([1, None], dtype="Int64"),
            "x": pd.array([None, 0.5], dtype="Float64"),
            "s": pd.array(["a", None], dtype="str"),
        }
    )
    at = 1767225600001.5
    assert wire.columns(frame) == {
        "us": [at, None], "ns": [at, None], "n": [1, None], "x": [None, 0.5], "s": ["a", None]
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=())), inner),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_cleaned_is_strict_json(value: Any) -> None:
    json.dumps(wire.clean(value), allow_nan=False, ensure_ascii=False).encode("utf-8")


def test_what_nests_deeper_than_json_allows_is_cut_with_a_note() -> None:
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    assert "nested too deeply" in json.dumps(wire.clean(deep))


@given(st.text(st.characters(exclude_categories=())))
def test_snapshot_text_has_no_markup_and_no_control_characters(value: str) -> None:
    made = snapshot.text(value)
    assert not set(made) & set("<>\"'\x1b\u202e\u2066\n")
    made.encode("utf-8")


def test_a_snapshot_has_no_scripts_no_styles_and_no_handlers() -> None:
    evil = '<img src=x onerror="alert(1)"><script>alert(1)</script>'
    made = snapshot.section(evil, snapshot.table([evil], [[snapshot.text(evil)]]), snapshot.note(evil))
    assert "<img" not in made
    assert "<script" not in made
    assert "<style" not in made


def test_long_texts_are_cut_with_a_mark() -> None:
    assert snapshot.text("x" * 500, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.js")))
def test_no_script_makes_markup_from_text(name: str) -> None:
    code = (FOLDER / name).read_text("utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "http://",
        "https://",
    ):
        assert word not in code.replace("http://www.w3.org/2000/svg", ""), word


def test_the_prelude_comes_before_the_views_own_code() -> None:
    assert esm("trace_explorer.js").index("function defineView") < esm("trace_explorer.js").index(
        "export default defineView"
    )
