"""Keys of the metadata and params of spans as columns: what `by="metadata.tenant"` groups by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .errors import unknown
from .json_values import is_key, text_under
from .traces import Traces

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from .selection import Selection

#: An error names the keys of so many spans.
_LOOKED = 10_000


def keyed(traces: Traces, by: str | Iterable[str] | None) -> Traces:
    """Give the same traces, whose spans have a column for each key that is in `by`; other names are left alone.

    A span that does not say has what its trace says: all spans of it that do, else its root (its tenant, say).

    Raises `UnknownNameError` for a key that no span of the load has.
    """
    names = [by] if isinstance(by, str) or not isinstance(by, Iterable) else list(by)
    wanted = dict.fromkeys(str(name) for name in names if is_key(name))
    if not wanted:
        return traces
    _check(traces, wanted)
    selection = traces._selection  # noqa: SLF001  # the same traces, told more of
    parts = {name: getattr(selection, name) for name in ("trace_ids", "span_ids", "scores")}
    return Keyed(selection.store, **parts, notes=traces.notes, keys=tuple(wanted))


class Keyed(Traces):
    """Traces whose table `spans` has keys of JSON as columns; so have selections of them."""

    def __init__(self, *args: Any, keys: tuple[str, ...], **parts: Any) -> None:
        """Add `keys`, by their names, to what `Traces` are made of."""
        super().__init__(*args, **parts)
        self._keys = keys

    def table(self, name: str) -> ir.Table:
        """Give a table; that of spans with the keys."""
        table = super().table(name)
        return self._with_keys(table) if name == "spans" else table

    def _with_keys(self, spans: ir.Table) -> ir.Table:
        import ibis

        from .ordering import earliest

        every = replace(self._selection, span_ids=None).table("spans")  # what a span says may be left out here
        every = every.select("trace_id", "span_id", "start", "depth", **{key: _value(every, key) for key in self._keys})
        told = every.group_by("trace_id").agg(
            **{
                f"trace {key}": ibis.ifelse(
                    every[key].min() == every[key].max(),
                    every[key].min(),
                    earliest(every[key], every.start, every.span_id, where=every.depth == 0),
                )
                for key in self._keys
            }
        )
        joined = spans.left_join(told, "trace_id")
        own = {key: _value(joined, key).coalesce(joined[f"trace {key}"]) for key in self._keys}
        return joined.select(*spans.columns, **own)

    def _of(self, selection: Selection, notes: tuple[str, ...] | None = None) -> Traces:
        return keyed(super()._of(selection, notes), self._keys)


def _value(spans: ir.Table, name: str) -> ir.StringValue:
    holder, _, key = name.partition(".")
    return text_under(spans[holder], key)


def _check(traces: Traces, names: Iterable[str]) -> None:
    """Raise `UnknownNameError` for a key that no span has; of a load without spans none is unknown."""
    spans = Traces(traces._store).table("spans")  # noqa: SLF001  # a slice that does not know it is no error
    counted = spans.agg(n=spans.count(), **{name: _value(spans, name).count() for name in names})
    (found,) = traces.fetch_arrow(counted).to_pylist()
    for name in names:
        if found["n"] and not found[name]:
            what = "column of spans, or key of their metadata or params:"
            raise unknown(what, name, _known(traces, spans, name.partition(".")[0]))


def _known(traces: Traces, spans: ir.Table, holder: str) -> list[str]:
    import orjson

    told = traces.fetch_arrow(spans.filter(spans[holder].notnull()).select(holder).limit(_LOOKED))
    keys: set[str] = set()
    for text in told.column(0).to_pylist():
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        keys |= found.keys() if isinstance(found, dict) else set()
    return [f"{holder}.{key}" for key in keys]
