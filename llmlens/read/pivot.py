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

    `fields` says in which column a field is; a piece where it does not occur lacks that column.
    """

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
        present = set().union(*attributes)
        with_events = [i for i, span in enumerate(spans) if span.events]
        events = {event.name for i in with_events for event in spans[i].events}
        resources = set().union(*{id(s.origin): s.origin.resource for s in spans}.values())
        mapping = conventions.expanded(present, resources, events)
        columns = _own_columns(spans, source, attributes)
        columns["convention"] = _text_array(_conventions(attributes, mapping))
        for key in mapping.fields():
            name = self.fields.setdefault(key, f"f{len(self.fields)}")
            values = _values(key, spans, attributes, with_events)
            columns[name] = _numbers(values) if key.number else _said(_texts(values))
        for name in MERGED:
            columns[name] = _merged(attributes, mapping.columns.get(name, ()), present)
        if feature is not None:
            columns["feature_given"] = _texts([feature({"name": s.name, **s.attributes}) for s in spans])
        import pyarrow as pa

        self.pieces.append(pa.table(columns))
        self.rows += len(spans)
        self.attributes |= present
        self.resources |= resources
        self.events |= events

    def table(self) -> pa.Table:
        """Give the pieces as one table."""
        import pyarrow as pa

        return pa.concat_tables(self.pieces, promote_options="default")

    def mapping(self, conventions: Conventions) -> Conventions:
        """Reduce the conventions to what occurs."""
        return conventions.expanded(self.attributes, self.resources, self.events)


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

    return pa.array(values, pa.binary()).cast(pa.string())


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
    key: Field,
    spans: Sequence[RawSpan],
    attributes: Sequence[Mapping[str, Any]],
    with_events: Sequence[int],
) -> list[Any]:
    what, name, detail, _ = key
    if what == "attribute":
        return [a.get(name) for a in attributes]
    if what == "resource":
        return [s.origin.resource.get(name) for s in spans]
    found: list[Any] = [None] * len(spans)
    for i in with_events:
        for event in spans[i].events:
            if event.name == name:
                found[i] = event.attributes.get(detail) if detail else event.time_ns
                break
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
    if len(steps) == 1:
        # One attribute holds it all, and a load has few different ones: each is read once.
        name = steps[0][0]
        known: dict[Any, bytes | None] = {None: None}
        merged = []
        for a in attributes:
            value = a.get(name)
            if not isinstance(value, str | None):
                merged.append(_merge(a, steps))
                continue
            if value not in known:
                known[value] = _merge(a, steps)
            merged.append(known[value])
    else:
        wanted = {name for name, _, _ in steps}
        merged = [_merge(a, steps) if not wanted.isdisjoint(a) else None for a in attributes]
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
