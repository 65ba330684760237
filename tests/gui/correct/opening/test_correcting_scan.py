"""Correcting the scan that is open, without a label store, with the mouse in a real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari._app_model import get_app_model
from napari.layers import Image
from napari.utils.notifications import notification_manager
from PIL import Image as Picture
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication

from gui.correct.correcting import Hand
from gui.correct.correcting_panel import case_of
from gui.panel_actions import answer, click_and_wait, labels_in
from napari_bonescint.corrections.scan_drafts import drafts_folder
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.formats.export import Form
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.export.export_dialog import ExportDialog, open_export
from napari_bonescint.gui.placement import corners

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.segment.panel import SegmentWidget


def correct_this_scan(panel: CorrectWidget, qtbot: QtBot) -> CorrectingScan:
    """Choose the command, as from the menu Layers > Annotate or the palette."""
    get_app_model().commands.execute_command("napari-bonescint.correct_this_scan").result()
    qtbot.waitUntil(lambda: isinstance(panel.controller.state, CorrectingScan))
    return panel.controller.state


def paint(viewer: Viewer, panel: CorrectWidget) -> None:
    """Take the brush and draw a stroke of the foot in the first view."""
    case = panel.toolbox.strokes.case
    assert case is not None
    hand = Hand(viewer, case)
    hand.move(0, (30, 30))
    hand.key("P", "9")
    hand.drag(0, [(30, 30), (34, 36)])


def export(dialog: ExportDialog, qtbot: QtBot) -> None:
    """Click Export, and wait until the files are written."""
    qtbot.mouseClick(dialog.write_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.write_button.isEnabled, timeout=20_000)


def make_store(folder: Path, qtbot: QtBot) -> None:
    """Make a label store in the dialog, or open the one that is there, as soon as the dialog is there."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, StoreDialog) or not dialog.make_button.visibleRegion().contains(
            dialog.make_button.rect().center()
        ):
            QTimer.singleShot(20, answer)
            return
        dialog.place.value, dialog.name.value = folder.parent, folder.name
        qtbot.mouseClick(dialog.make_button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)


