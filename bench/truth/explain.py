"""Find causes that were planted, say nothing where there is none, cover the true difference: how well `explain` does.

    python bench/truth/explain.py --seeds 500 --nulls 1000 --coverage 1000

Simulated loads of 3,000 to 100,000 traces with about 30 attributes, on arrays (the numeric core): columns that go with
each other, columns of hundreds and of thousands of values, columns with values of 0.1 %, tags, numbers and times. The
peer is the usual ranking of single values by the p-value of Fisher's exact test, Bonferroni-corrected, on the same
draws; where the cause is a pair it is right, for this table, when it names one of the two. `--speed` times 1,000,000
rows of 40 columns, and as many traces.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.compare.explain import explain
from llmlens.compare.explain.binning import CUTS, TIME_CUTS, categories, numbers
from llmlens.compare.explain.column import Column
from llmlens.compare.explain.evidence import log_p
from llmlens.compare.explain.search import find, shares
from llmlens.store import Store
from llmlens.traces import Traces

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

CLASSES = 6
KINDS = ("single", "rare value", "high cardinality", "pair", "rare in pair", "hidden pair")
SIZES = {"rare value": [30_000], "rare in pair": [100_000]}


@dataclass
class Load:
    """Simulated traces: a latent class each, and columns that depend on nothing else."""

    random: Generator
    n: int
    share: NDArray[Any] = field(init=False)
    latent: NDArray[Any] = field(init=False)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    given: dict[str, NDArray[Any]] = field(default_factory=dict)  # chance of each value given the class
    tags: list[NDArray[Any]] = field(default_factory=list)
    numeric: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Draw everything."""
        r = self.random
        self.share = r.dirichlet(np.full(CLASSES, 3.0))
        self.latent = r.choice(CLASSES, self.n, p=self.share)
        for place in range(14):
            self._draw(f"c{place}", int(r.integers(2, 25)), r.uniform(0.15, 3.0))
        self._draw("high", 300, 0.5)
        self._draw("users", self.n // 6, 5.0)
        for place in range(3):  # ten values of 0.1 % each
            self._draw_rare(f"rare{place}")
        self.columns["unique"] = r.permutation(self.n)
        self.columns["constant"] = np.zeros(self.n, dtype=int)
        for _ in range(6):
            self.tags.append(r.random(self.n) < r.beta(0.5, 2, CLASSES)[self.latent])
        for place in range(5):
            self.numeric[f"n{place}"] = r.lognormal(r.normal(0, r.uniform(0, 1), CLASSES)[self.latent], 1.0)
        self.numeric["time"] = np.sort(r.random(self.n))

    def _draw(self, name: str, values: int, spread: float) -> None:
        base = self.random.dirichlet(np.full(values, 0.8))
        given = self.random.dirichlet(np.maximum(base * values * spread, 1e-3), CLASSES)
        self._from(name, given)

    def _draw_rare(self, name: str) -> None:
        usual = self.random.dirichlet(np.full(4, 2.0), CLASSES) * 0.99
        self._from(name, np.concatenate([usual, np.full((CLASSES, 10), 0.001)], axis=1))

    def _from(self, name: str, given: NDArray[Any]) -> None:
        self.given[name] = given
        until = np.cumsum(given, axis=1)
        drawn = (
            (self.random.random(self.n)[:, None] * until[:, -1][self.latent][:, None] > until[self.latent]).sum(1)
            if given.shape[1] <= 64
            else _by_class(self.random, until, self.latent)
        )
        self.columns[name] = drawn

    def chance(self, **condition: int) -> float:
        """Give the true share of traces that fulfil a condition."""
        together = np.prod([self.given[name][:, value] for name, value in condition.items()], axis=0)
        return float((self.share * together).sum())

    def holds(self, **condition: int) -> NDArray[np.bool_]:
        """Say which traces fulfil a condition."""
        holds: NDArray[np.bool_] = np.logical_and.reduce([self.columns[n] == value for n, value in condition.items()])
        return holds

    def add_decoys(self, cause: dict[str, int]) -> None:
        """Add columns that go with the cause: a function of one of its columns, and copies that are wrong at times."""
        name = next(iter(cause))
        column = self.columns[name]
        size = int(column.max()) + 1
        self.columns["function"] = np.where(column == cause[name], 0, 1 + column % max(2, size // 2))
        for wrong in (0.2, 0.4):
            noise = self.random.random(self.n) < wrong
            self.columns[f"copy{wrong}"] = np.where(noise, self.random.permutation(column), column)
        self.numeric["follows"] = self.random.normal(self.holds(**cause) * 1.0, 1.0)

    def encoded(self, selected: NDArray[np.bool_]) -> list[Column]:
        """Give the columns as the core takes them, in a random order."""
        made = [categories(name, codes, range(int(codes.max()) + 1)) for name, codes in self.columns.items()]
        made += [
            numbers(name, values, ~selected, cuts=TIME_CUTS if name == "time" else CUTS)
            for name, values in self.numeric.items()
        ]
        rows, codes = np.nonzero(np.stack(self.tags, axis=1))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=self.n))])
        made.append(Column("tags", codes.astype(np.int32), range(len(self.tags)), offsets))
        return [made[i] for i in self.random.permutation(len(made))]


