"""What `Traces.where` was asked, as Ibis predicates over spans and traces."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

from .errors import SelectionError, unknown
from .expressions import balanced, columns_of, compile_expression
from .json_values import is_key, text_under
from .schema import SPANS, TRACES

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TIME = "timestamp('UTC')"
_SPAN = frozenset(SPANS.names)
#: Values beyond so many travel as one text that the engine splits: to write a literal each takes a second per 5,000.
_MANY = 200
_BETWEEN = "\x1f"
#: The texts of the root are left out: a condition on them would read every text of the load.
_TRACE = frozenset(TRACES.names) - {"input", "output"}


class Conditions:
    """The conditions of one `where`: those on a span must hold together on one span, those on a trace on its trace."""

    def __init__(
        self, equals: Mapping[str, Any], expression: str | None, since: datetime | None, until: datetime | None
    ) -> None:
        """Check every name; raise `UnknownNameError` or `SelectionError`."""
        if expression is not None and not isinstance(expression, str):
            raise SelectionError(f'where takes an expression as text, such as "duration_s > 10"; got {expression!r}.')
        _check_names(equals, () if expression is None else columns_of(expression))
        self.equals = {name: _values(name, value) for name, value in equals.items()}
        self.expression = expression
        self.since = since
        self.until = until

    @property
    def empty(self) -> bool:
        """Say whether nothing was asked."""
        return not self.equals and self.expression is None and self.since is None and self.until is None

    def _names(self) -> set[str]:
        names = set(self.equals)
        if self.expression is not None:
            names |= columns_of(self.expression)
        return names

    def _about_spans(self) -> bool:
        return any(
            name in _SPAN or is_key(name) or name.startswith(("span.", "metadata["))
            for name in self._names() - {"trace_id"}
        )

    def matching_spans(self, spans: ir.Table, traces: ir.Table) -> ir.Table | None:
        """Give (trace_id, span_id) of the spans that fit, or None when nothing was asked of spans."""
        if not self._about_spans():
            return None
        of_trace = traces.rename({f"trace_{name}": name for name in _TRACE if name != "trace_id"})
        both = spans.inner_join(of_trace, "trace_id") if self._about_traces() else spans
        columns = {name: both[name] for name in _SPAN}
        columns |= {f"span.{name}": both[name] for name in _SPAN}
        if both is not spans:
            columns |= {f"trace.{n}": both[f"trace_{n}"] for n in _TRACE if n != "trace_id"}
            columns |= {n: both[f"trace_{n}"] for n in _TRACE - _SPAN}
            start = both.trace_start
        else:
            start = None
        return both.filter(self._predicates(columns, start)).select("trace_id", "span_id")

    def matching_traces(self, traces: ir.Table) -> ir.Table:
        """Give the trace_id of the traces that fit, when nothing was asked of spans."""
        columns = {name: traces[name] for name in _TRACE} | {f"trace.{name}": traces[name] for name in _TRACE}
        return traces.filter(self._predicates(columns, traces.start)).select("trace_id")

    def _about_traces(self) -> bool:
        if self.since is not None or self.until is not None:
            return True
        return any(name.startswith("trace.") or (name in _TRACE and name not in _SPAN) for name in self._names())

    def _predicates(self, columns: Mapping[str, ir.Column], start: ir.Column | None) -> list[ir.BooleanValue]:
        import ibis

        found = [
            _equal(_key(columns, name, value) if is_key(name) else columns[name], value)
            for name, value in self.equals.items()
        ]
        if start is not None and self.since is not None:
            found.append(start >= ibis.literal(self.since, type=_TIME))
        if start is not None and self.until is not None:
            found.append(start < ibis.literal(self.until, type=_TIME))
        if self.expression is not None:
            found.append(compile_expression(self.expression, columns))
        return found


def _check_names(equals: Iterable[str], written: Iterable[str]) -> None:
    what = "column of spans or traces:"
    for name in equals:
        if name not in _SPAN | _TRACE and not is_key(name):
            raise unknown(what, name, _SPAN | _TRACE | {"since", "until", "spans_only"})
    for name in sorted(written):
        table, _, column = name.partition(".")
        if name in _SPAN | _TRACE or name.startswith(("metadata.", "metadata[")):
            continue
        known = {"span": _SPAN, "trace": _TRACE}.get(table) if column else None
        if known is None or column not in known:
            raise unknown(what, name, _SPAN | _TRACE if known is None else {f"{table}.{n}" for n in known})


def _values(name: str, value: Any) -> list[Any]:
    """Give what a column may equal, None for NA; raise `SelectionError` for a value that the column cannot have."""
    import pandas as pd

    many = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    if is_key(name):
        return _of_key(name, list(value) if many else [value])
    found: list[Any] = []
    for each in value if many else [value]:
        if pd.api.types.is_scalar(each) and pd.isna(each):
            found.append(None)
            continue
        dtype = (SPANS if name in _SPAN else TRACES)[name].dtype
        number = isinstance(each, Real | Decimal) and not isinstance(each, bool)
        if dtype in ("text", "json", "texts") and isinstance(each, str):
            found.append(str(each))
        elif dtype in ("integer", "number") and number:
            within = abs(each) < 2**63  # neither infinite nor NaN
            whole = dtype == "integer" and within and each == int(each)
            found.append(int(each) if whole else float(each) if within else math.inf if each > 0 else -math.inf)
        elif dtype == "time":
            found.append(moment(each, name))
        else:
            kind = "a number" if dtype in ("integer", "number") else "text"
            raise SelectionError(f"{name}={each!r} does not fit: {name} is {kind}.")
    return found


def _of_key(name: str, values: list[Any]) -> list[Any]:
    """Give what a key of JSON may be: texts as which it is written, or numbers."""
    import pandas as pd

    known = [None if pd.api.types.is_scalar(each) and pd.isna(each) else each for each in values]
    known = [str(each).lower() if isinstance(each, bool) else each for each in known]
    given = [each for each in known if each is not None]
    if not all(isinstance(each, str) for each in given) and not all(isinstance(each, Real) for each in given):
        raise SelectionError(f"{name}={values!r} does not fit: give texts, or numbers.")
    return [float(each) if isinstance(each, Real) else each for each in known]


def _key(columns: Mapping[str, ir.Column], name: str, values: list[Any]) -> ir.Column:
    """Give what spans say under a key: as numbers where it may be some."""
    holder, _, key = name.partition(".")
    found = text_under(columns[holder], key)
    return found.try_cast("float64") if any(isinstance(each, float) for each in values) else found


def moment(value: Any, name: str) -> datetime:
    """Understand a point in time; without a zone it is UTC. Raises `SelectionError`."""
    import numpy as np
    import pandas as pd

    if isinstance(value, str | date | np.datetime64):
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            point = pd.Timestamp(value)
            if isinstance(point, pd.Timestamp):  # and not NaT
                point = point.tz_localize("UTC") if point.tzinfo is None else point.tz_convert("UTC")
                return point.floor("us").to_pydatetime()
    hint = "a date such as '2026-11-02', a time such as '2026-11-02 14:30', or a datetime"
    raise SelectionError(f"{name}={value!r} is not a time. Expected {hint}.")


def _equal(column: ir.Column, values: list[Any]) -> ir.BooleanValue:
    import ibis

    given = [v for v in values if v is not None]
    if column.type().is_array():
        fits = [column.contains(ibis.literal(v)) for v in given]
    else:
        fits = [_among(column, given)] if given else []
    if len(given) < len(values):
        fits.append(column.isnull())
    if not fits:
        return column.isnull() & column.notnull()
    return balanced(operator.or_, fits)


def _among(column: ir.Column, values: list[Any]) -> ir.BooleanValue:
    import ibis

    if len(values) > _MANY and all(isinstance(v, str) and _BETWEEN not in v for v in values):
        listed = ibis.literal(_BETWEEN.join(values)).split(_BETWEEN).unnest().name("listed").as_table()
        return column.isin(listed.listed)
    return column.isin([ibis.literal(v, type=_TIME if isinstance(v, datetime) else None) for v in values])
