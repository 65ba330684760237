from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from gui.correct.correcting_panel import case_of, is_open, key_of
from gui.panel_actions import answer, labels_in
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.common.run import ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.correct.revision_dialog import RevisionDialog

_CODE = 3


def open_dialog(qtbot: QtBot, panel: CorrectWidget, store: LabelStore) -> tuple[str, RevisionDialog]:
    """Open all masks of the case of which the model is least sure: the model's, and one of each of two annotators."""
    key = min(store.cases(), key=lambda case: case.predicted_dice or 0).key
    mask = np.zeros(store.scan(key).counts.shape, np.uint8)
    mask[:, 20:60, 25:40] = _CODE
    store.save(key, mask, Origin.empty(), annotator="AB", reviewed=False)
    mask[:, 40:60] = 0
    store.save(key, mask, Origin.empty(), annotator="CD", reviewed=True)
    panel.controller.open(store.folder)
    qtbot.waitUntil(lambda: is_open(panel))
    item = case_of(panel).queue.of_case(key)
    assert item is not None
    panel.controller.go_to(item)
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) == key)
    dialog = panel.show_revisions()
    assert dialog is not None
    return key, dialog


def test_masks_are_looked_at_compared_copied_and_restored(
    viewer: Viewer, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key, dialog = open_dialog(qtbot, panel, store)
    qtbot.waitUntil(lambda: "AB (revision 1) and CD (revision 2) agree: Dice 0.667" in dialog.sentence.text())
    assert dialog.regions.topLevelItem(0).text(2) == str(2 * 20 * 15)
    assert not dialog.restore_button.isEnabled()

    dialog.select([entry for _, entry in dialog._rows if entry.title == "revision 1"])
    qtbot.waitUntil(lambda: dialog.sentence.text().startswith("revision 1."))
    picture = dialog.picture.pixmap().toImage()
    scale = picture.height() / 131
    shown = picture.pixelColor(round(32 * scale), round(50 * scale))
    assert abs(shown.hue() - QColor(REGIONS[_CODE].colour).hue()) <= 8

    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: str(case_of(panel).origin) == "revision 1")
    assert len(store.revisions(key)) == 2

    dialog = panel.show_revisions()
    assert dialog is not None
    dialog.select([entry for _, entry in dialog._rows if entry.title == "revision 1"])
    with qtbot.waitSignal(case_of(panel).saved):
        qtbot.mouseClick(dialog.restore_button, Qt.MouseButton.LeftButton)
    third = store.revisions(key)[-1]
    assert (third.number, third.reviewed, third.comment) == (3, False, "Restored from revision 1.")
    np.testing.assert_array_equal(store.regions(key, 3), store.regions(key, 1))
    labels = [layer for layer in labels_in(viewer) if layer.name.endswith("bones")]
    np.testing.assert_array_equal(np.stack([layer.data for layer in labels]), store.regions(key, 1))


@pytest.mark.parametrize(
    ("annotator", "answers"),
    [
        pytest.param("CD", {None: True}, id="by the reviewer"),
        pytest.param(
            "AB",
            {"Cancel": None, "Restore, not reviewed": False, "Restore as reviewed": True},
            id="by another annotator",
        ),
    ],
)
def test_a_reviewed_mask_stays_reviewed_if_its_reviewer_restores_it_and_else_the_panel_asks(
    annotator: str,
    answers: dict[str | None, bool | None],
    store: LabelStore,
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    panel = open_correcting(annotator)
    key, dialog = open_dialog(qtbot, panel, store)
    for said, reviewed in answers.items():
        before = len(store.revisions(key))
        dialog = panel.show_revisions()
        assert dialog is not None
        dialog.select([entry for _, entry in dialog._rows if entry.title == "revision 2"])
        if said is not None:
            answer(said)
        with qtbot.waitSignal(dialog.finished):
            qtbot.mouseClick(dialog.restore_button, Qt.MouseButton.LeftButton)
        panel._background.run(lambda: None, ignore, pytest.fail).result(30)
        if reviewed is None:
            assert len(store.revisions(key)) == before
            continue
        last = store.revisions(key)[-1]
        assert (last.number, last.annotator, last.reviewed) == (before + 1, annotator, reviewed)
        assert (str(last.origin), last.comment) == ("revision 2", "Restored from revision 2, reviewed by CD.")
        np.testing.assert_array_equal(store.regions(key, last.number), store.regions(key, 2))
        state = "reviewed" if reviewed else "corrected"
        qtbot.waitUntil(lambda state=state: case_of(panel).queue.latest(case_of(panel).item).state == state)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_window_that_is_closed_while_masks_are_read_shows_nothing_more(
    damaged: bool, store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    key, dialog = open_dialog(qtbot, panel, store)
    dialog.close()
    if damaged:
        for path in store.files(key).folder.glob("*.tif"):
            path.write_bytes(b"damaged")
    gate, gone, done = Event(), [], []
    panel._background.run(gate.wait, ignore, pytest.fail)
    dialog = panel.show_revisions()
    assert dialog is not None
    dialog.destroyed.connect(lambda: gone.append(True))
    dialog.close()
    qtbot.waitUntil(lambda: bool(gone))
    gate.set()
    panel._background.run(lambda: None, done.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(done))
