"""A store's file when something is wrong with it, and when many processes use it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from llmlens.errors import LabelError
from llmlens.label.score import Score
from llmlens.label.store import LabelStore

HELP = Score("helpfulness", 1, 5)

LABELLING = """
import sys
from llmlens.label.score import Score
from llmlens.label.store import LabelStore
store = LabelStore(sys.argv[1])
for n in range(int(sys.argv[3])):
    event = store.add(Score("helpfulness", 1, 5), 1 + n % 5, trace_id=f"t{n}", author=sys.argv[2])
    print(event.event_id, flush=True)
"""


def labelling(path: Path, author: str, n: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LABELLING, str(path), author, str(n)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_start_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    processes = [labelling(path, f"a{n}", 25) for n in range(4)]
    said = [line for process in processes for line in process.communicate(timeout=120)[0].split()]
    assert [process.returncode for process in processes] == [0] * 4
    store = LabelStore(path)
    assert sorted(event.event_id for event in store.events()) == sorted(said)
    assert len(store.current()) == 100


@pytest.mark.skipif(os.name != "posix", reason="kills a process the POSIX way")
def test_what_was_said_to_be_stored_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    for author in ("a", "b", "c"):
        process = labelling(path, author, 10_000)
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split()  # communicate() would miss what readline() has read ahead
        process.stdout.close()
        process.wait(60)
        stored = [event.event_id for event in LabelStore(path).events() if event.author == author]
        assert stored[: len(said)] == said
        assert len(stored) - len(said) in {0, 1}  # the last may have been stored and not said


def test_a_commit_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "s")
    assert store.database.rows("PRAGMA synchronous")[0][0] == 2
    assert store.database.rows("PRAGMA journal_mode")[0][0] == "wal"


def test_events_cannot_be_changed_or_deleted(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "s")
    label = store.add(HELP, 3, trace_id="t")
    for sql in ("UPDATE events SET value = 5", "DELETE FROM events"):
        with pytest.raises(LabelError, match="only added"), store.database.transaction() as connection:
            connection.execute(sql)
    assert store.events() == [label]


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    LabelStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LabelError, match=r"later llmlens \(format 99; this one knows 1\): update llmlens"):
        LabelStore(path)
    assert path.read_bytes() == before


def test_the_sqlite_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LabelError, match="not a store of labels"):
        LabelStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_sqlite_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("trace_id,value\n" * 100)
    with pytest.raises(LabelError, match="no store of labels, or it is damaged"):
        LabelStore(path)
    assert path.read_text() == "trace_id,value\n" * 100


def test_a_damaged_store_is_said_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "s"
    store = LabelStore(path)
    for n in range(100):
        store.add(HELP, 3, trace_id=f"t{n}", comment="x" * 500)
    store.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = b"\x5a" * 20_000
    path.write_bytes(content)
    with pytest.raises(LabelError, match="damaged"):
        LabelStore(path)


def test_a_full_disk_is_said_and_nothing_is_half_stored(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "s")
    stored = [store.add(HELP, 3, trace_id="first")]
    pages = store.database.rows("PRAGMA page_count")[0][0]
    store.database.rows(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        while True:
            stored.append(store.add(HELP, 3, trace_id="t", comment="x" * 4000))

    with pytest.raises(LabelError, match=r"disk is full.*nothing was stored"):
        fill()
    assert store.events() == stored
    store.database.rows("PRAGMA max_page_count = 1000000")
    stored.append(store.add(HELP, 3, trace_id="after"))
    assert store.events() == stored
    other = LabelStore(store.path)
    assert other.events() == stored


@pytest.mark.skipif(os.name != "posix", reason="limits files the POSIX way")
def test_a_write_that_the_system_refuses_is_said_and_nothing_is_half_stored(tmp_path: Path) -> None:
    program = """
import resource, sys
from llmlens.errors import LabelError
from llmlens.label.score import Score
from llmlens.label.store import LabelStore
store = LabelStore(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
stored = 0
try:
    while True:
        store.add(Score("h", 1, 5), 3, trace_id=f"t{stored}", comment="x" * 4000)
        stored += 1
except LabelError as error:
    assert "disk is full or failed" in str(error), error
print(stored)
"""
    path = tmp_path / "s"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(LabelStore(path).events()) == int(done.stdout) > 0


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.skipif(os.name != "posix", reason="takes rights away the POSIX way")
def test_a_folder_that_may_not_be_written_is_said(exists: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "labels.sqlite"
    if exists:
        LabelStore(path).close()
        path.chmod(0o444)
    folder.chmod(0o555)
    program = f"""
import os, pwd
from llmlens.errors import LabelError
from llmlens.label.store import LabelStore
if os.geteuid() == 0:  # who may write anywhere
    os.setuid(pwd.getpwnam("nobody").pw_uid)
try:
    LabelStore({str(path)!r})
except LabelError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    shutil.rmtree(folder)
    assert str(path) in done.stdout, done.stderr
    assert "may write to" in done.stdout


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"There is no folder .*nowhere"):
        LabelStore(tmp_path / "nowhere" / "s")
    with pytest.raises(LabelError, match="cannot be opened: is the path a file"):
        LabelStore(tmp_path)


def test_a_store_that_another_program_keeps_locked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlens.label.database._BUSY_S", 0.05)
    store = LabelStore(tmp_path / "s")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LabelError, match="another program kept it locked"):
        store.add(HELP, 3, trace_id="t")
    other.execute("ROLLBACK")
    other.close()
    assert store.add(HELP, 3, trace_id="t") in store.current()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "s")
    store.close()
    with pytest.raises(LabelError, match="was closed; open it again"):
        store.add(HELP, 3, trace_id="t")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_is_kept_from_writing_over_its_parent(tmp_path: Path) -> None:
    program = f"""
import os
from llmlens.errors import LabelError
from llmlens.label.store import LabelStore
store = LabelStore({str(tmp_path / "s")!r})
pid = os.fork()
if not pid:
    for use in (store.current, lambda: LabelStore(store.path)):
        try:
            use()
        except LabelError as error:
            print(error, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("SQLite cannot be used across a fork") == 2
