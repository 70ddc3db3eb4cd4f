"""Streams with a known change, made of real outputs: the pairs of `shared/data/drift`, drawn as its README says."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from llmlens.embed.lexical import LexicalEncoder

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "drift"
#: The features of the ChatGPT outputs and their shares of the traffic.
MIX = {"prime_full": 0.25, "opinionqa": 0.40, "countahappynumber": 0.20, "sensitiveq": 0.10, "leetcode_easy": 0.05}
PAIRS = (("gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106"), ("claude-2", "claude-2.1"), ("gpt4_0613", "gpt4_0613_concise"))


class Draw(NamedTuple):
    """Rows of two windows: prompt, text, feature."""

    before: pd.DataFrame
    after: pd.DataFrame


class ChatGPT:
    """Outputs of two versions of ChatGPT to the same prompts, by feature."""

    def __init__(self) -> None:
        """Pair the outputs of both versions by prompt."""
        frame = pd.read_parquet(DATA / "llmdrift_gpt35.parquet")
        frame["answer"] = frame["answer"].fillna("")
        self._pairs: dict[str, pd.DataFrame] = {}
        self._neighbours: dict[str, npt.NDArray[np.intp]] = {}
        for feature, part in frame.groupby("feature"):
            old, new = (part[part["model"].str.endswith(version)] for version in ("0301", "0613"))
            joined = old.merge(new, on=["id", "dataset"], suffixes=("_old", "_new"))
            self._pairs[str(feature)] = joined[["query_old", "answer_old", "answer_new"]]

    def draw(
        self, n: int, rng: np.random.Generator, *, share: float, feature: str | None = None, mix: float = 0
    ) -> Draw:
        """Draw windows of `n` with other prompts; `share` of those after are of the new version, in one feature or all.

        `mix` is how far the logarithms of the shares of the features after move, as a standard deviation.
        """
        usual = np.array(list(MIX.values()))
        moved = usual * np.exp(mix * rng.standard_normal(len(usual)))
        parts: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
        counts = zip(MIX, rng.multinomial(n, usual), rng.multinomial(n, moved / moved.sum()), strict=True)
        for name, n_before, n_after in counts:
            rows = self._rows(name, n_before + n_after, rng)
            parts[0].append(_outputs(rows[:n_before], name, np.zeros(n_before, dtype=bool)))
            changed = (rng.random(n_after) < share) & (feature in (None, name))
            parts[1].append(_outputs(rows[n_before:], name, changed))
        return Draw(pd.concat(parts[0], ignore_index=True), pd.concat(parts[1], ignore_index=True))

    def days(
        self,
        known: int,
        days: int,
        each: int,
        rng: np.random.Generator,
        *,
        onset: int,
        share: float,
        feature: str | None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Draw a reference and a stream of `each` outputs a day, `share` of which are new from the day `onset` on."""
        quiet = self.draw(known, rng, share=0).before
        parts = []
        for day in range(days):
            changed = share if day >= onset else 0.0
            parts.append(self.draw(each, rng, share=changed, feature=feature).after.assign(day=day))
        return quiet, pd.concat(parts, ignore_index=True)

    def sessions(self, n: int, each: int, rng: np.random.Generator) -> Draw:
        """Draw windows of `n` sessions of the old version, each of `each` outputs that are much alike.

        A session is a row and others like it: of its feature, by the nearest of the ten next ones in the lexical space.
        """
        near = {name: self._near(name) for name in MIX}
        drawn = []
        for window in range(2):
            parts = []
            for number, name in enumerate(rng.choice(list(MIX), n, p=list(MIX.values()))):
                alike = near[name][rng.integers(len(near[name]))]
                rows = self._pairs[name].iloc[rng.choice(alike, each, replace=False)]
                made = _outputs(rows, name, np.zeros(each, dtype=bool))
                parts.append(made.assign(session_id=f"{window}-{number}"))
            drawn.append(pd.concat(parts, ignore_index=True))
        return Draw(*drawn)

    def _near(self, feature: str) -> npt.NDArray[np.intp]:
        if feature not in self._neighbours:
            texts = [str(text) for text in self._pairs[feature]["answer_old"]]
            vectors = LexicalEncoder(seed=0).fit(texts).encode(texts)
            self._neighbours[feature] = np.argsort(-(vectors @ vectors.T), axis=1, kind="stable")[:, :10]
        return self._neighbours[feature]

    def _rows(self, feature: str, n: int, rng: np.random.Generator) -> pd.DataFrame:
        pairs = self._pairs[feature]
        return pairs.iloc[rng.choice(len(pairs), n, replace=n > len(pairs))]


class AlpacaEval:
    """Outputs of two models to the same open prompts."""

    def __init__(self, pair: tuple[str, str]) -> None:
        """Take a pair of models."""
        frame = pd.read_parquet(DATA / "alpaca_outputs.parquet")
        old, new = (frame[frame["model"] == model] for model in pair)
        self._rows = old.merge(new, on=["prompt", "feature"], suffixes=("_old", "_new"))

    def draw(self, n: int, rng: np.random.Generator, *, share: float) -> Draw:
        """Draw windows of `n` on disjoint prompts."""
        rows = self._rows.iloc[rng.permutation(len(self._rows))[: 2 * n]]
        rows = rows.rename(columns={"prompt": "query_old", "output_old": "answer_old", "output_new": "answer_new"})
        before, after = rows.iloc[:n], rows.iloc[n:]
        return Draw(
            _outputs(before, before["feature"], np.zeros(n, dtype=bool)),
            _outputs(after, after["feature"], rng.random(n) < share),
        )


def _outputs(rows: pd.DataFrame, feature: str | pd.Series[str], changed: npt.NDArray[np.bool_]) -> pd.DataFrame:
    text = np.where(changed, rows["answer_new"], rows["answer_old"])
    names = feature if isinstance(feature, str) else feature.to_numpy()
    return pd.DataFrame({"prompt": rows["query_old"].to_numpy(), "text": text, "feature": names})
