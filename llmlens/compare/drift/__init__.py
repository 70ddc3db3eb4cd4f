"""Have the outputs changed, given what was asked? The arrays' side is `verdict`, the traces' side `drifting`."""

from .drifting import drift

__all__ = ["drift"]
