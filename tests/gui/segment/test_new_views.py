from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.layers._source import layer_source
from PIL import Image as Picture

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.source_views import find_views
from napari_bonescint.formats.masks.dicom_seg_reader import read_dicom_seg
from napari_bonescint.formats.masks.registry import WRITERS
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.layers.labels import empty_labels, put_result, set_regions, show_instead
from napari_bonescint.gui.layers.masks import layers_to_mask
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of, layers_to_scan, scans_to_layers, spacing_of
from napari_bonescint.gui.segment.new_views import (
    join,
    open_upright,
    remove_shear,
    split_sides,
    split_stack,
    take_finest,
    take_grey,
)
from napari_bonescint.gui.segment.view_edits import flip, invert, turn
from napari_bonescint.scan import ViewName, ViewSource
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def opened(path: Path) -> ViewerModel:
    """A viewer model with the scan of a file, as the reader opens it."""
    model = ViewerModel()
    with layer_source(path=str(path), reader_plugin="napari-bonescint"):
        for data in scans_to_layers([open_scan(path)]):
            model.add_layer(Layer.create(*data))
    return model


def run(edit: Callable[..., Iterator[None]], *arguments: Any) -> None:
    """Do all steps of an edit."""
    for _ in edit(*arguments):
        pass


def images_in(model: ViewerModel) -> list[Image]:
    return [layer for layer in model.layers if isinstance(layer, Image)]


@pytest.fixture
def model(write_nm: Callable[..., Path]) -> ViewerModel:
    """A DICOM file whose one frame shows two bodies side by side."""
    counts = np.random.default_rng(3).integers(1, 5000, (1, 60, 81)).astype(np.uint16)
    return opened(write_nm(counts=counts, views=(None,)))


@pytest.mark.parametrize("before", [(), (flip,), (invert,), (invert, flip)])
def test_halves_keep_the_facts_that_dicom_seg_and_the_store_need(
    model: ViewerModel, before: tuple[Callable[..., None], ...]
) -> None:
    (image,) = images_in(model)
    for edit in before:
        edit(model.layers, image)
    pixels, hash_of_file = image.data.copy(), facts_of(image).scan.source_sha256
    run(split_sides, model.layers, image)
    left, right = images_in(model)
    np.testing.assert_array_equal(left.data, pixels[:, :40])
    np.testing.assert_array_equal(right.data, pixels[:, 41:])
    assert [facts_of(view).view.name for view in (left, right)] == list(ViewName)
    assert [facts_of(view).view.source for view in (left, right)] == [ViewSource.USER] * 2
    assert spacing_of(left) == spacing_of(right) == spacing_of(image)
    assert left.source.path == right.source.path == image.source.path
    assert list(model.layers) == [left, right]
    assert [view.name for view in (left, right)] == ["scan anterior", "scan posterior"]
    scan = layers_to_scan([left, right])
    assert scan.source_sha256 == hash_of_file != ""
    found = find_views(replace(scan, sources=(Path(str(image.source.path)),)))
    halves = [slice(0, 40), slice(41, 81)]
    assert [view.columns for view in found.views] == (halves[::-1] if flip in before else halves)


def test_labels_of_a_person_are_cut_and_those_of_the_model_go(model: ViewerModel) -> None:
    (image,) = images_in(model)
    drawn, found = (model.add_layer(empty_labels(image)) for _ in range(2))
    mask = np.zeros(image.data.shape, np.uint8)
    mask[:, 10:70] = 4
    set_regions(drawn, mask)
    whole = mask[np.newaxis]
    put_result(found, Segmentation((whole > 0).astype(np.uint8), whole, whole * 1.0, "m", "", "cpu", "", "", 1.0), 0)
    run(split_sides, model.layers, image)
    left, right = (layer for layer in model.layers if isinstance(layer, Labels))
    np.testing.assert_array_equal(left.data, mask[:, :40])
    np.testing.assert_array_equal(right.data, mask[:, 41:])
    assert list(left.translate) == list(images_in(model)[0].translate)
    assert list(right.translate) == list(images_in(model)[1].translate)


def test_a_split_is_undone_with_its_labels_unless_a_half_was_edited_since(model: ViewerModel) -> None:
    (image,) = images_in(model)
    labels = model.add_layer(empty_labels(image))
    set_regions(labels, np.full(image.data.shape, 4, np.uint8))
    run(split_sides, model.layers, image)
    left, _ = images_in(model)
    cut = next(layer for layer in model.layers if isinstance(layer, Labels))
    cut.data_setitem((np.array([3]), np.array([4])), 7)
    with pytest.raises(BonescintError, match="bones: has edits, which would be lost; remove this layer first"):
        run(join, model.layers, left)
    cut.undo()
    model.add_layer(empty_labels(left))
    run(join, model.layers, left)
    assert list(model.layers) == [image, labels]
    assert (labels.data == 4).all()
    assert model.layers.selection.active is image
    run(split_sides, model.layers, image)
    assert len(images_in(model)) == 2


