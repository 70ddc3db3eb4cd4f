"""`Score`: what is asked of the person who labels, and which answers are taken."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeAlias, cast, get_args

from llmlens.errors import LabelError, nearest

from .checks import a_text

DataType: TypeAlias = Literal["numeric", "boolean", "categorical", "text", "correction"]

#: What a label holds: a number, a yes or no, a category or a text.
LabelValue: TypeAlias = "float | bool | str"

#: Langfuse's limits: for the name of a score config, and for texts.
_CONFIG_NAME = re.compile(r"[\w .()-]{1,35}")
_MAX_TEXT = 500
_MAX_CORRECTION = 100_000  # a request has room for a million bytes
_CORRECTION = "output"  # the name that Langfuse gives every correction
_YES_NO = (("True", 1.0), ("False", 0.0))
_YES = ("true", "yes", "1", "1.0")
_NO = ("false", "no", "0", "0.0")


@dataclass(frozen=True, init=False)
class Score:
    """A question with its possible answers.

    >>> Score("helpfulness", 1, 5, help="Did it solve the request?")
    Score('helpfulness', 1 to 5)
    >>> Score("tone", ["polite", "rude"])
    Score('tone', 'polite' or 'rude')

    `kind`: the smallest number (then `maximum` is the largest), a list of categories, or a type: `bool`, `str`,
    `float` for a number without limits. With nothing it is a number without limits.
    `help` is shown beside the question. `config_id` is the id of its config in Langfuse, where it has one.

    Raises `LabelError` for what cannot be asked.
    """

    name: str
    data_type: DataType
    minimum: float | None
    maximum: float | None
    categories: tuple[tuple[str, float], ...]
    help: str
    config_id: str | None
    archived: bool

    def __init__(  # noqa: D107  # the class says it
        self,
        name: str,
        kind: float | type | Sequence[str] | Mapping[str, float] | None = None,
        maximum: float | None = None,
        *,
        help: str = "",  # the word the user knows
        config_id: str | None = None,
        archived: bool = False,
        data_type: DataType | None = None,
    ) -> None:
        a_text("The name of a score", name)
        asked, minimum, categories = _understood(name, kind, data_type)
        if maximum is not None and (asked != "numeric" or not _is_number(maximum)):
            raise LabelError(f"Score {name!r}: only numbers have a maximum, which is a number; got {maximum!r}.")
        if minimum is not None and maximum is not None and minimum >= maximum:
            raise LabelError(f"Score {name!r}: the minimum must be below the maximum; got {minimum:g} to {maximum:g}.")
        fields = {
            "name": _CORRECTION if asked == "correction" else name,
            "data_type": asked,
            "minimum": minimum,
            "maximum": None if maximum is None else float(maximum),
            "categories": categories,
            "help": help,
            "config_id": config_id,
            "archived": archived,
        }
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        """Say the name and what is taken."""
        return f"Score({self.name!r}, {self.described()})"

    @classmethod
    def correction(cls, help: str = "What should the answer have been?") -> Score:
        """Ask for the answer that should have been given."""
        return cls(_CORRECTION, data_type="correction", help=help)

    def described(self) -> str:
        """Say in words what is taken."""
        if self.data_type == "numeric":
            if self.minimum is None and self.maximum is None:
                return "a number"
            low = "any" if self.minimum is None else f"{self.minimum:g}"
            high = "any" if self.maximum is None else f"{self.maximum:g}"
            return f"{low} to {high}"
        if self.data_type == "categorical":
            return " or ".join(repr(label) for label, _ in self.categories)
        return {"boolean": "yes or no", "text": "a text", "correction": "a better answer"}[self.data_type]

    def check(self, value: object) -> LabelValue:
        """Give the value as it is stored; raises `LabelError` for one that this score does not take."""
        if self.archived:
            raise LabelError(f"The score {self.name!r} is archived in Langfuse: it takes no more labels.")
        if self.data_type == "numeric":
            return self._number(value)
        if self.data_type == "boolean":
            return self._yes_no(value)
        if self.data_type == "categorical":
            return self._category(value)
        return a_text(f"A label of {self.name!r}", value, _MAX_TEXT if self.data_type == "text" else _MAX_CORRECTION)

    def _number(self, value: object) -> float:
        if not _is_number(value):
            raise self._refusal(value)
        number = float(cast("float", value))
        below = self.minimum is not None and number < self.minimum
        above = self.maximum is not None and number > self.maximum
        if below or above:
            raise self._refusal(value)
        return number

    def _yes_no(self, value: object) -> bool:
        said = str(value).lower()
        if said not in (*_YES, *_NO):
            raise self._refusal(value)
        return said in _YES

    def _category(self, value: object) -> str:
        labels = [label for label, _ in self.categories]
        if not isinstance(value, str) or value not in labels:
            raise self._refusal(value, nearest(str(value), labels))
        return str(value)

    def _refusal(self, value: object, more: str = "") -> LabelError:
        return LabelError(f"The score {self.name!r} takes {self.described()}; got {value!r}.{more}")

    # Langfuse's score configs -----------------------------------------------------------------------------------

    @classmethod
    def from_langfuse(cls, config: Mapping[str, Any]) -> Score:
        """Read a score config of Langfuse's; raises `LabelError` for one that is not understood."""
        try:
            name, data_type, config_id = str(config["name"]), str(config["dataType"]).lower(), str(config["id"])
            categories = {str(c["label"]): float(c["value"]) for c in config.get("categories") or ()}
        except (KeyError, TypeError, ValueError) as error:
            raise LabelError(f"A score config of Langfuse's is not understood ({error!r}): {config!r}"[:500]) from None
        if data_type not in get_args(DataType):
            raise LabelError(f"The score config {name!r} is of a type that is not known, {config['dataType']!r}.")
        numeric = data_type == "numeric"
        return cls(
            name,
            categories if data_type == "categorical" else config.get("minValue") if numeric else None,
            config.get("maxValue") if numeric else None,
            help=config.get("description") or "",
            config_id=config_id,
            archived=bool(config.get("isArchived")),
            data_type=cast("DataType", data_type),
        )

    def to_langfuse(self) -> dict[str, Any]:
        """Write the config that Langfuse would need; raises `LabelError` for a name that it refuses."""
        if self.data_type == "correction":
            raise LabelError("Corrections have no score config in Langfuse: they can be written without.")
        if not _CONFIG_NAME.fullmatch(self.name):
            raise LabelError(
                f"Langfuse takes names of scores of at most 35 letters, digits, spaces and _.()-; got {self.name!r}."
            )
        config: dict[str, Any] = {"name": self.name, "dataType": self.data_type.upper()}
        if self.help:
            config["description"] = self.help
        if self.data_type == "numeric":
            config |= {"minValue": self.minimum, "maxValue": self.maximum}
        if self.data_type == "categorical":
            config["categories"] = [{"label": label, "value": value} for label, value in self.categories]
        return {key: value for key, value in config.items() if value is not None}


