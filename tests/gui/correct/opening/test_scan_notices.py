"""Warnings of the model that segments a scan while it is corrected have their buttons in the panel that corrects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari._app_model import get_app_model
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from gui.correct.correcting import Hand
from gui.correct.correcting_panel import case_of
from napari_bonescint.corrections.scan_drafts import ScanDrafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.layers.scans import can_be_scan
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget


def test_a_mirrored_view_is_told_of_and_mirrored_with_what_is_drawn(
    viewer: Viewer,
    open_correcting: Callable[..., CorrectWidget],
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    viewer.open(SAMPLES / "simulated.dcm", plugin="napari-bonescint")
    anterior, posterior = (layer for layer in viewer.layers if can_be_scan(layer))
    right = posterior.data
    posterior.data = mirrored = right[:, ::-1].copy()
    panel = open_correcting()
    store = LabelStore.create(tmp_path / "store")
    panel.controller.open(store.folder, begin=False)
    qtbot.waitUntil(lambda: panel.controller.opened is not None)
    panel.controller.loader.card = find_model(DEFAULT_MODEL)
    get_app_model().commands.execute_command("napari-bonescint.correct_this_scan").result()
    qtbot.waitUntil(lambda: bool(panel.notices.texts()))
    state = panel.controller.state
    assert isinstance(state, CorrectingScan)
    (told,) = panel.notices.texts()
    assert "not mirror images" in told
    # A stroke in the mirrored view, and a draft of it.
    labels = state.labels[1]
    hand = Hand(viewer, panel.toolbox.strokes.case)
    hand.move(1, (30, 30))
    hand.key("P", "9")
    hand.drag(1, [(30, 30), (34, 36)])
    drawn = labels.data.copy()
    assert (drawn == 9).any()
    panel.controller.keep()
    both = [np.stack([anterior.data, pixels]) for pixels in (mirrored, right)]
    before, after = (ScanDrafts.of(counts, names_regions=True) for counts in both)
    qtbot.waitUntil(lambda: before.find() is not None)
    (button,) = (each for each in panel.notices.findChildren(QPushButton) if each.text() == "Mirror the posterior view")
    assert not button.visibleRegion().isEmpty()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(posterior.data, right)
    np.testing.assert_array_equal(labels.data, drawn[:, ::-1])
    qtbot.waitUntil(lambda: isinstance(panel.controller.state, CorrectingScan) and panel.controller.state is not state)
    state = panel.controller.state
    assert panel.notices.texts() == []
    np.testing.assert_array_equal(state.layers.scan.counts, both[1])
    assert state.labels[1] is labels
    assert panel.controller.has_unsaved
    # Model, draft and label store follow the scan as it is now.
    qtbot.waitUntil(lambda: state.segmentation is not None)
    assert panel.notices.texts() == []
    panel.controller.keep()
    qtbot.waitUntil(lambda: after.find() is not None)
    assert before.find() is None
    panel.controller.save_scan()
    qtbot.waitUntil(lambda: not isinstance(panel.controller.state, CorrectingScan))
    key = case_of(panel).key
    np.testing.assert_array_equal(store.scan(key).counts, both[1])
    np.testing.assert_array_equal(store.regions(key, 1)[1], drawn[:, ::-1])
    assert panel.notices.texts() == []
