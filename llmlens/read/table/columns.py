"""Recognise which column of a stranger's call log is which tidy column; the names are in aliases.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from llmlens.errors import UnknownNameError, unknown
from llmlens.schema import SPANS

from . import cells
from .aliases import Shape, aliases, find, squeeze, words
from .score_columns import ScoreColumns, given_scores, score_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

#: What a user may say about columns: tidy column -> header, or (header, unit of its values).
Overrides: TypeAlias = "Mapping[str, str | tuple[str, str]]"

#: Columns that the reader makes itself.
_MADE = frozenset({"depth", "convention", "source", "usage_source", "cost_source"})
_SECONDS = ("duration_s", "ttft_s")
_USD = ("cost_usd", "input_cost_usd", "output_cost_usd")
_NUMBERS = frozenset(
    {*_SECONDS, *_USD, "start", "end", *(c.name for c in SPANS.columns if c.name.endswith("_tokens")), "total_tokens"}
)
_MANY_CELLS = 10_000
#: What questions about time, models, costs and answers need.
_NEEDED = ("start", "model", "input_tokens", "output_tokens", "input", "output")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A tidy column and the column it comes from: `factor` brings its numbers to the tidy unit, `how` says why."""

    column: str
    source: str
    factor: float = 1.0
    how: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.column} from {self.source!r}" + (f" ({self.how})" if self.how else "")


@dataclass(frozen=True)
class Recognition:
    """What every column of a table is.

    `columns`: tidy column -> where it comes from; `params`: request parameter -> column; `scores`; `rest`: the columns
    that go to `metadata`; `notes`: what a reader should know about the choices.
    """

    columns: Mapping[str, Recognised] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    scores: tuple[ScoreColumns, ...] = ()
    rest: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shape: Shape | None = None


def recognise(
    samples: Mapping[str, pd.Series[Any]],
    overrides: Overrides | None = None,
    *,
    scores: Mapping[str, str] | list[str] | None = None,
    feature: str | None = None,
    before: Recognition | None = None,
) -> Recognition:
    """Say which tidy column each column is, which are scores, and which go to `metadata`.

    `samples` maps each header to (some of) its values; they decide what a name leaves open: the unit of a bare
    `latency`, whether `id` is unique, whether `input` is a text or a number of tokens. `overrides` come first.
    `scores` (columns, or score name -> column) replaces the search for scores. What `before` has decided stays, so
    that all chunks of a file are read alike. Raises `UnknownNameError` for a tidy column or a header that is not there.
    """
    known = aliases()
    shape = next((s for s in known["shapes"] if all(find(samples, h) for h in s.headers)), None)
    wanted = {**(overrides or {}), **({"feature": feature} if feature else {})}
    taken = {column: _override(column, given, samples) for column, given in wanted.items()}
    for column, exported in (shape.columns if shape else {}).items():
        header, unit = exported if isinstance(exported, list) else (exported, None)
        source = find(samples, header)
        if shape and source and column not in taken and source not in {t.source for t in taken.values()}:
            taken[column] = Recognised(column, source, _factor(column, unit), f"as {shape.name} exports it")
    for column, decided in (before.columns if before else {}).items():
        if decided.source in samples:
            taken.setdefault(column, decided)
    judged = given_scores(scores, samples)
    used = {t.source for t in taken.values()} | {s for score in judged for s in score.sources}
    notes = [shape.note] if shape and shape.note else []
    rivals: dict[str, list[str]] = {}
    for column, entry in known["columns"].items():
        if column in taken:
            continue
        claims = sorted(_claims(column, entry, [h for h in samples if h not in used]))
        claims = [claim for claim in claims if not any(other[4].startswith(f"{claim[4]}.") for other in claims)]
        claims = [claim for claim in claims if column not in _NUMBERS or not _nested(samples[claim[4]])]
        claims = [claim for claim in claims if not claim[3] or _looks_right(column, samples[claim[4]], samples, taken)]
        if not claims:
            continue
        *_, source, unit = claims[0]
        rivals[column] = [claim[4] for claim in claims[1:]]
        taken[column] = Recognised(column, source, _factor(column, unit), f"in {unit}" if unit else "")
        used.add(source)
    for column in _SECONDS:
        if column in taken and not taken[column].how:
            taken[column] = _bare_unit(taken[column], samples, taken)
    params = {
        known["params"][squeeze(_leaf(h))]: h for h in samples if h not in used and squeeze(_leaf(h)) in known["params"]
    }
    used |= set(params.values())
    if scores is None:
        judged = list(score_columns({h: s for h, s in samples.items() if h not in used}))
        decided_before = [score for score in (before.scores if before else ()) if score.value in samples]
        judged = list({score.name: score for score in (*judged, *decided_before)}.values())
    used |= {s for score in judged for s in score.sources}
    rest = tuple(header for header in samples if header not in used)
    for column, others in rivals.items():
        left = [other for other in others if other in rest]
        notes += [
            f"{other!r} could be {column} too, beside {taken[column].source!r}; it went to metadata" for other in left
        ]
    if not shape:
        notes += _missing(taken, rest)
    return Recognition(taken, params, tuple(judged), rest, tuple(notes), shape)


