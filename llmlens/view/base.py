"""The base of every view: what it shows, its `.selection`, and requests from the browser.

A view shows `Traces`, or follows the selection of another view. Only meaning is synced as traits; texts travel as
replies to requests `{id, kind, ...}` and are never part of a saved notebook's widget state.
"""

from __future__ import annotations

import inspect
import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import anywidget
import traitlets

from llmlens.errors import LlmlensError, UnknownNameError, nearest, unknown
from llmlens.redaction import Redactor

from . import snapshot, wire

if TYPE_CHECKING:
    from llmlens.traces import Traces

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def esm(*names: str) -> str:
    """Concatenate `base.js` and the named files of this folder to one ES module."""
    return _text("base.js", "parts.js", "virtual_list.js", "keyboard.js", *names)


def css(*names: str) -> str:
    """Concatenate `base.css` and the named files of this folder."""
    return _text("base.css", *names)


def _text(*names: str) -> str:
    return "\n".join((_HERE / name).read_text("utf-8") for name in names)


def handles(kind: str) -> Callable[[_Handler], _Handler]:
    """Register a method as the answer to requests of this kind; the request's other keys are its arguments.

    Handlers may run on another thread than the user's cells: read with `traces.fetch(...)`, change nothing of theirs.
    """

    def mark(method: _Handler) -> _Handler:
        cast("Any", method).handles_kind = kind
        return method

    return mark


