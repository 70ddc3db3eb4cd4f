"""`llmlens.embed`: the texts of traces -> vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import EmbeddingError
from llmlens.texts import text_rows

from .given import GivenVectors
from .lexical import LexicalEncoder
from .picture import usable
from .run import embed_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from llmlens.traces import Traces

    from .cache import Cache
    from .encoder import Encoder, Vectors

#: Vectors in the traces are taken unasked when at least this share of the texts has one.
_MOST = 0.5


@dataclass(frozen=True, repr=False)
class Embedding:
    """The texts of traces as vectors.

    `frame` has a row a text: trace_id, span_id, start, prompt, text and the columns asked for. `vectors` is (rows,
    dimensions), NaN where a text has none. `encoder` made them and makes comparable ones of other texts; `notes` says
    what there is to say.
    """

    frame: pd.DataFrame
    vectors: Vectors
    encoder: Encoder
    notes: tuple[str, ...]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which rows have a vector."""
        return usable(self.vectors)

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.frame)

    def __repr__(self) -> str:
        """Say what it is, and what there is to say."""
        having = f"{int(self.there.sum()):,} of {len(self):,} texts"
        what = f"<Embedding of {having}, {self.vectors.shape[1]} dimensions, by {self.encoder.name}>"
        return "\n".join([what, *self.notes])


@explains_arguments
def embed(
    traces: Traces,
    text: str = "output",
    encoder: Encoder | None = None,
    *,
    by: str | Iterable[str] | None = None,
    per: str = "trace",
    column: str | None = None,
    cache: bool | Cache = True,
    progress: bool = True,
    ask_above_usd: float = 1.0,
    confirm: bool = False,
) -> Embedding:
    """Give the texts of traces as vectors; `text`, `by` and `per` are those of `llmlens.texts.text_rows`.

    Without an encoder, vectors that are in the traces are taken when most of the texts have one; else the texts are
    encoded by their words (`LexicalEncoder`, fitted on them). `column` names the metadata that holds vectors
    (`"metadata.embedding"`). An encoder is anything with a name and `encode(texts)`; `llmlens.embed` has
    `SentenceTransformerEncoder`, `StaticModelEncoder` and `EndpointEncoder`. Each different text is encoded once and
    kept in a cache on disk (`llmlens.embed.Cache()` says where, and empties it), so that the same call goes on where an
    interrupted one ended.

    An encoder that is paid for says first what it will cost, and is refused above `ask_above_usd` USD, or at a price
    that is not known, unless `confirm=True`.

    Raises `EmbeddingError` when texts could not be encoded, `UnknownNameError` for columns that do not exist.
    """
    rows = text_rows(traces, text, by=by, per=per)
    texts: list[str] = rows.text.to_numpy(dtype=object).tolist()  # of an Arrow column, faster than to go through it
    notes: tuple[str, ...] = () if texts else (f"There is no {text} in these traces.",)
    if column is not None:
        if encoder is not None:
            raise EmbeddingError("Give an encoder or a column that holds the vectors, not both.")
        encoder = GivenVectors.from_column(traces, rows, column)
    elif encoder is None:
        encoder, notes = _default(traces, texts, notes)
    if isinstance(encoder, LexicalEncoder) and not encoder.is_fitted:
        encoder.fit(texts)
    given = isinstance(encoder, GivenVectors)
    allow = _paid(encoder, ask_above_usd, confirm=confirm)
    vectors = embed_texts(texts, encoder, cache=False if given else cache, progress=progress, allow=allow)
    missing = int((~usable(vectors)).sum())
    if missing:
        notes += (f"{missing:,} of {len(texts):,} texts have no vector.",)
    if isinstance(encoder, GivenVectors):
        notes += encoder.notes
    return Embedding(rows, vectors, encoder, notes)


def _default(traces: Traces, texts: list[str], notes: tuple[str, ...]) -> tuple[Encoder, tuple[str, ...]]:
    given = GivenVectors.from_spans(traces)
    if not len(given):
        return LexicalEncoder(), notes
    having = int(usable(given.encode(texts)).sum())
    if having and having >= _MOST * len(texts):
        return given, notes
    if having:
        held = f"The traces hold vectors of only {having:,} of {len(texts):,} texts, which were encoded by their words"
        notes += (f"{held} instead; encoder=GivenVectors.from_spans(traces) takes those vectors.",)
    return LexicalEncoder(), notes


def _paid(encoder: Any, ask_above_usd: float, *, confirm: bool) -> Callable[[list[str]], None] | None:
    """Give what asks before texts are sent to somebody who is paid for it; None where nobody is."""
    if not hasattr(encoder, "estimate") or getattr(encoder, "is_local", False):
        return None

    def allow(texts: list[str]) -> None:
        costs = encoder.estimate(texts)
        if confirm or (costs.usd is not None and costs.usd <= ask_above_usd):
            print(costs)  # noqa: T201  # said before it is spent
            return
        limit = "Its price is not known" if costs.usd is None else f"That is above ask_above_usd={ask_above_usd:g}"
        raise EmbeddingError(f"{costs}. {limit}: nothing was sent. Say confirm=True to go on.")

    return allow
