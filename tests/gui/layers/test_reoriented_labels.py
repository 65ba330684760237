from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.gui.layers.labels import empty_labels, is_edited, put_result
from napari_bonescint.gui.layers.reoriented_labels import reorient_labels
from napari_bonescint.scan import View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels


def result(regions: np.ndarray) -> Segmentation:
    whole = regions[np.newaxis]
    return Segmentation((whole > 0).astype(np.uint8), whole, whole.astype(np.float32), "m", "0", "cpu", "CPU", "t", 1.0)


@pytest.fixture
def labels() -> Labels:
    """Labels with a model's result."""
    regions = np.zeros((30, 21), np.uint8)
    regions[5:10, 2:6] = 3
    labels = empty_labels(Image(np.ones((30, 21))))
    put_result(labels, result(regions), 0)
    return labels


def paint(labels: Labels) -> None:
    labels.selected_label, labels.brush_size = 6, 5
    labels.paint((20, 3), 6)


def fill(labels: Labels) -> None:
    labels.fill((6, 3), 8)


def set_pixels(labels: Labels) -> None:
    labels.data_setitem((np.array([1, 2]), np.array([3, 20])), np.array([4, 5], np.uint8))


MOVES = [
    View(ViewName.ANTERIOR, flipped=flipped).turned_by(turned)
    for flipped in (False, True)
    for turned in (0, 90, 180, 270)
]


@pytest.mark.parametrize("view", MOVES)
@pytest.mark.parametrize("edit", [paint, fill, set_pixels])
def test_undo_and_redo_go_on_over_the_moved_image(labels: Labels, edit: Callable[[Labels], None], view: View) -> None:
    before = labels.data.copy()
    edit(labels)
    after = labels.data.copy()
    assert not np.array_equal(before, after)
    reorient_labels(labels, view.as_shown)
    np.testing.assert_array_equal(labels.data, view.as_shown(after))
    labels.undo()
    np.testing.assert_array_equal(labels.data, view.as_shown(before))
    assert not is_edited(labels), "compared with the moved result"
    reorient_labels(labels, view.as_in_file)
    labels.redo()
    np.testing.assert_array_equal(labels.data, after)
    assert is_edited(labels)


@pytest.mark.parametrize("view", MOVES)
def test_moved_and_moved_back_is_the_same(labels: Labels, view: View) -> None:
    before = labels.data.copy()
    reorient_labels(labels, view.as_shown)
    reorient_labels(labels, view.as_in_file)
    np.testing.assert_array_equal(labels.data, before)
    labels.undo()
    assert not labels.data.any()
