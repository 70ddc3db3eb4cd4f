"""Judgements of people: a durable store, write-back to servers, agreement."""

from .langfuse import LangfuseSink
from .phoenix import PhoenixSink
from .queues import AnnotationQueue, create_queue, queue, queues
from .score import Score
from .sender import Sender
from .store import LabelStore, labels

__all__ = [
    "AnnotationQueue",
    "LabelStore",
    "LangfuseSink",
    "PhoenixSink",
    "Score",
    "Sender",
    "create_queue",
    "labels",
    "queue",
    "queues",
]
