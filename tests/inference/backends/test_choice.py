"""Every engine against the naive reference: dilated where the network is, eager, one image at a time."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from napari_bonescint.inference.backends.choice import CPU_ENGINES, load_on_cpu
from napari_bonescint.inference.backends.torch_engine import load_network
from napari_bonescint.inference.model_card import Int8, ModelError, read_card
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

    MakeModel = Callable[..., ModelCard]


def with_statistics(card: ModelCard) -> ModelCard:
    """The model with batch statistics and biases that are not zero and one."""
    import hashlib
    import json

    tensors = load_file(card.weights_path)
    generator = torch.Generator().manual_seed(3)
    for name, tensor in tensors.items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif name.endswith(("running_mean", "bias")):
            tensor.normal_(std=0.1, generator=generator)
    save_file(tensors, card.weights_path)
    assert card.path is not None
    facts = json.loads(card.path.read_text(encoding="utf-8"))
    facts["weights_sha256"] = hashlib.sha256(card.weights_path.read_bytes()).hexdigest()
    card.path.write_text(json.dumps(facts), encoding="utf-8")
    return read_card(card.path)


@pytest.mark.parametrize("engine", [name for name in CPU_ENGINES if "int8" not in name])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_probability_is_that_of_the_naive_reference(name: str, engine: str, make_model: MakeModel) -> None:
    card = with_statistics(make_model(architecture=name))
    network: nn.Module = load_network(card)
    if isinstance(network, FDN):
        network.computation = "dilated"
    computed = CPU_ENGINES[engine](card)
    generator = np.random.default_rng(4)
    for shape in ((1, 1, 1), (2, 37, 21)):
        images = generator.random(shape, np.float32) * 2
        with torch.inference_mode():
            naive = torch.cat([network(torch.from_numpy(image)[None, None]) for image in images]).softmax(dim=1)
        probability = torch.from_numpy(np.ascontiguousarray(computed.logits(images))).softmax(dim=1)
        assert probability.shape == naive.shape
        assert float((probability - naive).abs().max()) < 1e-4


@pytest.mark.parametrize("name", ["fdn-5", "u-net"])
def test_the_fastest_engine_is_taken(name: str, make_model: MakeModel, scan: Scan) -> None:
    pytest.importorskip("openvino")
    result = Segmenter(make_model(architecture=name), "cpu").segment(scan)
    assert (result.backend, result.device_reason) == ("openvino", "CPU: chosen by the user")


@pytest.mark.parametrize(("lost", "backend"), [(0.0019, "openvino-int8"), (0.0021, "openvino")])
def test_int8_is_taken_where_it_costs_little(lost: float, backend: str, make_model: MakeModel, scan: Scan) -> None:
    pytest.importorskip("openvino")
    # FDN-5 has four convolutions and a head; the first and the head are not rounded.
    card = replace(make_model(), int8=Int8([(0.0, 9.0)] * 3, lost, "simulated", 20, ""))
    result = Segmenter(card, "cpu").segment(scan)
    assert (result.backend, result.device_reason) == (backend, "CPU: chosen by the user")


def test_a_calibration_of_another_network_is_left_out_and_told(make_model: MakeModel, scan: Scan) -> None:
    pytest.importorskip("openvino")
    card = replace(make_model(), int8=Int8([(0.0, 9.0)] * 4, 0.0, "simulated", 20, ""))
    result = Segmenter(card, "cpu").segment(scan)
    assert result.backend == "openvino"
    assert "tiny is calibrated for another network (4 ranges for 3 convolutions)" in result.device_reason


def test_without_faster_engines_a_slower_one_computes_and_says_why(
    make_model: MakeModel, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    fast = Segmenter(make_model(), "cpu").segment(scan)
    monkeypatch.setitem(sys.modules, "openvino", None)  # what Python itself does to keep a module from being imported
    monkeypatch.delitem(sys.modules, "napari_bonescint.inference.backends.openvino_graph", raising=False)
    monkeypatch.delitem(sys.modules, "napari_bonescint.inference.backends.openvino_int8", raising=False)
    result = Segmenter(make_model(), "cpu").segment(scan)
    assert result.backend == "torch"
    assert result.device_reason == "CPU: chosen by the user; OpenVINO is not installed: slower than usual"
    np.testing.assert_allclose(result.probability, fast.probability, atol=1e-4)


def test_weights_that_are_no_safetensors_are_refused(make_model: MakeModel) -> None:
    import hashlib

    card = make_model()
    card.weights_path.write_bytes(b"nothing")
    card = replace(card, weights_sha256=hashlib.sha256(b"nothing").hexdigest())
    with pytest.raises(ModelError, match=r"tiny\.safetensors: holds no usable weights"):
        load_on_cpu(card)
