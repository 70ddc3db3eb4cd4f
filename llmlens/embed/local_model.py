"""What the encoders with a model on this machine share: an optional package, and the folder of a model."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from llmlens.errors import EmbeddingError


def extra(module: str, name: str) -> Any:
    """Import an optional package; raises `EmbeddingError` that says what to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        package = module.replace("_", "-")
        raise EmbeddingError(f"This needs the package {package}: pip install 'llmlens[{name}]'.") from None


def identity(model: str) -> str:
    """Give a name of a model that changes when its folder does: the cache must not mix two of them."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model
    changed = max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()), default=0)
    return f"{folder.resolve()} of {changed}"


def model_folder(model: str, owner: str, *, download: bool) -> str:
    """Give the folder of a model: itself, or where Hugging Face's client keeps a name; `owner` is of names without one.

    Raises `EmbeddingError` when it is not there, or could not be fetched.
    """
    if Path(model).expanduser().is_dir():
        return str(Path(model).expanduser())
    hub = import_module("huggingface_hub")  # both packages bring it
    name = model if "/" in model else f"{owner}/{model}"
    try:
        return str(hub.snapshot_download(name, local_files_only=not download))
    except Exception as error:  # noqa: BLE001  # its exceptions have changed with each major version
        if download:
            raise EmbeddingError(f"The model {name} could not be fetched: {error}") from None
        raise EmbeddingError(
            f"The model {model} is not on this machine. Name its folder, or fetch it from huggingface.co by "
            "download=True."
        ) from None
