"""PyTorch as an engine; what it computes, `test_choice.py` compares with the naive reference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.backends.torch_engine import TorchEngine, load_network
from napari_bonescint.inference.model_card import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]


def test_images_of_any_size_come_back_in_their_size(make_model: MakeModel) -> None:
    images = np.random.default_rng(0).random((2, 37, 21), np.float32)
    logits = TorchEngine(make_model(architecture="u-net", outputs=3)).logits(images)
    assert (logits.shape, logits.dtype) == ((2, 3, 37, 21), np.float32)


def test_a_network_is_loaded_whole_and_for_inference_only(make_model: MakeModel) -> None:
    card = make_model()
    network = load_network(card)
    assert sum(weight.numel() for weight in network.parameters()) == card.parameters
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_weights_that_are_not_those_of_the_card_are_refused(make_model: MakeModel) -> None:
    card = make_model()
    with pytest.raises(ModelError, match=r"tiny\.safetensors: does not hold the weights of fdn-11"):
        TorchEngine(replace(card, architecture="fdn-11"))
    with pytest.raises(ModelError, match=r"Model tiny: .*no network 'fdn-12'"):
        TorchEngine(replace(card, architecture="fdn-12"))
    card.weights_path.unlink()
    with pytest.raises(ModelError, match=r"tiny\.safetensors"):
        TorchEngine(card)