def test_what_cannot_be_split_is_refused_and_stays(model: ViewerModel, write_nm: Callable[..., Path]) -> None:
    (image,) = images_in(model)
    case = model.add_layer(empty_labels(image))
    show_instead(case, np.zeros(image.data.shape, np.uint8), names_regions=True)
    with pytest.raises(BonescintError, match="the label store keeps this image as added"):
        run(split_sides, model.layers, image)
    two = opened(write_nm("two.dcm"))
    with pytest.raises(BonescintError, match="has two views already"):
        run(split_sides, two.layers, images_in(two)[0])
    narrow = ViewerModel()
    with pytest.raises(BonescintError, match="too narrow to hold two views"):
        run(split_sides, narrow.layers, narrow.add_image(np.ones((60, 20))))
    assert (len(images_in(model)), len(images_in(two)), len(images_in(narrow))) == (1, 2, 1)


def test_two_frames_become_a_scan_and_more_become_scans_of_their_own() -> None:
    model = ViewerModel()
    pixels = np.random.default_rng(0).integers(1, 99, (2, 50, 30))
    run(
        split_stack,
        model.layers,
        model.add_image(pixels, scale=(1, 2.5, 2.5), units=("pixel", "mm", "mm"), name="stack"),
    )
    anterior, posterior = images_in(model)
    np.testing.assert_array_equal(np.stack([anterior.data, posterior.data]), pixels)
    assert facts_of(anterior).scan is facts_of(posterior).scan
    assert spacing_of(anterior) == (2.5, 2.5)
    more = ViewerModel()
    run(split_stack, more.layers, more.add_image(np.ones((3, 1, 50, 30))))
    assert len(images_in(more)) == 3
    assert all(can_be_scan(image) and spacing_of(image) is None for image in images_in(more))
    film = more.add_image(np.ones((40, 50, 30)), name="film")
    with pytest.raises(BonescintError, match="film: has 40 frames"):
        run(split_stack, more.layers, film)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_greys_in_colours_or_with_opacity_become_a_plain_image(channels: int) -> None:
    grey = np.random.default_rng(0).integers(0, 99, (50, 30)).astype(np.uint8)
    pixels = np.repeat(grey[..., np.newaxis], channels, axis=-1)
    if channels in (2, 4):
        pixels[..., -1] = 255
    model = ViewerModel()
    image = model.add_image(pixels, rgb=channels > 2, name="export")
    assert not can_be_scan(image)
    take_grey(model.layers, image)
    (plain,) = model.layers
    np.testing.assert_array_equal(plain.data, grey)
    assert plain.name == "export"
    assert can_be_scan(plain)
    assert model.layers.selection.active is plain


def test_real_colours_are_refused() -> None:
    model = ViewerModel()
    image = model.add_image(np.random.default_rng(0).integers(0, 99, (50, 30, 3)).astype(np.uint8), name="photo")
    with pytest.raises(BonescintError, match=r"^photo: The image is in colour"):
        take_grey(model.layers, image)
    assert list(model.layers) == [image]


def test_the_finest_level_of_a_multiscale_image_is_taken() -> None:
    model = ViewerModel()
    fine = np.random.default_rng(0).integers(0, 99, (64, 32))
    image = model.add_image([fine, fine[::2, ::2]], multiscale=True, scale=(2.0, 2.0), name="levels")
    take_finest(model.layers, image)
    (plain,) = model.layers
    np.testing.assert_array_equal(plain.data, fine)
    assert list(plain.scale) == [2, 2]
    assert can_be_scan(plain)


def test_a_picture_that_is_stored_turned_is_opened_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.tif"
    pixels = np.random.default_rng(0).integers(1, 99, (64, 32)).astype(np.uint8)
    Picture.fromarray(pixels).save(path, tiffinfo={274: 3})
    model = ViewerModel()
    with layer_source(path=str(path), reader_plugin="napari"):
        image = model.add_layer(Image(pixels, name="turned"))
    assert not can_be_scan(image)
    run(open_upright, model.layers, image)
    (upright,) = images_in(model)
    np.testing.assert_array_equal(upright.data, pixels[::-1, ::-1])
    assert can_be_scan(upright)


def test_a_sheared_image_is_straightened(model: ViewerModel) -> None:
    (image,) = images_in(model)
    image.shear = [0.2]
    assert spacing_of(image) is None
    remove_shear(model.layers, image)
    assert spacing_of(image) is not None


@pytest.mark.parametrize("before", [0, 90, 180])
@pytest.mark.parametrize("after", [0, 180, 270])
def test_masks_on_halves_reach_the_frame_of_the_file(
    model: ViewerModel, before: int, after: int, tmp_path: Path
) -> None:
    (image,) = images_in(model)
    path = Path(str(image.source.path))
    turn(model.layers, image, before)
    run(split_sides, model.layers, image)
    turn(model.layers, images_in(model)[0], after)
    labels = []
    for view, code in zip(images_in(model), (5, 13), strict=True):
        layer = model.add_layer(empty_labels(view))
        block = np.zeros(view.data.shape, np.uint8)
        block[20:30, 5:15] = code
        set_regions(layer, block)
        labels.append(layer)
    mask, _ = layers_to_mask(model.layers, labels)
    whole = replace(mask, scan=replace(mask.scan, sources=(path,)))
    (written,) = WRITERS["seg"](tmp_path / "halves", whole)
    np.testing.assert_array_equal(read_dicom_seg(written, scan=whole.scan).regions, mask.regions)
