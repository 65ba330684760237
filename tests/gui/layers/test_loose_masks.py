"""Masks without a pixel size are laid on the view that has as many pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile
from napari.layers import Labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Image


def write(path: Path, shape: tuple[int, ...], code: int = 5) -> Path:
    """As napari's own writer does: 32 bits and no pixel size."""
    mask = np.zeros(shape, np.uint32)
    mask[5:9, 5:9] = code
    tifffile.imwrite(path, mask)
    return path


def labels_in(viewer: Viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def test_masks_lie_on_the_view_of_their_name_or_on_a_free_one_and_follow_it(
    viewer: Viewer, images: list[Image], tmp_path: Path, shown: Callable[[], list[str]]
) -> None:
    shape = images[0].data.shape
    viewer.open(write(tmp_path / "posterior bones.tif", shape), plugin="napari")
    viewer.open(write(tmp_path / "drawn.tif", shape), plugin="napari")
    viewer.open(write(tmp_path / "cells.tif", (20, 20)), plugin="napari")
    back, front, cells = labels_in(viewer)
    for labels, image in ((back, images[1]), (front, images[0])):
        np.testing.assert_allclose(labels.extent.world, image.extent.world)
        assert labels.units == image.units
        assert list(labels.features["name"])[5] == "sacrum"
    assert any(f"drawn: its file states no pixel size, so it was laid on {images[0].name}" in each for each in shown())
    np.testing.assert_array_equal(cells.scale, [1, 1])
    images[1].translate = (0, 999)
    np.testing.assert_allclose(back.translate, (0, 999))


def test_a_mask_that_was_opened_first_goes_to_its_scan_when_that_is_opened(
    viewer: Viewer, images: list[Image], write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    shape = images[0].data.shape
    viewer.layers.clear()
    viewer.open(write(tmp_path / "anterior.tif", shape), plugin="napari")
    (labels,) = labels_in(viewer)
    np.testing.assert_array_equal(labels.scale, [1, 1])
    viewer.open(write_nm(), plugin="napari-bonescint")
    anterior = next(layer for layer in viewer.layers if layer.name == images[0].name)
    np.testing.assert_allclose(labels.extent.world, anterior.extent.world)


def test_labels_that_the_user_made_stay_where_they_are(viewer: Viewer, images: list[Image]) -> None:
    labels = viewer.add_labels(np.zeros(images[0].data.shape, np.uint8))
    np.testing.assert_array_equal(labels.scale, [1, 1])
