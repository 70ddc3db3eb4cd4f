"""conventions.toml, and the files of users that extend it -> `Conventions`; every mistake is named with its place."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import ConventionsError, nearest
from llmlens.schema import CONTENTS, KINDS, SPANS, SQL_TYPES

from .conventions import EXTRA, MACROS, MERGED, READERS, TEXTS, Conventions, Field, KindRule, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Columns of `spans` that are not mapped from attributes but from the span itself.
_OWN = ("trace_id", "span_id", "parent_id", "name", "start", "end", "duration_s", "depth", "source")
#: Columns that have a section of their own, or follow from others.
_MADE = ("kind", "convention", "status", "usage_source", "cost_source")

_SOURCE_KEYS = {
    "attribute": str, "event": str, "resource": str, "path": str, "as": str, "scale": (int, float), "ignore": list,
}  # fmt: skip
_KIND_KEYS = {"attribute": str, "as": str, "values": dict, "patterns": list, "exists": str}
_TYPE_NAMES = {str: "a text", dict: "a table", list: "a list", (int, float): "a number"}


@cache
def built_in() -> Conventions:
    """Read the mapping that comes with llmlens."""
    return read_conventions(Path(__file__).with_name("conventions.toml"))


def load_conventions(extra: str | Path | None) -> Conventions:
    """Give the built-in mapping, extended by a TOML file of the user's.

    Raises `ConventionsError` when that is not valid.
    """
    if extra is None:
        return built_in()
    own = read_conventions(Path(extra))
    _try(own, extra)
    return built_in().extended(own)


def read_conventions(path: Path) -> Conventions:
    """Read one file; raise `ConventionsError` naming the entry that is wrong and what is allowed there."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConventionsError(f"There is no conventions file {path}.") from None
    except OSError as error:
        raise ConventionsError(f"Cannot read the conventions file {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConventionsError(f"{path} is not valid TOML: {error}.") from None
    _known(data, ("convention", "kind", "columns", "values"), f"{path}: there is no section")
    dtypes = mapped_columns()
    columns = {}
    for name, entries in _section(data, "columns", dict, path).items():
        _known([name], dtypes, f"{path}: there is no column to map called")
        listed = entries if isinstance(entries, list) else [entries]
        columns[name] = tuple(_source(entry, name, f"{path}: columns.{name}") for entry in listed)
    kinds = tuple(_kind_rule(entry, f"{path}: kind") for entry in _section(data, "kind", list, path))
    names = tuple(
        (_need(entry, "name", f"{path}: convention"), _need(entry, "attribute", f"{path}: convention"))
        for entry in _section(data, "convention", list, path)
    )
    values = {}
    for name, spellings in _section(data, "values", dict, path).items():
        texts = [column for column, dtype in dtypes.items() if dtype == "text" and column not in TEXTS]
        _known([name], texts, f"{path}: values: there is no column of texts")
        values[name] = _spellings(spellings, f"{path}: values.{name}")
    return Conventions(names, kinds, columns, values)


def mapped_columns() -> dict[str, str]:
    """List the columns that attributes are mapped to, and their dtypes."""
    known: dict[str, str] = {c.name: c.dtype for c in SPANS.columns if c.name not in (*_OWN, *_MADE)}
    return known | {name: CONTENTS[name].dtype for name in TEXTS} | EXTRA


def _section(data: Mapping[str, Any], name: str, kind: type, path: Path) -> Any:
    section = data.get(name, kind())
    if not isinstance(section, kind):
        written = f"[[{name}]]" if kind is list else f"[{name}]"
        raise ConventionsError(f"{path}: {name} has to be written as {written}; got {section!r}.")
    return section


def _known(names: Iterable[str], allowed: Iterable[str], complaint: str) -> None:
    allowed = list(allowed)
    for name in names:
        if name not in allowed:
            raise ConventionsError(f"{complaint} {name!r}.{nearest(name, allowed)}")


def _need(entry: object, key: str, where: str) -> str:
    if not isinstance(entry, dict):
        raise ConventionsError(f"{where}: expected a table; got {entry!r}.")
    if not isinstance(entry.get(key), str):
        raise ConventionsError(f"{where}: an entry lacks the text {key!r}: {entry!r}.")
    return str(entry[key])


def _typed(entry: Mapping[str, Any], types: Mapping[str, Any], where: str) -> None:
    _known(entry, types, f"{where}: there is no key")
    for key, value in entry.items():
        if not isinstance(value, types[key]) or isinstance(value, bool):
            raise ConventionsError(f"{where}: {key} has to be {_TYPE_NAMES[types[key]]}; got {value!r}.")
    if reader := entry.get("as"):
        _known([reader], READERS, f"{where}: cannot read as")


def _spellings(entry: object, where: str) -> dict[str, str]:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise ConventionsError(f"{where}: expected a table of texts; got {entry!r}.")
    return {key.lower(): value for key, value in entry.items()}


def _source(entry: object, column: str, where: str) -> Source:
    if isinstance(entry, str):
        entry = {"attribute": entry}
    if not isinstance(entry, dict):
        raise ConventionsError(f"{where}: expected the name of an attribute or a table; got {entry!r}.")
    _typed(entry, _SOURCE_KEYS, where)
    if not any(entry.get(key) for key in ("attribute", "event", "resource")):
        raise ConventionsError(f"{where}: needs an attribute, an event or a resource; got {entry!r}.")
    if entry.get("event") and not entry.get("attribute") and entry.get("as") != "since_start":
        raise ConventionsError(f'{where}: an event needs an attribute of it, or as = "since_start"; got {entry!r}.')
    if column in TEXTS and (entry.keys() != {"attribute"} or "*" in entry["attribute"]):
        raise ConventionsError(f"{where}: only the name of an attribute can be given here; got {entry!r}.")
    if column in MERGED and not entry.keys() <= {"attribute", "as", "ignore"}:
        raise ConventionsError(f"{where}: only attribute, as and ignore can be given here; got {entry!r}.")
    if not all(isinstance(value, str) for value in entry.get("ignore", ())):
        raise ConventionsError(f"{where}: ignore has to be a list of texts; got {entry['ignore']!r}.")
    return Source(
        attribute=entry.get("attribute", ""),
        event=entry.get("event", ""),
        resource=entry.get("resource", ""),
        path=entry.get("path", ""),
        reader=entry.get("as", ""),
        scale=float(entry.get("scale", 1.0)),
        ignore=tuple(entry.get("ignore", ())),
    )


def _kind_rule(entry: Any, where: str) -> KindRule:
    attribute = _need(entry, "attribute", where)
    where = f"{where} {attribute!r}"
    _typed(entry, _KIND_KEYS, where)
    if not any(entry.get(key) for key in ("values", "patterns", "exists")):
        raise ConventionsError(f"{where}: needs values, patterns or exists; got {entry!r}.")
    pairs = entry.get("patterns", [])
    if not all(isinstance(p, list) and len(p) == 2 and all(isinstance(text, str) for text in p) for p in pairs):
        raise ConventionsError(f"{where}: patterns has to be a list of [pattern, kind]; got {pairs!r}.")
    rule = KindRule(
        attribute=attribute,
        reader=entry.get("as", "text"),
        values=_spellings(entry.get("values", {}), f"{where}: values"),
        patterns=tuple((pattern, kind) for pattern, kind in pairs),
        exists=entry.get("exists", ""),
    )
    kinds = [*rule.values.values(), *(kind for _, kind in rule.patterns), *([rule.exists] if rule.exists else [])]
    _known(kinds, KINDS, f"{where}: there is no kind")
    for pattern, _ in rule.patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ConventionsError(f"{where}: {pattern!r} is not a pattern: {error}.") from None
    return rule


def _try(conventions: Conventions, path: str | Path) -> None:
    """Run the SQL of every entry on one row: paths, patterns and types are the engine's to judge."""
    import duckdb

    con = duckdb.connect(":memory:")
    for macro in MACROS:
        con.execute(macro)
    tries: list[tuple[str, str]] = []
    for name, dtype in mapped_columns().items():
        for source in conventions.columns.get(name, ()) if name not in (*TEXTS, *MERGED) else ():
            field = source.field(dtype)
            sql = Conventions((), (), {name: (source,)}, {}).column_sql(name, {field: "d" if field.number else "x"})
            tries.append((f"columns.{name}", f"coalesce({sql}, NULL::{SQL_TYPES[dtype]})"))
    for rule in conventions.kinds:
        sql = Conventions((), (rule,), {}, {}).kind_sql({Field("attribute", rule.attribute): "x"})
        tries.append((f"kind {rule.attribute!r}", sql))
    for where, sql in tries:
        try:
            con.execute(f"SELECT {sql} FROM (SELECT '0' AS x, 0::DOUBLE AS d, 0::BIGINT AS start_ns)")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise ConventionsError(f"{path}: {where} cannot be used as it is: {reason}") from None
    con.close()
