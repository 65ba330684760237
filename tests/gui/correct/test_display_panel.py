from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Labels

from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.store.difference_maps import ADDED, RELABELLED, REMOVED
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.display_panel import DisplayPanel
from napari_bonescint.gui.layers.labels import all_labels_of
from napari_bonescint.gui.layers.scans import can_be_scan

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from gui.correct.correcting import Hand
    from napari_bonescint.gui.correct.open_case import OpenCase


@pytest.fixture
def aids(viewer: Viewer, case: OpenCase) -> DisplayPanel:
    aids = DisplayPanel(viewer)
    viewer.window.add_dock_widget(aids, area="right")
    viewer.reset_view()
    aids.set_case(case)
    return aids


def middle(case: OpenCase, view: int, code: int, side: slice) -> tuple[int, int]:
    """A pixel of a region within some columns."""
    rows, columns = np.nonzero(case.labels[view].data[:, side] == code)
    return int(rows[len(rows) // 2]), int(columns[len(rows) // 2]) + (side.start or 0)


def test_one_key_shows_outline_fill_and_nothing(aids: DisplayPanel, case: OpenCase, hand: Hand) -> None:
    seen = []
    hand.move(0, (300, 128))
    for _ in range(3):
        hand.key("C")
        seen.append({(layer.visible, layer.contour) for layer in case.labels})
    assert [{shown for shown, _ in layers} for layers in seen] == [{True}, {False}, {True}]
    assert (seen[0], seen[2]) == ({(True, 1)}, {(True, 0)})


def test_the_difference_to_the_model_follows_the_mask_and_its_undo(
    viewer: Viewer, aids: DisplayPanel, case: OpenCase, hand: Hand, qtbot: QtBot
) -> None:
    hand.move(0, (300, 128))
    hand.key("Y")
    shown = viewer.layers["simulated anterior against model"]
    assert isinstance(shown, Labels)
    assert not shown.data.any()
    bone = np.argwhere(case.labels[0].data == CODES["femur"])[:2]
    where = np.concatenate([bone, [[900, 128]]])
    case.labels[0].data_setitem(tuple(where.T), np.array([0, CODES["pelvis"], CODES["foot"]], np.uint8))
    qtbot.waitUntil(lambda: shown.data.any())
    assert list(shown.data[tuple(where.T)]) == [REMOVED, RELABELLED, ADDED]
    case.labels[0].undo()
    qtbot.waitUntil(lambda: not shown.data.any())


def test_aids_are_no_views_of_a_scan_nor_its_labels_and_go(
    viewer: Viewer, aids: DisplayPanel, case: OpenCase, hand: Hand
) -> None:
    hand.move(0, (300, 128))
    active = viewer.layers.selection.active
    hand.key("Y", "I")
    assert len(viewer.layers) == 8
    assert [layer for layer in viewer.layers if can_be_scan(layer)] == case.images
    assert all_labels_of(viewer.layers, case.images[0]) == [case.labels[0]]
    assert viewer.layers.selection.active is active
    aids.set_case(None)
    assert list(viewer.layers) == [*case.images, *case.labels]
    assert "bonescint same place" not in viewer.scene.overlays
    assert not viewer.mouse_move_callbacks
    assert not viewer.keymap


def test_what_is_under_the_mouse_is_read_with_the_patients_side(aids: DisplayPanel, case: OpenCase, hand: Hand) -> None:
    for view, image_left in ((0, "right"), (1, "left")):
        for side, said in (
            (slice(0, 100), image_left),
            (slice(140, 256), "left" if image_left == "right" else "right"),
        ):
            row, column = middle(case, view, CODES["lower_leg"], side)
            hand.move(view, (row, column))
            text = aids.under_mouse.text()
            assert f"<b>lower leg</b>, patient's {said}" in text
            # The mouse hits whole pixels of the screen; which of the scan that is, the text says.
            row, column = (int(number) for number in re.findall(r"(\d+), (\d+)$", text)[0])
            assert f"{case.images[view].data[row, column]} counts" in text


def test_a_cross_marks_the_same_place_mirrored_in_the_other_view(
    viewer: Viewer, aids: DisplayPanel, case: OpenCase, hand: Hand
) -> None:
    hand.move(0, (300, 60))
    cross = viewer.scene.overlays["bonescint same place"]
    vertical, horizontal = np.array(cross.lines).reshape(2, 2, 2)
    centre = vertical.mean(axis=0)
    np.testing.assert_allclose(centre, horizontal.mean(axis=0))
    np.testing.assert_allclose(
        case.point(1, centre), (300, 255 - 60), atol=2
    )  # the mouse hits whole pixels of a screen
    hand.key("J")
    assert not cross.visible


def test_windows_by_slider_and_key(aids: DisplayPanel, case: OpenCase, hand: Hand) -> None:
    usual = [contrast_limits(image.data)[1] for image in case.images]
    hand.move(0, (300, 128))
    seen = []
    for _ in range(3):
        hand.key("W")
        seen.append([image.contrast_limits[1] / high for image, high in zip(case.images, usual, strict=True)])
    np.testing.assert_allclose(seen, [[3.0, 3.0], [0.4, 0.4], [1.0, 1.0]])
    aids.brightness.width.value = 150
    assert case.images[1].contrast_limits[1] == pytest.approx(1.5 * usual[1])
