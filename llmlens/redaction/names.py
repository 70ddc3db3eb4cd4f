"""Names of people and places, through spaCy when it is installed and asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmlens.errors import RedactionError

from .pattern import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What spaCy's models call them -> the kind.
_KINDS = {"PERSON": "PERSON", "PER": "PERSON", "GPE": "PLACE", "LOC": "PLACE", "FAC": "PLACE"}


class NameFinder:
    """Finds people and places as a model of spaCy does: some are missed, and some words are taken for names."""

    def __init__(self, model: str) -> None:
        """Load a model by its name or folder; raises `RedactionError` that says what to install."""
        try:
            spacy = import_module("spacy")
        except ModuleNotFoundError:
            raise RedactionError("names= needs the package spacy: pip install 'llmlens[names]'.") from None
        try:
            self._model: Any = spacy.load(model)
        except OSError:
            raise RedactionError(
                f"spaCy has no model {model!r} here: python -m spacy download {model}, or names= the folder of one."
            ) from None

    def find(self, text: str, offset: int, rank: int) -> Iterator[Found]:
        """Find names in a text whose first byte is at `offset`."""
        limit = self._model.max_length
        for first in range(0, len(text), limit):
            for entity in self._model(text[first : first + limit]).ents:
                kind = _KINDS.get(entity.label_)
                if kind is not None:
                    start, end = (
                        offset + len(text[: first + at].encode("utf-8", "surrogatepass"))
                        for at in (entity.start_char, entity.end_char)
                    )
                    yield Found(start, end, kind, entity.text.casefold().encode("utf-8", "surrogatepass"), rank)
