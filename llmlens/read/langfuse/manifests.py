"""The manifests of a blob export: what files there should be, with how many rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.read.files import source_name
from llmlens.read.raw import Problem

from .cells import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def is_manifest(record: Any) -> bool:
    """Say whether a JSON document is a manifest."""
    return isinstance(record, dict) and isinstance(record.get("files"), list) and "exportSource" in record


class Manifests:
    """The manifests and files that were read; a manifest lies beside the folders of its tables, in `manifests`."""

    def __init__(self) -> None:
        """Expect nothing."""
        self._expected: list[tuple[Path, Mapping[str, Any]]] = []
        self._rows: dict[Path, int] = {}

    def read_manifest(self, path: Path, manifest: Mapping[str, Any]) -> None:
        """Expect the files of a manifest."""
        self._expected.append((path, manifest))

    def read_file(self, path: Path, rows: int) -> None:
        """Note that a file was read, and how many rows it had."""
        self._rows[path.absolute()] = rows

    def problems(self) -> Iterator[tuple[Problem, str]]:
        """Compare what was read with what the manifests name; problems with the manifest they are about."""
        for path, manifest in self._expected:
            base = path.absolute().parent.parent
            for file in manifest["files"]:
                if not isinstance(file, dict) or not isinstance(file.get("key"), str):
                    continue
                named = Path(*Path(file["key"]).parts[-2:])
                found = self._rows.get(base / named)
                count = number(file.get("rowCount"))
                if found is None:
                    reason = "a file that the manifest names was not read: is the export complete here?"
                    yield Problem(None, reason, str(named), round(count or 1)), source_name(path)
                elif count is not None and found != round(count):
                    reason = f"{named} has {found:,} rows where the manifest says {round(count):,}"
                    yield Problem(None, reason, str(named), round(abs(count - found))), source_name(path)
