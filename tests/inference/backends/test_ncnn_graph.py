from __future__ import annotations

from collections import Counter

import pytest

from napari_bonescint.inference.backends.ncnn_graph import IMAGE, build_stretches
from napari_bonescint.networks.zoo import ARCHITECTURES, build_network


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if not name.startswith("fdn-16")])
def test_every_image_is_made_before_it_is_taken_and_taken_once(name: str) -> None:
    """What ncnn wants, which says nothing where it is not so."""
    weights = {key: tensor.numpy() for key, tensor in build_network(name).state_dict().items()}
    for stretch in build_stretches(name, weights, 1):
        magic, counts, *lines = stretch.text().splitlines()
        made: set[str] = set()
        taken: Counter[str] = Counter()
        for line in lines:
            _, _, inputs, outputs, *names = line.split()
            assert set(names[: int(inputs)]) <= made
            taken.update(names[: int(inputs)])
            made |= set(names[int(inputs) : int(inputs) + int(outputs)])
        assert (magic, counts) == ("7767517", f"{len(lines)} {len(made)}")
        assert IMAGE in made
        assert set(taken.values()) == {1}
        assert made - set(taken) == {stretch.result}


def test_a_dilated_net_has_a_stretch_for_each_stage() -> None:
    weights = {key: tensor.numpy() for key, tensor in build_network("fdn-13").state_dict().items()}
    stretches = build_stretches("fdn-13", weights, 1)
    assert [stretch.text().count("Convolution") for stretch in stretches] == [2, 2, 3, 3, 4]
    # 488,793 numbers, and a mark before each of 14 kernels.
    assert sum(len(stretch.weights()) for stretch in stretches) == 4 * (488_793 + 14)
