"""Rows of a stranger's table, as columns that keep every character, with the line that each row came from."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmlens.read.raw import Problem


@dataclass
class Rows:
    """Some rows of a source. `frame` has a column for each of theirs; in columns of dtype object every cell is JSON.

    `lines`: the line (or row, from 1) that each came from. `problems` counts the rows that are not in `frame`.
    """

    frame: pd.DataFrame
    lines: np.ndarray[Any, np.dtype[np.int64]]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def columns(self) -> dict[str, pd.Series[Any]]:
        """Give the columns by name."""
        return {str(name): values for name, values in self.frame.items()}


def unique(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give every column a name of its own, and say which were renamed."""
    names: list[str] = []
    notes = []
    for position, given in enumerate(header, 1):
        name = given.strip() or f"column {position}"
        if name in names:
            fresh = next(f"{name} ({n})" for n in itertools.count(2) if f"{name} ({n})" not in names)
            notes.append(
                f"the header {name!r} is there more than once; the one in position {position} is read as {fresh!r}"
            )
            name = fresh
        names.append(name)
    return names, notes


def utf8(cells: Sequence[str]) -> tuple[list[str], list[int]]:
    """Read cells again that hold lone surrogates: bytes that were not UTF-8, or a broken escape of JSON."""
    fixed, wrong = [], []
    for position, cell in enumerate(cells):
        try:
            cell.encode()
            fixed.append(cell)
        except UnicodeEncodeError:
            wrong.append(position)
            try:
                fixed.append(cell.encode("utf-8", "surrogateescape").decode("latin-1"))
            except UnicodeEncodeError:
                fixed.append(cell.encode("utf-8", "replace").decode())
    return fixed, wrong


def dump(value: Any) -> str:
    """Write a value as JSON, whatever it is."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(value, default=_plain, option=options).decode()
    except (TypeError, orjson.JSONEncodeError):  # whole numbers over 64 bits, lone surrogates, endless nesting
        try:
            return json.dumps(value, default=str, skipkeys=True)
        except (TypeError, ValueError, RecursionError):
            return json.dumps(repr(value)[:10_000])


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, tuple, frozenset)):
        return list(value)
    return None if value is pd.NaT or value is pd.NA else str(value)


def record_frame(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Make a frame of JSON objects; see `column`."""
    names = {str(name): name for record in records for name in record}
    return pd.DataFrame(
        {name: column([r.get(key) for r in records]) for name, key in names.items()}, index=range(len(records))
    )


def column(values: Sequence[Any]) -> pd.Series[Any]:
    """Make a column: texts, whole numbers, numbers or truth values if all cells are that; else JSON of every cell."""
    types = {type(value) for value in values} - {type(None)}
    try:
        if types <= {str}:
            return pd.Series(pa.array(values, pa.large_string()).to_pandas(), dtype="str")
        if types == {bool}:
            return pd.Series(values, dtype="boolean")
        if types == {int}:
            return pd.Series(pd.array(values, dtype="Int64"))
        if types <= {int, float}:
            return pd.Series(values, dtype="Float64")
    except (OverflowError, UnicodeEncodeError, TypeError, ValueError):
        pass  # whole numbers over 64 bits, or lone surrogates
    if types == {str}:
        return pd.Series([None if v is None else utf8([v])[0][0] for v in values], dtype="str")
    if types == {int}:
        return pd.Series([None if v is None else str(v) for v in values], dtype="str")
    return pd.Series([None if v is None or v is pd.NA or v is pd.NaT else dump(v) for v in values], dtype=object)


def frame_rows(frame: pd.DataFrame | pa.Table, *, first_line: int = 1) -> Rows:
    """Take a frame or an Arrow table as it is; named levels of its index become columns."""
    if isinstance(frame, pa.Table):
        labels = list(frame.column_names)
        columns = [_arrow_column(frame.column(i)) for i in range(frame.num_columns)]
    else:
        levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
        labels = [*levels, *frame.columns]
        columns = [_pandas_column(frame.index.get_level_values(cast("str", name)).to_series()) for name in levels]
        columns += [_pandas_column(frame.iloc[:, i]) for i in range(frame.shape[1])]
    names, notes = unique([".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in labels])
    length = len(frame)
    series = {name: values.set_axis(range(length)) for name, values in zip(names, columns, strict=True)}
    return Rows(
        pd.DataFrame(series, index=range(length)), np.arange(first_line, first_line + length, dtype="int64"), [], notes
    )


def _arrow_column(values: pa.ChunkedArray) -> pd.Series[Any]:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    series: pd.Series[Any]
    if pa.types.is_boolean(kind):
        series = values.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    elif pa.types.is_integer(kind) and kind != pa.uint64():
        series = values.cast(pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        series = values.cast(pa.float64()).to_pandas().astype("Float64")
    elif pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        series = values.to_pandas()
    elif pa.types.is_large_string(kind) or pa.types.is_string(kind) or pa.types.is_string_view(kind):
        series = pd.Series(values.to_pandas(), dtype="str")
    else:
        series = column(values.to_pylist())
    return series


def _pandas_column(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if isinstance(values.dtype, pd.ArrowDtype):
        return _arrow_column(pa.chunked_array([pa.array(values)]))
    kinds = pd.api.types
    if kinds.is_bool_dtype(values):
        return values.astype("boolean")
    if kinds.is_integer_dtype(values) and values.dtype.name.lower() != "uint64":
        return values.astype("Int64")
    if kinds.is_float_dtype(values):
        return values.astype("Float64")
    if kinds.is_datetime64_any_dtype(values) or kinds.is_timedelta64_dtype(values):
        return values
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("str")
    cells: Iterable[Any] = (None if kinds.is_scalar(v) and pd.isna(v) else v for v in values)
    return column(
        [v.item() if isinstance(v, np.generic) else str(v) if isinstance(v, pd.Timestamp) else v for v in cells]
    )
