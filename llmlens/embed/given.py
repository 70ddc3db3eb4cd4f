"""`GivenVectors`: the embeddings that are in the traces already."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from llmlens.errors import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from llmlens.traces import Traces

    from .encoder import Vectors

#: OpenInference: text and vector of the N-th embedding of a span have the same key up to here.
_VECTOR = re.compile(r"^(embedding\.embeddings\.\d+\.embedding\.)vector$")


class GivenVectors:
    """Vectors by their texts; an encoder that knows these texts and no others, for which it gives NaN.

    `notes` says how many could be used, and what was wrong with the others.
    """

    #: A look-up is not worth a place in the cache.
    at_once = 1_000_000

    def __init__(self, pairs: Iterable[tuple[str | None, Any]], source: str) -> None:
        """Take (text, vector) pairs. The size that most have is the size; others, and those with NaN, are left out."""
        rows = [(text, _vector(value)) for text, value in pairs]
        sizes = Counter(len(vector) for _, vector in rows if vector is not None)
        self.dimensions = sizes.most_common(1)[0][0] if sizes else 0
        self._source = source
        self._known: dict[str, Vectors] = {}
        left_out: Counter[str] = Counter()
        for text, vector in rows:
            if vector is None:
                left_out["that are no list of numbers"] += 1
            elif len(vector) != self.dimensions:
                left_out[f"of {len(vector)} instead of {self.dimensions} numbers"] += 1
            elif not np.isfinite(vector).all():
                left_out["with NaN or infinity"] += 1
            elif text is None or not text.strip():
                left_out["without a text"] += 1
            else:
                self._known.setdefault(_spaced(text), vector)
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        self.notes: tuple[str, ...] = (f"Vectors in {source} that could not be used: {reasons}.",) if reasons else ()

    @classmethod
    def from_spans(cls, traces: Traces) -> GivenVectors:
        """Take the vectors that spans carry with their texts, as OpenInference writes them."""
        contents = traces.table("contents")
        wanted = contents.filter(contents.attributes.contains(".embedding.vector")).select("attributes")
        return cls(_of_spans(traces.fetch_arrow(wanted).column(0).to_pylist()), "the spans")

    @classmethod
    def from_column(cls, traces: Traces, rows: pd.DataFrame, column: str) -> GivenVectors:
        """Take the vectors of a key of the metadata (`metadata.embedding`), a list of numbers in JSON.

        `rows` are those of `text_rows`: a row's vector is that of its span, else of its trace's first span with one.
        Raises `EmbeddingError` for another kind of column.
        """
        part, _, key = column.partition(".")
        if part != "metadata" or not key:
            raise EmbeddingError(f"column={column!r}: expected a key of the metadata, such as 'metadata.embedding'.")
        spans = traces.table("spans")
        wanted = spans.filter(spans.metadata.contains(f'"{key}"')).order_by(["start", "span_id"])
        held = traces.fetch(wanted.select("trace_id", "span_id", "metadata"))
        found: dict[tuple[str, str | None], Any] = {}
        for trace, span, metadata in held.itertuples(index=False):
            value = orjson.loads(metadata).get(key)
            found[trace, span] = value
            found.setdefault((trace, None), value)
        places = zip(rows.trace_id, rows.span_id, rows.text, strict=True)
        pairs = ((text, found.get((trace, span), found.get((trace, None)))) for trace, span, text in places)
        return cls(((text, value) for text, value in pairs if value is not None), column)

    def __len__(self) -> int:
        """Count the texts that it knows."""
        return len(self._known)

    @property
    def name(self) -> str:
        """Where the vectors are from."""
        return f"given in {self._source}"

    def encode(self, texts: list[str], /) -> Vectors:
        """Give (number of texts, dimensions), NaN for a text that is not known."""
        vectors = np.full((len(texts), self.dimensions), np.nan, dtype=np.float32)
        for place, text in enumerate(texts):
            known = self._known.get(_spaced(text))
            if known is not None:
                vectors[place] = known
        return vectors

    def __repr__(self) -> str:
        """Say how many."""
        return f"<GivenVectors, {len(self):,} of {self.dimensions} dimensions in {self._source}>"


def _of_spans(attributes: Iterable[str]) -> Iterator[tuple[str | None, Any]]:
    for each in attributes:
        keys = orjson.loads(each)
        for key, value in keys.items():
            if match := _VECTOR.match(key):
                text = keys.get(f"{match[1]}text")
                yield (text if isinstance(text, str) else None), value


def _vector(value: Any) -> Vectors | None:
    """Read a list of numbers, or the JSON of one; None where it is none."""
    try:
        read = orjson.loads(value) if isinstance(value, str) else value
        vector = np.array(read, dtype=np.float32)
    except (ValueError, TypeError, OverflowError):
        return None
    return vector if vector.ndim == 1 and vector.size else None


def _spaced(text: str) -> str:
    """Give a text with single spaces: clients of embedding models take line breaks out."""
    return " ".join(text.split())
