"""`drift`: whether outputs changed, given what was asked, and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.compare.selections import as_traces, check_seed
from llmlens.errors import SelectionError
from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.texts import group_columns

from .days import drift_by_day
from .mix import mix_shift
from .moved import Movements
from .picture import draw
from .result import COLUMNS, MIX, OVERALL, Drift, DriftSeries
from .verdict import LEAST, Test, Verdict
from .windows import Windows, windows_of, windows_of_fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from llmlens.embed.encoder import Encoder
    from llmlens.traces import Traces

_LEVEL = 0.05
#: Quiet streams that the days are judged by; each is a whole month of traffic.
_STREAMS = 399


@explains_arguments
def drift(
    before: Traces | pd.DataFrame,
    after: Traces | pd.DataFrame,
    text: str = "output",
    by: str | Iterable[str] | None = "feature",
    *,
    per: str = "trace",
    every: str | None = None,
    looks: int = 30,
    encoder: Encoder | None = None,
    permutations: int = 999,
    limit: int = 4_000,
    seed: int = 0,
) -> Drift | DriftSeries:
    """Test whether outputs changed between two windows, given what was asked, and say what moved.

    A row `overall`, one for each value of `by` (columns of spans), one `mix`:

    - `p`: from permutations of the window within strata of equal `by` and equally likely prompts, of what the prompt
      does not explain; outputs of one session stay together. It is the upper 95 % limit of what infinitely many
      permutations would say. `q` corrects it over the slices (Benjamini-Hochberg). Three views of a text are tested and
      combined: its form, its words, how it opens and closes; `view` is the one that moved most. `statistic` is in
      standard deviations of its permutations.
    - `effect`, `low`, `high`: how often it can be told which of two outputs is of which window, with its 95 % interval:
      0.5 by chance, 1 always (area under the ROC curve of a rule that was not fitted on them). `detectable` is the
      least effect that would have been seen with a power of 80 %.
    - `moved`: what changed, in words and units, at the mix of slices before.
    - `mix`: the traffic. Its effect is the share of it that would have to move to make both mixes equal. A change of
      the mix is never drift: it is not in the other rows. Sessions are permuted as wholes here too.

    A slice with fewer than 8 outputs (or sessions) in a window has NA. `.examples` are pairs of outputs with like
    prompts, `.clusters` the groups of outputs that grew and shrank, `.notes` what could not be judged. `text` is
    "output" or "input", `per` is "trace" or "span" (model calls); an `encoder` adds their meaning as a fourth view.

    Both may be frames of `ll.fingerprint` instead, where texts are not kept; `.notes` says what is lost.

    With `every="1D"` (or another period) the result has a row a period of `after` and slice instead, each against the
    whole of `before`: `effect` tells that day's outputs from the reference, `p` is the chance that quiet traffic ever
    scores as high in all the days together (at least `looks`), so that it may be looked at every day; that traffic is
    drawn by whole sessions of `before`. `.changes` has the onsets with their intervals, and what moved since. Days are
    asked for in windows of 1 to 89 periods.

    Raises `SelectionError` for windows that are the same, `UnknownNameError` for columns that do not exist.

    The method: conditioning out of sample, ridge-regularised Hotelling statistics (Chen et al. 2011), nonparametric
    combination (Pesarin and Salmaso 2010), subclassification on the propensity score (Rosenbaum and Rubin 1984).
    """
    check_seed(seed)
    for name, value, least in (("permutations", permutations, 99), ("limit", limit, LEAST), ("looks", looks, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SelectionError(f"{name}={value!r} is not a whole number from {least}.")
    if isinstance(before, pd.DataFrame) and isinstance(after, pd.DataFrame):
        windows = windows_of_fingerprints(before, after, by=group_columns(by), limit=limit, seed=seed)
        encoder = None
    else:
        old, new = (as_traces(given, "drift", name) for given, name in ((before, "before"), (after, "after")))
        windows = windows_of(old, new, text=text, by=by, per=per, limit=limit, seed=seed)
    if every is not None:
        return drift_by_day(windows, every, looks=looks, times=min(permutations, _STREAMS), seed=seed)
    return drift_of(windows, times=permutations, seed=seed, vectors=_vectors(windows, encoder))


def drift_of(
    windows: Windows, *, times: int = 999, seed: int = 0, vectors: np.ndarray[Any, Any] | None = None
) -> Drift:
    """Give the drift between windows that were already made; `vectors` are the embeddings of their rows."""
    n_before, n_after = windows.counts()
    notes = [*windows.notes]
    if min(n_before, n_after) < LEAST:
        notes.append(f"{n_before:,} outputs before and {n_after:,} after: at least {LEAST} in each window are needed.")
        return _result([_unjudged(OVERALL, n_before, n_after)], None, notes)
    test = Test.of(windows, times=times, seed=seed, vectors=vectors)
    if not test.shifts or not any(each.weights for each in test.shifts.values()):
        same = len(set(windows.texts)) == 1
        notes.append("All outputs are the same text." if same else "No slice has outputs of both windows.")
        return _result([_unjudged(OVERALL, n_before, n_after)], None, notes)
    if min(test.independent()) < LEAST:
        notes.append(_of_sessions(test, f"at least {LEAST} in each window are needed"))
        return _result([_unjudged(OVERALL, n_before, n_after)], None, notes)
    if len(windows.rows) > sum(test.independent()):
        notes.append(_of_sessions(test, "they are compared as wholes, since outputs of one are not independent"))
    movements = Movements(windows, test.measured, test.prompts, test.labels)
    verdicts = {number: test.of_slice(number) for number in test.judged()}
    judged = {number: verdict for number, verdict in verdicts.items() if verdict is not None}
    corrected = dict(zip(judged, benjamini_hochberg([v.p for v in judged.values()]), strict=True))
    overall = test.overall()
    everywhere = movements.words(None, None) if overall.p <= _LEVEL else ""
    rows = [_row(OVERALL, overall, overall.p, everywhere)]
    for number, name in enumerate(windows.names):
        if number not in judged:
            rows.append(_unjudged(name, *windows.counts(number)))
            continue
        q = float(corrected[number])
        words = movements.words(number, test.strata_of(number)) if q <= _LEVEL else ""
        rows.append(_row(name, judged[number], q, words))
    apart = [windows.names[number] for number, verdict in verdicts.items() if verdict is None]
    if apart:
        notes.append(f"What is asked changed so much that no outputs can be compared: {', '.join(apart[:10])}.")
    few = [name for number, name in enumerate(windows.names) if number not in verdicts]
    if few:
        notes.append(f"Too few outputs or sessions in a window (under {LEAST}) to judge: {', '.join(few[:10])}.")
    if len(windows.names) > 1 or test.prompts.shape[1]:
        rows.append(_mix_row(windows, test, times, seed))
    return _result(rows, test, notes)


def _of_sessions(test: Test, told: str) -> str:
    before, after = test.independent()
    return f"The outputs are of {before:,} sessions before and {after:,} after (or have none): {told}."


def _vectors(windows: Windows, encoder: Encoder | None) -> np.ndarray[Any, Any] | None:
    if encoder is None:
        return None
    from llmlens.embed.run import embed_texts

    return embed_texts(windows.texts, encoder)


def _row(name: str, verdict: Verdict, q: float, moved: str) -> dict[str, Any]:
    effect = verdict.effect
    return {
        "slice": name, "statistic": verdict.statistic, "effect": effect and effect.auc, "low": effect and effect.low,
        "high": effect and effect.high, "p": verdict.p, "q": q, "n_before": verdict.n_before,
        "n_after": verdict.n_after, "moved": moved, "view": verdict.view, "detectable": verdict.detectable,
    }  # fmt: skip


def _unjudged(name: str, n_before: int, n_after: int) -> dict[str, Any]:
    return {"slice": name, "n_before": n_before, "n_after": n_after, "moved": "too few to judge"}


def _mix_row(windows: Windows, test: Test, times: int, seed: int) -> dict[str, Any]:
    n_before, n_after = windows.counts()
    found = mix_shift(windows, test.propensity, times, seed, test.units)
    return {
        "slice": MIX, "statistic": found.statistic, "effect": found.distance, "low": found.low, "high": found.high,
        "p": found.p, "q": found.p, "n_before": n_before, "n_after": n_after, "moved": found.moved, "view": "traffic",
    }  # fmt: skip


def _result(rows: list[dict[str, Any]], test: Test | None, notes: list[str]) -> Drift:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["statistic", "effect", "low", "high", "p", "q", "detectable"]
    frame[numbers] = frame[numbers].astype("Float64")
    frame[["n_before", "n_after"]] = frame[["n_before", "n_after"]].astype("Int64")
    frame[["slice", "moved", "view"]] = frame[["slice", "moved", "view"]].astype("str")
    made = Drift(frame)
    object.__setattr__(made, "_figure", draw)
    object.__setattr__(made, "_test", test)
    object.__setattr__(made, "notes", tuple(notes))
    return made
