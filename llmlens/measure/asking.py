"""What every measure checks of what it is asked, before it looks at anything."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from llmlens.arguments import check_seed, explains_arguments
from llmlens.errors import SelectionError
from llmlens.keyed import keyed
from llmlens.traces import Traces

_F = TypeVar("_F", bound=Callable[..., Any])


def takes_traces(function: _F, *, keys: bool = True) -> _F:
    """Let a measure explain what it cannot take: what is no `Traces`, a seed that is none, an unknown argument.

    Arguments that are annotated as `Traces` take nothing else; those given have the keys of JSON
    that are in `by` as columns, unless a measure without `keys` looks after them itself.
    """
    parameters = inspect.signature(function).parameters
    taking = [name for name, parameter in parameters.items() if parameter.annotation == "Traces"]

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = dict(zip(parameters, args, strict=False)) | kwargs
        for name in taking:
            if name in given:
                _check_traces(function.__name__, name, given[name])
        check_seed(given.get("seed", 0))
        once = len(given) == len(args) + len(kwargs)  # else Python says what was given twice, or is too much
        if keys and once and "by" in given:
            given |= {name: keyed(given[name], given["by"]) for name in taking if name in given}
            return function(**given)
        return function(*args, **kwargs)

    return explains_arguments(cast("_F", checked))


def _check_traces(function: str, name: str, value: object) -> None:
    if isinstance(value, Traces):
        return
    hint = f"{name}.selection has some" if hasattr(value, "selection") else "llmlens.read(...) gives some"
    raise SelectionError(f"{function} takes Traces; {name} is {type(value).__name__}: {hint}.")
