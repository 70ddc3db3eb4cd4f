"""`clusters`: the groups of outputs of two windows, and which of them grew and shrank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.arguments import explains_arguments
from llmlens.compare.drift.windows import windows_of
from llmlens.compare.selections import as_traces, check_seed
from llmlens.embed.lexical import LexicalEncoder
from llmlens.embed.picture import usable
from llmlens.embed.run import embed_texts

from .result import Clusters, clusters_of
from .stored_groups import stored_groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmlens.compare.drift.windows import Windows
    from llmlens.embed.encoder import Encoder, Vectors
    from llmlens.traces import Traces

#: Outputs of a window that are looked at.
_LIMIT = 25_000


@explains_arguments
def clusters(
    before: Traces,
    after: Traces,
    *,
    text: str = "output",
    by: str | Iterable[str] | None = None,
    per: str = "trace",
    encoder: Encoder | None = None,
    seed: int = 0,
) -> Clusters:
    """Group the outputs of two windows by what they say, and compare how large each group is in both.

    A row is a cluster, those that changed most first, and the last one `outliers`, which belong to none. `name` are the
    terms that set it apart; `share_before`, `share_after` and their `difference` with its 95 % interval (`low`,
    `high`); `p` from permutations of the window, `q` corrected over the clusters. `main_slice` is the value of `by`
    (columns of spans) that most of its outputs have, `examples` are the traces in its middle. `.members` says which
    output is where, `.trace_ids(cluster)` which traces a cluster has, `.notes` what could not be judged.

    A cluster also grows when more of what it answers is asked: `llmlens.drift` tells the two apart. `text` is "output"
    or "input", `per` "trace" or "span"; without an `encoder`, outputs are compared by their words.

    The method: HDBSCAN (Campello, Moulavi and Sander 2013) in the space of the vectors, c-TF-IDF for the names
    (Grootendorst 2022), Miettinen and Nurminen's interval (1985), Fisher's exact test.

    Raises `SelectionError` for windows that are the same, `UnknownNameError` for columns that do not exist.
    """
    check_seed(seed)
    old, new = (as_traces(given, "clusters", name) for given, name in ((before, "before"), (after, "after")))
    windows = windows_of(old, new, text=text, by=by, per=per, limit=_LIMIT, seed=seed)
    vectors = None if encoder is None else embed_texts(windows.texts, encoder)
    return clusters_in(windows, vectors=vectors, seed=seed)


def clusters_in(windows: Windows, *, vectors: Vectors | None = None, seed: int = 0) -> Clusters:
    """Give the clusters of windows that were already made; `vectors` are the embeddings of their outputs, if any."""
    if vectors is None:
        vectors = embed_texts(windows.texts, LexicalEncoder(seed=seed).fit(windows.texts))
    slices = [windows.names[number] for number in windows.slices]
    notes = [*windows.notes]
    missing = int((~usable(vectors)).sum())
    if missing:
        notes.append(f"{missing:,} of {len(vectors):,} outputs have no vector and are among the outliers.")
    labels = stored_groups(vectors, seed=seed)
    return clusters_of(windows.rows, labels, vectors, windows.after, slices, notes=notes, seed=seed)
