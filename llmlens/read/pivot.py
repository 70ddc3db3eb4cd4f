"""A chunk of raw spans -> one wide Arrow table: a row a span, a column for each attribute that a tidy column needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from .conventions import MERGED, Conventions, Field, Source, matching

if TYPE_CHECKING:
    import pyarrow as pa

    from .raw import Origin, RawSpan

#: Says of one span what product feature it belongs to; it is given the attributes, with `name` where they have none.
FeatureFunction = Callable[[dict[str, Any]], "str | None"]

Fields = dict[Field, str]


@dataclass(slots=True)
class Wide:
    """The wide table so far, in pieces, and what occurs in it: names of attributes, resource attributes and events.

    `known` are the conventions reduced to that; `fields` says in which column a field is, and a piece that was made
    before it occurred lacks that column.
    """

    known: Conventions = field(default_factory=lambda: Conventions((), (), {}, {}))

    pieces: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    attributes: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    fields: Fields = field(default_factory=dict)

    def add(
        self, spans: Sequence[RawSpan], source: Sequence[str], conventions: Conventions, feature: FeatureFunction | None
    ) -> None:
        """Pivot some spans; a thousand or two at a time are still in the processor's cache from being decoded."""
        attributes = [span.attributes for span in spans]
        with_events = [i for i, span in enumerate(spans) if span.events]
        self._meet(
            conventions,
            set().union(*attributes),
            set().union(*{id(s.origin): s.origin.resource for s in spans}.values()),
            {event.name for i in with_events for event in spans[i].events},
        )
        mapping = self.known
        columns = _own_columns(spans, source, attributes)
        columns["convention"] = _text_array(_conventions(attributes, mapping))
        values = _values(self.fields, spans, attributes, with_events)
        for key, name in self.fields.items():
            columns[name] = _numbers(values[key]) if key.number else _said(_texts(values[key]))
        for name in MERGED:
            columns[name] = _merged(attributes, mapping.columns.get(name, ()), self.attributes)
        if feature is not None:
            columns["feature_given"] = _texts([feature({"name": s.name, **s.attributes}) for s in spans])
        import pyarrow as pa

        self.pieces.append(pa.table(columns))
        self.rows += len(spans)

    def _meet(self, conventions: Conventions, attributes: set[str], resources: set[str], events: set[str]) -> None:
        """Note the names that occur; where there are new ones, find the rules and fields they bring."""
        new = not (attributes <= self.attributes and resources <= self.resources and events <= self.events)
        if new or not self.rows:
            self.attributes |= attributes
            self.resources |= resources
            self.events |= events
            self.known = conventions.expanded(self.attributes, self.resources, self.events)
            for key in self.known.fields():
                self.fields.setdefault(key, f"f{len(self.fields)}")

    def table(self) -> pa.Table:
        """Give the pieces as one table."""
        import pyarrow as pa

        return pa.concat_tables(self.pieces, promote_options="default")


def _own_columns(
    spans: Sequence[RawSpan], source: Sequence[str], attributes: Sequence[Mapping[str, Any]]
) -> dict[str, pa.Array]:
    """Make the columns that every span has, whatever the convention."""
    import pyarrow as pa

    return {
        "trace_id": _text_array([s.trace_id for s in spans]),
        "span_id": _text_array([s.span_id for s in spans]),
        "parent_id": _text_array([s.parent_id for s in spans]),
        "name": _text_array([s.name for s in spans]),
        "start_ns": pa.array([s.start_ns for s in spans], pa.int64()),
        "end_ns": pa.array([s.end_ns for s in spans], pa.int64()),
        "status_code": pa.array([s.status for s in spans], pa.int8()),
        "status_text": _text_array([s.status_message for s in spans]),
        "source": _text_array(list(source)),
        "attributes": _json_array([dumps(a) for a in attributes]),
        "events": _json_array([dumps(events_of(s)) if s.events else None for s in spans]),
        "links": _json_array([dumps(links_of(s)) if s.links else None for s in spans]),
        "line": pa.array([s.line for s in spans], pa.int64()),
    }