class View(anywidget.AnyWidget):
    """A widget that shows traces; `source` is a `Traces`, or another view whose selection it then follows.

    Keyword arguments are the view's options; an unknown one raises `UnknownNameError` with the nearest name.
    A subclass sets `_esm = esm("name.js")` and `_css = css("name.css")`, tags its options with
    `.tag(sync=True, option=True)`, answers requests with methods marked `@handles("kind")`, calls `self.select(traces)`
    when the user selects, and re-reads in `traces_changed()`.
    """

    _handlers: ClassVar[dict[str, str]] = {}

    height = traitlets.Int(560, min=160, help="height in pixels").tag(sync=True, option=True)
    revision = traitlets.Int(0, help="grows when other traces are shown; the browser then asks again").tag(sync=True)
    n_traces = traitlets.Int(0, help="number of traces shown").tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the handlers of the class and of its bases."""
        super().__init_subclass__(**kwargs)
        own = {m.handles_kind: name for name, m in vars(cls).items() if hasattr(m, "handles_kind")}
        cls._handlers = {**cls._handlers, **own}

    def __init__(self, source: Traces | View, **options: Any) -> None:
        """Show `source`, a `Traces`, or follow it, a view; raise `UnknownNameError` for an unknown option."""
        known = self.class_trait_names(option=True)
        for name in options:
            if name not in known:
                raise unknown(f"option of {type(self).__name__}:", name, known)
        self._lock = threading.RLock()
        self._followers: weakref.WeakSet[View] = weakref.WeakSet()
        self._callbacks: list[Callable[[Traces], object]] = []
        self._selected: Traces | None = None
        self._source: weakref.ref[View] | None = None
        if isinstance(source, View):
            self._source = weakref.ref(source)
            self._traces = source.selection
            source._followers.add(self)  # noqa: SLF001  # of the same class
        elif hasattr(source, "table") and hasattr(source, "fetch"):
            self._traces = source
        else:
            raise TypeError(
                f"{type(self).__name__} shows a Traces or follows another view, but got {type(source).__name__}. "
                "Read traces first, for example with llmlens.read(path)."
            )
        super().__init__(n_traces=len(self._traces), **options)
        self.on_msg(self._on_message)

    @property
    def traces(self) -> Traces:
        """The traces shown."""
        return self._traces

    @property
    def selection(self) -> Traces:
        """The selected traces; all that are shown when nothing is selected."""
        selected = self._selected
        return self._traces if selected is None else selected

    def on_selection(self, callback: Callable[[Traces], object]) -> Callable[[], None]:
        """Call `callback(traces)` at each change of the selection; returns a function that stops it."""
        self._callbacks.append(callback)

        def stop() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return stop

    def select(self, traces: Traces | None) -> None:
        """Make `traces` the selection (None: nothing selected) and tell followers and callbacks."""
        with self._lock:
            self._selected = traces
            chosen = self.selection
        for follower in list(self._followers):
            follower._follow(chosen)  # noqa: SLF001
        for callback in list(self._callbacks):
            try:
                callback(chosen)
            except Exception:
                logger.exception("a callback of %s.on_selection failed", type(self).__name__)

    def _follow(self, traces: Traces) -> None:
        try:
            with self._lock:
                self._traces = traces
                self._selected = None
                self.traces_changed()
                self.n_traces = len(traces)
                self.revision += 1
                chosen = self.selection
        except Exception:
            logger.exception("%s could not follow the selection of another view", type(self).__name__)
            return
        self.select(None if chosen is self._traces else chosen)

    def traces_changed(self) -> None:
        """Forget what was derived from the former traces; called under the lock before the browser is told."""

    def close(self) -> None:
        """Close the widget and let go of the views and callbacks tied to it."""
        if not hasattr(self, "_callbacks"):
            return  # collected after __init__ refused its arguments
        source = self._source() if self._source is not None else None
        if source is not None:
            source._followers.discard(self)  # noqa: SLF001
        self._followers.clear()
        self._callbacks.clear()
        super().close()

    # Requests ---------------------------------------------------------------------------------------------------

    def answer(self, kind: str, **arguments: Any) -> Any:
        """Answer one request as plain JSON values, as the browser would get it."""
        if kind not in self._handlers:
            raise unknown("request", kind, self._handlers)
        handler = getattr(self, self._handlers[kind])
        try:
            inspect.signature(handler).bind(**arguments)
        except TypeError as error:
            raise UnknownNameError(f"Request {kind!r}: {error}.{nearest('', [])}") from None
        with self._lock:
            return wire.clean(handler(**arguments))

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name the requests that a copy without a kernel should be able to answer, most useful first."""
        return ()

    def static_texts(self, *, every: bool = False) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name those that are answered with texts, for `every` item or for those that a reader opens first."""
        del every  # there are none
        return ()

    def static_selections(self) -> Iterable[tuple[str, Any, Traces]]:
        """Name what can be selected in a copy without a kernel: a trait, a value of it, and the traces it selects."""
        return ()

    def static_replies(self, texts: str = "shown") -> Iterator[dict[str, Any]]:
        """Answer `static_requests()` and `static_texts()` one by one, as `{kind, arguments, result}`.

        `texts`: "shown" for those of what is opened first, "all", or "none". What fails is left out and logged.
        """
        told = () if texts == "none" else self.static_texts(every=texts == "all")
        for kind, arguments in (*self.static_requests(), *told):
            try:
                yield {"kind": kind, "arguments": arguments, "result": self.answer(kind, **arguments)}
            except Exception:
                logger.exception("%s: no static reply for %r", type(self).__name__, kind)

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        request = content if isinstance(content, dict) else {}
        number, kind = request.get("id"), request.get("kind")
        arguments = {str(k): v for k, v in request.items() if k not in {"id", "kind"}}
        try:
            reply = {"id": number, "ok": True, "result": self.answer(str(kind), **arguments)}
        except LlmlensError as error:
            reply = {"id": number, "ok": False, "error": {"message": str(error)}}
        except Exception as error:
            logger.exception("%s could not answer request %r", type(self).__name__, kind)
            reply = {"id": number, "ok": False, "error": {"message": f"{type(error).__name__}: {error}"[:2000]}}
        self.send(reply)

    # Representations --------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Say in one line what is shown."""
        return f"<{type(self).__name__} of {self.n_traces:,} traces>"

    def snapshot(self) -> str:
        """Give the view as script-free HTML with inline styles, for readers without a kernel."""
        return snapshot.section(repr(self).strip("<>"))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        try:
            fallback = Redactor().html(self.snapshot(), "snapshot")  # it is stored in the notebook, and goes with it
        except Exception:
            logger.exception("%s has no snapshot", type(self).__name__)
            fallback = snapshot.section(repr(self).strip("<>"), snapshot.note("No static copy could be made."))
        return {**data, "text/plain": repr(self), "text/html": fallback}, metadata
