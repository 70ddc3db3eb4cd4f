"""What model calls were sent: the whole prompt as one text, and what prompts have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    import numpy.typing as npt

    from llmlens.traces import Traces

    Floats: TypeAlias = npt.NDArray[np.float64]
    Integers: TypeAlias = npt.NDArray[np.int64]

#: Characters of a prompt that are looked at.
LONGEST = 100_000
#: Characters that are compared at once.
_AT_ONCE = 20_000_000


def prompts(traces: Traces) -> ir.Table:
    """Give trace_id, span_id and `prompt` of the calls that have input messages: role and content, in their order."""
    messages = traces.table("messages")
    asked = messages.filter(messages.direction == "input")
    line = asked.role.fill_null("") + ": " + asked.content.fill_null("")
    joined = asked.mutate(line=line).group_by(["trace_id", "span_id"])
    found = joined.agg(prompt=lambda t: t.line.group_concat("\n", order_by=t.position))
    return found.mutate(prompt=found.prompt.left(LONGEST))


def common_prefixes(texts: Sequence[str], earlier: Integers) -> Integers:
    """Count the characters with which each text begins like the text number `earlier[i]`; 0 where that is -1."""
    found = np.zeros(len(texts), dtype=np.int64)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    pairs = np.flatnonzero(earlier >= 0)
    shorter = np.minimum(lengths[pairs], lengths[earlier[pairs]])
    pairs, shorter = pairs[shorter > 0], shorter[shorter > 0]
    for part in np.split(np.arange(len(pairs)), np.flatnonzero(np.diff(np.cumsum(shorter) // _AT_ONCE)) + 1):
        if not len(part):
            continue
        one = _codes([texts[i][:n] for i, n in zip(pairs[part], shorter[part], strict=True)])
        other = _codes([texts[i][:n] for i, n in zip(earlier[pairs[part]], shorter[part], strict=True)])
        starts = np.concatenate(([0], np.cumsum(shorter[part])[:-1]))
        places = np.arange(len(one)) - np.repeat(starts, shorter[part])
        differs = np.where(one == other, np.iinfo(np.int64).max, places)
        found[pairs[part]] = np.minimum(np.minimum.reduceat(differs, starts), shorter[part])
    return found


def constant_share(texts: Sequence[str], least: float = 0.9) -> float:
    """Give the share of the texts' characters in lines that at least `least` of them have; NaN with less than two."""
    from collections import Counter

    if len(texts) < 2:
        return float("nan")
    split = [text.split("\n") for text in texts]
    having = Counter(line for lines in split for line in set(lines))
    constant = {line for line, count in having.items() if count >= least * len(texts)}
    same = sum(len(line) + 1 for lines in split for line in set(lines) & constant)
    return min(1.0, same / max(1, sum(len(text) + 1 for text in texts)))


def _codes(texts: Sequence[str]) -> npt.NDArray[np.uint32]:
    return np.frombuffer("".join(texts).encode("utf-32-le", errors="surrogatepass"), dtype="<u4")
