from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_bonescint.anatomy import CODES, REGIONS, SKELETON_COLOUR
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.legend.bones import bone_at, hide, labelled_views, legend_of, middle_of, name_of

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

RIBS, FEMUR = CODES["ribs"], CODES["femur"]


def add_labels(model: ViewerModel, image: Image, *, names_regions: bool = True) -> Labels:
    labels = model.add_layer(empty_labels(image, names_regions=names_regions))
    mask = np.zeros(image.data.shape, np.uint8)
    mask[30:40, 20:30] = RIBS if names_regions else 1
    set_regions(labels, mask)
    return labels


@pytest.fixture
def model(scan: Scan) -> ViewerModel:
    """A scan of two views, each with a square of ribs; the posterior one has a femur, too."""
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    anterior, posterior = images_in(model)
    add_labels(model, anterior)
    labels = add_labels(model, posterior)
    labels.data_setitem((np.array([100, 100]), np.array([5, 6])), FEMUR)
    return model


def images_in(model: ViewerModel) -> list[Image]:
    return [layer for layer in model.layers if type(layer) is Image]


def test_areas_are_pixels_times_their_size_for_each_view(model: ViewerModel) -> None:
    legend = legend_of(labelled_views(model.layers, None))
    assert [view.name for view in legend.views] == ["anterior", "posterior"]
    assert legend.unit == "mm²"
    assert [(bone.code, bone.name, bone.colour) for bone in legend.bones] == [
        (RIBS, "ribs", REGIONS[RIBS].colour),
        (FEMUR, "femur", REGIONS[FEMUR].colour),
    ]
    np.testing.assert_allclose([bone.areas for bone in legend.bones], [[1980, 1980], [0, 39.6]])  # pixels of 4.5 x 4.4


def test_without_a_spacing_areas_are_pixels(model: ViewerModel) -> None:
    for layer in model.layers:
        layer.units = ("pixel", "pixel")
    legend = legend_of(labelled_views(model.layers, None))
    assert (legend.unit, legend.bones[0].areas) == ("pixels", (100, 100))


def test_a_hidden_bone_keeps_its_pixels_colour_and_area(model: ViewerModel) -> None:
    views = labelled_views(model.layers, None)
    before = [view.labels.data.copy() for view in views]
    hide(views, {RIBS})
    ribs, femur = legend_of(views).bones
    assert (ribs.is_shown, ribs.colour, femur.is_shown) == (False, REGIONS[RIBS].colour, True)
    for view, mask in zip(views, before, strict=True):
        assert view.labels.colormap.map(RIBS)[3] == 0
        assert view.labels.colormap.map(FEMUR)[3] == 1
        np.testing.assert_array_equal(view.labels.data, mask)
    hide(views, ())
    assert all(bone.is_shown for bone in legend_of(views).bones)


def test_the_kind_of_the_active_labels_counts_and_their_scan(model: ViewerModel, scan: Scan) -> None:
    skeletons = [add_labels(model, image, names_regions=False) for image in images_in(model)]
    (bone,) = legend_of(labelled_views(model.layers, skeletons[0])).bones
    assert (bone.name, bone.colour) == ("bone", SKELETON_COLOUR)
    for data in scans_to_layers([scan], [(0.0, 1000.0)]):
        model._add_layer_from_data(*data)
    other = images_in(model)[2]
    labels = add_labels(model, other)
    assert [view.labels for view in labelled_views(model.layers, other)] == [labels]
    assert [view.labels for view in labelled_views(model.layers, skeletons[1])] == skeletons
    anterior = images_in(model)[0]
    assert [view.labels for view in labelled_views(model.layers, anterior)] == skeletons, "the topmost kind"


def test_labels_of_others_have_no_legend(model: ViewerModel) -> None:
    for layer in [layer for layer in model.layers if isinstance(layer, Labels)]:
        model.layers.remove(layer)
    model.add_labels(np.ones(images_in(model)[0].data.shape, np.uint8), scale=images_in(model)[0].scale)
    assert labelled_views(model.layers, model.layers[-1]) == ()


def test_the_bone_at_a_place_is_named_whichever_layer_is_active(model: ViewerModel) -> None:
    anterior, posterior = images_in(model)
    stranger = model.add_points(np.zeros((1, 2)))
    for active in (None, anterior, posterior, stranger, *model.layers):
        for image, row, column, said in (
            (anterior, 35, 25, ("anterior", "ribs")),
            (posterior, 100, 5, ("posterior", "femur")),
        ):
            found = bone_at(model.layers, active, image.data_to_world((row, column)))
            assert found is not None
            assert (found[0].name, name_of(*found)) == said
    assert bone_at(model.layers, None, (-50.0, 0.0)) is None
    background = bone_at(model.layers, None, anterior.data_to_world((0, 0)))
    assert background is not None
    assert background[1] == 0


def test_the_middle_of_a_bone_lies_in_the_first_view_that_shows_it(model: ViewerModel) -> None:
    views = labelled_views(model.layers, None)
    np.testing.assert_allclose(middle_of(views, RIBS), views[0].image.data_to_world((34.5, 24.5)))
    np.testing.assert_allclose(middle_of(views, FEMUR), views[1].image.data_to_world((100, 5.5)))
    assert middle_of(views, CODES["skull"]) is None
