"""How good `drift` is: power, false alarms, the feature it names, and days until it sees a change.

    python bench/truth/drift.py [--draws 200] [--streams 60] [--only power alpaca watch sessions] [--seed 1000]
                                [--evidently PYTHON]

Prints markdown tables, beside what other tools find on the same draws (see peers.py). Needs shared/data/drift.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.truth.change_streams import DATA, PAIRS, AlpacaEval, ChatGPT, Draw
from bench.truth.peers import judged, use_evidently
from llmlens.compare.drift.mix import mix_shift
from llmlens.compare.drift.reference import frozen
from llmlens.compare.drift.stream import watch
from llmlens.compare.drift.verdict import Test
from llmlens.compare.drift.windows import Windows, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LEVEL = 0.05
_PERMUTATIONS = 499
_HAPPY = "countahappynumber"
_CHATGPT: ChatGPT | None = None
_ALPACA: dict[int, AlpacaEval] = {}

#: Name -> (outputs a window, share changed, in which feature, how far the mix moves).
CHATGPT: dict[str, tuple[int, float, str | None, float]] = {
    "nothing changed, n=200": (200, 0, None, 0),
    "mix moved (0.5), n=200": (200, 0, None, 0.5),
    "mix moved (0.5), n=700": (700, 0, None, 0.5),
    "one feature half changed, n=200": (200, 0.5, _HAPPY, 0),
    "another feature half changed, n=200": (200, 0.5, "prime_full", 0),
    "a quarter of all changed, n=200": (200, 0.25, None, 0),
    "half of all changed, n=200": (200, 0.5, None, 0),
    "the same, mix moved (0.5)": (200, 0.25, None, 0.5),
}
ALPACA: dict[str, tuple[int, float]] = {
    "nothing changed, n=200": (200, 0),
    "all changed, n=200": (200, 1),
    "all changed, n=400": (400, 1),
    "half changed, n=400": (400, 0.5),
}
#: Name -> (day of the onset, share changed, in which feature).
WATCHED: dict[str, tuple[int, float, str | None]] = {
    "quiet": (30, 0, None),
    "half of all": (15, 0.5, None),
    "half of one feature": (15, 0.5, _HAPPY),
    "a quarter of all": (15, 0.25, None),
}
_KNOWN, _DAYS, _EACH = 700, 30, 50
_TABLES = ["power", "alpaca", "watch", "sessions"]
#: Sessions a window, and outputs a session.
SESSIONS = ((100, 2), (60, 4), (40, 8))
#: What is known of the sessions -> the columns that are left out.
_TOLD: dict[str, list[str]] = {"sessions known": [], "sessions unknown": ["session_id"]}


def windows_of(draw: Draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give rows as `text_rows` does."""
    return tuple(  # type: ignore[return-value]  # two of them
        part.assign(
            trace_id=[f"{side}{i}" for i in range(len(part))], span_id="s", start=pd.Timestamp("2026-01-01", tz="UTC")
        )
        for side, part in (("b", draw.before), ("a", draw.after))
    )


def one(draw: Draw, seed: int, changed: str | None) -> dict[str, float]:
    """Judge one draw: llmlens and the peers."""
    before, after = windows_of(draw)
    test = Test.of(joined(before, after, ["feature"], limit=10_000, seed=seed), times=_PERMUTATIONS, seed=seed)
    p = test.overall().p
    found: dict[str, float] = {"llmlens": p <= _LEVEL}
    if changed is not None and p <= _LEVEL:
        slices = {test.windows.names[i]: each for i in test.judged() if (each := test.of_slice(i)) is not None}
        named = min(slices, key=lambda name: (slices[name].p, -slices[name].statistic))
        found["names it"] = named == changed
    return {**found, **judged(draw, seed)}


def chatgpt(name: str, seed: int) -> dict[str, float]:
    """Judge a draw of ChatGPT's outputs."""
    global _CHATGPT  # noqa: PLW0603  # read once a process
    _CHATGPT = _CHATGPT or ChatGPT()
    n, share, feature, mix = CHATGPT[name]
    draw = _CHATGPT.draw(n, np.random.default_rng(seed), share=share, feature=feature, mix=mix)
    return one(draw, seed, feature)


def alpaca(pair: int, name: str, seed: int) -> dict[str, float]:
    """Judge a draw of a pair of AlpacaEval."""
    if pair not in _ALPACA:
        _ALPACA[pair] = AlpacaEval(PAIRS[pair])
    n, share = ALPACA[name]
    return one(_ALPACA[pair].draw(n, np.random.default_rng(seed), share=share), seed, None)


def watched(name: str, seed: int) -> dict[str, float]:
    """Watch a stream by day: when it is seen first, and the onset that is found then."""
    global _CHATGPT  # noqa: PLW0603  # read once a process
    from llmlens.compare.drift.onset import onset

    _CHATGPT = _CHATGPT or ChatGPT()
    began, share, feature = WATCHED[name]
    rng = np.random.default_rng(seed)
    quiet, stream = _CHATGPT.days(_KNOWN, _DAYS, _EACH, rng, onset=began, share=share, feature=feature)
    before, after = windows_of(Draw(quiet, stream))
    windows = joined(before, after, ["feature"], limit=10_000, seed=seed)
    view = frozen(windows, seed)
    day = stream["day"].to_numpy(dtype=np.int64)
    scopes = [i for i in range(len(windows.names)) if (view.slices[: view.known] == i).sum() >= 30]
    seen = watch(view, day, scopes=scopes, looks=_DAYS, times=399, seed=seed)
    alarms = np.flatnonzero(seen.p <= _LEVEL)
    first = int(alarms[0]) if len(alarms) else -1
    found: dict[str, float] = {"alarm": float(first >= 0), "early": float(0 <= first < began)}
    if first >= began:
        found["lag"] = first - began + 1
        where = onset(view, day, until=_DAYS - 1, length=_DAYS - first + int(seen.length[first]) - 1,
                      scope=int(seen.scope[first]))  # fmt: skip
        found["onset within a day"] = float(abs(where.day - began) <= 1)
        found["onset in its interval"] = float(where.low <= began <= where.high)
    return found


