from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.layers.labels import empty_labels
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.scan import Scan, ViewName


@pytest.fixture
def case(scan: Scan) -> OpenCase:
    """Two views side by side, with pixels of 4.5 mm by 4.4 mm."""
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    images = [layer for layer in model.layers if isinstance(layer, Image)]
    windows = [contrast_limits(counts) for counts in scan.counts]
    return OpenCase(scan, images, windows, [empty_labels(image) for image in images])


def test_a_place_in_the_world_is_a_pixel_of_the_view_that_lies_there(case: OpenCase) -> None:
    for view in (0, 1):
        (world,) = case.world(view, np.array([[100.0, 60.0]]))
        assert case.view_at(world) == view
        assert case.point(view, world) == pytest.approx((100, 60))
        assert case.pixel(view, world) == (100, 60)
    assert [case.view(view).name for view in (0, 1)] == [ViewName.ANTERIOR, ViewName.POSTERIOR]


def test_a_pixel_reaches_half_its_size_from_its_middle_in_mm(case: OpenCase) -> None:
    (world,) = case.world(0, np.array([[10.0, 10.0]]))
    assert case.pixel(0, world + np.array([0.49 * 4.5, -0.49 * 4.4])) == (10, 10)
    assert case.pixel(0, world + np.array([0.51 * 4.5, -0.51 * 4.4])) == (11, 9)


def test_between_and_beyond_the_views_there_is_none(case: OpenCase) -> None:
    right_edge, left_edge = case.world(0, np.array([[50.0, 66.0]]))[0], case.world(1, np.array([[50.0, 0.0]]))[0]
    assert case.view_at((right_edge + left_edge) / 2) is None
    assert case.view_at(case.world(0, np.array([[-2.0, 30.0]]))[0]) is None
    assert case.view_at(case.world(1, np.array([[131.0, 30.0]]))[0]) is None


def test_the_mask_is_a_copy(case: OpenCase) -> None:
    regions = case.regions()
    case.labels[1].data_setitem((np.array([3]), np.array([4])), 6)
    assert not regions.any()
    assert case.regions()[1, 3, 4] == 6
