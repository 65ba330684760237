from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Points

from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.layers.labels import empty_labels, release, show_instead
from napari_bonescint.gui.layers.scans import facts_of, layers_to_scan, scans_to_layers, spacing_of
from napari_bonescint.gui.segment.view_edits import ViewEditError, flip, invert, set_spacing, set_view
from napari_bonescint.scan import View, ViewName, ViewSource

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

ASSUMED = (View(ViewName.ANTERIOR, ViewSource.ASSUMED), View(ViewName.POSTERIOR, ViewSource.ASSUMED))


@pytest.fixture
def model(scan: Scan) -> ViewerModel:
    """Layers of a scan of two views whose file names neither view nor spacing."""
    model = ViewerModel()
    for data in scans_to_layers([replace(scan, views=ASSUMED, spacing=None)]):
        model._add_layer_from_data(*data)
    return model


def letters_above(model: ViewerModel, image: Image) -> list[str]:
    """The letters above an image, from left to right."""
    left = image.translate[1]
    right = left + image.data.shape[1] * image.scale[1]
    (points,) = [layer for layer in model.layers if isinstance(layer, Points)]
    above = [
        (x * points.scale[1], side)
        for (_, x), side in zip(points.data, points.features["side"], strict=True)
        if left <= x <= right
    ]
    return [side for _, side in sorted(above)]


