"""The legend beside a real canvas, used by mouse and keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt

from gui.correct.correcting import Hand
from napari_bonescint.anatomy import CODES
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of, scans_to_layers
from napari_bonescint.gui.legend.widget import LegendWidget
from napari_bonescint.gui.writers import write_tiff
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QTreeWidgetItem

STALL_S = 0.05


@pytest.fixture
def sample(viewer: Viewer) -> OpenCase:
    """The simulated sample with its true mask, opened as a user does."""
    viewer.open_sample("napari-bonescint", "simulated")
    images = [layer for layer in viewer.layers if can_be_scan(layer)]
    labels = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    return OpenCase(facts_of(images[0]).scan, images, [image.contrast_limits for image in images], labels)


@pytest.fixture
def legend(viewer: Viewer, sample: OpenCase) -> LegendWidget:
    legend = LegendWidget(viewer)
    viewer.window.add_dock_widget(legend, area="right")
    viewer.reset_view()
    return legend


def rows(legend: LegendWidget) -> dict[str, QTreeWidgetItem]:
    items = [legend.tree.topLevelItem(row) for row in range(legend.tree.topLevelItemCount())]
    return {item.text(1): item for item in items}


def click(qtbot: QtBot, legend: LegendWidget, bone: str, column: int = 1) -> None:
    item = rows(legend)[bone]
    place = legend.tree.visualItemRect(item).center()
    place.setX(legend.tree.columnViewportPosition(column) + 8)
    qtbot.mouseClick(legend.tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))


def area(legend: LegendWidget, bone: str, view: int) -> float:
    return float(rows(legend)[bone].text(2 + view).replace("\u2009", ""))


def test_a_row_for_each_bone_follows_edits_and_undo(
    viewer: Viewer, sample: OpenCase, legend: LegendWidget, qtbot: QtBot
) -> None:
    y, x = sample.images[0].scale
    pixels = np.count_nonzero(sample.labels[0].data == CODES["femur"])
    assert area(legend, "femur", 0) == pytest.approx(pixels * y * x, abs=1)
    assert [legend.tree.headerItem().text(column) for column in (2, 3)] == ["ant.", "post."]
    assert legend.tree.headerItem().toolTip(2) == "anterior view"
    assert "mm²" in legend.tree.headerItem().text(1)
    where = np.nonzero(sample.labels[0].data == CODES["femur"])
    sample.labels[0].data_setitem(where, CODES["skull"])
    qtbot.waitUntil(lambda: rows(legend)["femur"].text(2) == "–")
    sample.labels[0].undo()
    qtbot.waitUntil(lambda: rows(legend)["femur"].text(2) != "–")
    for layer in sample.labels:
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: not legend.tree.isVisible())
    assert "Segment a scan" in legend.under_mouse.text()


def test_a_click_chooses_the_label_and_centres_on_the_bone(
    viewer: Viewer, sample: OpenCase, legend: LegendWidget, qtbot: QtBot
) -> None:
    for view in (0, 1):
        viewer.layers.selection.active = sample.labels[view]
        click(qtbot, legend, "skull")
        assert sample.labels[view].selected_label == CODES["skull"]
        found = np.nonzero(sample.labels[view].data == CODES["skull"])
        middle = sample.labels[view].data_to_world([(each.min() + each.max()) / 2 for each in found])
        np.testing.assert_allclose(viewer.scene.camera.center[-2:], middle)
        assert viewer.layers.selection.active is sample.labels[view]


def test_eyes_and_the_chosen_bone_alone_change_colours_and_no_pixel(
    viewer: Viewer, sample: OpenCase, legend: LegendWidget, qtbot: QtBot, tmp_path: Path
) -> None:
    before = sample.regions()
    usual = [labels.colormap.map(CODES["femur"]) for labels in sample.labels]

    def shown(bone: str) -> list[bool]:  # one view in each turn
        return [bool(labels.colormap.map(CODES[bone])[3]) for labels in sample.labels]

    def eye_of(bone: str) -> str:
        return rows(legend)[bone].toolTip(0)

    click(qtbot, legend, "ribs", column=0)
    qtbot.waitUntil(lambda: eye_of("ribs") == "Show ribs")
    qtbot.waitUntil(lambda: (shown("ribs"), shown("femur")) == ([False, False], [True, True]))
    assert legend.all_button.isEnabled()
    click(qtbot, legend, "ribs", column=0)
    qtbot.waitUntil(lambda: eye_of("ribs") == "Hide ribs")
    qtbot.waitUntil(lambda: shown("ribs") == [True, True])
    assert not legend.all_button.isEnabled()
    click(qtbot, legend, "femur")
    assert legend.only_button.text() == "Show only femur"
    qtbot.mouseClick(legend.only_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: eye_of("skull") == "Show skull")
    qtbot.waitUntil(lambda: (shown("ribs"), shown("skull"), shown("femur")) == ([False] * 2, [False] * 2, [True] * 2))
    written = write_tiff(str(tmp_path / "all.regions.tif"), [labels.as_layer_data_tuple() for labels in sample.labels])
    viewer.open(written, plugin="napari-bonescint")
    np.testing.assert_array_equal(np.stack([layer.data for layer in list(viewer.layers)[-2:]]), before)
    viewer.layers.selection.active = sample.labels[0]
    qtbot.waitUntil(legend.all_button.isEnabled)
    qtbot.mouseClick(legend.all_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: eye_of("skull") == "Hide skull")
    qtbot.waitUntil(lambda: (shown("ribs"), shown("skull")) == ([True] * 2, [True] * 2))
    np.testing.assert_array_equal([labels.colormap.map(CODES["femur"]) for labels in sample.labels], usual)
    np.testing.assert_array_equal(sample.regions(), before)


def test_the_bone_under_the_mouse_is_named_over_both_views_and_the_canvas(
    viewer: Viewer, sample: OpenCase, legend: LegendWidget
) -> None:
    hand = Hand(viewer, sample)
    overlay = viewer.canvas.overlays.text

    def says(view: int, point: Sequence[float], text: str) -> None:
        hand.move(view, point)
        assert overlay.text == text

    for active in (sample.images[0], sample.labels[1]):
        viewer.layers.selection.active = active
        for view, name in ((0, "anterior"), (1, "posterior")):
            found = np.argwhere(sample.labels[view].data == CODES["pelvis"])
            says(view, found[len(found) // 2], f"pelvis, {name}")
            assert legend.under_mouse.text() == f"pelvis, {name}"
    says(0, (2, 2), "")
    assert not overlay.visible


def test_the_scan_of_the_active_layer_is_shown(
    viewer: Viewer, sample: OpenCase, legend: LegendWidget, scan: Scan, qtbot: QtBot
) -> None:
    many = len(rows(legend))
    single = Scan(scan.counts[:1], (View(ViewName.ANTERIOR),), None)
    for data in scans_to_layers([single], [(0.0, 5000.0)]):
        viewer._add_layer_from_data(*data)
    image = next(layer for layer in reversed(viewer.layers) if type(layer) is Image)
    names = {"index": [0, 1], "name": ["background", "bone"]}
    mask = np.ones(image.data.shape, np.uint8)
    viewer.add_labels(
        mask,
        features=names,
        colormap={0: "transparent", 1: "red", None: "white"},
        translate=image.translate,
        scale=image.scale,
        units=image.units,
    )
    qtbot.waitUntil(lambda: list(rows(legend)) == ["bone"])
    assert legend.tree.headerItem().text(2) == "anterior, pixels"
    assert area(legend, "bone", 0) == mask.size
    viewer.layers.selection.active = sample.images[1]
    qtbot.waitUntil(lambda: len(rows(legend)) == many)


def test_an_update_takes_less_than_a_stall(viewer: Viewer, sample: OpenCase, legend: LegendWidget) -> None:
    legend.refresh()
    start = time.thread_time()
    legend.refresh()
    assert time.thread_time() - start < STALL_S
