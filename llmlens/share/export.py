"""`export`: tables as files for other people and programs, redacted, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import ShareError, unknown
from llmlens.redaction import Redactor
from llmlens.spreadsheet import defused
from llmlens.traces import HasFrame, Traces

from .destination import written

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

#: What a sheet of Excel can hold.
_EXCEL_ROWS, _EXCEL_CELL = 1_048_575, 32_767


@explains_arguments
def export(
    what: Traces | pd.DataFrame | HasFrame, path: str | Path, *, redact: bool | Redactor = True, raw: bool = False
) -> Path:
    """Write a table to a file: .csv, .xlsx, .jsonl or .parquet, by the end of its name.

    `what` is a result or any DataFrame, a store of labels (its labels in force), or `Traces` (a row a trace). With
    `redact=True` secrets, cards and people are taken out of all texts, or as the `Redactor` says that is given.

    In .csv and .xlsx a text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage
    return) gets an apostrophe before it, so that nothing a stranger wrote is run. `raw=True` leaves texts as they are:
    what is read back is then exactly what was there. It does not turn off the redaction.

    Nothing is half-written: the file appears when it is whole. Raises `ShareError` when the path cannot be written or
    the table cannot be held by such a file, `UnknownNameError` for another ending. .xlsx needs the package openpyxl.
    """
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        what_kind = "kind of file to export:"
        raise unknown(what_kind, target.suffix or target.name, _WRITERS)
    frame = _with_index(_frame_of(what))
    redactor = Redactor() if redact is True else redact
    if redactor:
        frame = redacted_frame(frame, redactor)
    if target.suffix.lower() in (".csv", ".xlsx"):
        frame = _cells_changed(frame, lambda values, _: [_as_cell(value, raw=raw) for value in values])
    with written(target) as made:
        try:
            _WRITERS[target.suffix.lower()](frame, made)
        except (ValueError, TypeError) as error:
            told = str(error).splitlines()[0]
            raise ShareError(f"{target.name} cannot hold this table: {told}") from None
    return target


def redacted_frame(frame: pd.DataFrame, redactor: Redactor) -> pd.DataFrame:
    """Redact the texts of a frame: its cells, the lists and mappings in them, and its columns' names."""
    return _cells_changed(frame, redactor.value)


def _as_cell(value: Any, *, raw: bool) -> Any:
    """Write lists and mappings as JSON, and make texts harmless."""
    if isinstance(value, (dict, list, tuple)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return defused(value) if isinstance(value, str) and not raw else value


def _frame_of(what: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(what, Traces):
        return what.traces
    if isinstance(what, pd.DataFrame):
        return what
    if isinstance(what, HasFrame):
        return what.frame()
    raise ShareError(f"export takes a DataFrame, Traces or a store of labels; got {type(what).__name__}.")


def _cells_changed(frame: pd.DataFrame, change: Callable[[list[Any], str], list[Any]]) -> pd.DataFrame:
    """Change the texts of a frame, a column at once: cells, names of columns."""
    import pandas as pd

    changed = {}
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
            values = column.tolist()
            new = change(values, str(name))
            same = all(a is b for a, b in zip(new, values, strict=True))
            column = column if same else pd.Series(new, index=column.index, dtype=column.dtype)
        changed[place] = column
    made = pd.DataFrame(changed, index=frame.index)
    made.columns = pd.Index(change([str(name) for name in frame.columns], "columns"))
    return made


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make an index that says something a column."""
    import pandas as pd

    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


# ---------------------------------------------------------------------- writing


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    # All quoted: a carriage return alone would not be, and would end the row for whoever reads it.
    path.write_text(
        frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC), encoding="utf-8", newline=""
    )


def _write_jsonl(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us", force_ascii=False)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _write_excel(frame: pd.DataFrame, path: Path) -> None:
    """Write one sheet: texts as texts, whatever they begin with; times without their zone, which sheets do not have."""
    import pandas as pd

    try:
        excel = import_module("openpyxl")
    except ModuleNotFoundError:
        raise ShareError(
            "An .xlsx file needs the package openpyxl: pip install 'llmlens[excel]'. Or write a .csv."
        ) from None
    if len(frame) > _EXCEL_ROWS:
        raise ShareError(f"A sheet of Excel holds {_EXCEL_ROWS:,} rows, this table has {len(frame):,}: write a .csv.")
    longest = max(
        (len(each) for place in range(frame.shape[1]) for each in frame.iloc[:, place] if isinstance(each, str)),
        default=0,
    )
    if longest > _EXCEL_CELL:
        told = "nothing is cut here, so write a .csv"
        raise ShareError(f"A cell of Excel holds {_EXCEL_CELL:,} characters, one here has {longest:,}: {told}.")
    book = excel.Workbook(write_only=True)
    sheet = book.create_sheet("llmlens")
    made = import_module("openpyxl.cell").WriteOnlyCell
    illegal = import_module("openpyxl.cell.cell").ILLEGAL_CHARACTERS_RE

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            text = made(sheet, value=illegal.sub("\ufffd", value))
            text.data_type = "s"  # never a formula
            return text
        if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
            return None
        if isinstance(value, pd.Timestamp):
            return value.tz_convert("UTC").tz_localize(None).to_pydatetime() if value.tzinfo else value.to_pydatetime()
        return value.item() if hasattr(value, "item") else value

    sheet.append([cell(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        sheet.append([cell(value) for value in row])
    book.save(path)


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_excel,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
