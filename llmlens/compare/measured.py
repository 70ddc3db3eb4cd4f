"""What is compared between two selections, and which way is worse: data that a user can extend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from llmlens.errors import SelectionError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

Better: TypeAlias = Literal["lower", "higher", ""]


@dataclass(frozen=True, slots=True)
class Measured:
    """A number of each trace, the statistics of it that are compared, and whether lower or higher is better.

    `of` is a column, or a function, of a frame with a row a trace: the columns of `traces` but its texts, `ttft_s`
    (mean over its model calls) and `output_chars` (length of what was answered). `better` is "" where neither is.
    `statistics` are of "mean", "share" (of numbers from 0 to 1), "max" and percentiles such as "P95".

    >>> Measured("tool_calls", "n_tool_calls", ("mean", "P95"), better="lower").name
    'tool_calls'
    """

    name: str
    of: str | Callable[[pd.DataFrame], pd.Series[Any]]
    statistics: tuple[str, ...] = ("mean",)
    better: Better = ""

    def values(self, traces: pd.DataFrame) -> pd.Series[float]:
        """Give the number of each trace, NaN where it is not known."""
        found = traces[self.of] if isinstance(self.of, str) else self.of(traces)
        return found.astype("Float64").astype(float)


def _failed(traces: pd.DataFrame) -> pd.Series[Any]:
    return (traces["status"] == "error").astype("Float64").where(traces["status"].notna())


#: What `compare` looks at beside the scores, in its order. Append your own, or pass them as `measures=`.
MEASURES: list[Measured] = [
    Measured("errors", _failed, ("share",), "lower"),
    Measured("duration_s", "duration_s", ("mean", "P95", "P99"), "lower"),
    Measured("ttft_s", "ttft_s", ("mean", "P95"), "lower"),
    Measured("cost_usd", "cost_usd", ("mean", "max"), "lower"),
    Measured("input_tokens", "input_tokens", ("mean",), ""),
    Measured("output_tokens", "output_tokens", ("mean",), ""),
    Measured("output_chars", "output_chars", ("mean", "P5", "P95"), ""),
]

#: Scores of which less is better; of others, more is. Add your own: `SCORE_BETTER["verbosity"] = "lower"`.
SCORE_BETTER: dict[str, Better] = dict.fromkeys(
    ("toxicity", "hallucination", "hallucinations", "harmfulness", "bias", "refusal", "pii_leak"), "lower"
)


def chosen_measures(asked: Iterable[str | Measured] | str | Measured | None, scores: list[str]) -> list[str | Measured]:
    """Give what was asked for: measures of the table, scores (by name) and the user's own; all when nothing was.

    Raises `UnknownNameError` for a name that is neither a measure nor one of `scores`, `SelectionError` for none.
    """
    known = {measured.name: measured for measured in MEASURES}
    if asked is None:
        return [*scores, *MEASURES]
    found: list[str | Measured] = []
    for each in [asked] if isinstance(asked, str | Measured) else list(asked):
        if isinstance(each, Measured):
            found.append(each)
        elif each in scores or each in known:
            found += [name for name in scores if name == each] + [known[name] for name in known if name == each]
        else:
            what = "measure or score"
            raise unknown(what, str(each), {*known, *scores})
    if not found:
        raise SelectionError("measures=[] asks for nothing. Leave it out for everything that is known.")
    return list(dict.fromkeys(found))
