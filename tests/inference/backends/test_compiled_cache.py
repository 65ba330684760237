"""Compiled models on disk: used again, never trusted when damaged, and never in the way."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.backends import compiled_cache
from napari_bonescint.inference.backends.compiled_cache import FOLDER_VARIABLE
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

IMAGES = np.random.default_rng(6).random((2, 33, 20), np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


def test_what_was_kept_is_found_and_nothing_else(folder: Path) -> None:
    key = compiled_cache.key_of(weights="a", threads=2)
    assert compiled_cache.find(key) is None
    compiled_cache.keep(key, b"compiled")
    assert compiled_cache.find(key) == b"compiled"
    assert compiled_cache.find(compiled_cache.key_of(weights="b", threads=2)) is None
    assert [path.name for path in folder.iterdir()] == [f"{key}.blob"]


@pytest.mark.parametrize("damage", [lambda data: data[:0], lambda data: data[:-1], lambda data: data[:-1] + b"!"])
def test_a_damaged_file_counts_as_absent(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    compiled_cache.keep("key", b"compiled")
    path = folder / "key.blob"
    path.write_bytes(damage(path.read_bytes()))
    assert compiled_cache.find("key") is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_counts_as_absent(folder: Path) -> None:
    compiled_cache.keep("key", b"compiled")
    os.chown(folder / "key.blob", 12345, -1)
    assert compiled_cache.find("key") is None


def test_old_ones_are_let_go(folder: Path) -> None:
    for number in range(20):
        compiled_cache.keep(f"key{number}", b"compiled")
        os.utime(folder / f"key{number}.blob", (number, number))
    compiled_cache.keep("last", b"compiled")
    assert sorted(path.stem for path in folder.iterdir()) == sorted([f"key{n}" for n in range(5, 20)] + ["last"])


def test_an_old_one_that_was_used_since_is_not(folder: Path) -> None:
    for number in range(16):
        compiled_cache.keep(f"key{number}", b"compiled")
        os.utime(folder / f"key{number}.blob", (number, number))
    assert compiled_cache.find("key0") == b"compiled"
    compiled_cache.keep("last", b"compiled")
    assert compiled_cache.find("key0") == b"compiled"
    assert compiled_cache.find("key1") is None


def test_without_a_folder_to_write_to_nothing_is_kept(folder: Path) -> None:
    folder.write_text("a file")
    compiled_cache.keep("key", b"compiled")
    assert compiled_cache.find("key") is None


def test_a_reader_finds_one_writers_whole_file(folder: Path) -> None:
    blobs = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor() as pool:
        for blob in blobs * 3:
            pool.submit(compiled_cache.keep, "key", blob)
        found = [compiled_cache.find("key") for _ in range(100)]
    assert set(found) <= {None, *blobs}
    assert compiled_cache.find("key") in blobs


def test_an_engine_from_the_cache_computes_the_same(folder: Path, make_model: Callable[..., ModelCard]) -> None:
    pytest.importorskip("openvino")
    card = make_model()
    fresh = OpenVinoEngine(card).logits(IMAGES)
    (path,) = folder.iterdir()
    kept = path.stat().st_ino
    np.testing.assert_array_equal(OpenVinoEngine(card).logits(IMAGES), fresh)
    assert path.stat().st_ino == kept


def test_a_cache_that_openvino_refuses_is_made_anew(folder: Path, make_model: Callable[..., ModelCard]) -> None:
    pytest.importorskip("openvino")
    card = make_model()
    fresh = OpenVinoEngine(card).logits(IMAGES)
    (path,) = folder.iterdir()
    nonsense = b"whole, but nothing that OpenVINO exported"
    path.write_bytes(hashlib.sha256(nonsense).digest() + nonsense)
    np.testing.assert_array_equal(OpenVinoEngine(card).logits(IMAGES), fresh)
    assert nonsense not in path.read_bytes()


# Without PyTorch, and on one core.
LOADED_AGAIN = """
import sys
sys.modules["torch"] = None
from pathlib import Path
import numpy as np
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine
from napari_bonescint.inference.devices import limit_cores
from napari_bonescint.inference.model_card import read_card
import openvino.properties as properties

limit_cores(1)
engine = OpenVinoEngine(read_card(Path(sys.argv[1])))
assert engine._compiled.get_property(properties.inference_num_threads()) == 1
np.save(sys.argv[2], engine.logits(np.load(sys.argv[3])))
"""


def test_what_was_converted_once_is_loaded_without_pytorch_for_any_number_of_cores(
    folder: Path, make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    card = make_model(architecture="fdn-5")
    fresh = OpenVinoEngine(card).logits(IMAGES)
    np.save(tmp_path / "images.npy", IMAGES)
    places = [str(card.path), str(tmp_path / "logits.npy"), str(tmp_path / "images.npy")]
    subprocess.run([sys.executable, "-c", LOADED_AGAIN, *places], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), fresh, atol=1e-5)
    assert len(list(folder.iterdir())) == 1


def test_other_weights_are_compiled_anew(folder: Path, make_model: Callable[..., ModelCard]) -> None:
    pytest.importorskip("openvino")
    OpenVinoEngine(make_model())
    OpenVinoEngine(make_model(outputs=1))
    assert len(list(folder.iterdir())) == 2
