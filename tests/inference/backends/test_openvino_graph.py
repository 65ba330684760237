from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

ov = pytest.importorskip("openvino")

from napari_bonescint.inference.backends.choice import load_on_cpu  # noqa: E402
from napari_bonescint.inference.backends.engine import EngineUnavailable  # noqa: E402
from napari_bonescint.inference.backends.openvino_graph import convert  # noqa: E402
from napari_bonescint.networks.dln import DLN  # noqa: E402
from napari_bonescint.networks.zoo import ARCHITECTURES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if not name.startswith("fdn-16")])
def test_the_graph_takes_images_of_any_size(name: str, make_model: MakeModel) -> None:
    graph = convert(make_model(architecture=name))
    assert graph.input(0).get_partial_shape().to_string() == "[?,1,?,?]"


def test_a_dilated_net_has_no_dilated_convolution(make_model: MakeModel) -> None:
    """What makes it fast: OpenVINO takes a dilated one ten times slower."""
    graph = convert(make_model(architecture="fdn-13"))
    convolutions = [node for node in graph.get_ops() if node.get_type_name() == "Convolution"]
    assert len(convolutions) == 14
    assert {tuple(node.get_attributes()["dilations"]) for node in convolutions} == {(1, 1)}


def test_pytorch_computes_with_as_many_threads_afterwards(make_model: MakeModel) -> None:
    before = torch.get_num_threads()
    convert(make_model())
    assert torch.get_num_threads() == before


def test_a_network_that_cannot_be_converted_is_computed_by_pytorch_which_says_why(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = DLN.logits
    monkeypatch.setattr(DLN, "logits", lambda self, x: torch.special.bessel_j0(logits(self, x)))
    card = make_model(architecture="dln-11", seed=41)  # weights of which no other test keeps a converted network
    with pytest.raises(EngineUnavailable, match=r"^OpenVINO cannot convert tiny \(OpConversionFailure\)$"):
        convert(card)
    engine, reasons = load_on_cpu(card)
    assert (engine.name, reasons) == ("torch", ("OpenVINO cannot convert tiny (OpConversionFailure)",))
    assert engine.logits(np.zeros((1, 32, 32), np.float32)).shape == (1, card.outputs, 32, 32)
