"""Answers -> sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Not after a number of one or two digits: "the 1. November".
_BORDER = r"(?<=[.!?…][\"'”’)\]])\s+|(?<=[.!?…])(?<!\b\d\.)(?<!\b\d\d\.)\s+|(?<=[。！？])\s*|\s*\n+\s*"
#: A shorter sentence ("Good question.") says nothing that a document could support.
LEAST_WORDS = 4


def sentences_of(texts: Sequence[str]) -> pd.DataFrame:
    """Cut texts into sentences of four words or more: answer (place of the text), sentence (its number), text."""
    from llmlens.embed.words import beginnings_of, words_of

    parts = pd.Series(beginnings_of(texts).to_pylist(), dtype="str").str.split(_BORDER, regex=True).explode()
    frame = parts.rename("text").rename_axis("answer").reset_index()
    frame["text"] = frame["text"].str.strip()
    frame["sentence"] = frame.groupby("answer").cumcount()
    words = np.bincount(words_of([str(each) for each in frame["text"]]).texts, minlength=len(frame))
    return frame[words >= LEAST_WORDS].reset_index(drop=True)[["answer", "sentence", "text"]]