def _understood(name: str, kind: Any, given: DataType | None) -> tuple[DataType, float | None, tuple[Any, ...]]:
    """Find out what kind of answer is meant: the data type, the minimum and the categories."""
    found: tuple[DataType, float | None, tuple[Any, ...]]
    if kind is bool:
        found = ("boolean", None, _YES_NO)
    elif kind is str:
        found = ("text", None, ())
    elif kind is None or kind in (int, float):
        found = (given or "numeric", None, _YES_NO if given == "boolean" else ())
    elif _is_number(kind):
        found = ("numeric", float(kind), ())
    elif isinstance(kind, Mapping):
        found = ("categorical", None, _categories(name, list(kind.items())))
    elif isinstance(kind, Sequence) and not isinstance(kind, str | bytes):
        found = ("categorical", None, _categories(name, [(label, place) for place, label in enumerate(kind)]))
    else:
        takes = "a smallest number, a list of categories, or bool, str or float"
        raise LabelError(f"Score {name!r}: expected {takes}; got {kind!r}.")
    if given not in (None, found[0]) or found[0] not in get_args(DataType) or found == ("categorical", None, ()):
        raise LabelError(f"Score {name!r}: {kind!r} does not say what a score of the type {given!r} takes.")
    return found


def _categories(name: str, pairs: Sequence[tuple[Any, Any]]) -> tuple[tuple[str, float], ...]:
    labels = [label for label, _ in pairs]
    if not labels or not all(isinstance(label, str) and label for label in labels) or len(set(labels)) < len(labels):
        raise LabelError(f"Score {name!r}: categories are different texts, at least one; got {labels!r}.")
    if not all(_is_number(value) for _, value in pairs):
        raise LabelError(f"Score {name!r}: the categories have numbers as values; got {dict(pairs)!r}.")
    return tuple((label, float(value)) for label, value in pairs)


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int beyond all floats
        return False
