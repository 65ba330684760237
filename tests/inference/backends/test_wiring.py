"""Networks wired from their weights alone are the networks: here with the plainest layers that there are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_bonescint.inference.backends.wiring import WrongWeights, multiple_of, padded, wire
from napari_bonescint.networks.fdn import join_phases, split_phases
from napari_bonescint.networks.zoo import ARCHITECTURES, build_network

OUTPUTS = 3


class Plain:
    """The layers as `wiring.Layers` describes them, on images (batch, channels, y, x)."""

    def convolve(self, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None, activation: str | None) -> Tensor:
        x = F.conv2d(x, torch.from_numpy(kernel), bias if bias is None else torch.from_numpy(bias), padding="same")
        return _activated(x, activation)

    def enlarge(self, x: Tensor, kernel: np.ndarray, bias: np.ndarray, activation: str | None) -> Tensor:
        edge = (kernel.shape[-1] - 2) // 2
        x = F.conv_transpose2d(x, torch.from_numpy(kernel), torch.from_numpy(bias), stride=2, padding=edge)
        return _activated(x, activation)

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        return F.relu(one + other)

    def concatenate(self, one: Tensor, other: Tensor) -> Tensor:
        return torch.cat([one, other], 1)

    def halve(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, 2)

    def pool(self, x: Tensor, *, forward: bool) -> Tensor:
        beyond = (0, 1, 0, 1) if forward else (1, 0, 1, 0)
        return F.max_pool2d(F.pad(x, beyond, value=-torch.inf), 2, stride=1)

    def gather_cells(self, x: Tensor, side: int) -> Tensor:
        return F.pixel_unshuffle(x, side)

    def spread_cells(self, x: Tensor, side: int) -> Tensor:
        return F.pixel_shuffle(x, side)

    def split_phases(self, x: Tensor, channels: int) -> Tensor:
        assert x.shape[1] == channels
        return split_phases(x)

    def join_phases(self, x: Tensor, channels: int) -> Tensor:
        assert x.shape[1] == channels
        return join_phases(x)


def _activated(x: Tensor, activation: str | None) -> Tensor:
    return {"relu": F.relu, "elu": F.elu, None: nn.Identity()}[activation](x)


def network_of(architecture: str) -> nn.Module:
    """With random weights, and statistics and biases that are not zero and one."""
    torch.manual_seed(6)
    network = build_network(architecture, outputs=OUTPUTS).eval()
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith(("running_mean", "bias")):
            tensor.normal_(std=0.1)
    return network


def weights_of(network: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def image_of(multiple: int) -> Tensor:
    return torch.rand(1, 1, 2 * multiple, 3 * multiple)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_wired_is_the_network(name: str) -> None:
    network = network_of(name)
    multiple = multiple_of(name)
    assert multiple == network.multiple
    image = image_of(multiple)
    with torch.inference_mode():
        wired = wire(name, weights_of(network), OUTPUTS, Plain(), image)
        expected = network(image)
    assert wired.shape == expected.shape == (1, OUTPUTS, 2 * multiple, 3 * multiple)
    torch.testing.assert_close(wired, expected, atol=1e-4, rtol=1e-4)


def test_weights_in_half_precision_are_computed_with_in_full() -> None:
    network = network_of("fdn-11be").half()
    image = image_of(network.multiple)
    wired = wire("fdn-11be", weights_of(network), OUTPUTS, Plain(), image)
    with torch.inference_mode():
        torch.testing.assert_close(wired, network.float()(image), atol=1e-4, rtol=1e-4)


def test_a_network_that_is_not_wired_has_no_multiple() -> None:
    assert multiple_of("fdn-12") is None


def refused(weights: dict[str, np.ndarray], outputs: int = OUTPUTS) -> str:
    with pytest.raises(WrongWeights) as error:
        wire("fdn-5", weights, outputs, Plain(), image_of(8))
    return str(error.value)


def test_weights_that_are_not_those_of_the_network_are_named() -> None:
    weights = weights_of(network_of("fdn-5"))
    lacking = {name: tensor for name, tensor in weights.items() if name != "stages.1.0.0.bias"}
    assert refused(lacking).startswith("stages.1.0.0.bias of shape (")
    assert refused(weights | {"up.0.weight": np.zeros(3)}) == "up.0.weight belongs to another network"
    assert refused(weights, outputs=2).startswith("head.weight of shape (2, ")
    assert "of shape" in refused(weights_of(network_of("fdn-13")))


@pytest.mark.parametrize(("sides", "multiple", "wanted"), [((37, 21), 16, (48, 32)), ((32, 16), 16, (32, 16))])
def test_images_are_padded_with_zeros_below_and_to_the_right(
    sides: tuple[int, int], multiple: int, wanted: tuple[int, int]
) -> None:
    images = np.random.default_rng(0).random((2, *sides), np.float32)
    batch = padded(images, multiple)
    assert (batch.shape, batch.dtype, batch.flags.c_contiguous) == ((2, 1, *wanted), np.float32, True)
    np.testing.assert_array_equal(batch[:, 0, : sides[0], : sides[1]], images)
    assert not batch[:, :, sides[0] :].any()
    assert not batch[..., sides[1] :].any()
