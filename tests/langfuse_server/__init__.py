"""A stand-in for a Langfuse server, on loopback: the semantics that its clients meet, and faults on demand.

    with LangfuseServer(version="4.16.0", mode="events_only") as server:
        server.state.add_observations([...])
        ... LANGFUSE_BASE_URL=server.url, server.public_key, server.secret_key

What it keeps is in facts/langfuse.md, sections 1 to 3 and 8; test_langfuse_server.py compares its answers with bodies that
a real server sent.
"""

from .faults import Fault, Faults
from .http import LangfuseServer
from .limits import HOBBY
from .state import State

__all__ = ["HOBBY", "Fault", "Faults", "LangfuseServer", "State"]
