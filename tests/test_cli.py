"""`llmlens demo`, and what is not a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.config.manager import ConfigManager
from jupyterlab.commands import get_app_dir  # type: ignore[import-untyped]

import llmlens
from llmlens import cli


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of the last JupyterLab that was started."""
    return {}


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str]) -> list[list[str]]:
    """The JupyterLabs that were started; the files of the demo are small ones."""
    started: list[list[str]] = []

    def call(command: list[str], *, env: dict[str, str]) -> int:
        started.append(command)
        environment.clear()
        environment.update(env)
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    source = tmp_path / "package"
    source.mkdir()
    for name in cli._DEMO_FILES:
        (source / name).write_text(f"the {name}")
    monkeypatch.setattr(cli, "demo_file", lambda name: source / name)
    return started


def test_the_demo_is_copied_and_opened(lab: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "a folder" / "demo"
    assert cli.main(["demo", "--folder", str(folder), "--port", "9999"]) == 0
    assert sorted(p.name for p in folder.iterdir()) == sorted(cli._DEMO_FILES)
    (command,) = lab
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={folder.resolve()}" in command
    assert "--ServerApp.port=9999" in command
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--no-browser" not in command


def test_without_a_browser_none_is_opened(lab: list[list[str]], tmp_path: Path) -> None:
    assert cli.main(["demo", "--no-browser", "--folder", str(tmp_path / "demo")]) == 0
    assert "--no-browser" in lab[0]


def test_jupyterlab_neither_looks_for_news_nor_asks_whether_it_may(
    lab: list[list[str]], environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "own"))
    assert cli.main(["demo", "--folder", str(tmp_path / "demo")]) == 0
    assert "--LabApp.news_url=None" in lab[0]
    assert "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate" in lab[0]
    assert environment["JUPYTER_CONFIG_PATH"].endswith(os.pathsep + str(tmp_path / "own"))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", environment["JUPYTER_CONFIG_PATH"])
    defaults = ConfigManager(config_dir_name="labconfig").get("default_setting_overrides")  # type: ignore[no-untyped-call]
    ((plugin, wanted),) = defaults.items()
    schema = json.loads(Path(get_app_dir(), "schemas", f"{plugin.replace(':', '/')}.json").read_text("utf-8"))
    assert schema["properties"]["fetchNews"]["default"] == "none"  # which is to ask
    assert wanted["fetchNews"] in [each["const"] for each in schema["properties"]["fetchNews"]["oneOf"]]
    assert (wanted["fetchNews"], wanted["checkForUpdates"]) == ("false", False)


def test_files_that_are_there_are_kept(lab: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "quickstart.ipynb").write_text("my work")
    (folder / "notes.txt").write_text("mine")
    assert cli.main(["demo", "--no-browser", "--folder", str(folder)]) == 0
    assert (folder / "quickstart.ipynb").read_text() == "my work"
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "support_week.csv.gz").read_text() == "the support_week.csv.gz"
    assert len(lab) == 1


def test_a_folder_that_cannot_be_made_is_explained(
    lab: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert cli.main(["demo", "--folder", str(tmp_path / "file")]) == 1
    assert "Cannot copy the demo to" in capsys.readouterr().err
    assert lab == []


def test_without_jupyterlab_it_says_what_to_install(
    lab: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda _: None)
    assert cli.main(["demo", "--folder", str(tmp_path / "demo")]) == 1
    assert "pip install jupyterlab" in capsys.readouterr().err
    assert lab == []
    assert not (tmp_path / "demo").exists()


def test_stopping_the_demo_is_no_error(lab: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "call", interrupt)
    assert cli.main(["demo", "--folder", str(tmp_path / "demo")]) == 0
    assert lab == []


def test_the_status_of_jupyterlab_is_passed_on(
    tmp_path: Path, lab: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 3)
    assert cli.main(["demo", "--folder", str(tmp_path / "demo")]) == 3
    assert lab == []


def test_the_sample_data_is_found() -> None:
    assert cli.demo_file("support_week.otlp.jsonl.gz").stat().st_size > 10_000
    with pytest.raises(FileNotFoundError, match=r"nothing.txt is missing.*reinstall"):
        cli.demo_file("nothing.txt")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out.strip() == f"llmlens {llmlens.__version__}"


@pytest.mark.parametrize("arguments", [["dmeo"], [], ["demo", "--prot", "1"], ["demo", "--port", "many"]])
def test_what_is_no_command_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(arguments)
    assert "usage: llmlens" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmlens.cli", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"llmlens {llmlens.__version__}")
