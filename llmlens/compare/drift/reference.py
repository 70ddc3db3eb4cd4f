"""A frozen reference: outputs of later days seen through what was known before, so that no day changes another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .components import directions
from .permutation import commonest
from .prompts import Expectation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .terms import Terms
    from .windows import Windows

    Floats = NDArray[np.float64]

_DIMENSIONS = 60
_PROMPT_DIMENSIONS = 40
_RIDGE = 1.0
#: No output counts for more than this quantile of the reference does: one odd answer is no drift, many are.
_BOUND = 0.9
#: The share of the reference that says what to look at; the rest says what is usual there.
_LEARN = 1 / 3
_FOLDS = 5


@dataclass(frozen=True)
class Frozen:
    """Rows of the reference, then of the stream: whitened and conditioned views of both, and their slices.

    What is looked at (terms, directions, what a prompt leads to expect) was learnt on other rows of the reference,
    which are not among these. So the rows of the reference are as new to it as those of the stream, and a quiet stream
    looks like the reference, not like less than what was picked for being frequent there.

    Only the scale of the directions is that of these rows: in it, rows of a small reference are nearer to their mean
    than others will be, `wider` times in each view. `units` numbers what is independent: the sessions of either window,
    and each output that has none.
    """

    views: dict[str, Floats]
    wider: dict[str, float]
    slices: NDArray[np.int64]
    known: int
    rows: NDArray[np.int64]
    units: NDArray[np.int64]


def frozen(windows: Windows, seed: int) -> Frozen:
    """Learn from a third of the outputs before, see all others through it; each slice is among those before.

    `rows` says which outputs the rows are. Outputs of one session are all learnt from, or none of them is.
    """
    known = windows.counts()[0]
    units = windows.units
    learn = _drawn(windows.slices[:known], units[:known], seed)
    order = np.concatenate([learn, np.setdiff1d(np.arange(len(windows.slices)), learn)])
    n, kept = len(learn), known - len(learn)
    taken = windows.taken(order)
    slices = taken.slices
    measured, questions = taken.measured(known=n)
    asked = np.hstack([
        _scaled(_form(questions.form, slices, n), n),
        _scaled(_words(questions.inner, slices, n, count=_PROMPT_DIMENSIONS, seed=seed), n),
    ])  # fmt: skip
    views = {
        "form": _form(measured.form, slices, n),
        "words": _words(measured.inner, slices, n, count=_DIMENSIONS, seed=seed),
        "edges": _words(measured.edges, slices, n, count=_DIMENSIONS, seed=seed),
    }
    seen, wider, of = {}, {}, units[order[n:]]
    for name, view in views.items():
        if view.shape[1]:
            left = view[n:] - Expectation.of(view[:n], asked[:n]).of_prompts(asked[n:])
            centre = _centred(left, slices[n:], kept)
            seen[name] = _scaled_by(centre, kept)
            wider[name] = _wider(centre[:kept], of[:kept], seed)
    return Frozen(seen, wider, slices[n:], kept, order[n:], of)


def _wider(rows: Floats, units: NDArray[np.int64], seed: int) -> float:
    """Give how much longer rows are in a scale that was not learnt on them or their unit (cross-fitted); at least 1."""
    numbers, of = np.unique(units, return_inverse=True)
    if len(numbers) < 2 * _FOLDS:
        return 1.0
    fold = (np.random.default_rng(seed).permutation(len(numbers)) % _FOLDS)[of]
    learnt, judged = 0.0, 0.0
    for each in range(_FOLDS):
        others = int((fold != each).sum())
        scaled = _scaled_by(np.vstack([rows[fold != each], rows[fold == each]]), others)
        length = (scaled**2).sum(axis=1)
        learnt += float(length[:others].mean())
        judged += float(length[others:].mean())
    return float(np.sqrt(max(1.0, judged / learnt))) if learnt > 0 else 1.0


def _scaled_by(view: Floats, known: int) -> Floats:
    return _bounded(_whitened(view, known), known)


def _drawn(slices: NDArray[np.int64], units: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Draw a third of the units of each slice, but never all of them; a unit is of the slice that most of it is in."""
    rng = np.random.default_rng(seed)
    of = np.unique(units, return_inverse=True)[1]
    home = commonest(slices, of)
    drawn = []
    for value in np.unique(home):
        inside = rng.permutation(np.flatnonzero(home == value))
        drawn.append(inside[: max(1, round(_LEARN * len(inside))) if len(inside) > 1 else 0])
    return np.flatnonzero(np.isin(of, np.concatenate(drawn)))


def _form(features: Floats, slices: NDArray[np.int64], known: int) -> Floats:
    """Give format features as normal quantiles of their rank among the known ones."""
    from scipy.special import ndtri

    scores = np.zeros_like(features)
    for column in range(features.shape[1]):
        ordered = np.sort(features[:known, column])
        below = np.searchsorted(ordered, features[:, column], side="left")
        upto = np.searchsorted(ordered, features[:, column], side="right")
        scores[:, column] = ndtri(np.clip((below + upto) / (2 * known), 0.5 / known, 1 - 0.5 / known))
    spread = scores[:known].std(axis=0)
    varied = spread > 1e-6
    return _centred(scores[:, varied] / spread[varied], slices, known)


def _words(terms: Terms, slices: NDArray[np.int64], known: int, *, count: int, seed: int) -> Floats:
    """Give terms in the leading directions of the known ones."""
    weighted = terms.weighted(known)
    return _centred(weighted @ directions(weighted[:known], slices[:known], count, seed), slices, known)


def _centred(columns: Any, slices: NDArray[np.int64], known: int) -> Floats:
    """Subtract the mean of the known rows of the slice; of all known rows where a slice has none."""
    centre = np.array(columns, dtype=float)
    whole = centre[:known].mean(axis=0)
    for value in np.unique(slices):
        inside = slices == value
        among = centre[:known][inside[:known]]
        centre[inside] -= among.mean(axis=0) if len(among) else whole
    return centre


def _scaled(columns: Floats, known: int) -> Floats:
    length = np.sqrt((columns[:known] ** 2).sum(axis=1).mean()) if columns.shape[1] else 0.0
    return columns / length if length > 0 else columns[:, :0]


def _whitened(view: Floats, known: int) -> Floats:
    variances, turned = np.linalg.eigh(view[:known].T @ view[:known] / known)
    kept = variances > 1e-10 * max(variances[-1], 1e-300)
    variances, turned = variances[kept], turned[:, kept]
    return np.asarray(view @ turned / np.sqrt(variances + _RIDGE * variances.mean()), dtype=float)


def _bounded(view: Floats, known: int) -> Floats:
    length = np.linalg.norm(view, axis=1)
    bound = np.quantile(length[:known], _BOUND)
    return np.asarray(view * np.minimum(1, bound / np.maximum(length, 1e-300))[:, None], dtype=float)