def _by_class(random: Generator, until: NDArray[Any], latent: NDArray[Any]) -> NDArray[Any]:
    drawn = np.zeros(len(latent), dtype=int)
    for each in range(CLASSES):
        mine = latent == each
        drawn[mine] = np.searchsorted(until[each], random.random(mine.sum()) * until[each, -1])
    return drawn


# ---------------------------------------------------------------------- causes


def plant(
    load: Load, kind: str, *, any_strength: bool = False
) -> tuple[dict[str, int], NDArray[np.bool_], tuple[float, float]] | None:
    """Choose a cause and draw the selection; give it with the chance to be selected with the cause and without it.

    None where the cause holds for too few traces, or (unless `any_strength`) where too few selected traces show it.
    """
    r = load.random
    if kind == "rare value":
        cause, least = {f"rare{r.integers(3)}": int(r.integers(4, 14))}, 8
    elif kind == "high cardinality":
        cause, least = {"high": int(load.columns["high"][r.integers(load.n)])}, 12
    else:
        names = r.choice([f"c{i}" for i in range(14)], 1 if kind == "single" else 2, replace=False)
        row = r.integers(load.n)
        cause, least = {str(name): int(load.columns[name][row]) for name in names}, 30
        if any(load.chance(**{name: value}) > 0.6 for name, value in cause.items()):
            return None
        if kind == "rare in pair":
            cause = {str(names[0]): cause[names[0]], f"rare{r.integers(3)}": int(r.integers(4, 14))}
            least = 20
    holds = load.holds(**cause)
    if not least <= holds.sum() <= load.n / 4:
        return None
    with_cause, without = r.uniform(0.3, 0.9), r.uniform(0.003, 0.05)
    chance = np.where(holds, with_cause, without)
    if kind == "hidden pair":  # each member alone says nothing: its other partners are as much rarer in the selection
        hidden = _hide(load, cause, without)
        if hidden is None:
            return None
        chance = hidden
    selected = r.random(load.n) < chance
    if not any_strength and (holds & selected).sum() < 12:
        return None
    return cause, selected, (with_cause, without)


def _hide(load: Load, cause: dict[str, int], without: float) -> NDArray[Any] | None:
    (a, x), (b, y) = cause.items()
    in_a, in_b = load.columns[a] == x, load.columns[b] == y
    share = [in_a & in_b, in_a & ~in_b, ~in_a & in_b, ~in_a & ~in_b]
    size = np.array([part.sum() for part in share])
    usual = max(without, 0.02)
    # The members' other cells are emptied as far as the pair is filled, so that each margin stays at `usual`.
    most = min(0.9, usual * min(size[0] + size[1], size[0] + size[2]) / size[0])
    if most < 5 * usual:
        return None
    chance = np.full(load.n, usual)
    chance[share[0]] = most
    for part, place in ((share[1], 1), (share[2], 2)):
        if size[place]:
            chance[part] = max(0.0, usual - (most - usual) * size[0] / size[place])
    return chance


