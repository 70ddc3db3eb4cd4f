"""What users do after an answer: ask the same again, ask in other words, doubt it, or leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.phrases import DOUBTS, pattern_of

from .likeness import Likeness

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Places = npt.NDArray[np.int64]

#: The same question comes again within so many turns and so long.
AGAIN_TURNS, AGAIN_WITHIN = 3, pd.Timedelta(hours=1)
#: A next question within this time may be the last one in other words, or say that its answer is doubted.
FOLLOWS_WITHIN = pd.Timedelta(minutes=10)
#: A conversation is over when nothing follows for so long.
OVER_AFTER = pd.Timedelta(minutes=30)
#: Weighted Jaccard indices from which two questions are the same but for a typo, and one in other words.
SAME, REPHRASED = 0.8, 0.4

SIGNALS = ("regenerated", "rephrased", "doubted", "abandoned")


def follow_ups(turns: pd.DataFrame, unhappy: Flags, until: pd.Timestamp) -> pd.DataFrame:
    """Say of each turn which of the signals it got: 1 or 0, NaN where it could not get it.

    `turns` has a row a trace (trace_id, session_id, start, text), `unhappy` says which failed or were thumbed down, and
    traces were looked for `until` then. A turn is `regenerated` when the same question, or one with nearly the same
    words and the same numbers, comes again within three turns and an hour; `rephrased` when the next one within ten
    minutes shares much of its words; `doubted` when that one says so (`llmlens.phrases.DOUBTS`). The last turn of a
    conversation that is over is `abandoned` when it is unhappy, or was itself such a reaction to the one before.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = [turns[name].factorize(sort=True)[0] for name in ("trace_id", "session_id")]
    order = np.lexsort((codes[0], turns["start"].to_numpy("datetime64[us]"), codes[1]))
    rows = turns.iloc[order].reset_index(drop=True)
    session = rows["session_id"].factorize()[0]
    start = rows["start"].to_numpy("datetime64[us]")
    pairs = [_pairs(session, start, lag) for lag in range(1, AGAIN_TURNS + 1)]
    # Most questions come alone: only those that another one follows, or that follow one, are read.
    read = np.unique(np.concatenate([np.concatenate(pair) for pair in pairs]))
    place = np.zeros(len(rows), dtype=np.int64)
    place[read] = np.arange(len(read))
    texts = rows["text"].iloc[read].tolist()
    text = pd.Series([" ".join(text.casefold().split()) for text in texts], dtype="str").factorize()[0]
    found_doubts = pc.match_substring_regex(pa.array(texts, pa.string()), pattern_of(DOUBTS))
    doubts = found_doubts.to_numpy(zero_copy_only=False)
    likeness = Likeness(texts)
    found = {name: np.zeros(len(rows), dtype=bool) for name in SIGNALS}
    reaction = np.zeros(len(rows), dtype=bool)
    for lag, (first, second) in enumerate(pairs, start=1):
        one, other = place[first], place[second]
        alike = likeness.of(one, other)
        same = (text[one] == text[other]) | ((alike >= SAME) & likeness.same_numbers(one, other))
        follows = {"regenerated": same}
        if lag == 1:
            soon = ~same & (start[second] - start[first] <= FOLLOWS_WITHIN)
            follows["doubted"] = soon & doubts[other]
            follows["rephrased"] = soon & ~doubts[other] & (alike >= REPHRASED)
        for name, happened in follows.items():
            found[name][first[happened]] = True
            reaction[second[happened]] = True
    last = np.append(session[1:] != session[:-1], np.ones(min(len(rows), 1), dtype=bool))
    over = last & (rows["start"] <= until - OVER_AFTER).to_numpy()
    signals = pd.DataFrame(found).astype(float)
    signals["abandoned"] = np.where(over, unhappy[order] | reaction, np.nan)
    return pd.concat([rows[["trace_id"]], signals], axis=1)


def _pairs(session: Places, start: npt.NDArray[np.datetime64], lag: int) -> tuple[Places, Places]:
    """Give the turns of one session that are `lag` turns and no more than an hour apart."""
    first = np.flatnonzero(session[lag:] == session[:-lag])
    first = first[start[first + lag] - start[first] <= AGAIN_WITHIN]
    return first, first + lag
