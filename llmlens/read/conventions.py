"""Attribute names -> tidy columns: writes the SQL that maps raw spans.

The mapping is data. A chunk of raw spans is pivoted into a wide table that has one column for each attribute that some
column may be taken from *and* that occurs in the chunk; the SQL speaks of those only, so that it stays short.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from llmlens.schema import CONTENTS, SPANS, SQL_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Columns that the mapping fills beside those of `spans` and `contents`.
EXTRA = {"trace_name": "text", "trace_url": "text", "level": "text", "unread_cache": "text", "updated": "time"}

#: Merged from all their sources into one JSON object, key by key; the first source wins a key.
MERGED = ("params", "metadata")

#: Taken from the stored attributes when they are first asked for, as they are; see texts.py.
TEXTS = ("input", "output")

#: How to read a source, as SQL; `{x}` is the text of the attribute (NULL where it says nothing: "", "None", "null"),
#: `{start}` the start of the span in ns. An attribute read as `integer` or `number` is pivoted as a finite DOUBLE.
READERS: dict[str, str] = {
    "text": "{x}",
    "integer": "tally({x})",
    "number": "{x}",
    "unquoted": """said(CASE WHEN {x}[1] = '"' THEN coalesce(TRY(json_extract_string({x}, '$')), {x}) ELSE {x} END)""",
    "first": """said(CASE WHEN {x}[1] = '[' THEN coalesce(TRY(json_extract_string({x}, '$[0]')),
        regexp_extract({x}, '^\\[\\s*''([^'']*)''', 1)) ELSE {x} END)""",
    "texts": """nullif(list_filter(CASE WHEN {x}[1] = '[' THEN TRY(from_json({x}, '["VARCHAR"]'))
        ELSE list_transform(string_split({x}, ','), lambda t: trim(t)) END, lambda t: said(t) IS NOT NULL), [])""",
    "feature_tag": """said(trim(regexp_extract({x}, '(?:^|["\\[,\\s])feature:([^",\\]]+)', 1)))""",
    "since_start": "(epoch_us(TRY_CAST(trim({x}, '\"') AS TIMESTAMPTZ)) - {start} // 1000) / 1e6",
    "ms_if_whole": "CASE WHEN regexp_matches({x}, '[.eE]') THEN finite({x}) ELSE finite({x}) / 1000 END",
    "usage_input": "usage_total({x}, 'prompt_tokens', 'input_tokens', 'input')",
    "usage_output": "usage_total({x}, 'completion_tokens', 'output_tokens', 'output')",
    "usage_cache_read": "usage_any({x}, ['input_cached_tokens', 'input_cache_read'])",
    "usage_cache_write": "usage_any({x}, ['input_cache_creation', 'input_cache_write', "
    "'input_cache_creation_5m', 'input_cache_creation_1h'])",
    "usage_reasoning": "usage_any({x}, ['output_reasoning_tokens', 'output_reasoning', 'reasoning_tokens', "
    "'completion_tokens_details.reasoning_tokens', 'output_tokens_details.reasoning_tokens'])",
    "names_cached": "regexp_extract({x}, '\\w*cache\\w*\": *[1-9]\\d*')",
    "cost_total": "cost_total({x})",
    "time": "TRY_CAST({x} AS TIMESTAMPTZ)",
    "json": "{x}",
    "object": "{x}",
}

#: SQL functions that the readers use. Langfuse's own usage buckets are disjoint: `input_*` adds to `input`, `output_*`
#: to `output`; the spellings of the providers are inclusive already and come first.
MACROS = (
    "CREATE MACRO said(x) AS CASE WHEN x NOT IN ('', 'None', 'null') THEN x END",
    # A count beyond 1e15 is a mistake, and its sums would overflow.
    "CREATE MACRO tally(x) AS CASE WHEN abs(x) < 1e15 THEN x::BIGINT END",
    "CREATE MACRO finite(x) AS CASE WHEN isfinite(TRY_CAST(x AS DOUBLE)) THEN TRY_CAST(x AS DOUBLE) END",
    # A JSON pointer takes any key; a path stumbles over the quotes in one.
    "CREATE MACRO member(x, k) AS finite(json_extract_string(x, '/' || replace(replace(k, '~', '~0'), '/', '~1')))",
    """CREATE MACRO usage_any(x, keys) AS CASE WHEN x[1] = '{' AND json_valid(x) THEN
         tally(list_filter(list_transform(keys,
                  lambda k: coalesce(member(x, k), finite(json_extract_string(x, '$.' || k)))),
                  lambda v: v IS NOT NULL)[1]) END""",
    """CREATE MACRO usage_total(x, a, b, own) AS CASE WHEN x[1] = '{' AND json_valid(x) THEN
         tally(coalesce(member(x, a), member(x, b), list_sum(list_transform(
                  list_filter(json_keys(x), lambda k: k = own OR starts_with(k, own || '_')),
                  lambda k: member(x, k))))) END""",
    """CREATE MACRO cost_total(x) AS CASE WHEN x[1] = '{' AND json_valid(x) THEN
         coalesce(member(x, 'total'), list_sum(list_transform(json_keys(x), lambda k: member(x, k)))) END""",
)


class Field(NamedTuple):
    """What is pivoted: an attribute, a resource attribute, or the time or an attribute (`detail`) of an event."""

    what: str
    name: str
    detail: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One place where the value of a column may stand."""

    attribute: str = ""
    event: str = ""
    resource: str = ""
    path: str = ""
    reader: str = ""
    scale: float = 1.0
    ignore: tuple[str, ...] = ()

    def field(self, dtype: str) -> Field:
        """Say what has to be pivoted for it, when it is for a column of this dtype."""
        number = not self.path and (self.reader or dtype) in ("integer", "number")
        if self.event:
            return Field("event", self.event, self.attribute, number=number)
        if self.resource:
            return Field("resource", self.resource, number=number)
        return Field("attribute", self.attribute, number=number)


