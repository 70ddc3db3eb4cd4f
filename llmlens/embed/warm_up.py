"""Compile what a map needs while the user's texts are still on their way."""

from __future__ import annotations

import threading

import numpy as np

_lock = threading.Lock()
_thread: threading.Thread | None = None


def warm_up() -> threading.Thread:
    """Import umap-learn and compile its layout on another thread, once a process; gives that thread.

    On a fresh installation the import alone compiles for some ten seconds; numba keeps that on disk, beside the package
    or in NUMBA_CACHE_DIR. The layout itself is compiled in each process.
    """
    # Two threads that import one package at once can meet half of it: what both need is here first.
    import threadpoolctl  # noqa: F401

    global _thread  # noqa: PLW0603
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_compile, name="llmlens-warm-up", daemon=True)
            _thread.start()
        return _thread


def _compile() -> None:
    """Lay out a few points: that compiles the function of an epoch, and nothing else is compiled."""
    from .layout import on_cpu
    from .neighbours import nearest

    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    on_cpu(nearest(points, 5), points, 0, epochs=2)
