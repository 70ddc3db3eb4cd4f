"""Notebook -> one file that can be sent: offline, redacted, still clickable."""

from llmlens.callable_module import call_with

from .sharing import share

__all__ = ["share"]

call_with(__name__, share)
