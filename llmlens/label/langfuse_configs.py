"""The score configs of a Langfuse project: what people may say there. Langfuse takes no human label without one."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError, nearest
from llmlens.read.langfuse.transport import said

from .creating import made_once
from .score import Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmlens.read.langfuse.connection import Connection

    from .sink import Label

_CONFIGS = "/api/public/score-configs"
#: A config may be archived while labels are made.
_HOLD_S = 300.0
_HOW = "llmlens.create_score_configs(llmlens.langfuse(), scores)"


class ScoreConfigs:
    """The configs of the project of a connection; they are read when needed, and now and then again."""

    def __init__(self, connection: Connection) -> None:
        """Prepare; nothing is asked of the server yet."""
        self._connection = connection
        self._found: list[Score] = []
        self._read_at: float | None = None

    def read(self, deadline: float | None = None) -> list[Score]:
        """Read all, archived ones too, the newest first; `deadline` is of `time.monotonic()`."""
        rows = self._connection.pages(_CONFIGS, deadline=deadline)
        self._found = [Score.from_langfuse(row) for row in rows]
        self._read_at = time.monotonic()
        return self._found

    def needed(self, labels: Sequence[Label]) -> None:
        """Read them again when one that labels need is not known, or when that was long ago."""
        names = {label.name for label in labels if label.data_type != "correction"}
        old = self._read_at is None or time.monotonic() - self._read_at > _HOLD_S
        if old or not names <= {score.name for score in self._found if not score.archived}:
            self.read()

    def of(self, label: Label) -> Score | None:
        """Give the config of a label; raises `LabelError` where Langfuse would drop the label without a word."""
        if label.data_type == "correction":
            return None
        score = self._active(label.name, label.config_id)
        if score is None:
            raise LabelError(self._lacking(label.name))
        if score.data_type != label.data_type:
            raise LabelError(f"Langfuse's score config {label.name!r} takes {score.described()}, not {label.value!r}.")
        score.check(label.value)
        return score

    def check(self, scores: Iterable[Score], deadline: float | None = None) -> None:
        """Raise `LabelError` for scores that have no active config, or one that takes something else."""
        self.read(deadline)
        for score in scores:
            if score.data_type == "correction":
                continue
            there = self._active(score.name, score.config_id)
            if there is None:
                raise LabelError(self._lacking(score.name))
            _refuse_other(there, score)

    def create(self, scores: Iterable[Score]) -> list[Score]:
        """Make a config for each score that has none, and give all of them as they are there."""
        self.read()
        made = []
        for score in scores:
            if score.data_type == "correction":
                made.append(score)
                continue
            there = self._active(score.name)
            if there is None:
                there = made_once(partial(self._make, score), partial(self._look, score.name))
                self._found.append(there)
            _refuse_other(there, score)
            made.append(there)
        return made

    def _make(self, score: Score) -> Score:
        status, body = self._connection.send("POST", _CONFIGS, score.to_langfuse(), once=True)
        if status >= 300 or not isinstance(body, dict):
            raise LabelError(f"Langfuse did not make the score config {score.name!r}: {status}, {said(body)}")
        return Score.from_langfuse(body)

    def _look(self, name: str) -> Score | None:
        self.read()
        return self._active(name)

    def _active(self, name: str, config_id: str | None = None) -> Score | None:
        """Find a config: the very one where it is there, else the newest of that name."""
        found = [score for score in self._found if score.name == name and not score.archived]
        return next((score for score in found if score.config_id == config_id), found[0] if found else None)

    def _lacking(self, name: str) -> str:
        active = [score.name for score in self._found if not score.archived]
        if any(score.name == name for score in self._found):
            what = f"Langfuse's score config {name!r} is archived: it takes no more labels. Take it out of the archive"
        else:
            what = (
                f"Langfuse has no active score config {name!r}, and takes human annotations only with one."
                f"{nearest(name, active)} Make it there"
            )
        return f"{what}, or with {_HOW}."


def score_configs(connection: Connection) -> list[Score]:
    """Read what a Langfuse project lets people say, as scores, in the order in which they were made.

    Archived configs are left out.
    """
    return [score for score in ScoreConfigs(connection).read()[::-1] if not score.archived]


def create_score_configs(connection: Connection, scores: Iterable[Score]) -> list[Score]:
    """Make a config in a Langfuse project for each score that has none there, and give all of them as they are there.

    Raises `LabelError` when there is one of the same name that asks for something else: Langfuse lets no config be
    changed or deleted, so the score must take another name.
    """
    return ScoreConfigs(connection).create(scores)


def _refuse_other(there: Score, score: Score) -> None:
    if _asks(there) != _asks(score):
        raise LabelError(
            f"Langfuse has a score config {score.name!r} that takes {there.described()}; yours takes "
            f"{score.described()}. Ask for the one that is there by its name, or give yours another name."
        )


def _asks(score: Score) -> tuple[Any, ...]:
    labels = tuple(label for label, _ in score.categories) if score.data_type == "categorical" else ()
    return (score.data_type, score.minimum, score.maximum, labels)
