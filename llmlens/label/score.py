"""`Score`: what is asked of the person who labels, and which answers are taken."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeAlias, cast, get_args

from llmlens.errors import LabelError, nearest

DataType: TypeAlias = Literal["numeric", "boolean", "categorical", "text", "correction"]

#: What a label holds: a number, a yes or no, a category or a text.
LabelValue: TypeAlias = "float | bool | str"

#: Langfuse's limits: for the name of a score config, and for a text.
_CONFIG_NAME = re.compile(r"[\w .()-]{1,35}")
_MAX_TEXT = 500
_CORRECTION = "output"  # the name that Langfuse gives every correction
_YES_NO = (("True", 1.0), ("False", 0.0))
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")


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
        help: str = "",  # noqa: A002  # the word the user knows
        config_id: str | None = None,
        archived: bool = False,
        data_type: DataType | None = None,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise LabelError(f"A score needs a name; got {name!r}.")
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
    def correction(cls, help: str = "What should the answer have been?") -> Score:  # noqa: A002
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
        if not isinstance(value, str) or not value.strip():
            raise self._refusal(value)
        if self.data_type == "categorical":
            labels = [label for label, _ in self.categories]
            if value not in labels:
                raise self._refusal(value, nearest(value, labels))
        elif self.data_type == "text" and len(value) > _MAX_TEXT:
            raise self._refusal(f"{value[:40]}…", f" A text has at most {_MAX_TEXT} characters; this has {len(value)}.")
        return value

    def number(self, value: LabelValue) -> float | None:
        """Give what a value counts as in statistics: categories have a number too, texts have none."""
        if self.data_type == "categorical":
            return dict(self.categories).get(str(value))
        return None if isinstance(value, str) else float(value)

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not _is_number(value):
            raise self._refusal(value)
        number = float(cast("float", value))
        below = self.minimum is not None and number < self.minimum
        above = self.maximum is not None and number > self.maximum
        if below or above:
            raise self._refusal(value)
        return number

    def _yes_no(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if _is_number(value) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.lower() in (*_YES, *_NO):
            return value.lower() in _YES
        raise self._refusal(value)

    def _refusal(self, value: object, more: str = "") -> LabelError:
        return LabelError(f"The score {self.name!r} takes {self.described()}; got {value!r}.{more}")

    # Langfuse's score configs -----------------------------------------------------------------------------------

    @classmethod
    def from_langfuse(cls, config: Mapping[str, Any]) -> Score:
        """Read a score config of Langfuse's."""
        data_type = str(config["dataType"]).lower()
        if data_type not in get_args(DataType):
            raise LabelError(f"The score config {config.get('name')!r} is of an unknown type, {config['dataType']!r}.")
        kind: Any = None
        if data_type == "numeric":
            kind = config.get("minValue")
        elif data_type == "categorical":
            kind = {str(c["label"]): float(c["value"]) for c in config.get("categories") or ()}
        return cls(
            str(config["name"]),
            kind,
            config.get("maxValue"),
            help=config.get("description") or "",
            config_id=str(config["id"]),
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
    if given in ("text", "correction"):
        return given, None, ()
    if given == "boolean" or kind is bool:
        return "boolean", None, _YES_NO
    if kind is str:
        return "text", None, ()
    if given == "numeric" or kind is None or kind in (int, float):
        kind = None if kind in (int, float) else kind
        if kind is not None and not _is_number(kind):
            raise LabelError(f"Score {name!r}: the minimum is a number; got {kind!r}.")
        return "numeric", None if kind is None else float(kind), ()
    if isinstance(kind, Mapping):
        pairs = [(label, value) for label, value in kind.items() if _is_number(value)]
        if len(pairs) < len(kind):
            raise LabelError(f"Score {name!r}: the categories have numbers as values; got {dict(kind)!r}.")
        return "categorical", None, _categories(name, pairs)
    if isinstance(kind, Sequence) and not isinstance(kind, str | bytes):
        return "categorical", None, _categories(name, [(label, place) for place, label in enumerate(kind)])
    if _is_number(kind):
        return "numeric", float(kind), ()
    raise LabelError(
        f"Score {name!r}: expected a smallest number, a list of categories, or bool, str or float; got {kind!r}."
    )


def _categories(name: str, pairs: Sequence[tuple[Any, Any]]) -> tuple[tuple[str, float], ...]:
    labels = [label for label, _ in pairs]
    if not labels or not all(isinstance(label, str) and label for label in labels) or len(set(labels)) < len(labels):
        raise LabelError(f"Score {name!r}: categories are different texts, at least one; got {labels!r}.")
    return tuple((label, float(value)) for label, value in pairs)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
