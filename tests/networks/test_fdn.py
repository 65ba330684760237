import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from napari_bonescint.networks.fdn import FDN, join_phases, split_phases
from napari_bonescint.networks.zoo import ARCHITECTURES, build_network

NAMES = ["fdn-5", "fdn-11", "fdn-11e", "fdn-11be", "fdn-13", "fdn-16", "fdn-16e", "fdn-16be"]
# Field of view of the patch classifier, by hand: 1 + sum over stages k of 2^k * (2 * convolutions + 1).
FIELD_OF_VIEW = {"fdn-5": 16, "fdn-11": 156, "fdn-13": 212, "fdn-16": 436}


def trained_looking(network: nn.Module, seed: int = 0) -> nn.Module:
    """Random biases and batch statistics, so that no term of the layers is zero by chance."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.bias, std=0.1, generator=generator)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return network.eval()


def patch_classifier(network: FDN) -> nn.Sequential:
    """The ordinary classifier: no padding, no dilation, pooling of stride 2."""
    layers: list[nn.Module] = []
    for stage in network.stages:
        for layer in stage:
            convolution, *norm = layer.children()
            plain = nn.Conv2d(convolution.in_channels, convolution.out_channels, 3)
            plain.weight, plain.bias = convolution.weight, convolution.bias
            layers += [plain, *norm, nn.ELU() if network._activation is F.elu else nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, network.head).eval()


def narrow(name: str) -> FDN:
    """A network of the same stages, layers and kind with an eighth of the channels: fields of view are as large."""
    kind = ARCHITECTURES[name]
    (stages,) = kind.args
    return FDN([[max(4, channels // 8) for channels in stage] for stage in stages], outputs=2, **kind.keywords)


@pytest.mark.parametrize("name", NAMES)
def test_dense_output_is_the_patch_classifiers_score_around_each_pixel(name: str) -> None:
    network = trained_looking(narrow(name))
    size = network.field_of_view
    assert size == FIELD_OF_VIEW[name.rstrip("be")] == build_network(name).field_of_view
    image = torch.randn(1, 1, size + 3, size + 6, generator=torch.Generator().manual_seed(1))
    classify = patch_classifier(network)
    before = size // 2 - 1
    with torch.inference_mode():
        # The next test holds this against the dilated network, which takes ten times as long on an image of this size.
        network.computation = "phase-split"
        dense = network(image)[0]
        for y, x in [(0, 0), (3, 2), (2, 5)]:
            score = classify(image[..., y : y + size, x : x + size])
            assert score.shape == (1, 2, 1, 1)
            torch.testing.assert_close(dense[:, y + before, x + before], score[0, :, 0, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(96, 64), (67, 45), (1, 1), (33, 2)])
def test_phase_split_equals_dilated(name: str, shape: tuple[int, int]) -> None:
    network = trained_looking(build_network(name, outputs=3))
    image = torch.randn(2, 1, *shape, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        network.computation = "dilated"
        dilated = network(image)
        network.computation = "phase-split"
        split = network(image)
    assert split.shape == (2, 3, *shape)
    assert float((split - dilated).abs().max()) < 1e-5 * max(1.0, float(dilated.abs().max()))


def test_splitting_interleaves_and_joining_undoes_it() -> None:
    image = torch.arange(24.0).reshape(1, 1, 4, 6)
    phases = split_phases(image)
    np.testing.assert_array_equal(phases[1, 0].numpy(), image[0, 0, 0::2, 1::2].numpy())
    np.testing.assert_array_equal(phases[2, 0].numpy(), image[0, 0, 1::2, 0::2].numpy())
    assert torch.equal(join_phases(phases), image)


def test_sampled_logits_are_those_of_the_same_pixels() -> None:
    network = trained_looking(build_network("fdn-11", outputs=2))
    image = torch.randn(2, 1, 48, 32, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        everywhere = network(image)
        logits, sample = network.forward_sampled(image, (4, 1, 2, 4), torch.Generator().manual_seed(4))
    assert logits.shape == (2 * 4 * 1 * 2 * 4, 2, 3, 2)
    torch.testing.assert_close(sample.pick(everywhere), logits, rtol=1e-4, atol=1e-5)


def test_sampling_wants_a_number_for_each_split() -> None:
    network = build_network("fdn-5")
    with pytest.raises(ValueError, match="keep needs 1 numbers"):
        network.forward_sampled(torch.zeros(1, 1, 8, 8), (4, 4), torch.Generator())
