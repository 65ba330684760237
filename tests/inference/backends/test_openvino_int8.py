"""Networks in eight-bit integers, beside the same in float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.inference.backends.wiring import multiple_of
from napari_bonescint.networks.zoo import ARCHITECTURES, build_network

ov = pytest.importorskip("openvino")

from napari_bonescint.inference.backends.openvino_core import core  # noqa: E402
from napari_bonescint.inference.backends.openvino_graph import build_graph  # noqa: E402
from napari_bonescint.inference.backends.openvino_int8 import WrongRanges, measure_ranges, quantise  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray


def graph(name: str) -> ov.Model:
    import torch

    torch.manual_seed(0)
    return build_graph(name, {key: tensor.numpy() for key, tensor in build_network(name).state_dict().items()}, 1)


def images(name: str) -> NDArray[np.float32]:
    side = 2 * (multiple_of(name) or 1)
    return np.random.default_rng(2).random((1, 1, side, side), np.float32)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if not name.startswith("fdn-16")])
def test_the_result_is_that_of_float_but_for_rounding(name: str) -> None:
    batch = images(name)
    exact = core().compile_model(graph(name), "CPU")([batch])[0]
    rounded = graph(name)
    quantise(rounded, measure_ranges(graph(name), [batch]))
    computed = core().compile_model(rounded, "CPU")([batch])[0]
    assert np.abs(computed - exact).max() > 0
    assert np.abs(computed - exact).mean() < 0.1 * np.abs(exact).mean()


def test_ranges_have_no_negative_end_after_a_relu() -> None:
    ranges = measure_ranges(graph("fdn-11"), [images("fdn-11")])
    assert len(ranges) == 9  # ten convolutions and the head, without the first and the last
    assert all(lowest == 0 < highest for lowest, highest in ranges)


def test_ranges_of_another_network_are_refused() -> None:
    with pytest.raises(WrongRanges, match="9 ranges for 12 convolutions"):
        quantise(graph("fdn-13"), [(0.0, 1.0)] * 9)
