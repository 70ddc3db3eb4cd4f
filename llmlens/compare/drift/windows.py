"""The outputs of two windows, side by side: what the test is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import SelectionError
from llmlens.texts import group_columns, text_rows

from .views import Measured

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from llmlens.traces import Traces


@dataclass(frozen=True)
class Windows:
    """A row an output: those of `before`, then those of `after`, each window in order of time.

    `rows` has trace_id, span_id, start, prompt, text and, where it is known, session_id; `slices` the number of each
    row's slice in `names`.
    """

    rows: pd.DataFrame
    after: NDArray[np.bool_]
    slices: NDArray[np.int64]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    are_fingerprints: bool = False

    def taken(self, rows: NDArray[np.int64]) -> Windows:
        """Give these rows, in this order."""
        return replace(
            self, rows=self.rows.iloc[rows].reset_index(drop=True), after=self.after[rows], slices=self.slices[rows]
        )

    def measured(
        self, vectors: NDArray[np.float32] | None = None, known: int | None = None
    ) -> tuple[Measured, Measured]:
        """Measure the outputs and what they answered; `vectors` are the embeddings of the outputs, if any.

        Terms are those of the first `known` rows, of all by default.
        """
        from .fingerprints import measured_of

        if self.are_fingerprints:
            return measured_of(self.texts), measured_of(self.prompts)
        return Measured.of(self.texts, vectors, known), Measured.of(self.prompts, None, known)

    @property
    def texts(self) -> list[str]:
        """The outputs."""
        return [str(text) for text in self.rows["text"]]

    @property
    def prompts(self) -> list[str]:
        """What each was the answer to; empty where that is not known."""
        return [str(prompt) for prompt in self.rows["prompt"].fillna("")]

    @property
    def units(self) -> NDArray[np.int64]:
        """Number what is independent: the sessions of either window, and each output that has no session."""
        first = np.arange(len(self.rows))
        if "session_id" in self.rows:
            of_session = self.rows["session_id"].notna().to_numpy()
            keys = [self.rows["session_id"][of_session].astype(str).to_numpy(), self.after[of_session]]
            places = self.rows.index.to_series()[of_session]
            first[of_session] = places.groupby(keys).transform("min").to_numpy()
        return np.unique(first, return_inverse=True)[1].astype(np.int64)

    def counts(self, slice_number: int | None = None) -> tuple[int, int]:
        """Count the outputs before and after, of one slice or of all."""
        inside = np.ones(len(self.after), dtype=bool) if slice_number is None else self.slices == slice_number
        return int((inside & ~self.after).sum()), int((inside & self.after).sum())


def windows_of(
    before: Traces, after: Traces, *, text: str, by: str | Iterable[str] | None, per: str, limit: int, seed: int
) -> Windows:
    """Take the texts of two selections; raise `SelectionError` where both are the same outputs."""
    names = group_columns(by)
    frames = [text_rows(traces, text, by=[*names, "session_id"], per=per) for traces in (before, after)]
    return joined(frames[0], frames[1], names, limit=limit, seed=seed)


def windows_of_fingerprints(
    before: pd.DataFrame, after: pd.DataFrame, *, by: list[str], limit: int, seed: int
) -> Windows:
    """Take two frames of `fingerprint`; raise `SelectionError` for frames that are something else."""
    from .fingerprints import LOSS

    frames = []
    for name, frame in (("before", before), ("after", after)):
        missing = [c for c in ("trace_id", "span_id", "start", "fingerprint", *by) if c not in frame.columns]
        if missing:
            raise SelectionError(f"{name} has no column {missing[0]!r}. Expected a frame of ll.fingerprint(traces).")
        asked = frame["prompt_fingerprint"] if "prompt_fingerprint" in frame.columns else None
        frames.append(frame.assign(text=frame["fingerprint"], prompt=asked))
    made = joined(frames[0], frames[1], by, limit=limit, seed=seed)
    return replace(made, notes=(*made.notes, LOSS), are_fingerprints=True)


def joined(before: pd.DataFrame, after: pd.DataFrame, by: list[str], *, limit: int, seed: int) -> Windows:
    """Join the rows of two windows, each at most `limit`, drawn at random from all slices alike."""
    import pandas as pd

    notes: list[str] = []
    key = ["trace_id", "span_id"]
    both = before.merge(after[key], on=key)[key]
    if len(both):
        if len(both) in (len(before), len(after)):
            raise SelectionError(
                f"before and after have {len(both):,} outputs in common, all of one of them. Expected two windows that "
                "do not overlap: before=traces.where(until=day), after=traces.where(since=day)."
            )
        before, after = (_without(frame, both) for frame in (before, after))
        notes.append(f"{len(both):,} outputs are in both windows and were left out of both.")
    drawn = [_drawn(frame, limit, seed) for frame in (before, after)]
    for name, frame, kept in zip(("before", "after"), (before, after), drawn, strict=True):
        if len(kept) < len(frame):
            notes.append(f"{len(kept):,} of the {len(frame):,} outputs {name} were drawn at random (limit={limit:,}).")
    rows = pd.concat(drawn, ignore_index=True)
    labels = _labels(rows, by)
    known, slices = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
    return Windows(
        rows=rows,
        after=np.arange(len(rows)) >= len(drawn[0]),
        slices=slices.astype(np.int64),
        names=tuple(str(name) for name in known),
        notes=tuple(notes),
    )


def _without(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    marked = frame.merge(rows, how="left", on=list(rows.columns), indicator="_both")
    return frame[(marked["_both"] == "left_only").to_numpy()].reset_index(drop=True)


def _drawn(frame: pd.DataFrame, limit: int, seed: int) -> pd.DataFrame:
    if len(frame) <= limit:
        return frame
    return frame.iloc[np.sort(np.random.default_rng(seed).choice(len(frame), limit, replace=False))]


def _labels(rows: pd.DataFrame, by: list[str]) -> list[str]:
    """Write the slice of each row."""
    if not by:
        return ["all"] * len(rows)
    texts = [rows[name].astype("string").fillna("(none)") for name in by]
    return [" · ".join(parts) for parts in zip(*texts, strict=True)]
