"""Cases of a label store: what a reader decided on their hot spots is kept there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

from gui.correct.correcting_panel import key_of, move_on, open_first
from gui.measure.measuring_panel import wait_for_measures
from napari_bonescint.corrections.hot_spot_drafts import any_drafts
from napari_bonescint.corrections.store.records.revision import OriginKind
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.measure.panel import MeasureWidget


def anterior(viewer: Viewer) -> Labels:
    layer: Labels = next(layer for layer in viewer.layers if layer.name.endswith("anterior hot spots"))
    return layer


def test_hot_spots_of_a_case_are_saved_as_a_revision_and_shown_with_the_case(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    correct = open_correcting()
    case = open_first(qtbot, correct, store)
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(lambda: panel.button.isEnabled() and panel.save_button.isVisible())
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    found = len(panel.spots.table.shown)
    anterior(viewer).data_setitem(tuple(np.mgrid[60:64, 30:34].reshape(2, -1)), anterior(viewer).selected_label)
    qtbot.waitUntil(lambda: len(panel.spots.table.shown) == found + 1)
    wait_for_measures(panel, qtbot)
    drawn = panel.spots.table.shown[-1] if found == 0 else max(panel.spots.table.shown, key=lambda spot: spot.id)
    assert drawn.verdict.by_reader
    index, pixels = panel.headline.index.text(), anterior(viewer).data.copy()
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved as revision 1" in panel.status.text())
    assert not panel.controller.unsaved
    (saved,) = store.hot_spot_revisions(case)
    assert saved.annotator == "AB"
    assert saved.origin.kind is OriginKind.MODEL
    assert saved.mask.model == "tiny"
    assert [spot.suspicious for spot in saved.spots if spot.by_reader] == [True]
    np.testing.assert_array_equal(store.hot_spots(case, 1)[0], pixels)

    # Unsaved decisions on a case that is left become a draft; the next case has no hot spots yet.
    anterior(viewer).data_setitem(tuple(np.mgrid[90:94, 30:34].reshape(2, -1)), anterior(viewer).selected_label)
    unsaved = anterior(viewer).data.copy()
    assert move_on(qtbot, correct) != case
    qtbot.waitUntil(lambda: panel.button.text() == "Measure")
    assert panel.headline.index.text() == "–"
    qtbot.waitUntil(any_drafts)
    # Back at the first case they are shown at once, without a click, and can be saved.
    correct.window().activateWindow()
    qtbot.keyClick(correct.window(), Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: key_of(correct) == case)
    wait_for_measures(panel, qtbot)
    np.testing.assert_array_equal(anterior(viewer).data, unsaved)
    assert "were restored" in panel.status.text()
    assert float(panel.headline.index.text()) > float(index)
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved as revision 2" in panel.status.text())
    assert store.hot_spot_revisions(case)[-1].origin.revision == 1
    assert not any_drafts()
