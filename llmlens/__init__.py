"""llmlens: find out why a production LLM went wrong.

Everything behind these names is imported on first use, so that `import llmlens` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compare import compare
    from .compare.clusters import clusters
    from .compare.cost_change import cost_change
    from .compare.drift import drift
    from .compare.drift.fingerprints import fingerprint
    from .compare.explain import explain
    from .compare.triage.triaging import triage
    from .compare.versions import versions
    from .embed import embed
    from .errors import (
        ConventionsError,
        EmbeddingError,
        LabelError,
        LangfuseError,
        LlmlensError,
        ReadError,
        RedactionError,
        SelectionError,
        ServerError,
        ShareError,
        SourceNotFoundError,
        UnknownArgumentError,
        UnknownNameError,
    )
    from .label import (
        AnnotationQueue,
        LabelStore,
        PhoenixSink,
        Score,
        create_queue,
        create_score_configs,
        labels,
        queue,
        queues,
        score_configs,
    )
    from .label.agreement import agreement
    from .measure.agents import agents
    from .measure.budget import budget
    from .measure.context_growth import context_growth
    from .measure.cost import cost
    from .measure.cost_anomalies import cost_anomalies
    from .measure.cost_audit import cost_audit
    from .measure.cost_per_goal import cost_per_goal
    from .measure.critical_path import critical_path, self_time
    from .measure.duplicates import duplicates
    from .measure.error_rules import rules
    from .measure.failures import errors
    from .measure.handoffs import handoffs
    from .measure.latency import latency
    from .measure.loops import loops
    from .measure.prompt_cache import prompt_cache
    from .measure.quality import quality
    from .measure.retrieval.document_changes import document_changes
    from .measure.retrieval.groundedness import groundedness
    from .measure.retrieval.instructions import instructions_in_documents
    from .measure.retrieval.measure import retrieval
    from .measure.retrieval.ranking import ranking
    from .measure.sessions import sessions, users
    from .measure.signals import signals
    from .measure.slo import slo
    from .measure.tools import tools
    from .read import read, read_csv, read_frame, read_jsonl, read_langfuse, read_otlp, read_parquet
    from .read.langfuse.connection import langfuse
    from .schema import schema
    from .share import share
    from .share.export import export
    from .share.redact import redact
    from .share.report import report
    from .traces import Traces, open, union  # noqa: A004  # `llmlens.open`, by design
    from .view import Annotator, CostTreemap, DriftMap, Plot, TraceExplorer

__version__ = "0.1.0"

_HOME = {
    "Traces": "traces",
    "open": "traces",
    "union": "traces",
    "read_otlp": "read",
    "read_csv": "read",
    "read_parquet": "read",
    "read_frame": "read",
    "read_jsonl": "read",
    "read_langfuse": "read",
    "langfuse": "read.langfuse.connection",
    "quality": "measure.quality",
    "slo": "measure.slo",
    "signals": "measure.signals",
    "retrieval": "measure.retrieval.measure",
    "ranking": "measure.retrieval.ranking",
    "document_changes": "measure.retrieval.document_changes",
    "groundedness": "measure.retrieval.groundedness",
    "instructions_in_documents": "measure.retrieval.instructions",
    "cost": "measure",
    "cost_per_goal": "measure.cost_per_goal",
    "prompt_cache": "measure.prompt_cache",
    "cost_audit": "measure.cost_audit",
    "duplicates": "measure.duplicates",
    "critical_path": "measure.critical_path",
    "latency": "measure.latency",
    "agents": "measure.agents",
    "context_growth": "measure.context_growth",
    "handoffs": "measure.handoffs",
    "loops": "measure.loops",
    "sessions": "measure.sessions",
    "tools": "measure.tools",
    "users": "measure.sessions",
    "rules": "measure.error_rules",
    "self_time": "measure.critical_path",
    "budget": "measure.budget",
    "cost_anomalies": "measure.cost_anomalies",
    "clusters": "compare.clusters",
    "cost_change": "compare.cost_change",
    "drift": "compare.drift.drifting",
    "fingerprint": "compare.drift.fingerprints",
    "explain": "compare.explain",
    "triage": "compare.triage",
    "report": "share.report",
    "versions": "compare.versions",
    "labels": "label",
    "AnnotationQueue": "label",
    "create_queue": "label",
    "create_score_configs": "label",
    "queue": "label",
    "queues": "label",
    "score_configs": "label",
    "LabelStore": "label",
    "PhoenixSink": "label",
    "Score": "label",
    "agreement": "label.agreement",
    "Annotator": "view",
    "CostTreemap": "view",
    "DriftMap": "view",
    "TraceExplorer": "view",
    "Plot": "view",
    "Redactor": "redaction",
    "redact": "share.redact",
    "export": "share.export",
    "RedactionError": "errors",
    "EmbeddingError": "errors",
    "LlmlensError": "errors",
    "ReadError": "errors",
    "SourceNotFoundError": "errors",
    "UnknownNameError": "errors",
    "UnknownArgumentError": "errors",
    "SelectionError": "errors",
    "ConventionsError": "errors",
    "LabelError": "errors",
    "LangfuseError": "errors",
    "ServerError": "errors",
    "ShareError": "errors",
}

#: Modules that are functions too; see callable_module.py.
_CALLABLE_MODULES = ("compare", "embed", "errors", "read", "schema", "share")

__all__ = [
    "AnnotationQueue",
    "Annotator",
    "ConventionsError",
    "CostTreemap",
    "DriftMap",
    "EmbeddingError",
    "LabelError",
    "LabelStore",
    "LangfuseError",
    "LlmlensError",
    "PhoenixSink",
    "Plot",
    "ReadError",
    "RedactionError",
    "Redactor",
    "Score",
    "SelectionError",
    "ServerError",
    "ShareError",
    "SourceNotFoundError",
    "TraceExplorer",
    "Traces",
    "UnknownArgumentError",
    "UnknownNameError",
    "agents",
    "agreement",
    "budget",
    "clusters",
    "compare",
    "context_growth",
    "cost",
    "cost_anomalies",
    "cost_audit",
    "cost_change",
    "cost_per_goal",
    "create_queue",
    "create_score_configs",
    "critical_path",
    "document_changes",
    "drift",
    "duplicates",
    "embed",
    "errors",
    "explain",
    "export",
    "fingerprint",
    "groundedness",
    "handoffs",
    "instructions_in_documents",
    "labels",
    "langfuse",
    "latency",
    "loops",
    "open",
    "prompt_cache",
    "quality",
    "queue",
    "queues",
    "ranking",
    "read",
    "read_csv",
    "read_frame",
    "read_jsonl",
    "read_langfuse",
    "read_otlp",
    "read_parquet",
    "redact",
    "report",
    "retrieval",
    "rules",
    "schema",
    "score_configs",
    "self_time",
    "sessions",
    "share",
    "signals",
    "slo",
    "tools",
    "triage",
    "union",
    "users",
    "versions",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name in _CALLABLE_MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOME:
        from .errors import nearest

        raise AttributeError(f"llmlens has no {name!r}.{nearest(name, __all__)}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return [*__all__, "__version__"]