@dataclass(frozen=True, slots=True)
class KindRule:
    """One step of the precedence that decides the kind of a span."""

    attribute: str
    reader: str = "text"
    values: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[str, str], ...] = ()
    exists: str = ""


@dataclass(frozen=True, slots=True)
class Conventions:
    """The whole mapping; immutable, extended with `extended`."""

    names: tuple[tuple[str, str], ...]
    kinds: tuple[KindRule, ...]
    columns: Mapping[str, tuple[Source, ...]]
    values: Mapping[str, Mapping[str, str]]

    def extended(self, other: Conventions) -> Conventions:
        """Put another mapping before this one."""
        columns = {
            name: other.columns.get(name, ()) + self.columns.get(name, ())
            for name in dict.fromkeys([*other.columns, *self.columns])
        }
        values = {
            name: {**self.values.get(name, {}), **other.values.get(name, {})}
            for name in dict.fromkeys([*self.values, *other.values])
        }
        return Conventions(other.names + self.names, other.kinds + self.kinds, columns, values)

    def with_feature(self, attribute: str) -> Conventions:
        """Take the feature from this attribute (or resource attribute) first."""
        first = (Source(attribute=attribute), Source(resource=attribute))
        return replace(self, columns={**self.columns, "feature": first + self.columns["feature"]})

    def expanded(self, present: Iterable[str], resources: Iterable[str], events: Iterable[str]) -> Conventions:
        """Keep the rules whose attributes, resource attributes or events occur; resolve `*` to what occurs."""
        have, of_resource, of_event = sorted(present), set(resources), set(events)

        def occurs(source: Source) -> list[Source]:
            if source.event:
                return [source] if source.event in of_event else []
            if source.resource:
                return [source] if source.resource in of_resource else []
            return [replace(source, attribute=name) for name in matching(source.attribute, have)]

        columns = {
            name: tuple(sources) if name in MERGED else tuple(s for source in sources for s in occurs(source))
            for name, sources in self.columns.items()
        }
        kinds = tuple(replace(r, attribute=n) for r in self.kinds for n in matching(r.attribute, have))
        for name in TEXTS:
            columns.pop(name, None)
        names = tuple((label, n) for label, pattern in self.names for n in matching(pattern, have))
        return replace(self, columns=columns, kinds=kinds, names=names)

    def fields(self) -> list[Field]:
        """List what has to be pivoted, for an `expanded` mapping."""
        found: dict[Field, None] = {}
        for name, sources in self.columns.items():
            if name not in MERGED:
                found.update(dict.fromkeys(source.field(dtype_of(name)) for source in sources))
        found.update(dict.fromkeys(Field("attribute", rule.attribute) for rule in self.kinds))
        return list(found)

    def column_sql(self, name: str, at: Mapping[Field, str]) -> str:
        """Write the SQL of one column; `at` says in which column of the wide table a field is."""
        dtype = dtype_of(name)
        parts = [_source_sql(source, dtype, at[source.field(dtype)]) for source in self.columns.get(name, ())]
        if not parts:
            return f"NULL::{SQL_TYPES[dtype]}"
        if len(parts) == 1:
            return parts[0]
        if dtype == "texts":
            return f"nullif(list_sort(list_distinct(list_concat({', '.join(parts)}))), [])"
        return f"coalesce({', '.join(parts)})"

    def spelling_sql(self) -> str:
        """Write the REPLACE that brings the spellings of a column's values to one."""
        replaced = []
        for name, spellings in self.values.items():
            known = _looked_up({k.lower(): v for k, v in spellings.items()}, f'"{name}"')
            replaced.append(f'coalesce({known}, "{name}") AS "{name}"')
        return f"REPLACE ({', '.join(replaced)})" if replaced else ""

    def kind_sql(self, at: Mapping[Field, str]) -> str:
        """Write the SQL of the kind."""
        parts = []
        for rule in self.kinds:
            x = READERS[rule.reader].format(x=at[Field("attribute", rule.attribute)], start="start_ns")
            if rule.exists:
                parts.append(f"CASE WHEN {x} IS NOT NULL THEN {_quote(rule.exists)} END")
            elif rule.patterns:
                whens = " ".join(f"WHEN regexp_matches({x}, {_quote(p)}) THEN {_quote(k)}" for p, k in rule.patterns)
                parts.append(f"CASE {whens} END")
            else:
                parts.append(_looked_up(rule.values, x))
        return f"coalesce({', '.join([*parts, _quote('span')])})"

    def text_attributes(self, name: str) -> list[str]:
        """List the attributes that hold the whole of a text, in order of precedence."""
        return [source.attribute for source in self.columns.get(name, ())]


