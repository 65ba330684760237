"""Maps lie on the views, tell what they are said to tell, and come and go without a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.corrections.store.difference_maps import ADDED, RELABELLED, REMOVED
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.overlay_maps import DifferenceMap, OverlayMap, UncertaintyMap
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.gui.layers.scans import can_be_scan, scans_to_layers

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

KINDS = pytest.mark.parametrize("kind", [DifferenceMap, UncertaintyMap])


@pytest.fixture
def model() -> ViewerModel:
    return ViewerModel()


def open_in(model: ViewerModel, scan: Scan, *, with_model: bool = True) -> OpenCase:
    """A case whose mask is empty and whose model saw a bar of ribs, of which it was sure but for its edge."""
    layers = [model._add_layer_from_data(*data)[0] for data in scans_to_layers([scan])]
    images = [layer for layer in layers if isinstance(layer, Image)]
    labels = [model.add_layer(empty_labels(image)) for image in images]
    windows = [contrast_limits(counts) for counts in scan.counts]
    if not with_model:
        return OpenCase(scan, images, windows, labels)
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:40, 25:40] = 6
    probability = np.where(regions, np.float32(1), np.float32(0))
    probability[:, 20, 25:40] = 0.5
    return OpenCase(scan, images, windows, labels, regions, probability)


def maps_in(model: ViewerModel, case: OpenCase) -> list:
    own = {*case.images, *case.labels}
    return [layer for layer in model.layers if layer not in own]


def test_the_difference_is_green_added_magenta_removed_amber_relabelled(model: ViewerModel, scan: Scan) -> None:
    case = open_in(model, scan)
    mask = case.model_regions[1].copy()
    mask[20, 25], mask[20, 26], mask[100, 10] = 0, 9, 14
    set_regions(case.labels[0], case.model_regions[0])
    set_regions(case.labels[1], mask)
    DifferenceMap(model).show(case)
    first, second = maps_in(model, case)
    assert not first.data.any()
    assert [second.data[20, 25], second.data[20, 26], second.data[100, 10]] == [REMOVED, RELABELLED, ADDED]
    assert np.count_nonzero(second.data) == 3
    red, green, blue = (np.round(second.get_color(code)[:3], 2).tolist() for code in (REMOVED, ADDED, RELABELLED))
    assert (red[0] > 0.8, red[1] < 0.1, green[1] > 0.6, green[0] < 0.1, blue[0] > 0.9) == (True,) * 5
    assert second.get_color(0) is None or second.get_color(0)[3] == 0


def test_the_model_is_unsure_by_one_bit_where_it_could_toss_a_coin(model: ViewerModel, scan: Scan) -> None:
    case = open_in(model, scan)
    UncertaintyMap(model).show(case)
    for layer in maps_in(model, case):
        assert layer.contrast_limits == [0, 1]
        np.testing.assert_allclose(layer.data[20, 25:40], 1)
        assert layer.data.sum() == pytest.approx(15)
        assert (layer.colormap.map(0.0)[..., 3], layer.colormap.map(1.0)[..., 3]) == pytest.approx((0, 0.9))


@KINDS
def test_a_map_lies_on_its_view_and_is_no_view_itself(model: ViewerModel, scan: Scan, kind: type[OverlayMap]) -> None:
    case = open_in(model, replace(scan, spacing=(2.0, 7.0)))
    active = model.layers.selection.active
    kind(model).show(case)
    for layer, image in zip(maps_in(model, case), case.images, strict=True):
        np.testing.assert_array_equal([layer.scale, layer.translate], [image.scale, image.translate])
        assert (layer.units, layer.axis_labels) == (image.units, image.axis_labels)
        assert not can_be_scan(layer)
    assert model.layers.selection.active is active


@KINDS
def test_the_layers_are_kept_for_a_scan_that_fits_and_follow_it(
    model: ViewerModel, scan: Scan, kind: type[OverlayMap]
) -> None:
    case = open_in(model, scan)
    shown = kind(model)
    shown.show(case)
    before = maps_in(model, case)
    for image in case.images:
        image.translate, image.scale = (5, image.translate[1] + 3), (1, 2)
    other = replace(case, model_regions=case.model_regions[:, ::-1], probability=case.probability[:, ::-1])
    shown.hide()
    assert not any(layer.visible for layer in before)
    shown.show(other)
    assert maps_in(model, case) == before
    for layer, image in zip(before, case.images, strict=True):
        assert layer.visible
        assert layer.data[131 - 21, 30] != 0
        np.testing.assert_array_equal([layer.scale, layer.translate], [image.scale, image.translate])


@KINDS
def test_another_size_another_number_of_views_and_no_model(
    model: ViewerModel, scan: Scan, kind: type[OverlayMap]
) -> None:
    shown = kind(model)
    for counts, views in ((scan.counts, scan.views), (scan.counts[:1, :90], scan.views[:1]), (scan.counts, scan.views)):
        model.layers.clear()
        case = open_in(model, replace(scan, counts=counts, views=views))
        shown.show(case)
        assert [layer.data.shape for layer in maps_in(model, case)] == [plane.shape for plane in counts]
    shown.show(replace(case, model_regions=None, probability=None))
    assert maps_in(model, case) == []


@KINDS
def test_a_layer_that_the_user_removed_comes_back_when_asked_for_and_goes(
    model: ViewerModel, scan: Scan, kind: type[OverlayMap]
) -> None:
    case = open_in(model, scan)
    shown = kind(model)
    shown.show(case)
    model.layers.remove(maps_in(model, case)[0])
    shown.hide()
    shown.show(case)
    assert len(maps_in(model, case)) == 2
    model.layers.remove(maps_in(model, case)[1])
    shown.remove()
    shown.remove()
    shown.hide()
    assert maps_in(model, case) == []
