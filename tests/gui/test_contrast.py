"""Text in all panels can be read: its contrast is at least 4.5 to 1 (WCAG 2.2, criterion 1.4.3), in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.utils.theme import get_theme
from qtpy.QtCore import QAbstractItemModel, QAbstractListModel, QItemSelectionModel, QModelIndex, QRect, Qt
from qtpy.QtGui import QColor, QImage, QPixmap
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTabBar,
    QTabWidget,
    QWidget,
)

from gui.archive.listed import ARCHIVE, open_with_studies
from gui.correct.correcting import open_case
from gui.correct.correcting_panel import open_first
from gui.measure.measuring_panel import wait_for_measures
from gui.retrain.verdicts import VERDICT
from napari_bonescint.corrections.checks import Finding
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.common.settings import Setting, remember_folders
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog
from napari_bonescint.gui.export.export_dialog import open_export
from napari_bonescint.gui.layers import drawing
from napari_bonescint.gui.widgets.text_colours import Tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget

LEAST = 4.5
# Enlarged, so that strokes of letters are thicker than a pixel and show their full colour.
DETAIL = 3
FEWEST_PIXELS = 12
_TICK = 24
# Too narrow for a letter.
_SMALLEST = 12
_FINDING = Finding("missing", "The sternum is missing in the anterior view.", 0, (3, 3), 7)


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


Texts = Iterator[tuple[str, QRect]]


def texts_in(widget: QWidget) -> Texts:
    """The texts that a widget shows, each with its place in the widget."""
    if isinstance(widget, QHeaderView):
        yield from titles_in(widget)
    elif isinstance(widget, QAbstractItemView):
        yield from cells_in(widget)
    elif isinstance(widget, QTabBar):
        yield from ((widget.tabText(at), widget.tabRect(at)) for at in range(widget.count()))
    else:
        yield text_of(widget), widget.rect()


def text_of(widget: QWidget) -> str:
    if isinstance(widget, (QLabel, QAbstractButton)):
        return widget.text()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QGroupBox):
        return widget.title()
    if isinstance(widget, QProgressBar):
        return widget.text() if widget.isTextVisible() else ""
    return widget.toPlainText() if isinstance(widget, QPlainTextEdit) else ""


def titles_in(header: QHeaderView) -> Texts:
    if header.orientation() is Qt.Orientation.Horizontal:
        for at in range(header.count()):
            place = QRect(header.sectionViewportPosition(at), 0, header.sectionSize(at), header.height())
            # The borders between titles are no text.
            yield str(header.model().headerData(at, header.orientation()) or ""), place.adjusted(2, 2, -2, -2)


def cells_in(view: QAbstractItemView) -> Texts:
    corner = view.viewport().geometry().topLeft()
    shown = view.viewport().rect()
    for index in indices(view.model(), QModelIndex()):
        cell = view.visualRect(index).adjusted(2, 2, -2, -2)
        # Nor are ticks and pictures.
        if index.data(Qt.ItemDataRole.CheckStateRole) is not None or index.data(Qt.ItemDataRole.DecorationRole):
            cell.setLeft(cell.left() + _TICK)
        yield str(index.data() or ""), (cell & shown).translated(corner)


def indices(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[QModelIndex]:
    for row in range(model.rowCount(parent)):
        columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
        yield from (model.index(row, column, parent) for column in range(columns))
        yield from indices(model, model.index(row, 0, parent))


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
            if not widget.isVisible() or not widget.isEnabled():
                continue
            for text, place in texts_in(widget):
                shown = place & widget.visibleRegion().boundingRect()
                if not text.strip() or shown.width() < _SMALLEST or shown.height() < _SMALLEST:
                    continue
                corner = widget.mapTo(panel, shown.topLeft())
                y, x = corner.y() * DETAIL, corner.x() * DETAIL
                pixels = picture[y : y + shown.height() * DETAIL, x : x + shown.width() * DETAIL].reshape(-1, 3)
                ratio = contrast(pixels)
                if ratio < LEAST:
                    found.append(f"{page}: {type(widget).__name__} {text[:40]!r}: {ratio:.1f}")
    return found


def select_rows(panel: QWidget, row: int) -> None:
    """Select a row in each list and table, since a selected one has other colours."""
    flags = QItemSelectionModel.SelectionFlag
    for view in panel.findChildren(QAbstractItemView):
        if view.selectionModel() is not None and not isinstance(view, QHeaderView):
            view.selectionModel().select(view.model().index(row, 0), flags.ClearAndSelect | flags.Rows)


@pytest.fixture
def window(viewer: Viewer, qtbot: QtBot) -> Viewer:
    """A window that is high enough to show whole panels."""
    viewer.window._qt_window.resize(1500, 2200)
    return viewer


def both_themes(viewer: Viewer, panel: QWidget) -> list[str]:
    found = []
    for theme in ("dark", "light"):
        viewer.theme = theme
        for row in (0, 1):
            select_rows(panel, row)
            QApplication.processEvents()
            found += [f"{theme} {line}" for line in faint(panel)]
    return list(dict.fromkeys(found))


def test_the_panel_that_segments_and_its_dialog_can_be_read(window: Viewer, qtbot: QtBot) -> None:
    open_case(window)
    _, panel = window.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    panel.bar.setVisible(True)
    qtbot.waitUntil(lambda: panel.page.legend.tree.topLevelItemCount() > 2)
    assert both_themes(window, panel) == []
    dialog = open_export(window)
    assert dialog is not None
    dialog.message.setText("Nothing was exported.")
    assert both_themes(window, dialog) == []
    dialog.reject()


def test_the_panel_that_corrects_and_its_dialogs_can_be_read(
    window: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    open_first(qtbot, panel, store)
    panel.controller.message.emit("A store cannot be reached.", True)
    panel.controller.status.emit("The mask was not saved.", True)
    panel.checks.checked.emit(panel.checks._case, [_FINDING] * 2)
    assert both_themes(window, panel) == []
    revisions = panel.show_revisions()
    qtbot.waitUntil(lambda: revisions.regions.topLevelItemCount() > 0 or not revisions.picture.pixmap().isNull())
    places = StoreDialog(panel, store.folder, "A label store is a folder of its own.")
    places.show()
    for dialog in (revisions, places):
        assert both_themes(window, dialog) == []
        dialog.close()


def test_the_panel_that_measures_and_its_dialog_can_be_read(window: Viewer, qtbot: QtBot) -> None:
    open_case(window)
    window.open_sample("napari-bonescint", "simulated")  # to compare with
    panel = open_panel(window, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    panel.tabs.setCurrentWidget(panel.prior)
    panel.prior.page.button.click()
    qtbot.waitUntil(lambda: panel.prior.shown is not None)
    wait_for_measures(panel, qtbot)
    for spot in panel.spots.table.shown[:2]:
        panel.controller.decide(spot, suspicious=True)
    qtbot.waitUntil(lambda: panel.prior.page.table.model().rowCount() > 1)
    # So that there is a warning.
    panel.notice.say("The scan is saturated.", Tone.CAUTION)
    panel.notice.show()
    panel.bar.show()
    for page in (panel.spots, panel.regions, panel.ratios, panel.prior.page):
        assert page.table.model().rowCount() > 1
    assert both_themes(window, panel) == []
    dialog = panel.report()
    assert dialog is not None
    assert both_themes(window, dialog) == []
    dialog.reject()


def test_the_panel_that_retrains_can_be_read(window: Viewer, store: LabelStore, tmp_path: Path, qtbot: QtBot) -> None:
    remember_folders(Setting.TRAINING_STORES, [store.folder, tmp_path])
    _, panel = window.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    qtbot.waitUntil(lambda: panel.models.list.count() > 0)
    panel.verdict.show_verdict(VERDICT, tmp_path)
    assert both_themes(window, panel) == []
    panel.verdict.show_judging(3, 40)
    panel.tabs.setCurrentIndex(2)
    assert both_themes(window, panel) == []


def test_the_panel_of_archives_and_its_dialogs_can_be_read(window: Viewer, qtbot: QtBot) -> None:
    open_case(window)
    panel = open_with_studies(window, qtbot)
    panel.session.message.emit("The archive does not answer.", True)
    panel.bar.show()
    assert both_themes(window, panel) == []
    for open_it in (panel.send, panel.set_up):
        dialog = open_it()
        qtbot.waitUntil(lambda dialog=dialog: dialog.isVisible() and dialog.archive.value == ARCHIVE)
        assert both_themes(window, dialog) == []
        dialog.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_captions_and_letters_above_the_views_can_be_read(theme: str) -> None:
    canvas = get_theme(theme).canvas.as_rgb_tuple()
    for colours in (drawing._LETTER_COLOURS, drawing._TEXT_COLOURS):
        text = QColor(colours[theme == "light"])
        pixels = np.array([canvas[:3]] * 2 * FEWEST_PIXELS + [(text.red(), text.green(), text.blue())] * FEWEST_PIXELS)
        assert contrast(pixels.astype(np.uint8)) >= LEAST
