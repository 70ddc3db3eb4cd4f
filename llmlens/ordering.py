"""What the earliest and the latest of some rows say: those without a time come last, then the id tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir


def earliest(
    column: ir.Column, start: ir.TimestampColumn, row_id: ir.Column, where: ir.BooleanValue | None = None
) -> ir.Scalar:
    """Give what the earliest row says, NA if it says nothing; of equally early rows the one with the least id.

    A row without a time is later than all that have one. Engines left alone differ in whether such a row counts, and
    in which of several rows comes first.
    """
    import ibis

    return column.argmin(ibis.struct({"untimed": start.isnull(), "start": start, "row_id": row_id}), where=where)


def latest(
    column: ir.Column, start: ir.TimestampColumn, row_id: ir.Column, where: ir.BooleanValue | None = None
) -> ir.Scalar:
    """Give what the latest row says, NA if it says nothing; of equally late rows the one with the greatest id.

    A row without a time is earlier than all that have one: where a time is known, it tells.
    """
    import ibis

    return column.argmax(ibis.struct({"timed": start.notnull(), "start": start, "row_id": row_id}), where=where)
