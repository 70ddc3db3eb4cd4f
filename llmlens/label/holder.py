"""Who holds a lease: a process of a computer."""

from __future__ import annotations

import os
import socket


def this_process() -> str:
    """Give the name of this process among those who hold leases."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(holder: str) -> bool:
    """Find out whether a holder is gone for certain; one of another computer may be alive."""
    host, _, process = holder.rpartition(":")
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(process), 0)
    except OSError as error:  # else it is alive, and somebody else's
        return isinstance(error, ProcessLookupError)
    return False
