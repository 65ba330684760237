"""Weights of eight bits: a convolution stays what it was, and integers without a scale are refused."""

import pytest
import torch
from safetensors.torch import save

from eight_bits import in_eight_bits
from napari_bonescint.inference.weights import read_tensors, require_finite
from napari_bonescint.networks.zoo import build_network


def test_integers_with_scales_are_the_weights_that_were_stored():
    torch.manual_seed(0)
    network = build_network("fdn-5", outputs=1)
    stored = save(in_eight_bits(network.state_dict()))
    assert len(stored) < 0.6 * len(save({name: tensor.half() for name, tensor in network.state_dict().items()}))
    require_finite(stored)
    read = read_tensors(stored)
    assert read.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        largest = tensor.abs().amax(dim=tuple(range(1, tensor.ndim)), keepdim=True) if tensor.ndim > 1 else tensor.abs()
        assert ((read[name] - tensor).abs() <= largest / 240 + 1e-6).all()
    network.load_state_dict(read)
    # Stored once more, nothing changes.
    again = read_tensors(save(in_eight_bits(read)))
    assert all(torch.allclose(again[name], tensor, rtol=1e-3) for name, tensor in read.items())


def test_integers_without_a_scale_are_no_weights():
    with pytest.raises(ValueError, match="'layer' has the type 'I8', which no network uses for weights"):
        require_finite(save({"layer": torch.ones(3, 3, dtype=torch.int8)}))
    with pytest.raises(ValueError, match="not finite"):
        require_finite(save({"a": torch.ones(2, dtype=torch.int8), "a.scale": torch.tensor([1, float("nan")]).half()}))
