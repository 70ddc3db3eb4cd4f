"""Unknown keyword arguments are errors that name the nearest right one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .errors import UnknownArgumentError, nearest

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
