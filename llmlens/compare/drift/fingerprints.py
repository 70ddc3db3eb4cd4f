"""`fingerprint`: a short hash of each output that drift can be followed by where texts may not be kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from llmlens.arguments import explains_arguments
from llmlens.compare.selections import as_traces
from llmlens.errors import SelectionError
from llmlens.texts import group_columns, text_rows

from .format_features import FEATURES, format_features
from .terms import Terms, token_edges
from .views import Measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from llmlens.traces import Traces

_BITS = 128
_EDGES = 4
#: What a byte of a feature means: sizes and counts by their logarithm, shares by their square root, flags as they are.
_STEPS = {"size": 12.0, "count": 24.0, "mean": 48.0, "share": 255.0, "flag": 255.0}
_LENGTH = len(FEATURES) + _BITS // 8 + _EDGES
#: What is lost, said with every result.
LOSS = (
    "Judged by fingerprints: which words moved cannot be told and there are no texts to show; numbers are rounded to "
    "about 8 %, meaning is 128 bits of the words, openings and closings are told apart by their hash."
)


@explains_arguments
def fingerprint(
    traces: Traces, text: str = "output", by: str | Iterable[str] | None = "feature", *, per: str = "trace"
) -> pd.DataFrame:
    """Give a row a text: trace_id, span_id, start, the columns `by`, `fingerprint` and `prompt_fingerprint`.

    A fingerprint is 75 characters: the form of the text (a byte a feature), 128 bits of its words (SimHash: Charikar
    2002, Similarity estimation techniques from rounding algorithms) and how it opens and closes (two bytes each).
    Similar texts have similar fingerprints; the text cannot be read from it, but whoever has a text can compute its
    fingerprint and so confirm a guess. Two such frames can be given to `drift` in place of traces.
    """
    names = group_columns(by)
    rows = text_rows(as_traces(traces, "fingerprint", "traces"), text, by=names, per=per)
    made = rows[["trace_id", "span_id", "start", *names]].copy()
    made["fingerprint"] = fingerprints_of([str(each) for each in rows["text"]])
    asked = fingerprints_of([str(each) for each in rows["prompt"].fillna("")])
    made["prompt_fingerprint"] = [
        one if known else None for one, known in zip(asked, rows["prompt"].notna(), strict=True)
    ]
    return made


def fingerprints_of(texts: Sequence[str]) -> list[str]:
    """Give the fingerprint of each text."""
    form = _quantised(format_features(texts))
    bits, edges = _words(texts), _edges(texts)
    packed = np.hstack([form, np.packbits(bits, axis=1), edges])
    return [base64.urlsafe_b64encode(row.tobytes()).decode().rstrip("=") for row in packed]


def measured_of(fingerprints: Sequence[str]) -> Measured:
    """Give what is known of texts by their fingerprints; raise `SelectionError` for what is none."""
    from scipy.sparse import csr_matrix

    raw = np.zeros((len(fingerprints), _LENGTH), dtype=np.uint8)
    for place, each in enumerate(fingerprints):
        if not each:
            continue  # nothing was asked, as far as is known
        try:
            decoded = base64.urlsafe_b64decode(each + "=" * (-len(each) % 4))
        except (binascii.Error, ValueError, TypeError):
            decoded = b""
        if len(decoded) != _LENGTH:
            raise SelectionError(
                f"{each[:40]!r} is not a fingerprint of this version: ll.fingerprint(traces) makes them."
            )
        raw[place] = np.frombuffer(decoded, dtype=np.uint8)
    features = len(FEATURES)
    bits = np.unpackbits(raw[:, features : features + _BITS // 8], axis=1)
    edges = raw[:, features + _BITS // 8 :].reshape(len(raw), 2, 2).astype(np.int64)
    edges = edges[:, :, 0] * 256 + edges[:, :, 1]
    columns = [edges[:, [side]] == np.unique(edges[:, side])[None, :] for side in (0, 1)]
    hot = np.hstack(columns).astype(np.float32)
    hot = hot[:, hot.sum(axis=0) >= 2]
    return Measured(
        form=_restored(raw[:, :features]),
        inner=Terms(csr_matrix(bits.astype(np.float32)), [f"#{i}" for i in range(_BITS)]),
        edges=Terms(csr_matrix(hot), [f"#{i}" for i in range(hot.shape[1])]),
    )


def _scale(values: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    scaled = np.log1p(values) if kind in ("size", "count", "mean") else np.sqrt(values) if kind == "share" else values
    return np.asarray(scaled, dtype=float)


def _quantised(form: NDArray[np.float64]) -> NDArray[np.uint8]:
    columns = [_scale(form[:, i], feature.kind) * _STEPS[feature.kind] for i, feature in enumerate(FEATURES)]
    return (
        np.clip(np.round(np.column_stack(columns)), 0, 255).astype(np.uint8)
        if len(form)
        else np.zeros((0, len(FEATURES)), dtype=np.uint8)
    )


def _restored(raw: NDArray[np.uint8]) -> NDArray[np.float64]:
    columns = []
    for place, feature in enumerate(FEATURES):
        scaled = raw[:, place] / _STEPS[feature.kind]
        kind = feature.kind
        columns.append(
            np.expm1(scaled) if kind in ("size", "count", "mean") else scaled**2 if kind == "share" else scaled
        )
    return np.column_stack(columns)


def _words(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Give the signs of the sum of the random directions of the words of each text."""
    from llmlens.embed.words import tokens_of

    numbers, tokens = tokens_of(texts)
    coded = tokens.dictionary_encode()
    directions = np.array([_direction(str(word)) for word in coded.dictionary.to_pylist()], dtype=np.int8)
    keys = np.unique(numbers * max(len(directions), 1) + coded.indices.to_numpy().astype(np.int64))
    total = np.zeros((len(texts), _BITS))
    if len(keys):
        np.add.at(total, keys // len(directions), directions[keys % len(directions)])
    return (total > 0).astype(np.uint8)


@cache
def _direction(word: str) -> tuple[int, ...]:
    digest = np.frombuffer(hashlib.blake2b(word.encode(), digest_size=_BITS // 8).digest(), dtype=np.uint8)
    return tuple((2 * np.unpackbits(digest).astype(np.int8) - 1).tolist())


def _edges(texts: Sequence[str]) -> NDArray[np.uint8]:
    made = np.zeros((len(texts), _EDGES), dtype=np.uint8)
    for place, (opening, closing) in enumerate(token_edges(texts, 2)):
        for side, tokens in enumerate((opening, closing)):
            digest = hashlib.blake2b(" ".join(tokens).encode(), digest_size=2).digest()
            made[place, 2 * side : 2 * side + 2] = np.frombuffer(digest, dtype=np.uint8)
    return made
