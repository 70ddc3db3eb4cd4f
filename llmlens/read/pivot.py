"""A chunk of raw spans -> one wide Arrow table: a row a span, a column for each attribute that a tidy column needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .alike import Alike, alike
from .arrays import documents, dumps, numbers, said, some_documents, strings, texts
from .conventions import MERGED, Conventions, Field
from .merging import merged

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
        import pyarrow as pa

        attributes = [span.attributes for span in spans]
        groups = alike(attributes)
        with_events = [i for i, span in enumerate(spans) if span.events]
        self._meet(
            conventions,
            set().union(*(group.names for group in groups)),
            set().union(*{id(s.origin): s.origin.resource for s in spans}.values()),
            {event.name for i in with_events for event in spans[i].events},
        )
        columns = _own_columns(spans, source, attributes)
        columns["convention"] = strings(_conventions(groups, len(spans), self.known))
        values = _values(self.fields, spans, groups, with_events)
        for key, name in self.fields.items():
            columns[name] = numbers(values[key]) if key.number else said(values[key])
        for name in MERGED:
            sources = self.known.columns.get(name, ())
            columns[name] = some_documents(merged(groups, len(spans), sources, self.attributes))
        if feature is not None:
            columns["feature_given"] = texts([feature({"name": s.name, **s.attributes}) for s in spans])
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
        "trace_id": strings([s.trace_id for s in spans]),
        "span_id": strings([s.span_id for s in spans]),
        "parent_id": strings([s.parent_id for s in spans]),
        "name": strings([s.name for s in spans]),
        "start_ns": pa.array([s.start_ns for s in spans], pa.int64()),
        "end_ns": pa.array([s.end_ns for s in spans], pa.int64()),
        "status_code": pa.array([s.status for s in spans], pa.int8()),
        "status_text": strings([s.status_message for s in spans]),
        "source": strings(list(source)),
        "attributes": documents([dumps(a) for a in attributes]),
        "events": some_documents([dumps(events_of(s)) if s.events else None for s in spans]),
        "links": some_documents([dumps(links_of(s)) if s.links else None for s in spans]),
        "line": pa.array([s.line for s in spans], pa.int64()),
    }


def _values(
    fields: Fields, spans: Sequence[RawSpan], groups: Sequence[Alike], with_events: Sequence[int]
) -> dict[Field, list[Any]]:
    """Collect the values of every field, a list with one for each span."""
    found: dict[Field, list[Any]] = {key: [None] * len(spans) for key in fields}
    wanted = {key.name: found[key] for key in fields if key.what == "attribute"}
    for group in groups:
        names = [name for name in group.names if name in wanted]
        if not names:
            continue
        for name, column in zip(names, zip(*group.values(names), strict=True), strict=True):
            into = wanted[name]
            for row, value in zip(group.rows, column, strict=True):
                into[row] = value
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


def _conventions(groups: Sequence[Alike], count: int, mapping: Conventions) -> list[str | None]:
    """Name the convention of each of `count` spans: the first one that has an attribute there."""
    marks: dict[str, set[str]] = {}
    for label, name in mapping.names:
        marks.setdefault(label, set()).add(name)
    found: list[str | None] = [None] * count
    for group in groups:
        found_here = next((label for label, names in marks.items() if not names.isdisjoint(group.names)), None)
        for row in group.rows:
            found[row] = found_here
    return found


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
