"""The form of a text in numbers: how long, how structured, in which tone. The features are a table, to be extended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from llmlens.embed.words import LONGEST, beginnings_of, words_of
from llmlens.phrases import APOLOGIES, HEDGES, REFUSALS, pattern_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

#: How a feature is averaged and told: "size" by its geometric mean, "count" a text, "share" of characters or words,
#: "flag" as the share of texts, "mean" as it is.
Kind = Literal["size", "count", "share", "flag", "mean"]
#: What a count is divided by.
Per = Literal["text", "characters", "words"]


@dataclass(frozen=True, slots=True)
class FormatFeature:
    """One number of a text: how often `pattern` (RE2) occurs, or one that `_measured` computes when it has none.

    `noun` is how a report calls it; `family` groups features that say the same, of which a report tells one.
    """

    name: str
    kind: Kind
    noun: str
    pattern: str = ""
    per: Per = "text"
    family: str = ""


FEATURES: tuple[FormatFeature, ...] = (
    FormatFeature("characters", "size", "characters", family="length"),
    FormatFeature("words", "size", "words", family="length"),
    FormatFeature("sentences", "count", "sentences", r"[.!?。！？؟।]+(?:\s|$)", family="length"),
    FormatFeature("lines", "count", "lines", r"\n", family="lines"),
    FormatFeature("paragraphs", "count", "paragraph breaks", r"\n\s*\n", family="lines"),
    FormatFeature("bullets", "count", "bullets", r"(?m)^\s*[-*•–]\s", family="list"),
    FormatFeature("numbered", "count", "numbered items", r"(?m)^\s*\(?\d+[.)]\s", family="list"),
    FormatFeature("headings", "count", "headings", r"(?m)^\s*#{1,6}\s"),
    FormatFeature("code", "count", "code fences", r"```"),
    FormatFeature("bold", "count", "bold passages", r"\*\*[^*\n]+\*\*"),
    FormatFeature("table", "count", "table rows", r"(?m)^\s*\|"),
    FormatFeature("links", "count", "links", r"https?://|\]\("),
    FormatFeature("questions", "count", "questions", r"[?？؟]"),
    FormatFeature("exclamations", "count", "exclamation marks", r"[!！]"),
    FormatFeature("digits", "share", "digits", r"\p{Nd}", per="characters"),
    FormatFeature("capitals", "share", "capital letters", r"\p{Lu}", per="characters"),
    FormatFeature("punctuation", "share", "punctuation", r"\p{P}", per="characters"),
    FormatFeature("symbols", "share", "mathematical signs", r"[\p{Sm}^\\$]", per="characters"),
    FormatFeature("commas", "share", "commas", r"[,，、;；]", per="characters"),
    FormatFeature("colons", "share", "colons", r"[:：]", per="characters"),
    FormatFeature("brackets", "share", "brackets", r"[(\[（【]", per="characters"),
    FormatFeature("quotes", "share", "quotation marks", r"[\"'“”‘’«»„「」]", per="characters"),
    FormatFeature("non_ascii", "share", "characters beyond ASCII", r"[^\x00-\x7F]", per="characters"),
    FormatFeature("emoji", "count", "emoji", r"[\x{1F300}-\x{1FAFF}\x{2600}-\x{27BF}]"),
    FormatFeature("word_length", "mean", "letters a word"),
    FormatFeature("sentence_length", "size", "words a sentence"),
    FormatFeature("variety", "mean", "distinct words (by root of all)"),
    FormatFeature("first_person", "share", "words of the first person", r"(?i)\b(?:i|i'm|my|we|our)\b", per="words"),
    FormatFeature("second_person", "share", "words of the second person", r"(?i)\b(?:you|your|you're)\b", per="words"),
    FormatFeature("hedges", "share", "hedging words", pattern_of(HEDGES), per="words"),
    FormatFeature("refusals", "flag", "refusals", pattern_of(REFUSALS)),
    FormatFeature("apologies", "flag", "apologies", pattern_of(APOLOGIES)),
    FormatFeature("ends_question", "flag", "answers that end with a question", r"[?？؟]\s*$"),
    FormatFeature("ends_open", "flag", "answers that end without a full stop", r"[^.!?。！？؟।)\]}`\"'”»\s]\s*$"),
    FormatFeature("starts_capital", "flag", "answers that begin with a capital letter", r"^\s*\p{Lu}"),
    FormatFeature("json", "flag", "answers that are JSON", r"^\s*(?:\{|\[\s*[{\[\"])"),
)  # fmt: skip

#: Refusals and apologies are looked for where they are: at the beginning.
_BEGINNING = 300


def format_features(texts: Sequence[str], features: Sequence[FormatFeature] = FEATURES) -> NDArray[np.float64]:
    """Give (number of texts, number of features); of each text the first 20,000 characters, its length whole."""
    import pyarrow.compute as pc

    array = beginnings_of(texts)
    beginning = pc.utf8_slice_codeunits(array, 0, _BEGINNING)
    measured = _measured(texts, array)
    seen = np.maximum(np.minimum(measured["characters"], LONGEST), 1)
    divided = {"text": np.ones(len(texts)), "characters": seen, "words": np.maximum(measured["words_seen"], 1)}
    columns = []
    for feature in features:
        if not feature.pattern:
            columns.append(measured[feature.name])
        elif feature.kind == "flag":
            where = beginning if feature.name in ("refusals", "apologies") else array
            columns.append(_numbers(pc.match_substring_regex(where, feature.pattern).cast("int8")))
        else:
            columns.append(_numbers(pc.count_substring_regex(array, feature.pattern)) / divided[feature.per])
    return np.column_stack(columns) if columns else np.zeros((len(texts), 0))


def _measured(texts: Sequence[str], array: pa.LargeStringArray) -> dict[str, NDArray[np.float64]]:
    """Give the features that no pattern counts."""
    import pyarrow.compute as pc

    n = len(texts)
    numbers, words = words_of(texts)
    coded = words.dictionary_encode().indices.to_numpy().astype("int64")
    count = np.bincount(numbers, minlength=n).astype(float)
    letters = np.bincount(numbers, weights=_numbers(pc.utf8_length(words)), minlength=n)
    distinct = np.bincount(np.unique(numbers * (coded.max(initial=0) + 1) + coded) // (coded.max(initial=0) + 1),
                           minlength=n)  # fmt: skip
    sentences = np.maximum(_numbers(pc.count_substring_regex(array, r"[.!?。！？؟।]+(?:\s|$)")), 1)
    characters = np.array([len(text) for text in texts], dtype=float)
    seen = np.maximum(np.minimum(characters, LONGEST), 1)
    some = np.maximum(count, 1)
    return {
        "characters": characters,
        "words": count * np.maximum(characters / seen, 1),
        "words_seen": count,
        "word_length": letters / some,
        "sentence_length": count / sentences,
        "variety": distinct / np.sqrt(some),
    }


def _numbers(array: pa.Array) -> NDArray[np.float64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=float)