def test_naming_one_view_names_the_other_and_puts_anterior_left(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert facts_of(first).view == View(ViewName.POSTERIOR, ViewSource.USER)
    assert facts_of(second).view == View(ViewName.ANTERIOR, ViewSource.USER)
    assert second.translate[1] < first.translate[1]
    assert first.name.startswith("posterior")
    assert letters_above(model, first) == ["L", "R"]
    assert letters_above(model, second) == ["R", "L"]


def test_what_the_file_says_is_overruled_and_that_is_recorded(scan: Scan) -> None:
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    first, second = model.layers[1], model.layers[2]
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert facts_of(first).view == View(ViewName.POSTERIOR, ViewSource.OVERRULED)
    assert facts_of(second).view == View(ViewName.ANTERIOR, ViewSource.OVERRULED)
    assert layers_to_scan([second, first]).views == (facts_of(second).view, facts_of(first).view)
    assert second.translate[1] < first.translate[1]
    assert letters_above(model, first) == ["L", "R"]
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert [facts_of(image).view.source for image in (first, second)] == [ViewSource.FILE] * 2


def test_the_file_of_an_open_case_is_not_overruled(scan: Scan) -> None:
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    first = model.layers[1]
    show_instead(model.add_layer(empty_labels(first)), np.zeros(first.data.shape, np.uint8), names_regions=True)
    with pytest.raises(ViewEditError, match="the label store keeps this view as anterior"):
        set_view(model.layers, first, ViewName.POSTERIOR)
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert facts_of(first).view == View(ViewName.ANTERIOR)


def test_a_spacing_that_no_scan_has_is_refused(model: ViewerModel) -> None:
    first = model.layers[1]
    with pytest.raises(ViewEditError, match=r"A pixel spacing of 0\.05 x 0\.05 mm is impossible"):
        set_spacing(model.layers, first, 0.05)
    assert spacing_of(first) is None


def test_confirming_a_view_moves_nothing(model: ViewerModel) -> None:
    first = model.layers[1]
    before = tuple(first.translate)
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert facts_of(first).view.source is ViewSource.USER
    assert tuple(first.translate) == before
    assert first.name == "anterior"


def test_labels_move_with_their_image(model: ViewerModel) -> None:
    first = model.layers[1]
    labels = model.add_layer(empty_labels(first))
    set_view(model.layers, first, ViewName.POSTERIOR)
    np.testing.assert_array_equal(labels.translate, first.translate)


def test_a_spacing_holds_for_both_views_and_their_labels(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    labels = model.add_layer(empty_labels(second))
    place = second.translate[1]
    set_spacing(model.layers, first, 2.5)
    assert spacing_of(first) == spacing_of(second) == (2.5, 2.5)
    assert second.translate[1] == pytest.approx(2.5 * place)
    np.testing.assert_array_equal(labels.scale, second.scale)
    np.testing.assert_array_equal(labels.translate, second.translate)
    assert letters_above(model, second) == ["L", "R"]
    assert layers_to_scan([first, second]).spacing == (2.5, 2.5)


def test_a_flip_is_recorded_and_makes_the_letters_true(model: ViewerModel) -> None:
    first = model.layers[1]
    before = first.data.copy()
    flip(model.layers, first)
    np.testing.assert_array_equal(first.data, before[:, ::-1])
    assert facts_of(first).view.flipped
    assert letters_above(model, first) == ["R", "L"]
    flip(model.layers, first)
    np.testing.assert_array_equal(first.data, before)
    assert not facts_of(first).view.flipped


def test_all_labels_of_a_view_are_flipped_with_it_and_its_case_is_not(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    mine, bound = (model.add_layer(empty_labels(first)) for _ in range(2))
    release(mine)
    blank = np.zeros(first.data.shape, np.uint8)
    stranger = model.add_labels(blank.copy(), name="truth", translate=first.translate)
    other = model.add_layer(empty_labels(second))
    for labels in (mine, bound, stranger, other):
        labels.data_setitem((np.array([3]), np.array([4])), 1)
    before, drawn = first.data.copy(), mine.data.copy()
    flip(model.layers, first)
    np.testing.assert_array_equal(first.data, before[:, ::-1])
    for labels in (mine, bound, stranger):
        np.testing.assert_array_equal(labels.data, drawn[:, ::-1])
    np.testing.assert_array_equal(other.data, drawn)
    flip(model.layers, first)
    for labels in (mine, bound, stranger):
        np.testing.assert_array_equal(labels.data, drawn)
    show_instead(bound, drawn, names_regions=True)
    for edit in (flip, invert):
        with pytest.raises(ViewEditError, match="the label store keeps this view and its masks as added"):
            edit(model.layers, first)
    np.testing.assert_array_equal(first.data, before)


def test_an_inversion_is_recorded_and_undone_by_the_next(model: ViewerModel) -> None:
    first = model.layers[1]
    before = first.data.copy()
    invert(model.layers, first)
    assert (first.data.min(), first.data.max()) == (before.min(), before.max())
    assert first.data[before == before.max()].max() == before.min()
    assert facts_of(first).view.inverted
    assert layers_to_scan([first]).views[0].as_json()["inverted"] is True
    assert first.contrast_limits == [*contrast_limits(first.data)]
    invert(model.layers, first)
    np.testing.assert_array_equal(first.data, before)
    assert not facts_of(first).view.inverted


def test_all_labels_of_a_view_move_with_it(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    mine, bound = (model.add_layer(empty_labels(first)) for _ in range(2))
    release(mine)
    blank = np.zeros(first.data.shape, np.uint8)
    stranger = model.add_labels(blank, translate=first.translate)
    others = model.add_labels(blank, translate=second.translate)
    set_view(model.layers, first, ViewName.POSTERIOR)
    set_spacing(model.layers, first, 2.5)
    for labels, image in ((mine, first), (bound, first), (stranger, first), (others, second)):
        np.testing.assert_array_equal(labels.translate, image.translate)
        np.testing.assert_array_equal(labels.scale, image.scale)


def test_labels_are_renamed_with_their_view(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    of_first, again, mine = (model.add_layer(empty_labels(first)) for _ in range(3))
    of_second = model.add_layer(empty_labels(second))
    mine.name = "anterior of my own"
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert (first.name, second.name) == ("posterior", "anterior")
    assert (of_first.name, again.name, of_second.name) == (
        "posterior bones",
        "posterior bones [1]",
        "anterior bones",
    )
    assert mine.name == "anterior of my own"


def test_a_name_that_the_user_gave_stays(model: ViewerModel) -> None:
    first = model.layers[1]
    first.name = "interior-anterior study"
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert first.name == "interior-anterior study"


def test_removed_letters_stay_removed(model: ViewerModel) -> None:
    model.layers.pop(0)
    set_view(model.layers, model.layers[0], ViewName.POSTERIOR)
    assert not [layer for layer in model.layers if isinstance(layer, Points)]


def test_an_image_of_another_reader_gets_letters_once_its_view_is_named() -> None:
    model = ViewerModel()
    photo = model.add_image(np.ones((40, 20)), name="photo")
    set_view(model.layers, photo, ViewName.POSTERIOR)
    assert letters_above(model, photo) == ["L", "R"]
    assert photo.name == "photo"
    set_view(model.layers, photo, ViewName.ANTERIOR)
    assert letters_above(model, photo) == ["R", "L"]


def test_pixels_of_a_turned_image_get_the_size_that_the_user_says(model: ViewerModel) -> None:
    first, second = model.layers[1], model.layers[2]
    first.affine = [[0, 2, 5], [-2, 0, 7], [0, 0, 1]]
    labels = model.add_layer(empty_labels(first))
    set_spacing(model.layers, first, 2.26)
    for layer in (first, second, labels):
        assert spacing_of(layer) == pytest.approx((2.26, 2.26))
    np.testing.assert_allclose(labels.data_to_world((3, 4)), first.data_to_world((3, 4)))


def test_sheared_pixels_get_no_size(model: ViewerModel) -> None:
    model.layers[1].shear = [0.2]
    with pytest.raises(ViewEditError, match=r"^anterior: set the shear of the layer to 0, then the pixel size"):
        set_spacing(model.layers, model.layers[1], 2.26)