def _text_array(values: list[str | None]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _json_array(values: list[bytes | None]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.binary()).view(pa.string())  # what `dumps` writes is UTF-8: no need to look again


def dumps(value: Any) -> bytes:
    """Write JSON, whatever is in it: integers beyond 64 bits and lone surrogates too."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        try:
            return json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")
        except (RecursionError, ValueError):
            return json.dumps({"unreadable": "nested too deeply"}).encode()


def _values(
    fields: Fields,
    spans: Sequence[RawSpan],
    attributes: Sequence[Mapping[str, Any]],
    with_events: Sequence[int],
) -> dict[Field, list[Any]]:
    """Collect the values of every field, a list with one for each span."""
    found: dict[Field, list[Any]] = {key: [None] * len(spans) for key in fields}
    wanted = {key.name: found[key] for key in fields if key.what == "attribute"}
    # One walk over what a span has is shorter than asking it for all that it might have.
    for i, has in enumerate(attributes):
        for name in has:
            if name in wanted:
                wanted[name][i] = has[name]
    for key in fields:
        if key.what == "resource":
            found[key] = [s.origin.resource.get(key.name) for s in spans]
        elif key.what == "attribute":
            found[key] = wanted[key.name]  # the same values may be wanted as texts and as numbers
        else:
            for i in with_events:
                event = next((e for e in spans[i].events if e.name == key.name), None)
                if event is not None:
                    found[key][i] = event.attributes.get(key.detail) if key.detail else event.time_ns
    return found


def _said(texts: pa.Array) -> pa.Array:
    """Make NULL of texts that say nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    silent = pc.is_in(texts, value_set=pa.array(["", "None", "null"]))
    return pc.if_else(silent, pa.scalar(None, pa.string()), texts) if pc.any(silent).as_py() else texts


def _numbers(values: list[Any]) -> pa.Array:
    """Make a DOUBLE column of numbers and of texts that are numbers; what is not finite is NULL."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = pa.array(values, pa.float64())
    except (pa.ArrowTypeError, pa.ArrowInvalid, OverflowError):
        array = pa.array([_number(v) for v in values], pa.float64())
    return pc.if_else(pc.is_finite(array), array, pa.scalar(None, pa.float64()))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _texts(values: list[Any]) -> pa.Array:
    """Make a text column of values of any type: numbers as they are written, lists and maps as JSON."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        pass
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return pa.array([_text(v) for v in values], pa.string())
    # Arrow writes 1.0 as 1; some readers tell seconds from milliseconds by the point.
    if pa.types.is_nested(array.type) or pa.types.is_floating(array.type):
        return pa.array([_text(v) for v in values], pa.string())
    return array.cast(pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return dumps(value).decode("utf-8")


def _conventions(attributes: Sequence[Mapping[str, Any]], mapping: Conventions) -> list[str | None]:
    """Name the convention of each span: the first one that has an attribute there."""
    marks: dict[str, set[str]] = {}
    for label, name in mapping.names:
        marks.setdefault(label, set()).add(name)
    return [next((label for label, names in marks.items() if not names.isdisjoint(a)), None) for a in attributes]


def resource_text(origin: Origin) -> str:
    """Write the resource and scope of a batch as JSON."""
    scope = {"name": origin.scope_name, "version": origin.scope_version, "attributes": origin.scope_attributes}
    return dumps({"attributes": origin.resource, "scope": {k: v for k, v in scope.items() if v}}).decode("utf-8")


def events_of(span: RawSpan) -> list[dict[str, Any]]:
    """Give the events of a span as `contents` has them."""
    return [{"name": e.name, "time": e.time_ns, "attributes": e.attributes} for e in span.events]


def links_of(span: RawSpan) -> list[dict[str, Any]]:
    """Give the links of a span as `contents` has them."""
    return [{"trace_id": x.trace_id, "span_id": x.span_id, "attributes": x.attributes} for x in span.links]


def _merged(attributes: Sequence[Mapping[str, Any]], sources: Sequence[Source], present: set[str]) -> pa.Array:
    """Make one JSON object a span of all sources: whole objects, and attributes with a common beginning."""
    import pyarrow as pa

    names = sorted(present)
    steps = []
    for source in sources:
        prefix = len(source.attribute) - 1 if source.attribute.endswith("*") else None
        for name in matching(source.attribute, names):
            key = name.rsplit(".", 1)[-1] if prefix is None else name[prefix:]
            if key not in source.ignore:
                steps.append((name, key, source.reader == "json"))
    if not steps:
        return pa.nulls(len(attributes), pa.string())
    # A load has few different ones: each is put together once.
    known: dict[tuple[Any, ...], bytes | None] = {}
    merged: list[bytes | None] = []
    asked = [name for name, _, _ in steps]
    wanted = frozenset(asked)
    for has in attributes:
        if wanted.isdisjoint(has):
            merged.append(None)
            continue
        values = tuple(map(has.get, asked))
        typed = (values, tuple(map(type, values)))  # 1, 1.0 and True are equal
        try:
            if typed not in known:
                known[typed] = _merge(has, steps)
            merged.append(known[typed])
        except TypeError:  # a list or a map among them
            merged.append(_merge(has, steps))
    return _json_array(merged)


def _merge(attributes: Mapping[str, Any], steps: Sequence[tuple[str, str, bool]]) -> bytes | None:
    result: dict[str, Any] = {}
    for name, key, whole in steps:
        value = attributes.get(name)
        if value is None:
            continue
        value = _decoded(value)
        if whole and isinstance(value, dict):
            for k, v in value.items():
                result.setdefault(k, v)
        elif value not in ("", "None"):
            result.setdefault(key, value)
    return dumps(result) if result else None


def _decoded(value: Any) -> Any:
    """Undo the JSON that SDKs put into texts because attributes cannot hold it."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
