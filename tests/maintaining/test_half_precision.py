from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from half_precision import RoundedEngine, measure_half
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.training.loop.checkpoint import write_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]


def test_rounding_is_as_coarse_as_computing_in_half_precision(make_model: MakeModel) -> None:
    card = make_model(architecture="phase-u-net", outputs=1)
    images = np.random.default_rng(1).random((1, 16, 16), np.float32)
    exact = TorchEngine(card).logits(images)
    errors = {
        engine.name: float(np.sqrt(np.mean((engine.logits(images) - exact) ** 2)))
        for engine in (
            RoundedEngine(card, "float16"),
            RoundedEngine(card, "bfloat16"),
            TorchGpuEngine(card, "cpu", "bfloat16"),
        )
    }
    by_rounding, computed = errors["torch-bfloat16, by rounding"], errors["torch-bfloat16"]
    assert 0.5 < by_rounding / computed < 2
    # Eleven bits instead of eight.
    assert 0 < errors["torch-float16, by rounding"] < by_rounding / 4


def test_the_largest_value_is_that_of_the_layers(make_model: MakeModel) -> None:
    card = make_model(outputs=1)
    engine = RoundedEngine(card, "float16")
    images = np.random.default_rng(1).random((1, 16, 16), np.float32)
    logits = engine.logits(images)
    assert np.isfinite(engine.largest)
    assert engine.largest >= np.abs(logits).max() * (1 - 2**-11)
    before = engine.largest
    engine.logits(1000 * images)
    assert engine.largest > 100 * before


def test_a_measured_card_tells_the_cost_until_the_weights_change(make_model: MakeModel, cases: list[Path]) -> None:
    card = make_model()
    measured = measure_half(card, SimulatedSet(read_splits()["test"], tuple(cases)))
    assert card.path is not None
    card = write_card(measured, card.path.parent)
    assert card.half is not None
    assert (card.half.precision, card.half.scans) == ("float16", 2)
    assert abs(card.half.dice_lost) < 0.01
    assert "simulated" in card.half.data
    assert card.supports_half
    assert not replace(card, half=replace(card.half, dice_lost=0.002)).supports_half
    write_card(replace(card, weights_sha256="0" * 64), card.weights_path.parent)
    assert read_card(card.weights_path.with_suffix(".json")).half is None


def test_rounding_ends_with_the_pass(make_model: MakeModel) -> None:
    RoundedEngine(make_model(outputs=1), "bfloat16").logits(np.ones((1, 4, 4), np.float32))
    assert float(torch.tensor(1.0) + 2**-10) == 1 + 2**-10


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_weights_are_rounded_too(precision: str, make_model: MakeModel) -> None:
    card = make_model(outputs=1)
    engine = RoundedEngine(card, precision)
    kind = getattr(torch, precision)
    assert all(torch.equal(tensor, tensor.to(kind).float()) for tensor in engine._network.parameters())