def _missing(taken: Mapping[str, Recognised], rest: tuple[str, ...]) -> list[str]:
    """Say which columns most questions need that no column was taken as, and how to name them."""
    lacking = [column for column in _NEEDED if column not in taken]
    if not lacking or not rest:
        return []
    how = "columns={" + f"{lacking[0]!r}: {'the header'!r}" + "}"
    return [f"nothing was recognised as {', '.join(lacking)}: where a column holds that, name it with {how}"]


def _override(column: str, given: str | tuple[str, str], headers: Mapping[str, Any]) -> Recognised:
    allowed = (set(SPANS.names) - _MADE) | {"input", "output", "documents"}
    if column not in allowed:
        turned = isinstance(given, str) and given in allowed and find(headers, column)
        if turned:
            right = f"columns={{{given!r}: {column!r}}}"
            raise UnknownNameError(f"columns is tidy column -> header, the other way round: {right}.")
        what = "tidy column"
        raise unknown(what, column, allowed)
    name, unit = (given, None) if isinstance(given, str) else given
    source = find(headers, name)
    if source is None:
        what = f"column (given for {column!r}):"
        raise unknown(what, name, headers)
    return Recognised(column, source, _factor(column, unit), f"as given{f', in {unit}' if unit else ''}")


def _factor(column: str, unit: str | None) -> float:
    if unit is None:
        return 1.0
    units: Mapping[str, float] = (
        aliases()["units"]["duration" if column in _SECONDS else "usd"] if column in (*_SECONDS, *_USD) else {}
    )
    if unit not in units:
        what = f"unit (given for {column!r}):"
        raise unknown(what, unit, units)
    return units[unit]


def _claims(
    column: str, entry: Mapping[str, Any], headers: list[str]
) -> Iterator[tuple[int, int, int, bool, str, str | None]]:
    """Yield (words left out, rank of the alias, position, weak, header, unit) for each header that may be `column`."""
    units = aliases()["units"]["duration" if column in _SECONDS else "usd"] if column in (*_SECONDS, *_USD) else {}
    for position, header in enumerate(headers):
        for level, key in _spellings(header):
            unit = None
            rank = entry["names"].get(key)
            if units:
                for ending in sorted(units, key=len, reverse=True):
                    if key.endswith(ending) and key.removesuffix(ending) in entry["names"]:
                        unit, rank = ending, entry["names"][key.removesuffix(ending)]
                        break
            if rank is None and column in ("start", "end"):  # the magnitude of the number tells its unit
                rank = next(
                    (
                        entry["names"][k]
                        for u in ("ms", "us", "ns", "s")
                        if (k := key.removesuffix(u)) in entry["names"]
                    ),
                    None,
                )
            if rank is not None:
                yield level, rank, position, False, header, unit
                break
            if level == 0 and key in entry["weak"]:
                yield level, entry["weak"][key], position, True, header, None
                break