def test_an_open_scan_is_corrected_then_saved_into_a_store_and_goes_on_there(
    viewer: Viewer,
    images: list[Image],
    tmp_path: Path,
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    panel = open_correcting()
    viewer.layers.selection.active = images[1]
    state = correct_this_scan(panel, qtbot)
    before = [layer for layer in viewer.layers if isinstance(layer, Image)]
    assert before[:2] == images
    labels = list(state.labels)
    assert [layer.data.any() for layer in labels] == [False, False]
    assert panel.message.text().startswith(f"Correcting {images[0].name}, {images[1].name}, in no label store.")
    shown = {
        part: part.isVisible()
        for part in (
            panel.list,
            panel.revisions_button,
            panel.saving.reviewed_button,
            panel.saving.button,
            panel.saving.store_button,
            panel.saving.done_button,
            panel.export_button,
            panel.toolbox,
        )
    }
    assert list(shown.values()) == [False, False, False, False, True, True, True, True]
    paint(viewer, panel)
    assert (labels[0].data == 9).any()
    assert panel.saving.status.text() == "Not saved yet."
    qtbot.waitUntil(lambda: bool(list(drafts_folder().glob("*.npz"))), timeout=5000)
    make_store(tmp_path / "store", qtbot)
    drawn = labels[0].data.copy()
    qtbot.mouseClick(panel.saving.store_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not isinstance(panel.controller.state, CorrectingScan), timeout=10_000)
    case = case_of(panel)
    assert case.labels == tuple(labels)
    assert panel.saving.status.text() == f"Saved as revision 1 of case {case.key}."
    store = LabelStore.open(tmp_path / "store")
    np.testing.assert_array_equal(store.regions(case.key, 1)[0], drawn)
    assert panel.list.isVisible()
    assert panel.saving.reviewed_button.isVisible()
    assert not panel.saving.done_button.isVisible()
    assert panel.list.place.text().startswith("1 of 1")
    assert not list(drafts_folder().glob("*.npz"))
    Hand(viewer, panel.toolbox.strokes.case).undo()
    assert not labels[0].data.any()
    # The file of the open case is not opened a second time.
    number = len(viewer.layers)
    viewer.open(tmp_path / "scan.dcm", plugin="napari-bonescint")
    assert len(viewer.layers) == number
    assert viewer.layers.selection.active is labels[0]


def test_the_view_is_fitted_to_the_case_that_follows_a_scan_of_the_viewer(
    viewer: Viewer,
    images: list[Image],
    store: LabelStore,
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    panel = open_correcting()
    viewer.layers.selection.active = images[0]
    state = correct_this_scan(panel, qtbot)
    paint(viewer, panel)
    make_store(store.folder, qtbot)
    qtbot.mouseClick(panel.saving.store_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not isinstance(panel.controller.state, CorrectingScan), timeout=10_000)
    key = case_of(panel).key
    qtbot.mouseClick(panel.saving.next_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: case_of(panel).key != key)
    case = case_of(panel)
    seen = [layer for layer in viewer.layers if layer.visible]
    assert {layer.name.partition(" ")[0] for layer in seen} == {case.key[:8]}
    assert set(case.labels) < set(seen)
    assert not any(layer.visible for layer in (*images, *state.labels))
    assert viewer.layers.selection.active is case.labels[0]
    across = np.concatenate([corners(labels)[:, 1] for labels in case.labels])
    assert viewer.scene.camera.center[-1] == pytest.approx(across.mean(), abs=5)  # a pixel
    # The window is narrow beside the panel.
    assert np.ptp(across) * viewer.scene.camera.zoom > 0.85 * viewer.canvas.size[1]
    # Whoever corrects the scan in its own layers again sees them.
    viewer.layers.selection.active = images[0]
    correct_this_scan(panel, qtbot)
    assert all(layer.visible for layer in (*images, *state.labels))


def test_unsaved_work_on_a_scan_is_asked_for_kept_and_offered_again(
    viewer: Viewer,
    images: list[Image],
    tmp_path: Path,
    open_correcting: Callable[..., CorrectWidget],
    shown: Callable[[], list[str]],
    qtbot: QtBot,
) -> None:
    panel = open_correcting()
    name = images[0].name
    correct_this_scan(panel, qtbot)
    paint(viewer, panel)
    answer("Cancel")
    qtbot.mouseClick(panel.saving.done_button, Qt.MouseButton.LeftButton)
    assert isinstance(panel.controller.state, CorrectingScan)
    answer("Keep as a draft")
    qtbot.mouseClick(panel.saving.done_button, Qt.MouseButton.LeftButton)
    assert not isinstance(panel.controller.state, CorrectingScan)
    assert not panel.toolbox.isEnabled()
    viewer.layers.clear()
    viewer.open(tmp_path / "scan.dcm", plugin="napari-bonescint")
    offers = [message for message in shown() if message.startswith("You left unsaved corrections of")]
    assert offers == [f"You left unsaved corrections of {name}; choose Correct this scan to go on with them."]
    # Its button leads there.
    offer = [record for record in notification_manager.records if record.message == offers[0]][-1]
    ((text, go_on),) = offer.actions
    assert text == "Correct this scan"
    go_on(None)
    qtbot.waitUntil(lambda: isinstance(panel.controller.state, CorrectingScan))
    assert (panel.controller.state.labels[0].data == 9).any()
    # The window is closed with a question, too; its work stays on this computer.
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the viewer's fixture closes it once more
    answer("Cancel")
    window.close()
    assert window.isVisible()
    answer("Keep as a draft")
    window.close()
    assert not window.isVisible()
    assert len(list(drafts_folder().glob("*.npz"))) == 1


def test_what_was_exported_is_not_asked_about_and_leaves_no_draft(
    viewer: Viewer,
    images: list[Image],
    tmp_path: Path,
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    panel = open_correcting()
    correct_this_scan(panel, qtbot)
    paint(viewer, panel)
    qtbot.waitUntil(lambda: bool(list(drafts_folder().glob("*.npz"))), timeout=5000)
    dialog = open_export(viewer, [Form.PICTURE])
    assert dialog is not None
    dialog.form.folder.value = tmp_path / "exports"
    export(dialog, qtbot)
    assert panel.controller.has_unsaved, "a picture is no mask"
    dialog.form.ticks[Form.NIFTI].value = True
    answer("Replace")
    export(dialog, qtbot)
    assert panel.saving.status.text() == "No unsaved corrections."
    labels = labels_in(viewer)[0]
    labels.data_setitem((np.array([60]), np.array([30])), 5)
    assert panel.controller.has_unsaved, "drawn after the export"
    labels.undo()
    qtbot.mouseClick(panel.saving.done_button, Qt.MouseButton.LeftButton)
    assert not isinstance(panel.controller.state, CorrectingScan)
    qtbot.waitUntil(lambda: not list(drafts_folder().glob("*.npz")))


def test_a_scan_named_after_its_patient_is_known_by_its_key_in_a_store(
    viewer: Viewer,
    write_nm: Callable[..., Path],
    tmp_path: Path,
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    viewer.open(write_nm("Doe_Jane.dcm", PatientName="DOE^JANE"), plugin="napari-bonescint")
    assert viewer.layers[0].name == "scan 1 anterior"
    panel = open_correcting()
    correct_this_scan(panel, qtbot)
    paint(viewer, panel)
    make_store(tmp_path / "store", qtbot)
    qtbot.mouseClick(panel.saving.store_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not isinstance(panel.controller.state, CorrectingScan), timeout=10_000)
    case = case_of(panel)
    assert (case.case.title, case.item.name) == (case.key[:8], case.key), "another window has another scan 1"


def test_a_picture_of_naparis_own_reader_and_a_result_of_the_model_are_corrected_as_they_are(
    viewer: Viewer,
    tmp_path: Path,
    open_panel: Callable[..., SegmentWidget],
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    counts = np.random.default_rng(1).poisson(9, (90, 40)).astype(np.uint8)
    Picture.fromarray(counts).save(tmp_path / "photo.png")
    (image,) = viewer.open(tmp_path / "photo.png", plugin="napari")
    segmenting = open_panel()
    click_and_wait(qtbot, segmenting)
    (labels,) = labels_in(viewer)
    labels.selected_label = 6
    panel = open_correcting()
    qtbot.mouseClick(segmenting.correct_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(panel.controller.state, CorrectingScan))
    state = panel.controller.state
    assert (state.layers.images, state.labels) == ((image,), (labels,))
    assert not panel.controller.has_unsaved
    assert str(state.origin) == "model tiny"
    case = panel.toolbox.strokes.case
    assert case is not None
    assert panel.toolbox.strokes.code == labels.selected_label == 6
    assert case.probability is not None
    np.testing.assert_array_equal(case.model_regions[0], labels.data)
    panel.controller.start_empty()
    assert not labels.data.any()
    panel.controller.start_from_model()
    np.testing.assert_array_equal(case.model_regions[0], labels.data)
    assert open_scan(tmp_path / "photo.png").counts.shape == (1, 90, 40)
    panel.controller.finish_scan()
    # A scan that no model has segmented is segmented while it is corrected.
    other = viewer.add_image(counts[::-1].copy(), name="other")
    viewer.layers.selection.active = other
    panel.controller.loader.card = segmenting.models.card
    correct_this_scan(panel, qtbot)
    qtbot.waitUntil(lambda: panel.toolbox.strokes.case.probability is not None, timeout=60_000)
    assert not labels_in(viewer)[-1].data.any()
    assert panel.controller.loader.child.pid == segmenting.child.pid
