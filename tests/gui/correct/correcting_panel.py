"""What an annotator does with the panel "Correct masks"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from gui.panel_actions import labels_in
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.scan import Scan


def open_first(qtbot: QtBot, panel: CorrectWidget, store: LabelStore) -> str:
    """Open a store, and wait for its first case."""
    panel.controller.open(store.folder)
    qtbot.waitUntil(lambda: is_open(panel))
    return key_of(panel)


def is_open(panel: CorrectWidget) -> bool:
    """Whether a case is being corrected."""
    return isinstance(panel.controller.state, Correcting)


def case_of(panel: CorrectWidget) -> Correcting:
    """The case that is being corrected."""
    assert isinstance(panel.controller.state, Correcting)
    return panel.controller.state


def key_of(panel: CorrectWidget) -> str:
    return case_of(panel).key


def move_on(qtbot: QtBot, panel: CorrectWidget) -> str:
    before = key_of(panel)
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    qtbot.keyClick(panel.window(), Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) != before)
    return key_of(panel)


def close_dock(viewer: Viewer, panel: CorrectWidget, qtbot: QtBot) -> None:
    """Close a panel by the cross of its dock."""
    (dock,) = [dock for dock in viewer.window._qt_window.findChildren(QDockWidget) if dock.widget() is panel]
    qtbot.mouseClick(dock.title.close_button, Qt.MouseButton.LeftButton)


def masks(viewer: Viewer) -> list[Labels]:
    """The labels that are corrected, without those that help to see."""
    return [labels for labels in labels_in(viewer) if labels.name.endswith((" anterior bones", " posterior bones"))]


def draw(viewer: Viewer, code: int = 13) -> None:
    """Paint a square, as a brush does: one step that Undo takes back."""
    labels = masks(viewer)[0]
    labels.data_setitem(tuple(np.mgrid[5:15, 5:15].reshape(2, -1)), code)


def prediction_of(scan: Scan, certainty: float) -> Segmentation:
    """What a model could say of the `scan` of these tests: a bar of thoracic spine."""
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:110, 25:40] = 3
    bone = (regions > 0).astype(np.uint8)
    probability = np.where(bone, certainty, 1 - certainty).astype(np.float32)
    return Segmentation(bone, regions, probability, "tiny", "0" * 64, "cpu", "CPU: test", "torch", 0.1)
