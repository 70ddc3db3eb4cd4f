"""Where a shared file goes: checked before any work, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llmlens.errors import ShareError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def destination(path: Path | None, out: str | Path | None, known: Iterable[str]) -> Path:
    """Find what is written, and that it can be."""
    if out is None:
        if path is None:
            raise ShareError("Say where to write: out= is a path that ends in .html, .ipynb, .md or .pdf.")
        target = path.with_suffix(".html")
    else:
        target = Path(out)
    if target.suffix.lower() not in known:
        what = "kind of file to share:"
        raise unknown(what, target.suffix or target.name, known)
    if path is not None and target.resolve() == path.resolve():
        raise ShareError(f"{target} is the notebook itself. Give another name for what is shared.")
    if not target.parent.is_dir():
        raise ShareError(f"There is no folder {str(target.parent)!r} to write {target.name} into.")
    if target.is_dir() or not os.access(target.parent, os.W_OK):
        raise ShareError(
            f"{str(target)!r} cannot be written: {'it is a folder' if target.is_dir() else 'not allowed'}."
        )
    return target


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """Give a file beside `target` to write, and put it in its place when that has gone well."""
    if target.is_dir():
        raise ShareError(f"{str(target)!r} cannot be written: it is a folder.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise ShareError(f"{str(target)!r} cannot be written: {error.strerror}.") from None
    os.close(handle)
    made = Path(name)
    try:
        yield made
        made.chmod(0o666 & ~_umask())
        made.replace(target)
    except OSError as error:
        raise ShareError(f"{str(target)!r} cannot be written: {error.strerror}.") from None
    finally:
        made.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
