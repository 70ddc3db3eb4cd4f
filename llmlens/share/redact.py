"""`redact`: `Traces` without secrets and people, which can be looked at, saved and sent like any others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError
from llmlens.redaction import Redactor
from llmlens.schema import TABLES
from llmlens.sql import duckdb_sql
from llmlens.store import Store
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import ibis.expr.types as ir
    import pyarrow as pa

    from llmlens.schema import Column

#: Columns whose texts are of a fixed list.
_FIXED = frozenset({"kind", "status", "usage_source", "cost_source", "convention", "data_type", "source", "action"})
_ROWS = 5_000
_TRACE_INFO = ("name", "url", "trace_id")


@explains_arguments
def redact(
    traces: Traces,
    *,
    redactor: Redactor | None = None,
    patterns: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    words: Iterable[str] = (),
    key: str | bytes | None = None,
    keep: Iterable[str] = (),
    names: bool | str = False,
) -> Traces:
    """Give `Traces` without what should not leave: secrets, cards, accounts, ids, addresses and numbers of people.

    All texts of all tables are redacted, ids and keys of JSON too; each thing becomes a pseudonym that is the same
    everywhere, so that traces still belong to their users and sessions. What is made at first use (messages, documents,
    tool calls, rollups) is made of what is redacted. Nothing of the original is in the result, nor in what it saves.

    The arguments are those of `llmlens.Redactor`; give a `redactor` instead to use one for several, or to see its
    `summary`: how many of what in which columns. The `notes` of the result say it too.
    """
    if not isinstance(traces, Traces):
        raise SelectionError(f"redact takes Traces; got {type(traces).__name__}. Redactor().value() takes JSON values.")
    if redactor is None:
        redactor = Redactor(patterns, words, key, keep, names)
    elif patterns or words or key is not None or keep or names:
        raise SelectionError("redact takes a redactor, or the arguments to make one, not both.")
    before = redactor.notes
    store = Store()
    store.create_empty()
    selection = traces._selection  # noqa: SLF001  # of our own house
    for name, table in selection.stored().items():
        _copy(selection.store, table, name, store, redactor)
    notes = [note for note in redactor.notes if note not in before] or ["redaction found nothing to take out"]
    return Traces(store, notes=(*redactor.texts(traces.notes, "notes"), *notes))


def _copy(source: Store, table: ir.Table, name: str, target: Store, redactor: Redactor) -> None:
    import pyarrow as pa

    sort = [c for c in ("trace_id", "start", "span_id") if c in table.columns]
    sql = duckdb_sql(table.order_by(sort) if sort else table)
    for batch in source.batches(sql, _ROWS):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for column in _texts_of(name):
            where = f"{name}.{column}"
            if column in columns:
                columns[column] = _redacted(columns[column], redactor, where)
        target.insert(f"INSERT INTO {name} BY NAME SELECT * FROM incoming", incoming=pa.table(columns))


def _texts_of(name: str) -> tuple[str, ...]:
    """Name the columns of a stored table that hold texts."""
    if name not in TABLES:
        return _TRACE_INFO
    return tuple(column.name for column in TABLES[name].columns if _is_text(column, name))


def _is_text(column: Column, table: str) -> bool:
    fixed = column.name in _FIXED and not (table in ("spans", "problems") and column.name == "source")
    return column.dtype in ("text", "json", "texts") and not fixed


def _redacted(array: pa.Array, redactor: Redactor, where: str) -> pa.Array:
    """Redact a column; a value that comes often is looked at once."""
    import pyarrow as pa

    if pa.types.is_list(array.type):
        lists: list[Any] = array.to_pylist()
        flat = iter(redactor.texts([each for one in lists if one for each in one], where))
        return pa.array([one if one is None else [next(flat) for _ in one] for one in lists], array.type)
    encoded = array.cast(pa.string()).dictionary_encode()
    values = encoded.dictionary.to_pylist()
    changed = redactor.texts(values, where)
    if changed == values:
        return array
    return pa.array(changed, pa.string()).take(encoded.indices)
