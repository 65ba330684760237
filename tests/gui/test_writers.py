"""Masks saved and opened in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels

from gui.panel_actions import answer
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.gui.layers.labels import empty_labels
from napari_bonescint.gui.layers.masks import NotOneScan
from napari_bonescint.gui.measure.spot_layers import SpotLayers
from napari_bonescint.gui.writers import NotSaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot


def draw(viewer: Viewer, images: list[Image]) -> list[Labels]:
    drawn = []
    for code, image in enumerate(images, start=3):
        labels = empty_labels(image)
        labels.data[10:30, 4 * code : 4 * code + 8] = code
        viewer.add_layer(labels)
        drawn.append(labels)
    viewer.layers.selection = set(drawn)
    return drawn


@pytest.mark.parametrize("name", ["m.regions.tif", "m.seg.dcm", "m.nii.gz"])
def test_saved_masks_open_over_their_views(name: str, viewer: Viewer, images: list[Image], tmp_path: Path) -> None:
    drawn = draw(viewer, images)
    expected = [labels.data.copy() for labels in drawn]
    saved = viewer.layers.save(str(tmp_path / name), selected=True)
    for labels in drawn:
        viewer.layers.remove(labels)
    for path in saved:
        viewer.open(path, plugin="napari-bonescint")
    opened = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert [labels.name for labels in opened] == ["scan anterior bones", "scan posterior bones"]
    for labels, image, regions in zip(opened, images, expected, strict=True):
        np.testing.assert_array_equal(labels.data, regions)
        np.testing.assert_allclose([*labels.scale, *labels.translate], [*image.scale, *image.translate])
        assert labels.units == image.units


def test_a_mask_alone_lies_where_its_scan_would(viewer: Viewer, images: list[Image], tmp_path: Path) -> None:
    draw(viewer, images)
    (path,) = viewer.layers.save(str(tmp_path / "m.regions.tif"), selected=True)
    places = [tuple(image.translate) for image in images]
    viewer.layers.clear()
    viewer.open(path, plugin="napari-bonescint")
    assert [tuple(layer.translate) for layer in viewer.layers] == places


def test_hot_spots_are_no_masks_and_are_left_to_napari(viewer: Viewer, images: list[Image], tmp_path: Path) -> None:
    drawn = draw(viewer, images)
    spots = SpotLayers(viewer.layers, images)
    while spots.show_next():
        pass
    viewer.layers.selection = {*drawn, *spots.layers}
    (path,) = viewer.layers.save(str(tmp_path / "m.regions.tif"), selected=True)
    np.testing.assert_array_equal(read_mask(Path(path)).regions[0], drawn[0].data)
    viewer.layers.selection = {spots.layers[0]}
    (path,) = viewer.layers.save(str(tmp_path / "spots.tif"), selected=True)
    assert tifffile.imread(path).shape == images[0].data.shape


def test_labels_of_other_images_stay_with_the_writers_of_napari(viewer: Viewer, tmp_path: Path) -> None:
    cells = viewer.add_labels(np.ones((5, 20, 20), np.int32), name="cells")
    viewer.layers.selection = {cells}
    (path,) = viewer.layers.save(str(tmp_path / "cells.tif"), selected=True)
    assert tifffile.imread(path).shape == (5, 20, 20)
    with pytest.raises(NotOneScan, match=r"^cells: lies on no image"):
        viewer.layers.save(str(tmp_path / "cells.regions.tif"), selected=True)


def test_a_mask_of_a_sheared_scan_is_saved_without_a_spacing_and_that_is_told(
    viewer: Viewer, images: list[Image], tmp_path: Path, shown: Callable[[], list[str]]
) -> None:
    images[0].shear = [0.3]
    draw(viewer, images[:1])
    (path,) = viewer.layers.save(str(tmp_path / "m.regions.tif"), selected=True)
    assert read_mask(Path(path)).spacing is None
    assert [message for message in shown() if "sheared" in message] == [
        "scan anterior: The layer is sheared, so its pixels have no size in mm; set its shear to 0 to get sizes."
    ]


def test_saving_one_view_of_two_says_what_is_missing_and_other_files_are_not_replaced_unasked(
    viewer: Viewer, images: list[Image], tmp_path: Path, shown: Callable[[], list[str]], qtbot: QtBot
) -> None:
    drawn = draw(viewer, images)
    viewer.layers.selection = {drawn[0]}
    viewer.layers.save(str(tmp_path / "m.nii.gz"), selected=True)
    only = "Only the anterior view was saved; Export in the panel Segment skeleton saves all views."
    qtbot.waitUntil(lambda: only in shown())
    before = (tmp_path / "m.anterior.nii.gz").read_bytes()
    viewer.layers.selection = set(drawn)
    drawn[0].data[:5] = 0
    drawn[0].data[40:50] = 7
    answer("Cancel")
    with pytest.raises(NotSaved):
        viewer.layers.save(str(tmp_path / "m.nii.gz"), selected=True)
    assert [path.name for path in tmp_path.glob("*.nii.gz")] == ["m.anterior.nii.gz"]
    assert (tmp_path / "m.anterior.nii.gz").read_bytes() == before
    answer("Replace")
    viewer.layers.save(str(tmp_path / "m.nii.gz"), selected=True)
    assert (tmp_path / "m.anterior.nii.gz").read_bytes() != before
    # napari saves to a folder one layer after the other.
    viewer.layers.save(str(tmp_path / "folder"), selected=False)
    qtbot.wait(1)
    assert [message for message in shown() if "Only" in message] == [only]
    assert sorted(path.name for path in (tmp_path / "folder").glob("*bones*")) == [
        f"{labels.name}.regions.tif" for labels in drawn
    ]
