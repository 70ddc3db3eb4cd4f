"""The command line: `llmlens demo`, `llmlens report`, `llmlens share`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .share import report_command, share_command

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEMO_FILES = (
    "quickstart.ipynb",
    "agent_loop.ipynb",
    "cost_spike.ipynb",
    "label_low_scoring.ipynb",
    "output_drift.ipynb",
    "quality_slo.ipynb",
    "retrieval_drift.ipynb",
    "support_week.otlp.jsonl.gz",
    "support_week.csv.gz",
    "model_change.otlp.jsonl.gz",
    "stale_index.otlp.jsonl.gz",
    "agent_loop.otlp.jsonl.gz",
    "budget_overrun.otlp.jsonl.gz",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="llmlens", description="Find out why a production LLM went wrong.")
    parser.add_argument("--version", action="version", version=f"llmlens {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="open JupyterLab on the quickstart notebook and a week of sample traffic")
    demo.add_argument("--folder", type=Path, default=Path("llmlens-demo"), help="where to copy it (./llmlens-demo)")
    demo.add_argument("--no-browser", action="store_true", help="do not open a browser; print the address")
    demo.add_argument("--port", type=int, default=8888, help="port of JupyterLab (8888, or the next free one)")
    demo.set_defaults(run=lambda chosen: run_demo(chosen.folder, browser=not chosen.no_browser, port=chosen.port))
    report_command.add_command(commands)
    share_command.add_command(commands)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


def run_demo(folder: Path, *, browser: bool, port: int) -> int:
    """Copy the quickstart to `folder` and open JupyterLab there; files that are there already are kept."""
    if find_spec("jupyterlab") is None:
        print("JupyterLab is not installed in this environment: pip install jupyterlab", file=sys.stderr)  # noqa: T201
        return 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _DEMO_FILES:
            if not (folder / name).exists():
                shutil.copyfile(demo_file(name), folder / name)
    except OSError as error:
        print(f"Cannot copy the demo to {folder}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={folder.resolve()}", "--LabApp.default_url=/lab/tree/quickstart.ipynb"]
    # Nothing leaves the machine, a look for news and updates neither, and nobody is asked whether it may.
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container everyone is root; JupyterLab would refuse to start
    if browser:
        command.append("--LabApp.open_browser=True")
    else:
        command.append("--no-browser")
    print(f"Opening {folder / 'quickstart.ipynb'} in JupyterLab. Stop it with Ctrl+C.", flush=True)  # noqa: T201
    try:
        return subprocess.call(command, env=_demo_environment())  # noqa: S603  # our own command line
    except KeyboardInterrupt:
        return 0


def _demo_environment() -> dict[str, str]:
    """Give this environment with the demo's defaults of JupyterLab, which the user's own settings win over."""
    paths = [str(Path(__file__).with_name("demo_config")), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def demo_file(name: str) -> Path:
    """Find a file of the demo: in the installed package, or in the checkout it is developed in."""
    package = Path(__file__).parent
    places = (package / "_demo", package.parent / "data_samples", package.parent / "notebooks")
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"The demo's {name} is missing from this installation: reinstall llmlens.")


if __name__ == "__main__":
    sys.exit(main())
