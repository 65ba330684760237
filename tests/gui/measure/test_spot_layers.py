"""Hot spots in labels layers: numbers of what a reader paints, and Undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image, Labels

from napari_bonescint.gui.layers.labels import all_labels_of
from napari_bonescint.gui.measure.spot_layers import OTHER, SUSPICIOUS, SpotLayers

if TYPE_CHECKING:
    from napari_bonescint.gui.measure.spot_layers import Edited


@pytest.fixture
def spots() -> SpotLayers:
    """One hot spot in the first of two views."""
    images = [Image(np.ones((60, 40), np.uint16), name=name, translate=(0, 50 * at)) for at, name in enumerate("ab")]
    layers = LayerList(images)
    spots = SpotLayers(layers, images)
    pixels = np.zeros((2, 60, 40), np.uint16)
    pixels[0, 10:14, 10:14] = 1
    spots.put(pixels, as_step=False)
    while spots.show_next():
        pass
    return spots


@pytest.fixture
def edits(spots: SpotLayers) -> list[Edited]:
    """What was emitted."""
    found: list[Edited] = []
    spots.edited.connect(found.append)
    return found


def test_layers_are_no_masks_and_lie_on_their_views(spots: SpotLayers) -> None:
    first, second = spots.layers
    assert [layer.name for layer in spots.layers] == ["a hot spots", "b hot spots"]
    np.testing.assert_array_equal(second.translate, (0, 50))
    layers = spots._layers
    assert not any(all_labels_of(layers, layer) for layer in layers if isinstance(layer, Image))
    assert first.selected_label == 2
    first.undo()  # what was found is no step of the history
    assert first.data.any()
    spots.colour([{1: True, 2: False}, {}], [{1: "1: ribs"}, {}])
    np.testing.assert_allclose(first.get_color(1)[:3], np.array([255, 45, 45]) / 255, atol=0.01)
    assert SUSPICIOUS != OTHER
    np.testing.assert_allclose(first.get_color(2)[:3], np.array([61, 139, 255]) / 255, atol=0.01)
    assert list(first.features["hot spot"]) == ["none", "1: ribs"]


def test_each_painted_piece_has_a_number_within_one_step_of_undo(spots: SpotLayers, edits: list[Edited]) -> None:
    first = spots.layers[0]
    before = first.data.copy()
    with first.block_history():  # as a stroke does
        first.data_setitem((np.array([30, 30]), np.array([5, 6])), 1)
        first.data_setitem((np.array([50, 51]), np.array([30, 30])), 1)
    painted = first.data.copy()
    assert painted[30, 5] != painted[50, 30]
    assert {painted[30, 5], painted[50, 30]} == {2, 3}
    assert edits[-1].drawn == {2, 3}
    assert first.selected_label == 4
    first.undo()
    np.testing.assert_array_equal(first.data, before)
    np.testing.assert_array_equal(spots.pixels()[0], before)
    first.redo()
    np.testing.assert_array_equal(first.data, painted)
    assert first.selected_label == 4
    # Outside a stroke, as by the bucket or a script.
    first.data_setitem((np.array([40]), np.array([20])), 1)
    assert first.data[40, 20] == 4
    first.undo()
    np.testing.assert_array_equal(first.data, painted)


def test_a_hot_spot_that_is_cut_becomes_two_and_undo_makes_it_one(spots: SpotLayers, edits: list[Edited]) -> None:
    first = spots.layers[0]
    before = first.data.copy()
    with first.block_history():
        for column in range(8, 16):
            first.data_setitem((np.array([11]), np.array([column])), 0)
    assert edits[-1].parents == {2: 1}
    assert first.data[10, 10] == 2
    assert first.data[13, 10] == 1
    first.undo()
    np.testing.assert_array_equal(first.data, before)
    assert not edits[-1].parents


def test_the_layers_of_a_scan_stand_together_below_those_of_others() -> None:
    images = [Image(np.ones((60, 40), np.uint16), name=name) for name in ("a", "b", "other")]
    mask = Labels(np.ones((60, 40), np.uint8), name="bones of a")
    layers = LayerList([images[0], images[1], mask, images[2]])
    spots = SpotLayers(layers, images[:2], [mask])
    while spots.show_next():
        pass
    assert [layer.name for layer in layers] == ["a", "b", "bones of a", "a hot spots", "b hot spots", "other"]
