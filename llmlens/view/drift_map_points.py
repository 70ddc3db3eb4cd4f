"""The points of a map: one an output, with its window and its day; what each says comes only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .snapshot import visible
from .trace_index import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from llmlens.embed.encoder import Vectors

_LINES, _LONGEST = 4, 320


@dataclass(frozen=True)
class Points:
    """A row an output that has a vector: `rows` has trace_id, span_id, start, prompt, text and columns asked for."""

    rows: pd.DataFrame
    vectors: Vectors
    window: NDArray[np.uint8]

    def __len__(self) -> int:
        """Count the points."""
        return len(self.rows)

    @cached_property
    def trace_ids(self) -> NDArray[np.object_]:
        """The trace of each point."""
        return self.rows["trace_id"].to_numpy(dtype=object)

    @cached_property
    def days(self) -> tuple[list[str], NDArray[np.uint16]]:
        """The days in UTC, from the first to the last, and which of them each point is of."""
        import pandas as pd

        day = self.rows["start"].dt.floor("D")
        if day.notna().sum() == 0:
            return [], np.zeros(len(self), dtype=np.uint16)
        every = pd.date_range(day.min(), day.max(), freq="D")
        place = (day.fillna(day.min()) - day.min()).dt.days.to_numpy()
        return [f"{each:%Y-%m-%d}" for each in every], place.astype(np.uint16)

    def slices(self, by: Sequence[str]) -> list[str]:
        """Name the slice of each point."""
        if not by:
            return ["all"] * len(self)
        texts = [self.rows[name].astype("string").fillna("(none)") for name in by]
        return [" · ".join(parts) for parts in zip(*texts, strict=True)]

    def says(self, numbers: Iterable[int]) -> list[dict[str, Any]]:
        """Give the first lines of what some points say, and of what they were asked; other numbers are left out."""
        found = []
        for number in numbers:
            if not 0 <= number < len(self):
                continue
            row = self.rows.iloc[number]
            prompt = row["prompt"]
            found.append({
                "row": number, "trace_id": row["trace_id"], "start": row["start"], "text": _beginning(str(row["text"])),
                "prompt": first_line(visible(str(prompt)[:4000])) if isinstance(prompt, str) else None,
            })  # fmt: skip
        return found

    def of_traces(self, trace_ids: Iterable[str]) -> NDArray[np.uint32]:
        """Give the numbers of the points of these traces."""
        wanted = set(trace_ids)
        return np.flatnonzero([trace_id in wanted for trace_id in self.trace_ids]).astype(np.uint32)


def _beginning(text: str) -> str:
    """Give the first lines of a text, cut with a mark."""
    head = text[: 4 * _LONGEST].strip()
    lines = [line for line in head.splitlines() if line.strip()]
    cut = "\n".join(lines[:_LINES])
    more = len(cut) > _LONGEST or len(lines) > _LINES or len(text) > 4 * _LONGEST
    return visible(cut[:_LONGEST]) + ("…" if more else "")