def in_sessions(n: int, each: int, seed: int) -> Iterator[tuple[str, Windows]]:
    """Draw outputs that come in sessions and did not change; what is known of the sessions, and the windows."""
    global _CHATGPT  # noqa: PLW0603  # read once a process
    _CHATGPT = _CHATGPT or ChatGPT()
    before, after = windows_of(_CHATGPT.sessions(n, each, np.random.default_rng(seed)))
    for name, left_out in _TOLD.items():
        old, new = before.drop(columns=left_out), after.drop(columns=left_out)
        yield name, joined(old, new, ["feature"], limit=10_000, seed=0)


def sessions(n: int, each: int, seed: int) -> dict[str, float]:
    """Judge a draw in which nothing changed and outputs come in sessions, with and without knowing of them."""
    found = {}
    for name, windows in in_sessions(n, each, seed):
        test = Test.of(windows, times=_PERMUTATIONS, seed=seed)
        found[f"outputs, {name}"] = float(test.overall().p <= _LEVEL)
        mix = mix_shift(windows, test.propensity, _PERMUTATIONS, seed, test.units)
        found[f"mix, {name}"] = float(mix.p <= _LEVEL)
    return found


def watched_sessions(n: int, each: int, seed: int) -> dict[str, float]:
    """Watch ten quiet days whose outputs come in sessions, after as many sessions, knowing of them or not."""
    found = {}
    for name, windows in in_sessions(n, each, seed):
        day = np.arange(n * each) * 10 // (n * each)
        seen = watch(frozen(windows, seed), day, scopes=[], looks=10, times=199, seed=seed)
        found[f"days, {name}"] = float(seen.p.min() <= _LEVEL)
    return found


def table(title: str, rows: dict[str, list[dict[str, float]]]) -> None:
    """Print the means of what was found, a row each."""
    print(f"\n**{title}**\n")
    frame = pd.DataFrame({name: pd.DataFrame(found).astype(float).mean() for name, found in rows.items()}).T
    print("| |" + "|".join(str(c) for c in frame.columns) + "|\n|---|" + "---|" * frame.shape[1])
    for name, row in frame.iterrows():
        print(f"| {name} |" + "|".join("" if np.isnan(v) else f"{v:.3f}" for v in row) + "|", flush=True)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--streams", type=int, default=60)
    parser.add_argument("--only", nargs="*", choices=_TABLES, default=_TABLES)
    parser.add_argument("--seed", type=int, default=1_000, help="of the first draw")
    parser.add_argument("--evidently", type=Path, help="a Python that has Evidently: see evidently_peer.py")
    given = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA} is not there: this bench draws from real outputs.")
    with ProcessPoolExecutor(2, initializer=use_evidently, initargs=(given.evidently,)) as pool:

        def run(function: Callable[..., dict[str, float]], times: int, *args: object) -> list[dict[str, float]]:
            def jobs() -> Iterator[object]:
                return (pool.submit(function, *args, given.seed + i) for i in range(times))

            return [job.result() for job in list(jobs())]  # type: ignore[attr-defined]  # they are futures

        if "power" in given.only:
            rows = {name: run(chatgpt, given.draws, name) for name in CHATGPT}
            table(f"GPT-3.5 0301 → 0613, share of {given.draws} draws flagged at 0.05", rows)
        if "alpaca" in given.only:
            rows = {}
            for name in ALPACA:
                of_pairs = [run(alpaca, given.draws // 2, pair, name) for pair in range(len(PAIRS))]
                for pair, found in zip(PAIRS, of_pairs, strict=True):
                    rows[f"{name}: {pair[0]} → {pair[1]}"] = found
                rows[f"{name}: mean"] = [one for found in of_pairs for one in found]
            table(f"AlpacaEval, windows on disjoint prompts, {given.draws // 2} draws each", rows)
        if "sessions" in given.only:
            rows = {f"{n} sessions of {each}": run(sessions, given.draws, n, each) for n, each in SESSIONS}
            for n, each in SESSIONS:
                watched_too = run(watched_sessions, given.draws, n, each)
                of_both = zip(rows[f"{n} sessions of {each}"], watched_too, strict=True)
                rows[f"{n} sessions of {each}"] = [one | other for one, other in of_both]
            table(f"Nothing changed, outputs of a session alike: share of {given.draws} draws flagged at 0.05", rows)
        if "watch" in given.only:
            rows = {name: run(watched, given.streams, name) for name in WATCHED}
            table(f"Watching {_EACH} outputs a day, {_KNOWN} before, {given.streams} streams of {_DAYS} days", rows)
            for name, found in rows.items():
                lags = [one["lag"] for one in found if "lag" in one]
                if name != "quiet":
                    print(f"median lag, {name}: {np.median(lags) if lags else 'never'} days ({len(lags)} seen)")


if __name__ == "__main__":
    main()
