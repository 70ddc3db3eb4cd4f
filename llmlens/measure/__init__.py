"""`Traces` -> a small tidy DataFrame."""

from .cost import cost

__all__ = ["cost"]
