"""`Condition`: what a score must be to pass, and objectives such as "helpfulness >= 0.7"."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmlens.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_COMPARED = re.compile(
    r"\s*(?P<operator>>=|<=|==|!=|>|<)\s*"
    r"(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<truth>[Tt]rue|[Ff]alse)"
    r"|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")\s*"
)
_OBJECTIVE = re.compile(r"\s*(?:`(?P<quoted>[^`]+)`|(?P<name>[^\W\d][\w.\-/:]*))(?P<condition>\s*[<>=!].*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with a number (true and false are 1 and 0) or, with == and !=, with a label."""

    operator: str
    bound: float | str

    @classmethod
    def of(cls, text: str, argument: str) -> Condition:
        """Read a condition such as `">= 0.7"` or `"== 'good'"`; raise `SelectionError` for anything else."""
        found = _COMPARED.fullmatch(text)
        if found is None:
            raise SelectionError(
                f"{argument}: {text.strip()!r} is not a condition. Expected one of >=, <=, >, <, ==, != and a number, "
                "true, false or a label in quotes: '>= 0.7', \"== 'good'\". One comparison, without and/or."
            )
        if found["number"] is not None:
            return cls(found["operator"], float(found["number"]))
        if found["truth"] is not None:
            return cls(found["operator"], float(found["truth"].lower() == "true"))
        label = found["single"] if found["single"] is not None else found["double"]
        if found["operator"] not in ("==", "!="):
            raise SelectionError(f"{argument}: labels have no order; got {text.strip()!r}. Use == or !=.")
        return cls(found["operator"], label)

    def met(self, scores: pd.DataFrame) -> pd.Series[float]:
        """Give 1 where a score meets it, 0 where not, NaN where it has nothing to compare (a label with a number)."""
        given = scores["label" if isinstance(self.bound, str) else "value"]
        met: pd.Series[bool] = _OPERATORS[self.operator](given, self.bound)
        return met.astype("Float64").where(given.notna()).astype(float)

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.operator} {self.bound!r}" if isinstance(self.bound, str) else f"{self.operator} {self.bound:g}"


def objective(text: object) -> tuple[str, Condition]:
    """Read an objective, the name of a score and a condition: `"helpfulness >= 0.7"`.

    A name with spaces stands in backticks. Raises `SelectionError` for anything else.
    """
    found = _OBJECTIVE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise SelectionError(
            f"objective={text!r}: expected the name of a score and a condition, such as 'helpfulness >= 0.7'; "
            "a name with spaces stands in backticks: '`is helpful` == true'."
        )
    return found["quoted"] or found["name"], Condition.of(found["condition"], "objective")
