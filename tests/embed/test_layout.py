"""The layout on a GPU where there is one, and what is compiled beforehand."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from llmlens.embed import Projection, layout, warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = np.random.default_rng(5).normal(size=(60, 4)).astype(np.float32)


class FakeUMAP:
    """As much of cuML's UMAP as is used."""

    made: list[dict[str, Any]] = []  # noqa: RUF012  # what the test looks at

    def __init__(self, **settings: Any) -> None:
        self.made.append(settings)

    def fit_transform(self, vectors: np.ndarray) -> np.ndarray:
        return vectors[:, :2].astype(np.float64)


class NoDriverError(Exception):
    """What cupy raises where there is no driver."""


@pytest.fixture
def fake_cuml(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=NoDriverError)
    for name in ("cuml", "cuml.manifold", "cupy"):
        module = ModuleType(name)
        module.__spec__ = SimpleNamespace(name=name)  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, name, module)
    sys.modules["cuml.manifold"].UMAP = FakeUMAP  # type: ignore[attr-defined]
    sys.modules["cupy"].cuda = SimpleNamespace(runtime=runtime)  # type: ignore[attr-defined]
    FakeUMAP.made.clear()
    layout.has_gpu.cache_clear()
    yield runtime
    layout.has_gpu.cache_clear()


def test_cuml_is_used_where_it_and_a_gpu_are_there(fake_cuml: SimpleNamespace) -> None:
    assert fake_cuml.getDeviceCount() == 1
    made = Projection.fit(VECTORS, seed=4)
    assert made.notes == ("UMAP of 60 vectors, by cuML on the GPU.",)
    settings = FakeUMAP.made[0]
    assert settings["random_state"] == 4
    assert settings["n_neighbors"] == 15
    assert settings["metric"] == "cosine"
    assert made.points.dtype == np.float32
    np.testing.assert_allclose(made.transform(VECTORS), made.points, atol=1e-5)


def test_a_map_of_the_cpu_is_not_taken_for_one_of_the_gpu(fake_cuml: SimpleNamespace) -> None:
    Projection.fit(VECTORS)
    fake_cuml.getDeviceCount = lambda: 0
    layout.has_gpu.cache_clear()
    assert "umap-learn" in Projection.fit(VECTORS).notes[0]


def test_without_a_driver_the_cpu_is_used(fake_cuml: SimpleNamespace) -> None:
    def none() -> int:
        raise NoDriverError

    fake_cuml.getDeviceCount = none
    assert not layout.has_gpu()


def test_without_cuml_the_cpu_is_used() -> None:
    layout.has_gpu.cache_clear()
    assert not layout.has_gpu()


def test_warming_up_compiles_all_that_a_map_needs() -> None:
    program = """
import numpy as np, numba.core.dispatcher as dispatcher
from llmlens.embed import Projection, warm_up
first, second = warm_up(), warm_up()
assert first is second
first.join()
compiled = []
original = dispatcher.Dispatcher.compile
def compile(self, signature):
    compiled.append(str(self.py_func))
    return original(self, signature)
dispatcher.Dispatcher.compile = compile
vectors = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
made = Projection.fit(vectors, limit=200, cache=False)
made.transform(vectors[:5])
print(compiled)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_a_map_can_be_asked_for_while_it_warms_up() -> None:
    program = """
import numpy as np
from llmlens.embed import Projection, warm_up
warm_up()
print(Projection.fit(np.random.default_rng(0).normal(size=(50, 4)), cache=False).points.shape)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "(50, 2)"


def test_warming_up_twice_is_one_thread() -> None:
    assert warm_up() is warm_up()
