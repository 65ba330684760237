"""Unsaved work in the panel "Correct masks" survives whatever happens, in a real window."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from gui.correct.correcting_panel import (
    case_of,
    close_dock,
    draw,
    is_open,
    key_of,
    masks,
    move_on,
    open_first,
)
from gui.panel_actions import answer
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.queue import queue_of_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.scan import Scan


CRASHES = Path(__file__).parents[3] / "benchmarks" / "napari_crashes.py"


def test_work_left_by_a_closed_panel_is_offered_by_the_next_one(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key = open_first(qtbot, panel, store)
    draw(viewer)
    drawn = masks(viewer)[0].data.copy()
    close_dock(viewer, panel, qtbot)
    viewer.layers.clear()
    again = open_correcting()
    qtbot.waitUntil(lambda: again.drafts.isVisible())
    assert key in again.drafts.text.text()
    assert not is_open(again)
    qtbot.mouseClick(again.drafts.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_open(again))
    assert key_of(again) == key
    np.testing.assert_array_equal(masks(viewer)[0].data, drawn)
    assert not again.drafts.isVisible()
    assert again.controller.has_unsaved
    assert store.revisions(key) == []


def sign(qtbot: QtBot, panel: CorrectWidget, name: str) -> None:
    panel.saving.name.clear()
    qtbot.keyClicks(panel.saving.name, name)
    qtbot.keyClick(panel.saving.name, Qt.Key.Key_Return)


def test_whoever_signs_is_offered_their_own_drafts_and_discards_no_others(
    store: LabelStore, scan: Scan, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    mask = np.ones(scan.counts.shape, np.uint8)
    first, second, last = (item.name for item in queue_of_store(store))
    for case, annotator in ((second, "AB"), (last, "AB"), (last, "CD")):
        Drafts(store).save(case, annotator, mask, Origin.empty())
    panel = open_correcting()
    assert open_first(qtbot, panel, store) == first
    assert "(1 more)" in panel.drafts.text.text()
    sign(qtbot, panel, "CD")
    qtbot.waitUntil(lambda: "more" not in panel.drafts.text.text())
    assert f"unsaved work on {last}" in panel.drafts.text.text()
    qtbot.mouseClick(panel.drafts.discard_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.drafts.isVisible())
    assert [draft.case for draft in Drafts(store).waiting("AB")] == sorted([second, last])
    assert Drafts(store).waiting("CD") == []
    sign(qtbot, panel, "EF")
    qtbot.waitUntil(lambda: panel.controller.annotator == "EF")
    assert not panel.drafts.isVisible()


def test_whoever_signs_gets_back_their_draft_of_the_case_that_is_open(
    viewer: Viewer, store: LabelStore, scan: Scan, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    mask = np.full(scan.counts.shape, 5, np.uint8)
    panel = open_correcting()
    first = open_first(qtbot, panel, store)
    Drafts(store).save(first, "CD", mask, Origin.empty())
    sign(qtbot, panel, "CD")
    qtbot.waitUntil(lambda: panel.controller.has_unsaved)
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), mask)
    assert store.revisions(first) == []


def test_a_draft_that_was_discarded_does_not_come_back_with_the_case_read_ahead(
    viewer: Viewer, store: LabelStore, scan: Scan, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    first, second, _ = (item.name for item in queue_of_store(store))
    Drafts(store).save(second, "AB", np.full(scan.counts.shape, 5, np.uint8), Origin.empty())
    panel = open_correcting()
    assert open_first(qtbot, panel, store) == first
    panel._background.run(lambda: None, lambda _: None, pytest.fail).result(30)  # the next case was read
    QApplication.processEvents()
    qtbot.mouseClick(panel.drafts.discard_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.drafts.isVisible())
    assert move_on(qtbot, panel) == second
    prediction = store.prediction(second)
    assert prediction is not None
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), prediction.regions)
    assert not panel.controller.has_unsaved


def test_closing_napari_and_discarding_leaves_neither_revision_nor_draft(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget
) -> None:
    key = key_of(panel)
    draw(viewer)
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    answer("Discard")
    window.close()
    assert not window.isVisible()
    assert store.revisions(key) == []
    assert Drafts(store).waiting("AB") == []


def test_a_change_is_a_draft_within_five_seconds_and_undo_still_works(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    key = key_of(panel)
    before = masks(viewer)[0].data.copy()
    draw(viewer)
    with qtbot.waitSignal(case_of(panel).kept, timeout=5000):
        pass
    draft = Drafts(store).find(key, "AB")
    assert draft is not None
    np.testing.assert_array_equal(draft.regions[0], masks(viewer)[0].data)
    masks(viewer)[0].undo()
    np.testing.assert_array_equal(masks(viewer)[0].data, before)
    qtbot.waitUntil(lambda: Drafts(store).find(key, "AB") is None)


@pytest.mark.skipif(os.name == "nt", reason="the display of the tests is not passed on there")
def test_a_napari_killed_after_strokes_is_followed_by_one_that_offers_them() -> None:
    # With this seed it is killed 7.6 s after the first stroke, while it draws more.
    ended = subprocess.run(
        [sys.executable, CRASHES, "--kills", "1", "--seed", "2"], capture_output=True, text=True, timeout=600
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    found = re.match(r"(\d+) strokes drawn, (\d+) offered", ended.stdout)
    assert found is not None
    assert int(found[2]) > 0


def test_a_draft_is_written_while_one_draws_without_a_pause(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    key = key_of(panel)
    kept: list[bool] = []
    case_of(panel).kept.connect(lambda: kept.append(True))
    codes = iter(range(200))

    def draw_until_kept() -> bool:
        draw(viewer, 1 + next(codes) % 16)
        return bool(kept)

    # A change every 50 ms: counted from the last one, a draft would never be written.
    qtbot.waitUntil(lambda: (qtbot.wait(50), draw_until_kept())[1], timeout=5000)
    assert Drafts(store).find(key, "AB") is not None


def test_a_draft_that_cannot_be_written_is_one_sentence_and_is_written_with_the_next_change(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    key = key_of(panel)
    elsewhere = store.folder.rename(store.folder.with_name("elsewhere"))
    draw(viewer, 13)
    with qtbot.waitSignal(case_of(panel).failed) as failure:
        panel.controller.keep()
    assert failure.args is not None
    assert failure.args[0] in panel.saving.status.text()
    assert "stay in the layers" in panel.saving.status.text()
    elsewhere.rename(store.folder)
    draw(viewer, 14)
    with qtbot.waitSignal(case_of(panel).kept):
        pass
    draft = Drafts(store).find(key, "AB")
    assert draft is not None
    np.testing.assert_array_equal(draft.regions[0], masks(viewer)[0].data)
    assert "Not saved yet; draft of" in panel.saving.status.text()
