"""Modules that can be called.

`llmlens.read` and `llmlens.schema` are a package and a module by the design of the house, and functions for the user.
Python binds the module to the name as soon as anything in it is imported; so the module itself answers the call.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def call_with(module_name: str, function: Callable[..., Any]) -> None:
    """Let a module be called like `function`, and say what that does when asked for help."""
    module = sys.modules[module_name]

    class CallableModule(ModuleType):
        __call__ = staticmethod(function)

    module.__class__ = CallableModule
    module.__doc__ = function.__doc__
    vars(module)["__wrapped__"] = function  # where `inspect.signature` looks
