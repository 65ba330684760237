from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.layers.labels import empty_labels, release, show_instead
from napari_bonescint.gui.layers.marks import marks_of
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.layers.scans import facts_of, layers_to_scan, scans_to_layers, spacing_of
from napari_bonescint.gui.segment.view_edits import ViewEditError, flip, invert, set_spacing, set_view, turn
from napari_bonescint.scan import View, ViewName, ViewSource

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_bonescint.scan import Scan

ASSUMED = (View(ViewName.ANTERIOR, ViewSource.ASSUMED), View(ViewName.POSTERIOR, ViewSource.ASSUMED))


@pytest.fixture
def model(scan: Scan) -> ViewerModel:
    """Layers of a scan of two views whose file names neither view nor spacing."""
    return opened(replace(scan, views=ASSUMED, spacing=None))


def opened(scan: Scan) -> ViewerModel:
    model = ViewerModel()
    display_scans(model)
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    return model


def caption_of(image: Image) -> tuple[str, ...]:
    """The words above an image: title, view, and the letters from left to right."""
    marks = marks_of(image)
    assert marks is not None
    return marks.title, marks.view, *marks.letters


def test_naming_one_view_names_the_other_and_puts_anterior_left(model: ViewerModel) -> None:
    first, second = model.layers[0], model.layers[1]
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert facts_of(first).view == View(ViewName.POSTERIOR, ViewSource.USER)
    assert facts_of(second).view == View(ViewName.ANTERIOR, ViewSource.USER)
    assert second.translate[1] < first.translate[1]
    assert first.name == "scan posterior"
    assert caption_of(first) == ("scan", "posterior", "L", "R")
    assert caption_of(second) == ("scan", "anterior", "R", "L")


def test_what_the_file_says_is_overruled_and_that_is_recorded(scan: Scan) -> None:
    model = opened(scan)
    first, second = model.layers[0], model.layers[1]
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert facts_of(first).view == View(ViewName.POSTERIOR, ViewSource.OVERRULED)
    assert facts_of(second).view == View(ViewName.ANTERIOR, ViewSource.OVERRULED)
    assert layers_to_scan([second, first]).views == (facts_of(second).view, facts_of(first).view)
    assert second.translate[1] < first.translate[1]
    assert caption_of(first) == ("scan", "posterior", "L", "R")
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert [facts_of(image).view.source for image in (first, second)] == [ViewSource.FILE] * 2


def test_the_file_of_an_open_case_is_not_overruled(scan: Scan) -> None:
    model = opened(scan)
    first = model.layers[0]
    show_instead(model.add_layer(empty_labels(first)), np.zeros(first.data.shape, np.uint8), names_regions=True)
    with pytest.raises(ViewEditError, match="the label store keeps this view as anterior"):
        set_view(model.layers, first, ViewName.POSTERIOR)
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert facts_of(first).view == View(ViewName.ANTERIOR)


def test_a_spacing_that_no_scan_has_is_refused(model: ViewerModel) -> None:
    first = model.layers[0]
    with pytest.raises(ViewEditError, match=r"A pixel spacing of 0\.05 x 0\.05 mm is impossible"):
        set_spacing(model.layers, first, 0.05)
    assert spacing_of(first) is None


def test_confirming_a_view_moves_nothing(model: ViewerModel) -> None:
    first = model.layers[0]
    before = tuple(first.translate)
    set_view(model.layers, first, ViewName.ANTERIOR)
    assert facts_of(first).view.source is ViewSource.USER
    assert tuple(first.translate) == before
    assert first.name == "scan anterior"


def test_labels_move_with_their_image(model: ViewerModel) -> None:
    first = model.layers[0]
    labels = model.add_layer(empty_labels(first))
    set_view(model.layers, first, ViewName.POSTERIOR)
    np.testing.assert_array_equal(labels.translate, first.translate)


def test_a_spacing_holds_for_both_views_and_their_labels(model: ViewerModel) -> None:
    first, second = model.layers[0], model.layers[1]
    labels = model.add_layer(empty_labels(second))
    place = second.translate[1]
    set_spacing(model.layers, first, 2.5)
    assert spacing_of(first) == spacing_of(second) == (2.5, 2.5)
    assert second.translate[1] == pytest.approx(2.5 * place)
    np.testing.assert_array_equal(labels.scale, second.scale)
    np.testing.assert_array_equal(labels.translate, second.translate)
    assert caption_of(second) == ("scan", "posterior?", "L", "R")
    assert layers_to_scan([first, second]).spacing == (2.5, 2.5)


def test_a_flip_is_recorded_and_makes_the_letters_true(model: ViewerModel) -> None:
    first = model.layers[0]
    before = first.data.copy()
    flip(model.layers, first)
    np.testing.assert_array_equal(first.data, before[:, ::-1])
    assert facts_of(first).view.flipped
    assert caption_of(first) == ("scan", "anterior?", "R", "L")
    flip(model.layers, first)
    np.testing.assert_array_equal(first.data, before)
    assert not facts_of(first).view.flipped


