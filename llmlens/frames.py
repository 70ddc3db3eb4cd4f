"""DataFrames <-> Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def arrow_of(frame: pd.DataFrame) -> pa.Table:
    """Convert a DataFrame to Arrow; times without a zone are UTC."""
    import pandas as pd
    import pyarrow as pa

    arrays = {}
    for name, column in frame.items():
        values = column
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            values = column.dt.tz_convert("UTC")
        elif pd.api.types.is_datetime64_dtype(column.dtype):
            values = column.dt.tz_localize("UTC")
        arrays[str(name)] = pa.Array.from_pandas(values)
    return pa.table(arrays)


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Convert to pandas with one dtype per meaning: `str`, `Int64`, `Float64`, `boolean`, `datetime64[us, UTC]`."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    text = pd.StringDtype(na_value=np.nan)

    def dtype(kind: pa.DataType) -> Any:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return text
        if pa.types.is_integer(kind):
            return pd.Int64Dtype()
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return pd.Float64Dtype()
        if pa.types.is_boolean(kind):
            return pd.BooleanDtype()
        return None

    fields = []
    for f in table.schema:
        kind = f.type
        if pa.types.is_timestamp(kind) and (kind.unit != "us" or kind.tz != "UTC"):
            kind = pa.timestamp("us", tz="UTC" if kind.tz else None)
        elif pa.types.is_decimal(kind):
            kind = pa.float64()
        elif str(kind) in ("extension<arrow.json>", "string_view"):
            kind = pa.string()
        fields.append(pa.field(f.name, kind))
    made: pd.DataFrame = table.cast(pa.schema(fields)).to_pandas(types_mapper=dtype)
    return made
