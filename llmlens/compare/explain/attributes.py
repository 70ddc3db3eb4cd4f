"""What is known of traces -> the columns of codes that the search works on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .binning import TIME_CUTS, numbers
from .encoding import Values, encode, gathered, one_each
from .gathering import LARGEST, SPAN_TEXTS, SUMS, TRACE_NUMBERS, TRACE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .column import Column
    from .gathered import Gathered

#: What came of a request; all else is under what circumstances it was made.
OUTCOMES = frozenset(
    {
        "status", "trace.status", "error_type", "status_message", "finish_reason", "usage_source", "cost_source",
        "duration_s", "ttft_s", "n_spans", "n_llm_calls", "n_tool_calls", "n_errors", "max_depth", "input_tokens",
        "output_tokens", "reasoning_tokens", "cache_write_tokens", "cache_read_tokens", "cost_usd", "n_unpriced",
    }
)  # fmt: skip
#: Of columns that say the same, the first one here is the one that is named; those not listed come in between.
_FIRST = (
    "model", "prompt_version", "prompt_name", "release", "environment", "service", "feature", "provider",
    "request_model", "status", "error_type", "name", "tags",
)  # fmt: skip
_LAST = ("user_id", "session_id", "convention", "source", "start")
#: A key of JSON is a number where it is one everywhere and has more different values than this.
_CATEGORIES = 12


def attribute_columns(known: Gathered, selected: NDArray[np.bool_]) -> list[Column]:
    """Make the columns of the traces of which this is known; what speaks of others is left out."""
    kinds = _of_traces(known, selected), _of_spans(known), _several(known), _of_keys(known, selected)
    with ThreadPoolExecutor(2) as pool:  # Arrow and numpy let go of the interpreter
        made: list[list[Column]] = list(pool.map(list, kinds))
    order = {name: place for place, name in enumerate((*_FIRST, "", *_LAST))}
    middle = order[""]
    return sorted((c for kind in made for c in kind), key=lambda c: (c.outcome, order.get(c.name, middle)))


def _of_traces(known: Gathered, selected: NDArray[np.bool_]) -> Iterator[Column]:
    table, rows = known.traces, known.rows
    for name in TRACE_TEXTS:
        codes, values = encode(table.column(f"trace.{name}"))
        yield one_each(f"trace.{name}", codes[rows], values, outcome=f"trace.{name}" in OUTCOMES)
    for name in TRACE_NUMBERS:
        yield numbers(name, _floats(table.column(name))[rows], ~selected, outcome=name in OUTCOMES)
    for name, made in _numbers_of_spans(known):
        yield numbers(name, made, ~selected, outcome=name in OUTCOMES)
    start = _floats(table.column("start").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    yield numbers("start", start[rows], ~selected, cuts=TIME_CUTS, shown=_moment)


def _numbers_of_spans(known: Gathered) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Give the numbers that only spans have, the largest of a trace or the sum; those that no span has are left out."""
    for name in (*LARGEST, *SUMS):
        values = _floats(known.spans.table.column(name))
        given = ~np.isnan(values)
        if not given.any():
            continue
        at, values = known.spans.places[given], values[given]
        made = np.full(len(known.ids), -np.inf if name in LARGEST else 0.0)
        (np.maximum if name in LARGEST else np.add).at(made, at, values)
        made[np.bincount(at, minlength=len(made)) == 0] = np.nan
        yield name, made


def _of_spans(known: Gathered) -> Iterator[Column]:
    for name in SPAN_TEXTS:
        yield _parts(name, known.spans.places, known.spans.table.column(name), len(known.ids))


def _several(known: Gathered) -> Iterator[Column]:
    for name, parts in known.several.items():
        yield _parts(name, parts.places, parts.table.column("value"), len(known.ids))


def _of_keys(known: Gathered, selected: NDArray[np.bool_]) -> Iterator[Column]:
    for name in known.keys:
        made = _parts(name, known.spans.places, known.spans.table.column(name), len(known.ids))
        numeric = None if made.is_set else _as_numbers(made.values)
        yield made if numeric is None else numbers(name, numeric[made.codes], ~selected)


def _parts(name: str, rows: NDArray[np.intp], column: pa.ChunkedArray, n: int) -> Column:
    codes, values = encode(column)
    return gathered(name, rows, codes, values, n, outcome=name in OUTCOMES)


def _as_numbers(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """Give values as numbers, if that is what they are and they are many."""
    if len(values) <= _CATEGORIES or not isinstance(values, Values):
        return None
    try:
        known = values.known.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return np.append(known, np.nan)  # which the place after the last stands for


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    made: NDArray[np.float64] = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()
    return made


def _moment(microseconds: float) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(int(microseconds), unit="us", tz="UTC")
