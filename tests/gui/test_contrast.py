"""Text in all panels can be read: its contrast is at least 4.5 to 1 (WCAG 2.2, criterion 1.4.3), in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabWidget,
    QWidget,
)

from gui.correct.correcting import open_case
from gui.correct.correcting_panel import open_first
from gui.measure.measuring_panel import wait_for_measures
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.widgets.text_colours import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari import Viewer
    from napari.layers import Image
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.measure.table import RecordTable

LEAST = 4.5
# Enlarged, so that strokes of letters are thicker than a pixel and show their full colour.
DETAIL = 3
FEWEST_PIXELS = 12
_TICK = 24


def luminance(colours: NDArray[np.unsignedinteger]) -> NDArray[np.float64]:
    """Relative luminance of sRGB colours, shape (n, 3), as WCAG defines it."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(pixels: NDArray[np.uint8]) -> float:
    """Contrast of a text to its background, which has the most frequent colour; pixels of shape (n, 3)."""
    codes, times = np.unique(pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32), return_counts=True)
    light = luminance(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1))
    ground = light[times.argmax()]
    ratio = (np.maximum(light, ground) + 0.05) / (np.minimum(light, ground) + 0.05)
    order = np.argsort(-ratio)
    return float(ratio[order][np.searchsorted(np.cumsum(times[order]), FEWEST_PIXELS)])


def text_of(widget: QWidget) -> str:
    """What a widget shows as text."""
    if isinstance(widget, (QLabel, QAbstractButton)):
        return widget.text()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QGroupBox):
        return widget.title()
    return widget.toPlainText() if isinstance(widget, QPlainTextEdit) else ""


def picture_of(widget: QWidget) -> NDArray[np.uint8]:
    """The widget as it is drawn, shape (y, x, 3)."""
    pixmap = QPixmap(widget.size() * DETAIL)
    pixmap.setDevicePixelRatio(DETAIL)
    pixmap.fill(Qt.GlobalColor.magenta)
    widget.render(pixmap)
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def pages(panel: QWidget) -> Iterator[str]:
    """Turn to each page of the tabs in a panel."""
    tabs = panel.findChildren(QTabWidget)
    if not tabs:
        yield ""
    for each in tabs:
        for index in range(each.count()):
            each.setCurrentIndex(index)
            QApplication.processEvents()
            yield each.tabText(index)


def faint(panel: QWidget) -> list[str]:
    """The texts of a panel with too little contrast; texts of disabled controls are exempt."""
    found = []
    for page in pages(panel):
        picture = picture_of(panel)
        for widget in panel.findChildren(QWidget):
            text = text_of(widget).strip()
            shown = widget.visibleRegion().boundingRect()
            if not text or not widget.isVisible() or not widget.isEnabled() or shown.isEmpty():
                continue
            corner = widget.mapTo(panel, shown.topLeft())
            y, x = corner.y() * DETAIL, corner.x() * DETAIL
            pixels = picture[y : y + shown.height() * DETAIL, x : x + shown.width() * DETAIL].reshape(-1, 3)
            ratio = contrast(pixels)
            if ratio < LEAST:
                found.append(f"{page}: {type(widget).__name__} {text[:40]!r}: {ratio:.1f}")
    return found


@pytest.fixture
def window(viewer: Viewer, qtbot: QtBot) -> Viewer:
    """A window that is high enough to show whole panels."""
    viewer.window._qt_window.resize(1500, 2200)
    return viewer


def both_themes(viewer: Viewer, panel: QWidget, qtbot: QtBot) -> list[str]:
    found = []
    for theme in ("dark", "light"):
        viewer.theme = theme
        QApplication.processEvents()
        found += [f"{theme} {line}" for line in faint(panel)]
    return found


def test_the_panel_that_segments_can_be_read(window: Viewer, images: list[Image], qtbot: QtBot) -> None:
    _, panel = window.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    assert both_themes(window, panel, qtbot) == []


def test_the_panel_that_corrects_can_be_read(
    window: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    open_first(qtbot, panel, store)
    panel.controller.message.emit("A store cannot be reached.", True)
    panel.controller.status.emit("The mask was not saved.", True)
    assert both_themes(window, panel, qtbot) == []


def faint_cells(table: RecordTable) -> list[str]:
    """The texts in a table with too little contrast: titles, and cells of rows that are and are not selected."""
    table.clearSelection()
    table.selectRow(1)
    QApplication.processEvents()
    found = []
    parts = [
        (table.viewport(), table.visualRect(table.model().index(row, column)), f"row {row}, column {column}")
        for row in range(table.model().rowCount())
        for column in range(table.model().columnCount())
        if table.model().index(row, column).data()
    ]
    header = table.horizontalHeader()
    parts += [
        (
            header.viewport(),
            QRect(header.sectionViewportPosition(at), 0, header.sectionSize(at), header.height()),
            f"title {at}",
        )
        for at in range(header.count())
    ]
    pictures = {widget: picture_of(widget) for widget in (table.viewport(), header.viewport())}
    for widget, cell, name in parts:
        # A tick, and the borders between titles, are no text.
        seen = cell.adjusted(_TICK if name.endswith("column 0") else 2, 2, -2, -2) & widget.rect()
        if seen.width() < 12 or seen.height() < 12:
            continue
        y, x = seen.y() * DETAIL, seen.x() * DETAIL
        pixels = pictures[widget][y : y + seen.height() * DETAIL, x : x + seen.width() * DETAIL].reshape(-1, 3)
        if contrast(pixels) < LEAST:
            found.append(f"{table.accessibleName()}, {name}: {contrast(pixels):.1f}")
    return found


def test_the_panel_that_measures_and_its_tables_can_be_read(window: Viewer, qtbot: QtBot) -> None:
    open_case(window)
    panel = open_panel(window, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    panel.measure()
    wait_for_measures(panel, qtbot)
    # So that there is a warning, and rows enough.
    panel.notice.say("The scan is saturated.", Tone.CAUTION)
    panel.notice.show()
    assert both_themes(window, panel, qtbot) == []
    for page in (panel.spots, panel.regions, panel.ratios):
        panel.tabs.setCurrentWidget(page)
        assert page.table.model().rowCount() > 1
        for theme in ("dark", "light"):
            window.theme = theme
            QApplication.processEvents()
            assert faint_cells(page.table) == [], theme


def test_the_panel_that_retrains_can_be_read(window: Viewer, qtbot: QtBot) -> None:
    _, panel = window.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    assert both_themes(window, panel, qtbot) == []