def matching(pattern: str, names: list[str]) -> list[str]:
    """List the names that a pattern of conventions.toml means: itself, `prefix.*` or `*.suffix`.

    >>> matching("a.*", ["a.b", "a.c.d", "ab"])
    ['a.b', 'a.c.d']
    """
    if pattern.endswith("*"):
        return [n for n in names if n.startswith(pattern[:-1])]
    if pattern.startswith("*"):
        return [n for n in names if n.endswith(pattern[1:])]
    return [pattern] if pattern in names else []


def dtype_of(column: str) -> str:
    """Give the dtype of a column that the mapping can fill."""
    return EXTRA[column] if column in EXTRA else (_SPANS | _CONTENTS)[column]


_SPANS = {c.name: c.dtype for c in SPANS.columns}
_CONTENTS = {c.name: c.dtype for c in CONTENTS.columns}


def _source_sql(source: Source, dtype: str, x: str) -> str:
    reader = source.reader or dtype
    if source.path:
        said = f"said(TRY(json_extract_string({x}, {_quote(source.path)})))"
        x = f"finite({said})" if reader in ("integer", "number") else said
    if source.event and reader == "since_start":
        value = f"({x}::BIGINT - start_ns) / 1e9"
    else:
        value = READERS[reader].format(x=x, start="start_ns")
    if source.scale != 1.0:
        value = f"({value}) * {source.scale!r}"
    if source.ignore:
        ignored = ", ".join(_quote(text.lower()) for text in source.ignore)
        value = f"CASE WHEN lower({value}) IN ({ignored}) THEN NULL ELSE {value} END"
    return value


def _looked_up(meanings: Mapping[str, str], x: str) -> str:
    """Write the SQL of what a text means in any case, NULL when it is not known; cheaper to plan than a long CASE."""
    pairs = ", ".join(f"{_quote(text)}: {_quote(meaning)}" for text, meaning in meanings.items())
    return f"MAP {{{pairs}}}[lower({x})]"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
