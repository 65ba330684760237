from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QToolButton

from gui.panel_actions import PATIENCE_MS, click, click_and_wait, labels_in
from napari_bonescint.gui.layers.scans import facts_of, scans_to_layers
from napari_bonescint.scan import View, ViewName, ViewSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget
    from napari_bonescint.scan import Scan


def test_no_view_can_be_edited_while_it_runs(
    images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    mirror = panel.rows.findChildren(QToolButton)[0]
    click(qtbot, panel)
    assert not mirror.isEnabled()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert panel.rows.isEnabled()


def test_only_checked_layers_are_segmented(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    panel.rows.check_only([images[1]])
    click_and_wait(qtbot, panel)
    assert [layer.name for layer in labels_in(viewer)] == ["scan posterior bones"]


def choosers(panel: SegmentWidget) -> list[QComboBox]:
    """The choices of view, in the order of the rows."""
    return panel.rows.findChildren(QComboBox)


def choose(chooser: QComboBox, view: str) -> None:
    """Choose a view as a click does."""
    chooser.setCurrentIndex(["anterior", "posterior"].index(view))
    chooser.activated.emit(chooser.currentIndex())


def test_a_view_that_the_file_names_can_be_overruled(
    images: list[Image], open_panel: Callable[..., SegmentWidget]
) -> None:
    panel = open_panel()
    assert [each.currentText() for each in choosers(panel)] == ["anterior", "posterior"]
    choose(choosers(panel)[0], "posterior")
    assert [facts_of(image).view.name for image in images] == ["posterior", "anterior"]
    assert [facts_of(image).view.source for image in images] == [ViewSource.OVERRULED] * 2
    assert "the file names the opposite" in choosers(panel)[0].toolTip()


def test_the_mouse_wheel_overrules_no_file(images: list[Image], open_panel: Callable[..., SegmentWidget]) -> None:
    chooser = choosers(open_panel())[0]
    where = QPointF(chooser.rect().center())
    turn = QWheelEvent(
        where,
        where,
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(chooser, turn)
    assert facts_of(images[0]).view == View(ViewName.ANTERIOR)


def test_two_scans_of_one_study_that_are_both_anterior_are_asked_about(
    viewer: Viewer, scan: Scan, open_panel: Callable[..., SegmentWidget]
) -> None:
    single = replace(scan, counts=scan.counts[:1], views=scan.views[:1], study="one")
    other = replace(single, study="another")
    for data in scans_to_layers([single, replace(single), other]):
        viewer._add_layer_from_data(*data)
    panel = open_panel()

    def asked() -> list[bool]:
        return [each.currentText().endswith("?") for each in choosers(panel)]

    def hints() -> list[str]:
        return [told for told in panel.notices.texts() if "one study" in told]

    assert asked() == [True, True, False]
    assert len(hints()) == 2
    choose(choosers(panel)[0], "anterior")
    assert asked() == [False, True, False]
    choose(choosers(panel)[1], "posterior")
    assert asked() == [False, False, False]
    assert hints() == []


def test_a_long_name_makes_the_panel_no_wider(viewer: Viewer, open_panel: Callable[..., SegmentWidget]) -> None:
    panel = open_panel()
    before = panel.minimumSizeHint().width()
    viewer.add_image(np.ones((40, 20)), name="a-very-long-name-of-a-file-" * 8)
    assert panel.minimumSizeHint().width() <= max(before, 320)
