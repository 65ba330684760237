from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.anatomy import CODES
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.cursor_readout import CursorReadout
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.layers.labels import empty_labels
from napari_bonescint.gui.layers.scans import scans_to_layers

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


@pytest.fixture
def case(scan: Scan) -> OpenCase:
    """Two views, 67 pixels wide, with a spine in columns 30 to 36."""
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    images = [layer for layer in model.layers if isinstance(layer, Image)]
    labels = [empty_labels(image) for image in images]
    for layer in labels:
        layer.data[20:110, 30:37] = CODES["thoracic_spine"]
    windows = [contrast_limits(counts) for counts in scan.counts]
    return OpenCase(scan, images, windows, labels, probability=np.full(scan.counts.shape, 0.25, np.float32))


def told(case: OpenCase, view: int, row: float, column: float) -> str:
    return CursorReadout(case).describe(case.world(view, np.array([[row, column]]))[0])


@pytest.mark.parametrize(
    ("view", "column", "side"), [(0, 10, "right"), (0, 55, "left"), (1, 10, "left"), (1, 55, "right")]
)
def test_sides_are_the_patients(case: OpenCase, view: int, column: int, side: str) -> None:
    assert f"patient's {side}" in told(case, view, 60, column)


def test_region_counts_and_the_models_opinion_are_those_of_the_pixel(case: OpenCase, scan: Scan) -> None:
    text = told(case, 1, 60, 33)
    assert "thoracic spine" in text
    assert f"{scan.counts[1, 60, 33]} counts" in text
    assert "model 25%" in text
    assert text.endswith("posterior 60, 33")


def test_between_the_views_nothing_is_told(case: OpenCase) -> None:
    assert told(case, 0, -5, 10) == ""


def test_the_same_place_of_the_other_view_is_mirrored_and_back_again(case: OpenCase) -> None:
    here = case.world(0, np.array([[60.0, 10.0]]))[0]
    there = CursorReadout(case).opposite(here)
    assert there is not None
    assert case.pixel(1, there) == (60, 56)
    back = CursorReadout(case).opposite(there)
    assert back == pytest.approx(here)


def test_a_view_alone_has_no_other(case: OpenCase) -> None:
    alone = OpenCase(case.scan, case.images[:1], case.windows[:1], case.labels[:1])
    assert CursorReadout(alone).opposite(case.world(0, np.array([[60.0, 10.0]]))[0]) is None
