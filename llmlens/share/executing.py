"""Run a notebook, and collect what its widgets show before its kernel goes."""

from __future__ import annotations

import ast
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import ShareError

from .model_ids import model_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

_TAG = "parameters"
_INJECTED = "injected-parameters"


def run_notebook(
    notebook: NotebookNode, folder: Path, parameters: Mapping[str, Any] | None, texts: str
) -> dict[str, Any] | None:
    """Run every cell in `folder`, in place, and give what `collecting.collect` gives of the widgets it shows.

    `parameters` go into a cell after the one tagged "parameters", as papermill does, else into the first one. A cell
    that fails is kept with its error, and the next ones run. None where the kernel has no llmlens: then only
    script-free pictures can be shared. Raises `ShareError` when there is no kernel, or when it dies.
    """
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_core.utils import run_sync
    from nbclient.exceptions import DeadKernelError

    if parameters:
        _inject(notebook, parameters)
    with tempfile.TemporaryDirectory(prefix="llmlens-share-") as made:
        path = Path(made) / "collected.json"
        try:
            run_sync(_run)(notebook, folder, path, texts)
        except NoSuchKernel as error:
            raise ShareError(
                f"The notebook wants the kernel {error.name!r}, which is not installed here: "
                "`jupyter kernelspec list` shows those that are."
            ) from None
        except DeadKernelError:
            raise ShareError(
                "The kernel died while the notebook ran, often for want of memory. Nothing was written."
            ) from None
        if not path.exists():
            return None
        collected: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return collected


async def _run(notebook: NotebookNode, folder: Path, path: Path, texts: str) -> None:
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    wanted = notebook.metadata.get("kernelspec", {}).get("name") or "python3"
    language = notebook.metadata.get("language_info", {}).get("name", "python")
    if language == "python" and wanted not in KernelSpecManager().find_kernel_specs():
        wanted = "python3"  # environments are named differently on every machine
    client = NotebookClient(
        notebook,
        timeout=None,
        allow_errors=True,
        store_widget_state=False,
        kernel_name=wanted,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    manager: Any = client.create_kernel_manager()
    if os.name == "posix":
        manager.transport = "ipc"  # sockets in a folder of this user: nobody else can talk to the kernel
        manager.ip = str(path.with_name("kernel"))
    async with client.async_setup_kernel():
        kernel: Any = client.kc
        info = await kernel.kernel_info(reply=True)
        notebook.metadata["language_info"] = info["content"]["language_info"]
        for number, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, number)
        call = f"write_collected({str(path)!r}, {model_ids(notebook)!r}, {texts!r})"
        code = f"__import__('llmlens.share.collecting', fromlist=['collecting']).{call}"
        await kernel.execute(code, silent=True, store_history=False, reply=True, timeout=None)


def _inject(notebook: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Put the parameters into a cell of their own."""
    import nbformat

    lines = [_assignment(name, value) for name, value in parameters.items()]
    made = {"id": "parameters", "metadata": {"tags": [_INJECTED]}}
    cell = nbformat.v4.new_code_cell("\n".join(["# Parameters", *lines]), **made)  # type: ignore[no-untyped-call]
    kept = [each for each in notebook.cells if _INJECTED not in each.metadata.get("tags", [])]
    tagged = [place for place, each in enumerate(kept) if _TAG in each.metadata.get("tags", [])]
    kept.insert(tagged[0] + 1 if tagged else 0, cell)
    notebook.cells = kept


def _assignment(name: str, value: Any) -> str:
    if not name.isidentifier():
        raise ShareError(f"A parameter is named like a variable; got {name!r}.")
    written = repr(value)
    try:
        ast.literal_eval(written)
    except (ValueError, SyntaxError):
        raise ShareError(
            f"The parameter {name} must be a number, a text, True, False, None, or a list or dict; got {written[:80]}."
        ) from None
    return f"{name} = {written}"
