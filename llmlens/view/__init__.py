"""`Traces` -> widgets."""

from .annotator import Annotator
from .cost_treemap import CostTreemap
from .drift_map import DriftMap
from .plot import Plot
from .trace_explorer import TraceExplorer

__all__ = ["Annotator", "CostTreemap", "DriftMap", "Plot", "TraceExplorer"]
