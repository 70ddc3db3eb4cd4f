"""Ibis expressions as the SQL of the embedded DuckDB, each compiled once: that takes longer than most take to run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: How many expressions are remembered, the latest asked ones: some notebooks full of measures.
_KEPT = 256
#: SQL of more characters than this is not remembered: it is long because of values, and they are seldom the same.
_LONG = 50_000

_lock = threading.Lock()
_made: OrderedDict[Any, str] = OrderedDict()


def duckdb_sql(expression: ir.Expr) -> str:
    """Compile an Ibis expression to SQL of DuckDB; the same question over tables of the same names is compiled once."""
    import ibis

    # Tables are known by name and columns alone: what is remembered keeps no table of a store alive.
    question = expression.unbind()
    key = question.op()
    with _lock:
        if (known := _made.get(key)) is not None:
            _made.move_to_end(key)
            return known
    sql = str(ibis.to_sql(question, dialect="duckdb"))
    if len(sql) <= _LONG:
        with _lock:
            _made[key] = sql
            if len(_made) > _KEPT:
                _made.popitem(last=False)
    return sql
