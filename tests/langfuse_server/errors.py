"""The refusals of the server."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818  # it is an answer, not a failure
    """An answer that is not 200."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Say status, body and more headers."""
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def invalid(path: str, message: str, **more: Any) -> Refusal:
    """Refuse a parameter or a field, as Zod does."""
    return Refusal(400, {"message": "Invalid request data", "error": [{**more, "path": [path], "message": message}]})


def not_found(message: str = "Not Found") -> Refusal:
    """Refuse what does not exist."""
    return Refusal(404, {"message": message, "error": "LangfuseNotFoundError"})
