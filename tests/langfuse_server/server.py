"""The server: what tests hold."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

import orjson

from .faults import Faults
from .http import HttpServer
from .limits import Limit, Limits
from .state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Mode: TypeAlias = Literal["v3", "dual", "events_only"]


class Seen(NamedTuple):
    """A request that came: status 0 when no answer was begun, and the fault that struck."""

    method: str
    path: str
    params: dict[str, list[str]]
    body: Any
    status: int
    fault: str | None


class LangfuseServer:
    """A Langfuse of some version and mode on 127.0.0.1, in threads of this process.

    Parameters
    ----------
    version, mode
        "3.210.0" with "v3", "4.16.0" with "dual" or "events_only", "4.66.0" for lists of scores.
    rate_limits
        `HOBBY`, `CORE`, `PRO`, or buckets of your own; none by default, as where people host it themselves.
    eventual_s, delete_s
        Seconds until a score can be read and until a deletion happens; the second is the first by default.
        `settle()` ends the waiting, so that `float("inf")` leaves it to the test.
    seed
        Of the choices of `faults`.
    port
        0 takes a free one.

    """

    public_key = "pk-lf-test"
    secret_key = "sk-lf-test-0123456789"  # noqa: S105  # of nothing

    def __init__(
        self,
        version: str = "4.16.0",
        mode: Mode = "events_only",
        *,
        rate_limits: dict[str, Limit] | None = None,
        eventual_s: float = 0.0,
        delete_s: float | None = None,
        seed: int = 0,
        port: int = 0,
    ) -> None:
        self.state = State(version, mode, eventual_s, delete_s)
        self.limits = Limits(rate_limits or {})
        self.faults = Faults(seed)
        self.requests: list[Seen] = []
        self.errors: list[Exception] = []
        self.closing = threading.Event()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = HttpServer(port, self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        if self.errors and raised[0] is None:
            raise ExceptionGroup("the stand-in itself failed", self.errors)

    # What it holds ---------------------------------------------------------------------------------------------

    def add_observations(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows as v2/observations gives them; id, traceId and startTime suffice."""
        self.state.observations.add(rows)

    def remove_trace(self, trace_id: str) -> None:
        """Forget a trace; its scores stay."""
        self.state.observations.remove_trace(trace_id)

    def add_scores(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows as v3/scores gives them with all field groups."""
        self.state.scores.add(rows)

    def scores(self) -> list[dict[str, Any]]:
        """Give every score once all that was accepted is filed: doubled ones too, which v3/scores hides."""
        return self.state.scores.settled()

    def settle(self) -> None:
        """Let everything that was accepted be readable now."""
        self.state.scores.settled()

    @property
    def dropped(self) -> list[tuple[dict[str, Any], str]]:
        """The scores that broke their config, and why."""
        return self.state.scores.dropped

    def add_config(self, name: str, data_type: str, **more: Any) -> dict[str, Any]:
        """Make a score config: `minValue`, `maxValue`, `categories`, `description`, `isArchived`."""
        return self.state.new_config(name, data_type, **more)

    def add_comment(self, object_type: str, object_id: str, content: str, author: str | None = None) -> dict[str, Any]:
        """Make a comment on a TRACE, OBSERVATION, SESSION or PROMPT."""
        return self.state.new_comment(object_type, object_id, content, author)

    def add_models(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows as models gives them."""
        self.state.models.extend(rows)

    def set_clock(self, at: datetime | None) -> None:
        """Stop the server's clock at a moment; None lets it run again."""
        self.state.clock = (lambda: datetime.now(UTC)) if at is None else lambda: at

    # What happens to it ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count requests that are answered at the same time."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def log(self, method: str, path: str, content: bytes, status: int, fault: str | None) -> None:
        """Note a request."""
        parts = urlsplit(path)
        body: Any = None
        with contextlib.suppress(orjson.JSONDecodeError):
            body = orjson.loads(content)
        self.requests.append(Seen(method, parts.path, parse_qs(parts.query), body, status, fault))
