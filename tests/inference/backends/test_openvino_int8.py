"""Networks in eight-bit integers, beside the same in float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.networks.zoo import ARCHITECTURES

ov = pytest.importorskip("openvino")

from napari_bonescint.inference.backends.openvino_core import core  # noqa: E402
from napari_bonescint.inference.backends.openvino_graph import convert  # noqa: E402
from napari_bonescint.inference.backends.openvino_int8 import WrongRanges, measure_ranges, quantise  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]

IMAGES = np.random.default_rng(2).random((1, 1, 64, 64), np.float32)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if not name.startswith("fdn-16")])
def test_the_result_is_that_of_float_but_for_rounding(name: str, make_model: MakeModel) -> None:
    card = make_model(architecture=name, outputs=1)
    graph = convert(card)
    exact = core().compile_model(graph, "CPU")([IMAGES])[0]
    ranges = measure_ranges(graph.clone(), [IMAGES])
    quantise(graph, ranges)
    computed = core().compile_model(graph, "CPU")([IMAGES])[0]
    assert np.abs(computed - exact).max() > 0
    assert np.abs(computed - exact).mean() < 0.1 * np.abs(exact).mean()


def test_ranges_have_no_negative_end_after_a_relu(make_model: MakeModel) -> None:
    ranges = measure_ranges(convert(make_model(architecture="fdn-11")), [IMAGES])
    assert len(ranges) == 9  # ten convolutions and the head, without the first and the last
    assert all(lowest == 0 < highest for lowest, highest in ranges)


def test_ranges_of_another_network_are_refused(make_model: MakeModel) -> None:
    with pytest.raises(WrongRanges, match="9 ranges for 12 convolutions"):
        quantise(convert(make_model(architecture="fdn-13")), [(0.0, 1.0)] * 9)
