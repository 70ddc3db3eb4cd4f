"""The refusals of the server."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818  # it is an answer, not a failure
    """An answer of 400 and above."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, **more}
        self.headers = headers or {}


def invalid(path: str | None, message: str, **more: Any) -> Refusal:
    """Refuse a parameter or a field as a schema does; `more` are the schema's own fields."""
    error = {**more, "path": [] if path is None else [path], "message": message}
    return Refusal(400, "Invalid request data", error=[error])


def bad_request(message: str) -> Refusal:
    """Refuse what the schema lets through."""
    return Refusal(400, message, error="InvalidRequestError")


def not_found(message: str) -> Refusal:
    """Refuse what does not exist."""
    return Refusal(404, message, error="LangfuseNotFoundError")
