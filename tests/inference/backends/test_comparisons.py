"""What is measured beside our engines computes the same networks; by hand, as it needs what is not always installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.backends.comparisons import OnnxRuntimeEngine, TorchCompileEngine
from napari_bonescint.inference.backends.engine import EngineUnavailable
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.networks.zoo import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

IMAGES = np.random.default_rng(8).random((2, 37, 21), np.float32)


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if not name.startswith("fdn-16")])
def test_onnx_runtime_computes_the_network(architecture: str, make_model: Callable[..., ModelCard]) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    card = make_model(architecture=architecture)
    expected = TorchEngine(card).logits(IMAGES)
    np.testing.assert_allclose(OnnxRuntimeEngine(card).logits(IMAGES), expected, atol=2e-4)


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
# PyTorch's own compiler warns of what PyTorch itself does.
@pytest.mark.filterwarnings("ignore")
def test_torch_compile_computes_the_network(make_model: Callable[..., ModelCard]) -> None:
    card = make_model(architecture="fdn-5")
    expected = TorchEngine(card).logits(IMAGES)
    np.testing.assert_allclose(TorchCompileEngine(card).logits(IMAGES), expected, atol=2e-4)


def test_without_a_compiler_it_says_so(make_model: Callable[..., ModelCard], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineUnavailable, match=r"needs a C\+\+ compiler"):
        TorchCompileEngine(make_model())