def test_all_labels_of_a_view_are_flipped_with_it_and_its_case_is_not(model: ViewerModel) -> None:
    first, second = model.layers[0], model.layers[1]
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
    for edit in (flip, invert, partial(turn, degrees=90)):
        with pytest.raises(ViewEditError, match="the label store keeps this view and its masks as added"):
            edit(model.layers, first)
    np.testing.assert_array_equal(first.data, before)


def test_a_turn_over_is_recorded_and_takes_the_labels_of_this_view_along(model: ViewerModel) -> None:
    first, second = model.layers[0], model.layers[1]
    labels, other = (model.add_layer(empty_labels(image)) for image in (first, second))
    labels.data_setitem((np.array([3]), np.array([4])), 1)
    before, drawn = first.data.copy(), labels.data.copy()
    turn(model.layers, first, 180)
    np.testing.assert_array_equal(first.data, before[::-1, ::-1])
    np.testing.assert_array_equal(labels.data, drawn[::-1, ::-1])
    assert (facts_of(first).view.turned, facts_of(second).view.turned) == (180, 0)
    assert not other.data.any()
    assert layers_to_scan([first, second]).views[0].as_json()["turned"] == 180
    labels.undo()
    assert not labels.data.any()
    turn(model.layers, first, 180)
    np.testing.assert_array_equal(first.data, before)
    assert "turned" not in facts_of(first).view.as_json()


def test_a_lying_scan_is_turned_up_as_a_whole_and_lies_beside_itself(scan: Scan) -> None:
    lying = replace(scan, counts=np.rot90(scan.counts, axes=(1, 2)).copy(), spacing=(2.0, 3.0))
    model = opened(lying)
    first, second = model.layers[0], model.layers[1]
    mine = model.add_layer(empty_labels(first))
    stranger = model.add_labels(np.zeros(second.data.shape, np.uint8), scale=second.scale, units=second.units)
    stranger.translate = second.translate
    turn(model.layers, second, 90)
    turned = layers_to_scan([first, second])
    np.testing.assert_array_equal(turned.counts, scan.counts)
    assert turned.spacing == (3.0, 2.0)
    assert [view.turned for view in turned.views] == [90, 90]
    assert mine.data.shape == stranger.data.shape == first.data.shape
    for labels, image in ((mine, first), (stranger, second)):
        np.testing.assert_array_equal(labels.scale, image.scale)
        np.testing.assert_array_equal(labels.translate, image.translate)
    width = scan.counts.shape[2] * 2.0
    assert second.translate[1] - first.translate[1] == pytest.approx(1.15 * width)
    flip(model.layers, first)
    assert facts_of(first).view == View(ViewName.ANTERIOR, flipped=True, turned=270)
    turn(model.layers, first, -270)
    np.testing.assert_array_equal(first.data, lying.counts[0, :, ::-1])


def test_an_inversion_is_recorded_and_undone_by_the_next(model: ViewerModel) -> None:
    first = model.layers[0]
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
    first, second = model.layers[0], model.layers[1]
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
    first, second = model.layers[0], model.layers[1]
    of_first, again, mine = (model.add_layer(empty_labels(first)) for _ in range(3))
    of_second = model.add_layer(empty_labels(second))
    mine.name = "scan anterior of my own"
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert (first.name, second.name) == ("scan posterior", "scan anterior")
    assert (of_first.name, again.name, of_second.name) == (
        "scan posterior bones",
        "scan posterior bones [1]",
        "scan anterior bones",
    )
    assert mine.name == "scan anterior of my own"


def test_a_name_that_the_user_gave_stays(model: ViewerModel) -> None:
    first = model.layers[0]
    first.name = "interior-anterior study"
    set_view(model.layers, first, ViewName.POSTERIOR)
    assert first.name == "interior-anterior study"


def test_an_image_of_another_reader_gets_letters_once_its_view_is_named() -> None:
    model = ViewerModel()
    display_scans(model)
    photo = model.add_image(np.ones((40, 20)), name="photo")
    assert marks_of(photo) is None
    set_view(model.layers, photo, ViewName.POSTERIOR)
    assert caption_of(photo) == ("photo", "posterior", "L", "R")
    assert photo.name == "photo"
    set_view(model.layers, photo, ViewName.ANTERIOR)
    assert caption_of(photo) == ("photo", "anterior", "R", "L")


def test_pixels_of_a_turned_image_get_the_size_that_the_user_says(model: ViewerModel) -> None:
    first, second = model.layers[0], model.layers[1]
    first.affine = [[0, 2, 5], [-2, 0, 7], [0, 0, 1]]
    labels = model.add_layer(empty_labels(first))
    set_spacing(model.layers, first, 2.26)
    for layer in (first, second, labels):
        assert spacing_of(layer) == pytest.approx((2.26, 2.26))
    np.testing.assert_allclose(labels.data_to_world((3, 4)), first.data_to_world((3, 4)))


def test_sheared_pixels_get_no_size(model: ViewerModel) -> None:
    model.layers[0].shear = [0.2]
    with pytest.raises(ViewEditError, match=r"^scan anterior: set the shear of the layer to 0, then the pixel size"):
        set_spacing(model.layers, model.layers[0], 2.26)
