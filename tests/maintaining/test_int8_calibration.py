from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("openvino")

from int8_calibration import calibrate
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.training.loop.checkpoint import write_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


def test_a_calibrated_card_tells_the_cost_and_is_used(
    make_model: Callable[..., ModelCard], scan: Scan, cases: list[Path]
) -> None:
    card = make_model()
    judged = SimulatedSet(read_splits()["test"], tuple(cases))
    calibrated = write_card(calibrate(card, [scan], judged), card.weights_path.parent)
    assert calibrated.int8 is not None
    assert calibrated.int8.scans == 2
    assert "simulated" in calibrated.int8.data
    assert abs(calibrated.int8.dice_lost) < 0.05
    exact, rounded = Segmenter(card, "cpu").segment(scan), Segmenter(calibrated, "cpu").segment(scan)
    assert rounded.backend == ("openvino-int8" if calibrated.supports_int8 else exact.backend) != "torch"
    np.testing.assert_allclose(rounded.probability, exact.probability, atol=0.1)
