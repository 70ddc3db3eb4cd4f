"""What is given with a label, checked before anything is stored."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from llmlens.errors import LabelError

if TYPE_CHECKING:
    from .event import Item

_MAX_COMMENT = 5000  # a comment in Langfuse
_MAX_NAME = 1000


def a_text(what: str, text: object, most: int = _MAX_NAME) -> str:
    """Give a text back; raises `LabelError` for what is none, is empty or too long, or cannot be stored."""
    if not isinstance(text, str) or not text.strip():
        raise LabelError(f"{what} is a text that is not empty; got {text!r}.")
    if (length := characters(text)) > most:
        raise LabelError(f"{what} has at most {most:,} characters; this has {length:,}: {text[:40]!r}…")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise LabelError(f"{what} has a character that is not one (NUL, or half of a pair): {text[:80]!r}.")
    return str(text)


def characters(text: str) -> int:
    """Count as JavaScript does, because servers do: what is beyond the basic plane counts twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def an_item(trace_id: str | None = None, span_id: str | None = None, session_id: str | None = None) -> Item:
    """Put together what is labelled; raises `LabelError` when it is not one thing."""
    ids = {"trace_id": trace_id, "span_id": span_id, "session_id": session_id}
    for name, given in ids.items():
        if given is not None:
            a_text(name, given)
    if (trace_id is None) == (session_id is None) or (span_id is not None and trace_id is None):
        got = ", ".join(f"{name}={given!r}" for name, given in ids.items())
        raise LabelError(f"A label is of a trace, of a span (with its trace_id) or of a session; got {got}.")
    return (trace_id, span_id, session_id)


def a_comment(comment: str | None) -> str | None:
    """Give a comment back, None for one that is empty."""
    if comment is None or (isinstance(comment, str) and not comment.strip()):
        return None
    return a_text("A comment", comment, _MAX_COMMENT)


def an_author(author: str | None) -> str:
    """Give the author back, else the name of the user of this computer."""
    return default_author() if author is None else a_text("The author of a label", author)


def default_author() -> str:
    """Give the name of the user of this computer."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user in a container
        return "unknown"
