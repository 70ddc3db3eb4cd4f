"""What triage watches: data that a user can extend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from llmlens.compare.measured import SCORE_BETTER, Better

#: What the columns of scores begin with: a score may be called as another column is.
SCORE = "score "
Unit: TypeAlias = Literal["share", "usd", "s", "tokens", "characters", "days", ""]


@dataclass(frozen=True, slots=True)
class Sign:
    """A number that is followed over time in each slice: `column` of a source, by the values of `slice`.

    `source` is one of `llmlens.compare.triage.sources`: a row a trace, model call, price paid, tool call, retrieval or
    score. `noun` is how a finding calls it; `better` says which way is worse ("" where neither is); `family` is the
    kind of incident. `weight` says how telling it is beside others that moved with it.

    >>> Sign("failed calls of a tool", "errors", "tools", "failed", "tool", "share", "lower").noun
    'failed calls of a tool'
    """

    noun: str
    family: str
    source: str
    column: str
    slice: str
    unit: Unit = ""
    better: Better = ""
    weight: float = 1.0


#: What `triage` watches beside the scores. Append your own.
SIGNS: list[Sign] = [
    Sign("failed model calls", "errors", "calls", "failed", "model", "share", "lower"),
    Sign("failed requests", "errors", "requests", "failed", "feature", "share", "lower"),
    Sign("failed calls", "errors", "tools", "failed", "tool", "share", "lower", 1.5),
    Sign("empty results", "tools", "tools", "empty", "tool", "share", "lower", 1.5),
    Sign("answers cut by the token limit", "errors", "calls", "cut", "feature", "share", "lower"),
    Sign("duration", "latency", "requests", "duration_s", "feature", "s", "lower"),
    Sign("time to the first token", "latency", "requests", "ttft_s", "feature", "s", "lower"),
    Sign("cost a request", "cost", "requests", "cost_usd", "feature", "usd", "lower", 1.5),
    Sign("input tokens", "cost", "requests", "input_tokens", "feature", "tokens", "", 1.2),
    Sign("price paid (1 is as listed)", "cost", "prices", "of_list", "model", "", "lower", 1.5),
    Sign("tokens from the prompt cache", "cost", "calls", "cached", "feature", "share", "higher"),
    Sign("tool calls a request", "agents", "requests", "n_tool_calls", "feature", "", "lower"),
    Sign("model calls a request", "agents", "requests", "n_llm_calls", "feature", "", "lower"),
    Sign("requests that repeat a tool call", "agents", "requests", "repeats", "feature", "share", "lower", 1.5),
    Sign("retrievals that found nothing", "retrieval", "retrievals", "empty", "feature", "share", "lower", 1.5),
    Sign("documents retrieved", "retrieval", "retrievals", "documents", "feature", "", ""),
    Sign("best retrieval score", "retrieval", "retrievals", "best", "feature", "", "higher"),
    Sign("age of documents", "retrieval", "retrievals", "age_days", "feature", "days", "lower", 1.5),
    Sign("refusals", "output", "outputs", "refusals", "feature", "share", "lower", 1.5),
    Sign("answers' length", "output", "outputs", "characters", "feature", "characters", "", 1.2),
    Sign("bullets an answer", "output", "outputs", "bullets", "feature", "", ""),
    Sign("hedging words", "output", "outputs", "hedges", "feature", "share", "lower"),
    Sign("answers that end with a question", "output", "outputs", "ends_question", "feature", "share", ""),
    Sign("answers that are JSON", "output", "outputs", "json", "feature", "share", ""),
    Sign("share of the traffic", "traffic", "traffic", "share", "feature", "share", "", 0.5),
]


def score_sign(column: str, *, share: bool) -> Sign:
    """Give the sign that a column of scores makes."""
    unit: Unit = "share" if share else ""
    name = column.removeprefix(SCORE)
    return Sign(name, "quality", "scores", column, "feature", unit, SCORE_BETTER.get(name, "higher"), 1.3)
