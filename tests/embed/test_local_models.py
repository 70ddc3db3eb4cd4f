"""Encoders with a model on this machine, against stand-ins for the packages: they are optional."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import llmlens as ll
from llmlens.embed import Encoder, SentenceTransformerEncoder, StaticModelEncoder

if TYPE_CHECKING:
    from pathlib import Path


class FakeSentenceTransformer:
    """As much of sentence-transformers' model as is used."""

    made: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012  # what the test looks at
    settings: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, folder: str, **settings: Any) -> None:
        self.made.append((folder, settings))

    def encode(self, texts: list[str], **settings: Any) -> np.ndarray:
        self.settings.update(settings)
        return np.array([[len(text), 0] for text in texts], dtype=np.float64)


class FakeStaticModel(FakeSentenceTransformer):
    """As much of model2vec's model as is used."""

    @classmethod
    def from_pretrained(cls, folder: str) -> FakeStaticModel:
        return cls(folder)


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Install stand-ins; gives what the hub was asked for."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot_download(name: str, **settings: Any) -> str:
        asked.append((name, settings))
        if settings["local_files_only"] and "known" not in name:
            raise OSError("not there")
        if "nowhere" in name:
            raise RuntimeError("404")
        return f"/hub/{name}"

    stand_ins: dict[str, dict[str, Any]] = {
        "sentence_transformers": {"SentenceTransformer": FakeSentenceTransformer},
        "model2vec": {"StaticModel": FakeStaticModel},
        "huggingface_hub": {"snapshot_download": snapshot_download},
    }
    for name, values in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    FakeSentenceTransformer.made.clear()
    return asked


BOTH = pytest.mark.parametrize("kind", [SentenceTransformerEncoder, StaticModelEncoder])


@BOTH
def test_a_folder_is_loaded_once_at_the_first_use(kind: Any, tmp_path: Path) -> None:
    encoder = kind(str(tmp_path))
    assert isinstance(encoder, Encoder)
    assert FakeSentenceTransformer.made == []
    assert encoder.encode(["ab", "c"])[:, 0].tolist() in ([2, 1], [1, 1])
    encoder.encode(["d"])
    assert [folder for folder, _ in FakeSentenceTransformer.made] == [str(tmp_path)]
    assert encoder.encode(["ab"]).dtype == np.float32
    assert str(tmp_path) in repr(encoder)


def test_sentence_transformers_gives_vectors_of_length_one_and_stays_offline(tmp_path: Path) -> None:
    SentenceTransformerEncoder(str(tmp_path), device="cpu").encode(["a"])
    assert FakeSentenceTransformer.made[0][1] == {"device": "cpu", "local_files_only": True}
    assert FakeSentenceTransformer.settings["normalize_embeddings"] is True


def test_static_vectors_have_length_one(tmp_path: Path) -> None:
    assert StaticModelEncoder(str(tmp_path)).encode(["abc", ""]).tolist() == [[1, 0], [0, 0]]


@BOTH
def test_a_name_is_looked_up_on_this_machine_only(kind: Any, packages: list[Any]) -> None:
    kind("them/known").encode(["a"])
    assert packages == [("them/known", {"local_files_only": True})]
    with pytest.raises(ll.EmbeddingError, match=r"is not on this machine\. Name its folder, or fetch it"):
        kind("them/other").encode(["a"])


@BOTH
def test_a_download_must_be_asked_for(kind: Any, packages: list[Any]) -> None:
    kind("other", download=True).encode(["a"])
    assert packages[0][0] in ("sentence-transformers/other", "minishlab/other")
    assert packages[0][1] == {"local_files_only": False}
    with pytest.raises(ll.EmbeddingError, match="could not be fetched: 404"):
        kind("nowhere", download=True).encode(["a"])


@BOTH
def test_a_package_that_is_not_there_is_named(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sentence_transformers", "model2vec"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ll.EmbeddingError, match=r"pip install 'llmlens\[(embeddings|model2vec)\]'"):
        kind(str(tmp_path)).encode(["a"])


@BOTH
def test_the_name_changes_with_the_model_in_a_folder(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("1")
    before = kind(str(tmp_path)).name
    assert kind(str(tmp_path)).name == before
    os.utime(tmp_path / "model", (1, 1))
    assert kind(str(tmp_path)).name != before
    assert kind("them/known").name != before
