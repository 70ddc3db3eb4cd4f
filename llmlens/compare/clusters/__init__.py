"""Groups of outputs, and which of them grew and shrank.

The arrays' side is `grouping`, `naming` and `shares`, the traces' side `clustering`.
"""

from .clustering import clusters

__all__ = ["clusters"]
