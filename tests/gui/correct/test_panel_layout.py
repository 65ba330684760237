"""On a small screen, every tool and six rows of the list are seen at once, and every word can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtGui import QRegion
from qtpy.QtWidgets import QApplication, QLabel, QScrollArea

from gui.correct.correcting_panel import case_of, is_open, open_first
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.correct.work_list.delegate import ROW_HEIGHT
from napari_bonescint.gui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget

SMALL = (1366, 768)


def is_whole(widget: QWidget) -> bool:
    """Whether nothing of a widget is hidden or scrolled away."""
    return bool(widget.isVisible()) and QRegion(widget.rect()).subtracted(widget.visibleRegion()).isEmpty()


def test_pages_that_are_not_seen_are_made_after_the_window_has_answered(
    viewer: Viewer, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    pages = [panel.tabs.widget(index) for index in range(panel.tabs.count())]
    assert [page.widget() for page in pages] == [None] * 4
    assert not {"toolbox", "aids", "legend", "checks", "models"} & set(vars(panel))
    qtbot.waitUntil(lambda: pages[-1].widget() is panel.models)
    assert pages[1].widget().isAncestorOf(panel.legend)
    assert pages[2].widget() is panel.checks
    qtbot.waitUntil(lambda: panel.controller.loader.card is panel.models.card)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_tool_and_six_rows_are_seen_without_scrolling(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot, theme: str
) -> None:
    viewer.theme = theme
    viewer.window._qt_window.resize(*SMALL)
    panel = open_correcting()
    open_first(qtbot, panel, store)
    QApplication.processEvents()
    window = viewer.window._qt_window
    assert (window.width(), window.height()) == SMALL
    for button in (*panel.toolbox.region_buttons.values(), *panel.toolbox.tool_buttons.values()):
        assert is_whole(button), button.objectName()
        (name,) = button.findChildren(ElidedLabel)
        assert name.shown_text() == name.text()
    for part in (panel.toolbox.brush, panel.toolbox.threshold, panel.saving, panel.opener.button, panel.list.place):
        assert is_whole(part)
    assert panel.list.view.viewport().height() >= 6 * ROW_HEIGHT
    areas = [area for area in panel.findChildren(QScrollArea) if area.isVisible()]
    assert [area.verticalScrollBar().maximum() for area in areas] == [0] * len(areas)
    # None lies within another one.
    assert not any(area.isAncestorOf(other) for area in areas for other in areas if other is not area)
    # The tab View asks once, not twice, to point at the scan.
    panel.tabs.setCurrentIndex(1)
    qtbot.waitUntil(panel.legend.tree.isVisible)
    seen = [label.text() for label in panel.tabs.currentWidget().findChildren(QLabel) if label.isVisible()]
    assert [text for text in seen if text.startswith("Point at")] == ["Point at the image to see region and counts."]


def test_comments_and_pictures_of_revisions_are_whole_on_a_small_screen(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key = open_first(qtbot, panel, store)
    comment = "The left scapula was drawn too wide; its lower edge is that of the eighth rib. " * 4
    mask = np.full(store.scan(key).counts.shape, 3, np.uint8)
    store.save(key, mask, Origin.empty(), annotator="AB", reviewed=False, comment=comment)
    panel.controller.open(store.folder)
    qtbot.waitUntil(lambda: is_open(panel) and len(case_of(panel).case.revisions) == 1, timeout=20_000)
    dialog = panel.show_revisions()
    qtbot.waitUntil(lambda: not dialog.picture.pixmap().isNull())
    for size in (SMALL, (900, 480)):
        dialog.resize(*size)
        QApplication.processEvents()
        assert (dialog.width(), dialog.height()) == size
        picture = dialog.picture.place()
        assert dialog.picture.rect().contains(picture)
        assert is_whole(dialog.picture)
        assert picture.height() > 0.4 * dialog.height() or picture.width() > 0.9 * dialog.picture.width()
        row = dialog.list.topLevelItem(1)
        column = dialog.list.columnCount() - 1
        assert row.text(column) == comment
        cell = dialog.list.visualRect(dialog.list.indexFromItem(row, column))
        needed = dialog.list.fontMetrics().boundingRect(0, 0, cell.width() - 12, 10_000, 0x1000, comment)
        assert cell.height() >= needed.height() > 2 * dialog.list.fontMetrics().height()
        assert cell.right() <= dialog.list.viewport().width()
    dialog.close()
