"""The engine for graphics cards: on the CPU what can be tried there, and all of it where there is a CUDA device."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine
from napari_bonescint.inference.model_card import Half, read_card

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]

on_cuda = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
devices = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=on_cuda)])


def images(batch: int = 2, rows: int = 37, columns: int = 21, seed: int = 4) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((batch, rows, columns), np.float32) * 2


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return torch.from_numpy(np.ascontiguousarray(logits)).softmax(dim=1).numpy()


@devices
@pytest.mark.parametrize("name", ["fdn-5", "fdn-11be", "dln-11", "uri-net", "phase-u-net"])
def test_float32_is_exact_each_time(name: str, device: str, make_model: MakeModel) -> None:
    card = make_model(architecture=name)
    engine = TorchGpuEngine(card, device, "float32")
    # Computed, recorded, replayed; then another image of this size, and other sizes in between.
    for batch in (images(), images(), images(seed=5), images(1, 64, 32), images(seed=6), images(1, 1, 1)):
        exact = probabilities(TorchEngine(card).logits(batch))
        np.testing.assert_allclose(probabilities(engine.logits(batch)), exact, atol=1e-4)
    assert engine.name == "torch"


@devices
@pytest.mark.parametrize("name", ["fdn-11be", "dln-11", "uri-net", "phase-u-net"])
def test_half_precision_agrees_but_for_rounding(name: str, device: str, make_model: MakeModel) -> None:
    card = make_model(architecture=name, outputs=1)
    batch = images(1, 16, 16)
    exact = TorchEngine(card).logits(batch)
    engine = TorchGpuEngine(card, device, "bfloat16")
    assert engine.name == "torch-bfloat16"
    rounded = engine.logits(batch)
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded - exact).max() < 0.1 * np.abs(exact).max()


@devices
def test_a_dilated_net_takes_one_form_and_keeps_it(device: str, make_model: MakeModel) -> None:
    engine = TorchGpuEngine(make_model(), device, "float32")
    assert engine.form is None
    engine.logits(images())
    form = engine.form
    assert form in {"dilated", "phase-split"}
    engine.logits(images(1, 64, 32))
    assert engine.form == form


@devices
def test_what_overflows_is_computed_in_float32_from_then_on(device: str, make_model: MakeModel) -> None:
    card = make_model(outputs=1)
    tensors = load_file(card.weights_path)
    tensors["stages.0.0.0.weight"] *= 1e6  # far beyond the 65,504 of float16
    save_file(tensors, card.weights_path)
    assert card.path is not None
    facts = json.loads(card.path.read_text(encoding="utf-8"))
    facts["weights_sha256"] = hashlib.sha256(card.weights_path.read_bytes()).hexdigest()
    card.path.write_text(json.dumps(facts), encoding="utf-8")
    card = read_card(card.path)
    batch = images(1, 4, 4)
    engine = TorchGpuEngine(card, device, "float16")
    exact = TorchEngine(card).logits(batch)
    np.testing.assert_allclose(engine.logits(batch), exact, atol=1e-4 * np.abs(exact).max())
    assert engine.precision == "float32"


def test_without_tensor_cores_nothing_is_rounded(make_model: MakeModel) -> None:
    card = replace(make_model(), half=Half("float16", 0.0, 9.0, "by rounding", "simulated", 15, ""))
    assert TorchGpuEngine(card, "cpu").precision == "float32"


@pytest.mark.parametrize("chosen", ["none", "ieee", "tf32"])
def test_tf32_is_off_only_meanwhile(chosen: str, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    conv = torch.backends.cudnn.conv
    before, seen = conv.fp32_precision, []
    conv.fp32_precision = chosen
    run = TorchGpuEngine._run
    monkeypatch.setattr(
        TorchGpuEngine, "_run", lambda self, images: (seen.append(conv.fp32_precision), run(self, images))[1]
    )
    try:
        TorchGpuEngine(make_model(), "cpu", "float32").logits(images(1, 4, 4))
        assert conv.fp32_precision == chosen
    finally:
        conv.fp32_precision = before
    assert set(seen) == {"ieee"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_passes_are_recorded_and_half_is_taken_where_it_costs_little(make_model: MakeModel) -> None:
    card = replace(
        make_model(architecture="fdn-13"), half=Half("float16", 0.0, 9.0, "by rounding", "simulated", 15, "")
    )
    engine = TorchGpuEngine(card, "cuda:0")
    assert engine.precision == "float16"
    for _ in range(3):
        for rows in range(32, 32 * 36, 32):  # more sizes than are kept
            engine.logits(images(1, rows, 32))
    assert engine.graphs_refused is None
    assert TorchGpuEngine(replace(card, half=None), "cuda:0").precision == "float32"
