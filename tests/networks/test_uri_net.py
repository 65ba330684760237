import torch
from torch import nn

from napari_bonescint.networks.uri_net import ResidualInception


def test_a_unit_sums_its_paths_with_its_input() -> None:
    unit = ResidualInception(8, 8).eval()
    image = torch.rand(1, 8, 9, 7)
    assert sorted(path.kernel_size[0] for path in unit.paths) == [1, 3, 5]
    assert sum(path.out_channels for path in unit.paths) == 8
    with torch.inference_mode():
        for path in unit.paths:
            nn.init.zeros_(path.weight)
        torch.testing.assert_close(unit(image), image)


def test_a_unit_of_another_width_brings_its_input_to_it() -> None:
    assert ResidualInception(4, 8)(torch.rand(1, 4, 5, 5)).shape == (1, 8, 5, 5)