def _spellings(header: str) -> Iterator[tuple[int, str]]:
    """Yield the header squeezed, then without its leading words that are prefixes."""
    parts = words(header)
    for level in range(len(parts)):
        yield level, "".join(parts[level:])
        if parts[level] not in aliases()["prefixes"]:
            return


def _nested(values: pd.Series[Any]) -> bool:
    """Whether the column holds JSON objects or lists."""
    given = values.dropna()
    return cells.is_json(values) and bool(given.str.startswith(("{", "[")).any())


def _looks_right(
    column: str, values: pd.Series[Any], samples: Mapping[str, Any], taken: Mapping[str, Recognised]
) -> bool:
    """Whether the values can be what a weak name says."""
    some = values.head(_MANY_CELLS)
    if column == "trace_id":
        ids = cells.text(some).dropna()
        return len(ids) == len(some) and bool(ids.is_unique)
    if column == "span_id":
        import pandas as pd

        within = cells.text(samples[taken["trace_id"].source].head(_MANY_CELLS)) if "trace_id" in taken else ""
        ids = cells.text(some)
        return bool(ids.notna().all()) and not bool(pd.DataFrame({"trace": within, "span": ids}).duplicated().any())
    if column == "documents":
        return isinstance(cells.parse(next(iter(cells.text(some).dropna()), "")), list)
    readers = {
        "input_tokens": cells.number, "output_tokens": cells.number, "kind": cells.kind,
        "status": cells.status, "http_status": cells.number,
    }  # fmt: skip
    if column not in readers:
        return True
    read, bad = readers[column](some)
    return int(read.notna().sum()) > int(bad.sum())


def _bare_unit(found: Recognised, samples: Mapping[str, Any], taken: Mapping[str, Recognised]) -> Recognised:
    """Decide the unit of a bare `latency`: from end - start (or the duration, for a TTFT), else from its size.

    Without other columns: whole numbers with a median over 100, or any with a median over 1000, are milliseconds.
    """
    numbers, _ = cells.number(samples[found.source], durations=True)
    given = numbers.dropna()
    given = given[given > 0]
    if given.empty or cells.has_units(samples[found.source]):
        return found
    median = float(given.median())
    if found.column == "duration_s" and "start" in taken and "end" in taken:
        start, _, _ = cells.time(samples[taken["start"].source])
        end, _, _ = cells.time(samples[taken["end"].source])
        took = (end - start).dt.total_seconds()
        both = took.notna() & (took > 0) & numbers.notna() & (numbers > 0)
        if both.any():
            ratio = float((took[both] / numbers[both].astype("float64")).median())
            for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
                if 0.5 < ratio / factor < 2:
                    return Recognised(found.column, found.source, factor, f"read as {unit}: it fits end - start")
    if found.column == "ttft_s" and "duration_s" in taken:
        whole = taken["duration_s"]
        took, _ = cells.number(samples[whole.source], durations=True)
        limit = float((took * whole.factor).median()) if took.notna().any() else 0.0
        for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
            if 0 < median * factor <= limit:
                return Recognised(
                    found.column, found.source, factor, f"read as {unit}: the largest unit that fits the duration"
                )
    whole_numbers = bool((given.astype("float64") % 1 == 0).all())
    if (whole_numbers and median > 100) or median > 1000:
        return Recognised(found.column, found.source, 1e-3, f"read as ms: its median is {median:g}")
    return Recognised(found.column, found.source, 1.0, f"read as s: its median is {median:g}")


def _leaf(header: str) -> str:
    """Cut the containers off: `params.top_p` -> `top_p`."""
    return header.rpartition(".")[2]
