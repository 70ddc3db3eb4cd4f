"""`Traces` -> widgets."""

from .cost_treemap import CostTreemap
from .plot import Plot
from .trace_explorer import TraceExplorer

__all__ = ["CostTreemap", "Plot", "TraceExplorer"]
