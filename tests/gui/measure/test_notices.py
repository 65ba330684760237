"""Warnings about the scan that is read have their buttons in the panel "Measure", too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QPushButton

from gui.measure.measuring_panel import wait_for_measures
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.scan import NO_SPACING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.measure.panel import MeasureWidget


def press(panel: MeasureWidget, text: str, qtbot: QtBot) -> None:
    def found() -> list[QPushButton]:
        buttons = panel.notices.findChildren(QPushButton)
        return [each for each in buttons if each.text() == text and not each.visibleRegion().isEmpty()]

    qtbot.waitUntil(lambda: bool(found()))
    qtbot.mouseClick(found()[0], Qt.MouseButton.LeftButton)


def test_a_mirrored_view_is_told_of_and_mirrored_where_it_was_segmented(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.open(SAMPLES / "simulated.dcm", plugin="napari-bonescint")
    posterior = [layer for layer in viewer.layers if can_be_scan(layer)][1]
    posterior.data = posterior.data[:, ::-1].copy()
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    assert panel.notices.texts() == []
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    (told,) = panel.notices.texts()
    assert "not mirror images" in told
    segmenting = open_panel(viewer, "Segment skeleton")
    assert segmenting.notices.texts() == [told]
    open_panel(viewer, "Measure")
    press(panel, "Mirror the posterior view", qtbot)
    assert facts_of(posterior).view.flipped
    assert panel.notices.texts() == segmenting.notices.texts() == []


def test_the_pixel_size_is_asked_for_where_its_field_is(
    viewer: Viewer, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    viewer.open(write_nm(PixelSpacing=None), plugin="napari-bonescint")
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(lambda: panel.notices.texts() == [NO_SPACING])
    press(panel, "Set the pixel size …", qtbot)
    segmenting = open_panel(viewer, "Segment skeleton")
    (field,) = segmenting.rows.findChildren(QDoubleSpinBox)
    assert segmenting.window().focusWidget() is field
    field.setValue(2.5)
    qtbot.waitUntil(lambda: panel.notices.texts() == [])
