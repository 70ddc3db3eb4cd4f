"""A stand-in for a Langfuse server, on loopback: what its clients meet, and faults on demand.

    with LangfuseServer(version="4.16.0", mode="events_only") as server:
        server.add_observations([{"id": "o1", "traceId": "t1", "startTime": "2026-11-24T10:00:00.000Z"}])
        ...  # server.url, server.public_key, server.secret_key
        assert server.scores() == []

`python -m tests.langfuse_server --help` runs it as a process. Modes are "v3" (endpoints v1 alone), "dual" (v1,
v2) and "events_only" (v2 alone); lists of scores are taken from version 4.59 on. test_langfuse_server.py compares its
answers with bodies that a real server sent.
"""

from .faults import Fault
from .limits import CORE, HOBBY, PRO, Limit
from .server import LangfuseServer

__all__ = ["CORE", "HOBBY", "PRO", "Fault", "LangfuseServer", "Limit"]
