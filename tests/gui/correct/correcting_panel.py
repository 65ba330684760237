"""What an annotator does with the panel "Correct masks"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

from gui.panel_actions import labels_in
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
    panel.open_store(store.folder)
    qtbot.waitUntil(lambda: panel.session is not None)
    return key_of(panel)


def key_of(panel: CorrectWidget) -> str:
    assert panel.session is not None
    return panel.session.key


def move_on(qtbot: QtBot, panel: CorrectWidget) -> str:
    before = key_of(panel)
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    qtbot.keyClick(panel.window(), Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: panel.session is not None and panel.session.key != before)
    return key_of(panel)


def masks(viewer: Viewer) -> list[Labels]:
    """The labels that are corrected, without those that help to see."""
    return [labels for labels in labels_in(viewer) if labels.name in ("anterior bones", "posterior bones")]


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
