"""The exceptions a user can meet.

Every message says what was expected, what came, where it came from and what to do.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from .callable_module import call_with

if TYPE_CHECKING:
    from collections.abc import Iterable


class LlmlensError(Exception):
    """Base class of all errors raised by llmlens."""


class ReadError(LlmlensError):
    """A source could not be read at all, or `strict=True` met its first problem."""


class SourceNotFoundError(ReadError, FileNotFoundError):
    """A path does not exist, or a glob or folder holds nothing to read."""


class UnknownNameError(LlmlensError, KeyError):
    """A table, column, argument or score that does not exist; the message names the nearest one that does."""

    def __str__(self) -> str:
        """Give the sentence itself: `KeyError` would show its repr."""
        return str(self.args[0]) if self.args else ""


class UnknownArgumentError(UnknownNameError, TypeError):
    """A keyword argument that does not exist; the message names the nearest one that does."""


class SelectionError(LlmlensError, ValueError):
    """A selection that cannot be understood: a bad expression, date or argument."""


class ConventionsError(LlmlensError, ValueError):
    """A conventions file that is not valid."""


class ServerError(LlmlensError):
    """A server could not be reached, or did not answer as it should; nothing that came before is lost."""


class LangfuseError(ServerError):
    """The same of a Langfuse server."""


class LabelError(LlmlensError, ValueError):
    """A label, a score or a store of labels that cannot be used; nothing was stored."""


class EmbeddingError(LlmlensError):
    """Texts could not be turned into vectors; the message says what is kept, and how to go on."""


class ShareError(LlmlensError):
    """A notebook could not be shared; nothing was written."""


class RedactionError(LlmlensError, ValueError):
    """A pattern, word or key of a redaction that cannot be used; nothing was redacted."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest of `known`, else the list of what there is.

    >>> nearest("modle", ["model", "provider"])
    " Did you mean 'model'?"
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" There is: {', '.join(names)}." if names else " There is none."


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for a `what` ("table", "column", ...) called `name` that is not among `known`."""
    return UnknownNameError(f"There is no {what} {name!r}.{nearest(name, known)}")


def _count(*args: Any, **kwargs: Any) -> Any:
    """Count what went wrong, by class: `llmlens.errors(traces, by=None, every=None, rules=None)`.

    `help(llmlens.measure.failures.errors)` says more. As a module it holds the exceptions a user can meet.
    """
    from .measure.failures import errors

    return errors(*args, **kwargs)


call_with(__name__, _count)
