from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.backends.openvino_graph import build_graph
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import ARCHITECTURES, build_network

if TYPE_CHECKING:
    import numpy as np
    from torch import nn


def weights(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_graph_takes_images_of_any_size(name: str) -> None:
    graph = build_graph(name, weights(build_network(name)), 1)
    assert graph.input(0).get_partial_shape().to_string() == "[?,1,?,?]"


def test_a_dilated_net_has_no_dilated_convolution() -> None:
    """What makes it fast: OpenVINO takes a dilated one ten times slower."""
    network = build_network("fdn-13")
    assert isinstance(network, FDN)
    graph = build_graph("fdn-13", weights(network), 1)
    convolutions = [node for node in graph.get_ops() if node.get_type_name() == "Convolution"]
    assert len(convolutions) == 14
    assert {tuple(node.get_attributes()["dilations"]) for node in convolutions} == {(1, 1)}
