"""ncnn beside the naive reference is tested with the other engines; here is what only it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.backends.engine import EngineUnavailable
from napari_bonescint.inference.backends.ncnn_engine import NcnnEngine
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

pytest.importorskip("ncnn")

IMAGES = np.random.default_rng(6).random((3, 70, 45), np.float32)


@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("architecture", ["fdn-11", "u-net"])
def test_any_number_of_cores_and_views_gives_the_same(
    architecture: str, cores: int, make_model: Callable[..., ModelCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = make_model(architecture=architecture)
    expected = TorchEngine(card).logits(IMAGES)
    monkeypatch.setattr("napari_bonescint.inference.backends.ncnn_engine.usable_cores", lambda: cores)
    np.testing.assert_allclose(NcnnEngine(card).logits(IMAGES), expected, atol=2e-4)


def test_weights_may_go_after_loading(make_model: Callable[..., ModelCard]) -> None:
    """What ncnn reads from memory, it must not go on pointing into."""
    import gc

    card = make_model(architecture="fdn-5")
    engine = NcnnEngine(card)
    before = engine.logits(IMAGES)
    gc.collect()
    others = [np.random.default_rng(7).random(100_000, np.float32) for _ in range(50)]
    np.testing.assert_array_equal(engine.logits(IMAGES), before)
    assert len(others) == 50
    assert usable_cores() >= 1


def test_a_network_that_is_not_wired_is_left_to_others(make_model: Callable[..., ModelCard]) -> None:
    from dataclasses import replace

    with pytest.raises(EngineUnavailable, match="ncnn does not know the network fdn-12"):
        NcnnEngine(replace(make_model(), architecture="fdn-12"))