def named(columns: list[Column], members: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    return {columns[column].name: columns[column].values[item] for column, item in members}


def single_ranking(columns: list[Column], selected: NDArray[np.bool_]) -> dict[str, Any]:
    """Give the single value of the smallest p-value, as most tools do; nothing where Bonferroni says chance."""
    best: tuple[float, dict[str, Any]] = (0.0, {})
    chosen, n, tests = np.flatnonzero(selected), len(selected), 0
    for column in columns:
        every, ours = column.count(), column.count(chosen)
        tests += len(every)
        chance = np.where(ours / len(chosen) > every / n, log_p(ours, every, len(chosen), n), 0.0)
        place = int(np.argmin(chance))
        if chance[place] < best[0]:
            best = float(chance[place]), {column.name: column.values[place]}
    return best[1] if best[0] + np.log(tests) < np.log(0.05) else {}


def planted(kind: str, seeds: int, offset: int = 0) -> str:
    """Count how often the cause comes first."""
    done = right = alone = explained = spoken = pairs = 0
    others: list[int] = []
    seed = offset
    while done < seeds:
        seed += 1
        random = np.random.default_rng([seed, sum(map(ord, kind))])
        load = Load(random, int(random.choice(SIZES.get(kind, [3_000, 10_000]))))
        tries = (plant(load, kind) for _ in range(20))
        drawn = next((t for t in tries if t is not None and 15 <= t[1].sum() < load.n / 2), None)
        if drawn is None:
            continue
        cause, selected, _ = drawn
        load.add_decoys(cause)
        columns = load.encoded(selected)
        found = find(columns, selected, seed=seed)
        done += 1
        first = named(columns, found[0].members) if found else {}
        right += is_right(load, first, cause)
        spoken += bool(found)
        named_alone = single_ranking(columns, selected)
        one_of_two = len(cause) == 2 and bool(named_alone) and named_alone.items() <= cause.items()
        alone += one_of_two or is_right(load, named_alone, cause)
        others.append(sum(f.explained_by is None for f in found[1:]))
        if len(cause) == 2 and is_right(load, first, cause):
            pairs += 1
            explained += all(
                f.explained_by is not None for f in found if named(columns, f.members).items() < cause.items()
            )
    pruned = f"{explained / pairs:.3f}" if pairs else "–"
    return (
        f"{kind:<18} {done:>5}   {right / done:.3f}   {alone / done:.3f}   {spoken / done:.3f}   "
        f"{np.mean(others):.2f}   {pruned}"
    )


def is_right(load: Load, first: dict[str, Any], cause: dict[str, int]) -> bool:
    """Say whether the condition is the cause, or holds for the very same traces (a function of a column)."""
    if first == cause:
        return True
    if not first or not all(name in load.columns for name in first):
        return False
    return bool((load.holds(**first) == load.holds(**cause)).all())


# ---------------------------------------------------------------------- nothing there


def nulls(kind: str, seeds: int, offset: int = 0) -> str:
    """Count how often anything is said of a selection at random."""
    said = 0
    for seed in range(offset, offset + seeds):
        random = np.random.default_rng([seed, 99])
        load = Load(random, int(random.choice([3_000, 10_000])))
        name = next(n for n in load.columns if n.startswith("c") and load.columns[n].max() > 0)
        load.add_decoys({name: int(load.columns[name][0])})
        size = {
            "10 to 50": int(random.integers(10, 51)),
            "200 to 2,000": int(random.integers(200, 2_001)),
            "half": load.n // 2,
        }[kind]
        selected = np.zeros(load.n, dtype=bool)
        selected[random.choice(load.n, size, replace=False)] = True
        said += bool(find(load.encoded(selected), selected, seed=seed))
    low, high = _wilson(said, seeds)
    return f"{kind:<18} {seeds:>5}   {said / seeds:.3f}   ({low:.3f} to {high:.3f})"


def coverage(seeds: int, offset: int = 0) -> str:
    """Count how often the interval of the cause holds its true difference, where the cause was found."""
    hit = done = 0
    seed = offset
    while done < seeds:
        seed += 1
        random = np.random.default_rng([seed, 7])
        load = Load(random, int(random.choice([3_000, 10_000])))
        drawn = plant(load, str(random.choice(["single", "pair", "rare value", "high cardinality"])), any_strength=True)
        if drawn is None:
            continue
        cause, selected, (with_cause, without) = drawn
        columns = load.encoded(selected)
        found = [f for f in find(columns, selected, seed=seed) if named(columns, f.members) == cause]
        if not found:
            continue
        done += 1
        chance = load.chance(**cause)
        in_selection = chance * with_cause / (chance * with_cause + (1 - chance) * without)
        in_rest = chance * (1 - with_cause) / (chance * (1 - with_cause) + (1 - chance) * (1 - without))
        *_, low, high = shares(found[0], int(selected.sum()), load.n)
        hit += low <= in_selection - in_rest <= high
    low, high = _wilson(hit, done)
    return f"{done} simulations: {hit / done:.3f}   ({low:.3f} to {high:.3f})"


def _wilson(hits: int, n: int) -> tuple[float, float]:
    z, share = 1.96, hits / n
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    return float(centre - half), float(centre + half)


# ---------------------------------------------------------------------- speed


def speed(rows: int = 1_000_000) -> str:
    """Time the core on a million rows of 40 columns."""
    random = np.random.default_rng(0)
    columns = [
        categories(f"c{i}", random.integers(0, size, rows).astype(np.int32), range(size))
        for i, size in enumerate([*random.integers(2, 60, 30), 300, 2_000, 50_000, 200_000])
    ]
    holds = (columns[0].codes == 0) & (columns[1].codes == 1)
    values = [random.lognormal(size=rows) for _ in range(6)]
    lines = []
    for share in (0.001, 0.02, 0.3):
        selected = random.random(rows) < np.where(holds, min(0.9, 60 * share), share)
        times, cpu = time.perf_counter(), _cpu()
        given = [*columns, *(numbers(f"n{i}", each, ~selected) for i, each in enumerate(values))]
        found = find(given, selected, seed=0)
        first = named(given, found[0].members) if found else {}
        lines.append(
            f"{rows:,} rows x {len(given)} columns, {selected.sum():,} selected: "
            f"{time.perf_counter() - times:.2f} s, {_cpu() - cpu:.2f} CPU s; first {first}"
        )
    return "\n".join(lines)


#: Columns of a million simulated calls: how many values each has, or the SQL of a number.
TEXTS = {
    "session_id": 200_000, "user_id": 50_000, "name": 12, "agent_name": 5, "service": 6, "environment": 3,
    "release": 20, "feature": 8, "provider": 3, "model": 9, "request_model": 9, "finish_reason": 4, "prompt_name": 15,
    "prompt_version": 7, "status_message": 100,
}  # fmt: skip
NUMBERS = {
    "ttft_s": 1_000, "input_tokens": 4_000, "cache_read_tokens": 1_000, "cache_write_tokens": 100, "output_tokens": 900,
    "reasoning_tokens": 300, "cost_usd": 9_000,
}  # fmt: skip


def simulated(rows: int, keys: int) -> Traces:
    """Make traces of one call each, with `keys` keys of metadata."""
    store = Store()
    store.create_empty()

    def value(number: int, values: int) -> str:
        return f"'v' || hash(i, {number}) % {values}"

    columns = [f"{value(k, size)} AS {name}" for k, (name, size) in enumerate(TEXTS.items())]
    columns += [f"hash(i, {100 + k}) % {size} AS {name}" for k, (name, size) in enumerate(NUMBERS.items())]
    held = ", ".join(f"k{k}: {value(200 + k, 3 + 7 * k)}" for k in range(keys))
    metadata = f"to_json({{{held}}})" if keys else "NULL"
    store.execute(f"""
        INSERT INTO spans BY NAME SELECT printf('%032x', i) AS trace_id, '1' AS span_id, 'llm' AS kind, 0 AS depth,
            TIMESTAMPTZ '2026-03-01' + to_microseconds(i * 1000000) AS start, start + INTERVAL 1 SECOND AS "end",
            CASE WHEN hash(i, 50) % 30 = 0 THEN 'error' ELSE 'ok' END AS status, 'priced' AS cost_source,
            [{value(51, 6)}, {value(52, 9)}] AS tags, {metadata} AS metadata, {", ".join(columns)}
        FROM range({rows}) t(i)""")
    return Traces(store)


def speed_of_traces(rows: int = 1_000_000) -> str:
    """Time `ll.explain` on a million traces, the second time that it is asked."""
    lines = []
    for keys in (0, 17):
        traces = simulated(rows, keys)
        cause = traces.where(model="v3", release="v2").sample(4_000, seed=1)
        selection = cause | traces.sample(5_000, seed=2)
        for _ in range(2):
            times, cpu = time.perf_counter(), _cpu()
            found = explain(selection)
            told = f"{time.perf_counter() - times:.2f} s, {_cpu() - cpu:.2f} CPU s"
        first = found.iloc[0]["condition"]
        lines.append(f"ll.explain, {rows:,} traces, {keys} keys of metadata: {told}; first {first}")
    return "\n".join(lines)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--nulls", type=int, default=1000)
    parser.add_argument("--coverage", type=int, default=1000)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--offset", type=int, default=0, help="other draws")
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args()
    if given.speed:
        print(speed())
        print(speed_of_traces())
        return
    if given.seeds:
        print(
            "planted cause       draws   first   single-value ranking   anything   other causes named   members pruned"
        )
        for kind in given.kinds:
            print(planted(kind, given.seeds, given.offset), flush=True)
    if given.nulls:
        print("\nnothing planted     draws   anything said")
        for kind in ("10 to 50", "200 to 2,000", "half"):
            print(nulls(kind, given.nulls, given.offset), flush=True)
    if given.coverage:
        print("\ninterval holds the true difference: " + coverage(given.coverage, given.offset))


if __name__ == "__main__":
    main()
