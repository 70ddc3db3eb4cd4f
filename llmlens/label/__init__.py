"""Judgements of people: a durable store, write-back to servers, agreement."""

from .annotation_queues import AnnotationQueue, create_queue, queue, queues
from .langfuse import LangfuseSink
from .langfuse_configs import create_score_configs, score_configs
from .phoenix import PhoenixSink
from .score import Score
from .sender import Sender
from .sink import Sink
from .store import LabelStore, labels

__all__ = [
    "AnnotationQueue",
    "LabelStore",
    "LangfuseSink",
    "PhoenixSink",
    "Score",
    "Sender",
    "Sink",
    "create_queue",
    "create_score_configs",
    "labels",
    "queue",
    "queues",
    "score_configs",
]
