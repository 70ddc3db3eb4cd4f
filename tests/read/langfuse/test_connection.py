"""The connection: what it finds out, what it never shows, and what it says when nothing comes."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from llmlens.errors import LangfuseError, UnknownArgumentError
from llmlens.read.langfuse import pause, transport
from llmlens.read.langfuse.connection import Connection, langfuse
from tests.langfuse_server import Fault, LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC, SECRET = "pk-lf-visible-nowhere", "sk-lf-visible-nowhere"
NAMES = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_BASE_URL", "LANGFUSE_HOST")


@pytest.fixture(autouse=True)
def _alone_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys of whoever runs this, and short waits."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "_FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(transport, "_LONGEST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    with LangfuseServer() as running:
        yield running


def to(server: LangfuseServer, **more: Any) -> Connection:
    keys = {"base_url": server.url, "public_key": server.public_key, "secret_key": server.secret_key}
    return langfuse(**{**keys, **more})


def everything_said(error: BaseException | None) -> str:
    """Give all that an exception, its causes and contexts show, with the local variables of every frame."""
    shown = ""
    while error is not None:
        shown += "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        shown += repr(error.args)
        error = error.__cause__ or error.__context__
    return shown


def test_keys_and_address_come_from_the_environment(server: LangfuseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(NAMES, (server.public_key, server.secret_key, server.url, "http://not.used"), strict=True):
        monkeypatch.setenv(name, value)
    assert langfuse().server.project_id == "proj1"


def test_the_older_name_of_the_address_counts_where_the_newer_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_HOST", "https://langfuse.example/")
    assert langfuse(public_key=PUBLIC, secret_key=SECRET).base_url == "https://langfuse.example"


def test_without_an_address_it_is_the_european_cloud() -> None:
    assert langfuse(public_key=PUBLIC, secret_key=SECRET).base_url == "https://cloud.langfuse.com"


def test_a_missing_key_is_named() -> None:
    with pytest.raises(LangfuseError, match="set LANGFUSE_SECRET_KEY, or give"):
        langfuse(public_key=PUBLIC)
    with pytest.raises(LangfuseError, match="LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"):
        langfuse()


def test_an_unknown_argument_names_the_nearest() -> None:
    with pytest.raises(UnknownArgumentError, match="secret_key"):
        langfuse(secrt_key="x")  # type: ignore[call-arg]  # misuse


@pytest.mark.parametrize("address", ["langfuse.example", "ftp://langfuse.example"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(LangfuseError, match="begins with https://"):
        langfuse(base_url=address, public_key=PUBLIC, secret_key=SECRET)


def test_an_address_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(LangfuseError, match="is not an address"):
        langfuse(base_url="http://langfuse:port", public_key=PUBLIC, secret_key=SECRET)


def test_keys_inside_the_address_are_refused_and_not_shown() -> None:
    with pytest.raises(LangfuseError, match="holds an @") as caught:
        langfuse(base_url=f"https://{PUBLIC}:{SECRET}@langfuse.example", public_key=PUBLIC, secret_key=SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "mode", "v2", "v3_scores"),
    [("3.170.0", "v3", False, False), ("3.200.0", "v3", False, True), ("4.16.0", "dual", True, True),
     ("4.60.0", "events_only", True, True)],
)  # fmt: skip
def test_what_the_server_has_is_found_out(version: str, mode: Any, v2: bool, v3_scores: bool) -> None:
    with LangfuseServer(version, mode) as server:
        found = to(server).server
        assert (found.version, found.has_v2_observations, found.has_v3_scores) == (version, v2, v3_scores)
        assert version in str(found)
        assert ("v2/observations" if v2 else "v1") in str(found)


def test_the_server_is_asked_once(server: LangfuseServer) -> None:
    connection = to(server)
    assert connection.server is connection.server
    assert len(server.requests) == 3


def test_an_address_in_the_pages_of_langfuse_names_project_trace_and_observation(server: LangfuseServer) -> None:
    connection = to(server)
    assert connection.trace_url("t1") == f"{server.url}/project/proj1/traces/t1"
    assert connection.trace_url("t1", "o1").endswith("/traces/t1?observation=o1")


def test_configs_comments_and_models_are_read_beyond_the_first_page(server: LangfuseServer) -> None:
    server.add_models([{"id": str(n), "modelName": f"m{n}"} for n in range(230)])
    server.add_config("correct", "BOOLEAN")
    server.add_comment("TRACE", "t1", "look")
    connection = to(server)
    assert [model["modelName"] for model in connection.models()] == [f"m{n}" for n in range(230)]
    assert [config["name"] for config in connection.score_configs()] == ["correct"]
    assert [comment["content"] for comment in connection.comments("trace", "t1")] == ["look"]
    assert connection.comments("trace", "t2") == []


def test_langfuse_own_client_is_there_for_the_rest(server: LangfuseServer) -> None:
    assert to(server).client.projects.get().data[0].id == "proj1"


# What is never shown ------------------------------------------------------------------------------------------------


def test_no_key_is_shown_pickled_or_copied() -> None:
    connection = langfuse(base_url="http://127.0.0.1:9", public_key=PUBLIC, secret_key=SECRET)
    shown = f"{connection!r} {connection} {connection.transport!r} {connection.transport.pause!r}"
    assert PUBLIC not in shown
    assert SECRET not in shown
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            write(connection)


@pytest.mark.parametrize("kind", ["401", "html", "500", "before", "truncated"])
def test_no_key_is_in_an_error_its_causes_its_frames_or_the_log(kind: Any, server: LangfuseServer) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        if kind != "401":
            server.faults.add(Fault(kind))
        with pytest.raises(LangfuseError) as caught:
            _ = langfuse(base_url=server.url, public_key=PUBLIC, secret_key=SECRET).server
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    shown = everything_said(caught.value).replace('PUBLIC, SECRET = "', "") + log.getvalue()
    assert PUBLIC not in shown
    assert SECRET not in shown


# What goes wrong ----------------------------------------------------------------------------------------------------


def test_wrong_keys_and_a_wrong_region_are_told_as_what_they_may_be(server: LangfuseServer) -> None:
    with pytest.raises(LangfuseError, match=r"does not know these keys. Are they of this server and region"):
        _ = to(server, secret_key="sk-lf-other").server  # noqa: S106  # of nothing
    assert [request.status for request in server.requests].count(401) == 1


def test_a_host_that_cannot_be_reached_is_said() -> None:
    connection = langfuse(base_url="http://127.0.0.1:9", public_key=PUBLIC, secret_key=SECRET)
    with pytest.raises(LangfuseError, match=r"127.0.0.1:9.*cannot be reached.*is the address right"):
        _ = connection.server


def test_the_page_of_a_proxy_is_told_from_an_answer(server: LangfuseServer) -> None:
    server.faults.add(Fault("html"))
    with pytest.raises(LangfuseError, match=r"a web page instead of JSON.*proxy"):
        _ = to(server).server


def test_an_answer_that_is_no_page_is_said(server: LangfuseServer) -> None:
    with pytest.raises(LangfuseError, match="expected a page of rows"):
        list(to(server).pages("/api/public/health"))


def test_a_server_that_does_not_answer_in_time_is_said(server: LangfuseServer) -> None:
    server.faults.add(Fault("slow", seconds=5))
    with pytest.raises(LangfuseError, match=r"failed 6 times.*did not answer in time"):
        _ = to(server, timeout=0.02).server


def test_what_passes_is_tried_again(server: LangfuseServer) -> None:
    server.faults.add(Fault("503", times=2), Fault("truncated", times=2))
    assert to(server).server.version == "4.16.0"


def test_it_waits_as_long_as_the_server_asks_and_says_so(
    server: LangfuseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    now = [1000.0]

    class Time:
        @staticmethod
        def monotonic() -> float:
            return now[0]

        @staticmethod
        def sleep(seconds: float) -> None:
            slept.append(seconds)
            now[0] += seconds

    for module in (pause, transport):
        monkeypatch.setattr(module, "time", Time)
    server.faults.add(Fault("429", "health", times=1, seconds=37))
    connection = to(server)
    asked: list[float] = []
    connection.transport.pause.on_wait = asked.append
    assert connection.server.version == "4.16.0"
    assert slept == asked == [37.0]


def test_a_server_that_asks_to_wait_for_ever_is_not_waited_for(server: LangfuseServer) -> None:
    server.faults.add(Fault("429", seconds=100_000))
    before = time.monotonic()
    with pytest.raises(LangfuseError, match=r"the time for it was over.*429"):
        _ = to(server).server
    assert time.monotonic() - before < 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("-3", 0.0), ("nan", 0.0), ("inf", 0.0), ("soon", 0.0), (None, 0.0),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_how_long_to_wait_is_read_however_it_is_written(header: str | None, seconds: float) -> None:
    assert pause.seconds_of(header) == seconds


def test_a_date_to_wait_for_is_understood() -> None:
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < pause.seconds_of(in_a_minute) <= 60
