"""`read_langfuse` against a server that fails, limits, changes and goes away."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import LangfuseError, SelectionError, UnknownArgumentError
from llmlens.read.langfuse.progress import Progress
from llmlens.read.langfuse.pull import Pull
from llmlens.read.langfuse.reader import read_langfuse
from llmlens.read.langfuse.rows import Rows
from llmlens.read.langfuse.sources import Page
from llmlens.read.langfuse.windows import Window, uncovered
from tests.examples import examples
from tests.langfuse_server import Fault, LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmlens.traces import Traces

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MODES = [("3.170.0", "v3"), ("4.16.0", "dual"), ("4.16.0", "events_only"), ("4.60.0", "events_only")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between tries: it is the order of things that is looked at."""
    monkeypatch.setattr("llmlens.read.langfuse.transport._FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("llmlens.read.langfuse.transport._LONGEST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    """A server with 300 observations of 60 traces, one every ten minutes."""
    with LangfuseServer() as running:
        running.add_observations(observations(300))
        yield running


def observations(n: int, *, text: str = "hello") -> list[dict[str, Any]]:
    """Make observations: five a trace, two in each millisecond."""
    rows = []
    for place in range(n):
        start = BEGIN + timedelta(minutes=10 * (place // 2))
        rows.append(
            {
                "id": f"{place:016x}", "traceId": f"{place // 5:032x}", "startTime": iso(start),
                "endTime": iso(start + timedelta(seconds=2)), "type": "GENERATION" if place % 5 else "SPAN",
                "name": f"step {place % 5}", "model": "gpt-4o" if place % 5 else "",
                "usageDetails": {"input": 10, "output": 5, "total": 15} if place % 5 else {},
                "parentObservationId": f"{place // 5 * 5:016x}" if place % 5 else None, "input": f'"{text}"',
                "output": text, "updatedAt": iso(start), "isRootObservation": place % 5 == 0,
                "traceName": "chat" if place % 10 < 5 else "search",
            }
        )  # fmt: skip
    return rows


def iso(at: datetime) -> str:
    """Write a time as the server does."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(server: LangfuseServer, since: Any = BEGIN, until: Any = BEGIN + timedelta(days=3), **more: Any) -> Traces:
    """Read a window of a server."""
    keys = {"base_url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    return read_langfuse(since, until, **{"progress": False, **keys, **more})


def ids(traces: Traces) -> list[str]:
    """Give the ids of the spans."""
    return sorted(traces.spans["span_id"])


ALL = [f"{place:016x}" for place in range(300)]


@pytest.mark.parametrize(("version", "mode"), MODES)
def test_every_server_gives_every_observation_once(version: str, mode: Any) -> None:
    with LangfuseServer(version, mode) as server:
        server.add_observations(observations(300))
        traces = read(server)
        assert ids(traces) == ALL
        assert len(traces) == 60
        assert traces.problems.empty
        assert version in traces.notes[0]


@examples(8)
@given(seed=st.integers(0, 2**16), kind=st.sampled_from(["before", "after", "500", "503", "422", "413", "truncated"]))
def test_nothing_is_lost_or_doubled_when_one_request_in_five_fails(seed: int, kind: Any) -> None:
    with LangfuseServer(seed=seed) as server:
        server.add_observations(observations(300))
        server.faults.add(Fault(kind, probability=0.2))
        assert ids(read(server)) == ALL


@examples(6)
@given(seed=st.integers(0, 2**16), dies_after=st.integers(2, 25))
def test_a_pull_that_died_goes_on_from_its_cache(seed: int, dies_after: int) -> None:
    with LangfuseServer(seed=seed) as server, tempfile.TemporaryDirectory() as folder:
        server.add_observations(observations(300))
        server.faults.add(Fault("before", "v2/observations", skip=dies_after))
        with contextlib.suppress(LangfuseError):
            read(server, cache=folder)
        server.faults.clear()
        asked = len(server.requests)
        assert ids(read(server, cache=folder)) == ALL
        pages = [r for r in server.requests[asked:] if r.path.endswith("v2/observations")]
        assert len(pages) <= 17 + 17 - min(dies_after, 17) + 4


def test_a_later_window_pulls_only_what_is_new(server: LangfuseServer, tmp_path: Path) -> None:
    first = read(server, until=BEGIN + timedelta(hours=10), cache=tmp_path)
    asked = len(server.requests)
    both = read(server, cache=tmp_path)
    assert set(ids(first)) < set(ids(both))
    assert ids(both) == ALL
    begun = [r.params["fromStartTime"][0] for r in server.requests[asked:] if "fromStartTime" in r.params]
    assert min(begun) >= iso(BEGIN + timedelta(hours=10))


def test_what_just_happened_is_pulled_again_and_the_newest_state_is_kept(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    row = {**observations(1)[0], "startTime": iso(now - timedelta(minutes=2)), "updatedAt": iso(now), "output": "part"}
    with LangfuseServer() as server:
        server.add_observations([row])
        window = {"since": now - timedelta(hours=1), "until": now + timedelta(minutes=1)}
        assert read(server, cache=tmp_path, **window).contents["output"].tolist() == ["part"]
        server.add_observations([{**row, "output": "whole", "updatedAt": iso(now + timedelta(seconds=5))}])
        assert read(server, cache=tmp_path, **window).contents["output"].tolist() == ["whole"]


def test_a_page_of_the_cache_that_is_torn_is_reported_and_pulled_again(server: LangfuseServer, tmp_path: Path) -> None:
    read(server, cache=tmp_path)
    page = next(p for p in sorted(tmp_path.rglob("*.parquet")) if p.stat().st_size > 2000)
    page.write_bytes(page.read_bytes()[:100])
    again = read(server, cache=tmp_path)
    assert ids(again) == ALL
    assert "could not be used" in again.problems["reason"].item()


def test_the_cache_of_another_question_is_not_mixed_in(server: LangfuseServer, tmp_path: Path) -> None:
    everything = read(server, cache=tmp_path)
    some = read(server, cache=tmp_path, name="chat")
    assert len(some) == 30
    assert len(everything) == 60


def test_no_key_is_in_the_cache(server: LangfuseServer, tmp_path: Path) -> None:
    read(server, cache=tmp_path)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert kept
    assert server.secret_key.encode() not in kept
    assert server.public_key.encode() not in kept


def test_a_cache_that_cannot_be_written_is_said(server: LangfuseServer, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(LangfuseError, match=r"cache=.* cannot be written"):
        read(server, cache=blocked)


def test_large_pages_are_made_smaller_until_the_server_gives_them() -> None:
    with LangfuseServer() as server:
        server.add_observations(observations(300, text="x" * 2000))
        server.faults.add(Fault("413", "v2/observations", skip=1, times=6))
        assert ids(read(server, parallel=1)) == ALL


def test_a_server_that_asks_to_wait_is_waited_for_by_all(server: LangfuseServer) -> None:
    server.faults.add(Fault("429", "v2/observations", skip=2, times=2, seconds=1))
    assert ids(read(server)) == ALL
    assert [r.status for r in server.requests].count(429) == 2


def test_requests_are_made_in_parallel_and_no_more_than_asked(server: LangfuseServer) -> None:
    server.faults.add(Fault("slow", "v2/observations", seconds=0.05))
    read(server, parallel=3)
    assert 1 < server.most_at_once <= 3


def test_a_server_that_never_recovers_ends_in_an_error_that_says_what_came(server: LangfuseServer) -> None:
    server.faults.add(Fault("503", "v2/observations", skip=5))
    with pytest.raises(LangfuseError, match=r"503.*\d+ rows had come by then; with cache='a folder'"):
        read(server)
    assert not [t for t in threading.enumerate() if "_work" in t.name]


def test_a_deadline_ends_the_pull(server: LangfuseServer) -> None:
    server.faults.add(Fault("429", "v2/observations", skip=1, seconds=500))
    with pytest.raises(LangfuseError, match="the time for it was over"):
        read(server, deadline_s=1.0)


@pytest.mark.parametrize(("filters", "n"), [({"name": "chat"}, 30), ({"trace_ids": [f"{7:032x}", f"{9:032x}"]}, 2)])
@pytest.mark.parametrize(("version", "mode"), [("3.170.0", "v3"), ("4.16.0", "events_only")])
def test_filters_narrow_what_is_read(version: str, mode: Any, filters: Any, n: int) -> None:
    with LangfuseServer(version, mode) as server:
        server.add_observations(observations(300))
        assert len(read(server, **filters)) == n


@pytest.mark.parametrize("filters", [
    {"user_id": "ada"}, {"session_id": "s1"}, {"tags": ["beta", "de"]}, {"environment": ["production", "canary"]},
    {"user_id": "ada", "tags": "beta", "name": "chat"},
])  # fmt: skip
@pytest.mark.parametrize(("version", "mode"), MODES)
def test_every_filter_narrows_what_is_read_on_every_server(version: str, mode: Any, filters: Any) -> None:
    wanted = {"userId": "ada", "sessionId": "s1", "tags": ["de", "beta", "x"], "environment": "canary"}
    other = {"userId": "bob", "sessionId": "s2", "tags": ["beta"], "environment": "staging"}
    with LangfuseServer(version, mode) as server:
        server.add_observations([{**row, **(wanted if int(row["id"], 16) < 5 else other)} for row in observations(40)])
        assert ids(read(server, **filters)) == ALL[:5]


def test_conditions_of_langfuse_itself_narrow_what_is_read(server: LangfuseServer) -> None:
    condition = {"type": "stringOptions", "column": "type", "operator": "any of", "value": ["SPAN"]}
    assert ids(read(server, filter=[condition])) == ALL[::5]


def test_conditions_that_an_older_server_does_not_know_are_refused() -> None:
    condition = {"type": "stringOptions", "column": "type", "operator": "any of", "value": ["SPAN"]}
    with LangfuseServer("3.170.0", "v3") as server, pytest.raises(LangfuseError, match="needs a server with v2"):
        read(server, filter=[condition])


@pytest.mark.parametrize("filters", [{"name": "a long agent"}, {"user_id": "ada"}, {"session_id": "s"}, {"tags": "x"}])
def test_traces_that_began_too_early_for_a_filter_of_before_v2_are_said_to_be_missed(
    filters: Any,
) -> None:
    same = {"userId": "ada", "traceName": "a long agent", "sessionId": "s", "tags": ["x"], "endTime": iso(BEGIN)}
    with LangfuseServer("3.170.0", "v3") as server:
        for hours in (20, 30):
            begun, trace = iso(BEGIN - timedelta(hours=hours)), {**same, "traceId": f"{hours:032x}"}
            server.add_observations([
                {**trace, "id": f"root{hours}", "startTime": begun},
                {**trace, "id": f"call{hours}", "startTime": iso(BEGIN), "parentObservationId": f"root{hours}"},
            ])  # fmt: skip
        traces = read(server, **filters)
        assert ids(traces) == ["call20"]
        assert any("more than a day before `since`" in note for note in traces.notes)
        unfiltered = read(server)
        assert ids(unfiltered) == ["call20", "call30"]
        assert not any("more than a day before" in note for note in unfiltered.notes)


@pytest.mark.parametrize(("version", "mode"), MODES)
def test_scores_are_those_of_the_environment_that_was_asked_for(version: str, mode: Any) -> None:
    with LangfuseServer(version, mode) as server:
        rows = observations(20)
        for row in rows:
            row |= {"environment": "production" if int(row["id"], 16) < 10 else "staging", "sessionId": "both"}
        server.add_observations(rows)
        score = {"name": "ok", "dataType": "NUMERIC", "value": 0.5, "timestamp": iso(BEGIN), "source": "EVAL"}
        about = [{"kind": "trace", "id": f"{place:032x}"} for place in range(4)]
        about.append({"kind": "observation", "id": f"{15:016x}", "traceId": f"{3:032x}"})
        # Who labels may be in no environment: what is judged is what counts.
        server.add_scores({**score, "id": f"s{place}", "subject": each} for place, each in enumerate(about))
        assert sorted(read(server, environment="production").scores["score_id"]) == ["s0", "s1"]


def test_a_score_of_a_trace_that_tells_its_session_is_not_one_of_the_session() -> None:
    rows = Rows(Window(0, 2**50), str)
    observation = {**observations(1)[0], "sessionId": "s"}
    list(rows.observations([observation]))
    score = {"id": "a", "name": "ok", "value": 1, "dataType": "NUMERIC", "sessionId": "s"}
    assert not list(rows.scores([{**score, "traceId": "elsewhere"}]))
    assert len(list(rows.scores([{**score, "traceId": None}]))) == 1


def test_traces_by_id_need_no_window(server: LangfuseServer) -> None:
    assert len(read(server, None, None, trace_ids=[f"{place:032x}" for place in range(60)])) == 60


def test_without_texts_no_text_is_asked_for_and_metadata_is_whole(server: LangfuseServer) -> None:
    server.add_observations([{**observations(1)[0], "id": "f" * 16, "metadata": {"note": "n" * 500}}])
    traces = read(server, texts=False)
    assert traces.contents["input"].isna().all()
    assert any("n" * 500 in str(metadata) for metadata in traces.spans["metadata"])


def test_scores_and_comments_come_with_what_they_are_about(server: LangfuseServer) -> None:
    about = {"kind": "trace", "id": f"{3:032x}"}
    score = {"id": "s1", "name": "ok", "dataType": "NUMERIC", "value": 0.5, "timestamp": iso(BEGIN + timedelta(days=9)),
             "source": "EVAL", "subject": about}  # fmt: skip
    server.add_scores([score, {**score, "id": "s2", "subject": {"kind": "trace", "id": "elsewhere"}}])
    server.add_comment("TRACE", f"{3:032x}", "look at this")
    scores = read(server).scores
    assert sorted(scores["name"]) == ["comment", "ok"]
    assert set(scores["trace_id"]) == {f"{3:032x}"}


def test_a_project_own_price_is_used_where_langfuse_had_none(server: LangfuseServer) -> None:
    server.add_observations([{**observations(2)[1], "id": "e" * 16, "model": "our-model-7"}])
    server.add_models([{"modelName": "our-model-7", "matchPattern": "(?i)^(our-model-7)$", "isLangfuseManaged": False,
                        "prices": {"input": {"price": 2e-6}, "output": {"price": 4e-6}}}])  # fmt: skip
    spans = read(server).spans.set_index("span_id")
    assert spans.loc["e" * 16, "cost_usd"] == pytest.approx(10 * 2e-6 + 5 * 4e-6)
    assert spans.loc["e" * 16, "cost_source"] == "priced"


def test_each_trace_has_the_address_of_its_page(server: LangfuseServer) -> None:
    urls = read(server).traces["url"]
    assert urls.notna().all()
    assert urls.iloc[0].endswith(f"/project/proj1/traces/{0:032x}")


def test_times_without_a_zone_are_utc_and_said_to_be(server: LangfuseServer) -> None:
    traces = read(server, datetime(2026, 11, 1), datetime(2026, 11, 4))  # noqa: DTZ001  # that is the point
    assert ids(traces) == ALL
    assert any("taken as UTC" in note for note in traces.notes)


def test_a_window_that_ends_before_it_begins_is_refused(server: LangfuseServer) -> None:
    with pytest.raises(SelectionError, match="is not before until"):
        read(server, BEGIN, BEGIN - timedelta(days=1))


def test_what_is_no_time_is_refused(server: LangfuseServer) -> None:
    with pytest.raises(SelectionError, match="since='yesterdayish' is not a time"):
        read(server, "yesterdayish")


def test_an_unknown_argument_names_the_nearest(server: LangfuseServer) -> None:
    with pytest.raises(UnknownArgumentError, match="user_id"):
        read(server, user="x")


def test_without_since_a_day_is_read_and_said(server: LangfuseServer) -> None:
    traces = read(server, None, BEGIN + timedelta(days=1))
    assert any("since= was not given" in note for note in traces.notes)
    assert len(traces.spans) == 288


@given(
    st.tuples(st.integers(0, 50), st.integers(51, 100)),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted), max_size=6),
)
def test_what_is_left_of_a_window_and_what_was_taken_out_are_the_window(window: Any, taken: Any) -> None:
    whole, out = Window(*window), [Window(*each) for each in taken]
    left = uncovered(whole, out)
    for at in range(whole.since, whole.until):
        is_out = any(w.since <= at < w.until for w in out)
        assert is_out != any(w.since <= at < w.until for w in left)


def test_the_result_does_not_depend_on_which_request_was_answered_first(server: LangfuseServer) -> None:
    one, many = read(server, parallel=1), read(server, parallel=6)
    for table in ("spans", "contents", "traces"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(many, table))


def test_ids_of_traces_are_asked_for_a_hundred_at_a_time(server: LangfuseServer) -> None:
    asked = [f"{place:032x}" for place in range(250)]
    traces = read(server, trace_ids=asked)
    assert len(traces) == 60
    assert len({r.params["filter"][0] for r in server.requests if "filter" in r.params}) == 3
    assert any("190 of the trace_ids were not found" in note for note in traces.notes)


def test_a_server_of_before_v2_is_asked_for_traces_one_by_one() -> None:
    with LangfuseServer("3.170.0", "v3") as server:
        server.add_observations(observations(300))
        traces = read(server, trace_ids=[f"{7:032x}", "f" * 32])
        assert len(traces.spans) == 5
        assert not [r for r in server.requests if r.path.endswith("/public/observations")]
        assert any("1 of the trace_ids were not found" in note for note in traces.notes)


@pytest.mark.parametrize("n", [3, 130])
@pytest.mark.parametrize("hours", [2, 40, 24 * 60])
def test_what_a_trace_of_before_v2_says_is_known_however_long_before_it_began(n: int, hours: int) -> None:
    with LangfuseServer("3.170.0", "v3") as server:
        for place in range(n):
            same = {"traceId": f"{place:032x}", "userId": "ada", "traceName": "a long agent"}
            begun, later = BEGIN - timedelta(hours=hours), BEGIN + timedelta(minutes=place)
            server.add_observations([
                {**same, "id": f"root{place}", "startTime": iso(begun), "endTime": iso(later)},
                {**same, "id": f"call{place}", "startTime": iso(later), "parentObservationId": f"root{place}"},
            ])  # fmt: skip
        traces = read(server)
        assert len(traces.spans) == n
        assert set(traces.spans["user_id"]) == {"ada"}
        assert set(traces.traces["name"]) == {"a long agent"}
        by_id = [r for r in server.requests if r.path.startswith("/api/public/traces/")]
        assert len(by_id) == (n if n < 100 or hours > 24 * 30 else 0)


def test_more_lacking_rows_than_can_be_asked_for_one_by_one_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with LangfuseServer("3.170.0", "v3") as server:
        server.add_observations(observations(300))
        server.faults.add(Fault("429", "/traces/", times=1, seconds=0))
        monkeypatch.setattr("llmlens.read.langfuse.reading.Reading._v1_traces", lambda *_: iter(()))
        monkeypatch.setattr("llmlens.read.langfuse.reading._MOST_BY_ID", 20)
        traces = read(server)
        assert len(traces.spans) == 300
        assert any("of 40 traces that began long before" in note for note in traces.notes)


@pytest.mark.parametrize(("version", "mode"), [("3.170.0", "v3"), ("4.16.0", "events_only")])
@pytest.mark.parametrize("n", [10, 900])
def test_scores_are_found_among_few_and_among_many(version: str, mode: Any, n: int) -> None:
    with LangfuseServer(version, mode) as server:
        server.add_observations([{**row, "sessionId": "s"} for row in observations(60)])
        late = iso(BEGIN + timedelta(days=10))
        score = {"name": "ok", "dataType": "NUMERIC", "value": 0.5, "timestamp": late, "source": "EVAL"}
        server.add_scores({**score, "id": f"x{k}", "subject": {"kind": "trace", "id": f"e{k}"}} for k in range(n))
        about = [{"kind": "trace", "id": f"{0:032x}"}, {"kind": "session", "id": "s"},
                 {"kind": "observation", "id": f"{1:016x}", "traceId": f"{0:032x}"}]  # fmt: skip
        server.add_scores({**score, "id": f"s{k}", "subject": each} for k, each in enumerate(about))
        assert sorted(read(server).scores["score_id"]) == ["s0", "s1", "s2"]


def test_whoever_stops_reading_is_not_kept_waiting() -> None:
    asked = threading.Event()

    class Endless:
        def pages(self, window: Window, deadline: float) -> Iterator[Page | Window]:  # noqa: ARG002
            while True:
                asked.set()
                yield Page([{}], window)

    tasks = [(Endless(), Window(0, 1))] * 3
    before = set(threading.enumerate())
    pages = iter(Pull(tasks, parallel=3, deadline=0, progress=Progress(shown=False)))
    next(pages)
    assert isinstance(pages, Generator)
    pages.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert asked.is_set()


def test_prices_given_win_over_those_of_the_server(server: LangfuseServer) -> None:
    server.add_observations([{**observations(2)[1], "id": "e" * 16, "model": "our-model-7"}])
    server.add_models([{"modelName": "our-model-7", "matchPattern": "(?i)^(our-model-7)$", "isLangfuseManaged": False,
                        "prices": {"input": {"price": 2e-6}, "output": {"price": 4e-6}}}])  # fmt: skip
    own = {"our-model-7": {"input_mtok": 1.0, "output_mtok": 1.0}}
    spans = read(server, prices=own).spans.set_index("span_id")
    assert spans.loc["e" * 16, "cost_usd"] == pytest.approx(15e-6)


def test_progress_says_how_far_it_is_and_that_it_waits() -> None:
    progress = Progress(shown=True)
    progress.windows(3)
    progress.window_done()
    progress.rows(1200)
    assert progress.line() == "Langfuse: 1,200 rows, 1 of 3 windows"
    progress.waits(60)
    assert "waiting 60 s as the server asked" in progress.line()


def test_progress_is_silent_when_it_should_be(server: LangfuseServer, capsys: pytest.CaptureFixture[str]) -> None:
    read(server, progress=False)
    assert capsys.readouterr() == ("", "")


def test_notes_say_which_server_it_was_and_what_was_asked(server: LangfuseServer) -> None:
    note = read(server).notes[0]
    assert note == "Langfuse 4.16.0, project 'proj1', read by v2/observations and v3/scores"
