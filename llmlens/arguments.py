"""What is checked of arguments everywhere: unknown ones are errors that name the nearest right one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .errors import SelectionError, UnknownArgumentError, nearest

_F = TypeVar("_F", bound=Callable[..., Any])


def explains_arguments(function: _F) -> _F:
    """Let a function explain a keyword argument that it does not have."""
    known = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD) and name != "self"
    ]

    @functools.wraps(function)
    def explained(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in known:
                raise UnknownArgumentError(f"{function.__name__}() has no argument {name!r}.{nearest(name, known)}")
        return function(*args, **kwargs)

    return cast("_F", explained)


def check_seed(seed: object) -> None:
    """Raise `SelectionError` for a seed that is no whole number from 0."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SelectionError(f"seed={seed!r} is not a whole number from 0: the same seed gives the same result.")


def check_count(name: str, value: object, what: str, least: int = 1) -> int:
    """Check a whole number of at least `least`; `what` says what it is. Raises `SelectionError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SelectionError(f"{name}={value!r}: expected {what}, {least} or more.")
    return value
