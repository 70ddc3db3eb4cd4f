"""`TraceExplorer`: the list of traces, the tree of one, and all that one span says."""

from __future__ import annotations

import logging
from collections import OrderedDict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import traitlets

from llmlens.errors import UnknownNameError, unknown

from . import span_detail, trace_index, wire
from .base import View, css, esm, handles
from .trace_snapshot import explorer_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmlens.traces import Traces

logger = logging.getLogger(__name__)

#: Spans whose parts are kept in Python between the first text and the rest of it.
_KEPT = 8
#: What a copy without a kernel carries: the trees of so many traces, and the texts of so many spans.
_STATIC_TRACES, _STATIC_SPANS = 30, 150
#: Which traces these are: the first ones by each of these, in turns.
_STATIC_SORTS = ("time", "cost", "errors", "duration")

_FILES = (
    "open_item.js", "format_text.js", "highlight.js", "kind_badge.js", "trace_source.js", "trace_list.js",
    "span_tree.js", "span_row.js", "trace_head.js", "tree_pane.js", "chat.js", "span_parts.js", "attributes.js",
    "span_head.js", "span_detail.js", "layout.js", "trace_explorer.js",
)  # fmt: skip


class TraceExplorer(View):
    """Look through traces: a list, the tree of the trace that is open with its waterfall, and the span that is open.

    `source` is a `Traces`, or another view: then the explorer shows what is selected there. Press `?` for the keys.
    `trace_id` and `span_id` say what is open, and setting them moves the view; `.selection` is the `Traces` of the open
    trace once the user (or `show`) has opened one. `height` is in pixels.
    """

    _esm = esm(*_FILES)
    _css = css("span_parts.css", "trace_explorer.css")

    trace_id = traitlets.Unicode(None, allow_none=True, help="the open trace").tag(sync=True, option=True)
    span_id = traitlets.Unicode(None, allow_none=True, help="the open span").tag(sync=True, option=True)

    def __init__(self, source: Traces | View, **options: Any) -> None:
        """Show `source`; raise `UnknownNameError` for an unknown option."""
        self._following = False
        self._details: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        super().__init__(source, **options)

    def show(self, trace_id: str, span_id: str | None = None) -> None:
        """Open a trace, by its id or by a beginning of it that only one has, and a span of it.

        Raises `UnknownNameError` when it is not among the traces shown.
        """
        full = self.traces.trace(trace_id).trace_ids[0]
        if span_id is not None:
            spans = self.traces.table("spans")
            ids = self.traces.fetch(spans.filter(spans.trace_id == full).select("span_id"))["span_id"].tolist()
            if span_id not in ids:
                raise unknown(f"span in trace {full}:", span_id, ids)
        with self.hold_sync():
            self.trace_id = full
            self.span_id = span_id

    @traitlets.observe("trace_id")
    def _opened(self, change: dict[str, Any]) -> None:
        trace_id = change["new"]
        if self._following or not hasattr(self, "_traces"):
            return
        try:
            self.select(self.traces.trace(trace_id) if trace_id else None)
        except UnknownNameError as error:
            logger.warning("TraceExplorer: %s", error)
            self.select(None)

    def traces_changed(self) -> None:
        """Forget the texts of the former traces, and close the open trace when it is not among the new ones."""
        self._details.clear()
        if self.trace_id is None:
            return
        try:
            kept = self.traces.trace(self.trace_id)
        except UnknownNameError:
            self._following = True
            with self.hold_sync():
                self.span_id = None
                self.trace_id = None
            self._following = False
        else:
            self._selected = kept

    @handles("page")
    def _page(
        self,
        sort: str = "time",
        descending: bool = True,
        search: str = "",
        offset: int = 0,
        limit: int = trace_index.PAGE,
    ) -> dict[str, Any]:
        page = trace_index.trace_page(
            self.traces,
            sort=str(sort),
            descending=bool(descending),
            search=str(search),
            offset=int(offset),
            limit=int(limit),
        )
        return {**page, "revision": self.revision}

    @handles("search")
    def _search(self, text: str) -> list[str]:
        return trace_index.matching_ids(self.traces, str(text)) if str(text).strip() else []

    @handles("trace")
    def _trace(self, trace_id: str) -> dict[str, Any]:
        return trace_index.span_index(self.traces, str(trace_id))

    @handles("find")
    def _find(self, trace_id: str, text: str) -> list[str]:
        return trace_index.matching_spans(self.traces, str(trace_id), str(text)) if str(text).strip() else []

    @handles("span")
    def _span(self, trace_id: str, span_id: str) -> Any:
        return span_detail.clip(self._detail(str(trace_id), str(span_id)))

    @handles("more")
    def _more(self, trace_id: str, span_id: str, path: list[str | int], offset: int) -> dict[str, Any]:
        return span_detail.more(self._detail(str(trace_id), str(span_id)), list(path), max(0, int(offset)))

    def _detail(self, trace_id: str, span_id: str) -> dict[str, Any]:
        key = (trace_id, span_id)
        if key not in self._details:
            self._details[key] = wire.clean(span_detail.span_detail(self.traces, trace_id, span_id))
            while len(self._details) > _KEPT:
                self._details.popitem(last=False)
        self._details.move_to_end(key)
        return self._details[key]

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name the list, then the trees of the traces that a reader opens first."""
        yield "page", {"sort": "time", "descending": True, "search": "", "offset": 0, "limit": trace_index.PAGE}
        for trace_id in self._opened_first():
            yield "trace", {"trace_id": trace_id}

    def static_texts(self, *, every: bool = False) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name the spans of the traces that a reader opens first; with `every`, all of all traces."""
        first = self._opened_first()
        chosen = list(dict.fromkeys([*first, *self.traces.trace_ids[::-1]])) if every else first
        spans = self.traces.table("spans")
        few = spans if every else spans.filter(spans.trace_id.isin(first))
        found = self.traces.fetch(few.order_by([few.start, few.span_id]).select("trace_id", "span_id"))
        of_trace = {trace_id: list(ids) for trace_id, ids in found.groupby("trace_id")["span_id"]}
        pairs = [(trace_id, span_id) for trace_id in chosen for span_id in of_trace.get(trace_id, ())]
        more = set(chosen[len(first) :])
        for trace_id, of_one in groupby(pairs if every else pairs[:_STATIC_SPANS], lambda pair: pair[0]):
            if trace_id in more:
                yield "trace", {"trace_id": trace_id}
            yield from (("span", {"trace_id": trace_id, "span_id": span_id}) for _, span_id in of_one)

    def static_replies(self, texts: str = "shown") -> Iterator[dict[str, Any]]:
        """Answer as the base does: with all texts in whole, with none of them in the list either."""
        for reply in super().static_replies("none"):
            if texts == "none" and reply["kind"] == "page":
                columns = reply["result"]["columns"]
                columns["preview"] = [None] * len(columns["preview"])
            yield reply
        requests = () if texts == "none" else self.static_texts(every=texts == "all")
        for trace_id, asked in groupby(requests, lambda request: request[1]["trace_id"]):
            kinds = list(asked)
            if ("trace", {"trace_id": trace_id}) in kinds:
                yield {
                    "kind": "trace",
                    "arguments": {"trace_id": trace_id},
                    "result": self.answer("trace", trace_id=trace_id),
                }
            spans = [arguments["span_id"] for kind, arguments in kinds if kind == "span"]
            for span_id, detail in span_detail.span_details(self.traces, trace_id, spans).items():
                made = wire.clean(detail if texts == "all" else span_detail.clip(detail))
                yield {"kind": "span", "arguments": {"trace_id": trace_id, "span_id": span_id}, "result": made}

    def _opened_first(self) -> list[str]:
        """Name the open trace, and in turns the newest, the dearest, the slowest and those with the most errors."""
        pages = (trace_index.trace_page(self.traces, sort=sort, limit=_STATIC_TRACES) for sort in _STATIC_SORTS)
        in_turns = zip(*(page["columns"]["trace_id"] for page in pages), strict=True)
        open_one = () if self.trace_id is None else (self.trace_id,)
        return list(dict.fromkeys([*open_one, *(trace_id for turn in in_turns for trace_id in turn)]))[:_STATIC_TRACES]

    def snapshot(self) -> str:
        """Give a table of the first traces and the tree of the open one as script-free HTML."""
        return explorer_snapshot(self.traces, self.trace_id)
