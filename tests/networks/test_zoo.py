from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.networks.zoo import (
    ARCHITECTURES,
    HOT_SPOT_ARCHITECTURES,
    UnknownArchitectureError,
    build_network,
    count_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

# Published parameter counts; ELU adds none, batch normalisation two for each channel.
PARAMETERS = {
    "fdn-5": 259_137,
    "fdn-11": 295_033,
    "fdn-11e": 295_033,
    "fdn-11be": 295_033 + 2 * 2 * (8 + 16 + 32 + 64 + 128),
    "fdn-13": 488_793,
    "fdn-16": 1_964_249,
    "fdn-16e": 1_964_249,
    "fdn-16be": 1_964_249 + 2 * (2 * (8 + 16) + 3 * (32 + 64 + 128 + 256)),
}


COMPARABLE = ("u-net", "uri-net")


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts_are_the_published_ones(name: str) -> None:
    assert count_parameters(build_network(name)) == PARAMETERS[name]


@pytest.mark.parametrize("name", COMPARABLE)
def test_u_nets_are_about_as_large_as_the_largest_dilated_net(name: str) -> None:
    assert count_parameters(build_network(name)) == pytest.approx(PARAMETERS["fdn-16"], rel=0.05)


@pytest.mark.parametrize("name", ARCHITECTURES | HOT_SPOT_ARCHITECTURES)
@pytest.mark.parametrize("shape", [(67, 45), (1, 1), (64, 128)])
def test_every_pixel_of_an_image_of_any_size_gets_its_logits(name: str, shape: tuple[int, int]) -> None:
    network = build_network(name, outputs=3).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, network.inputs, *shape))
    assert logits.shape == (2, 3, *shape)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logits_do_not_depend_on_padding_that_was_already_there(name: str) -> None:
    network = build_network(name).eval()
    image = torch.rand(1, 1, 40, 30)
    height, width = (-(-n // network.multiple) * network.multiple for n in (40, 30))
    padded = torch.zeros(1, 1, height, width)
    padded[..., :40, :30] = image
    with torch.inference_mode():
        torch.testing.assert_close(network(image), network(padded)[..., :40, :30])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_segmenter_runs_it(name: str, make_model: Callable[..., ModelCard], scan: Scan) -> None:
    result = Segmenter(make_model(architecture=name), "cpu").segment(scan)
    assert result.skeleton.shape == scan.counts.shape


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownArchitectureError, match=r"no network 'fdn-12'.*fdn-13, fdn-16"):
        build_network("fdn-12")
