from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from gui.correct.correcting_panel import (
    case_of,
    close_dock,
    draw,
    is_open,
    key_of,
    masks,
    move_on,
    open_first,
    prediction_of,
)
from gui.panel_actions import answer
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.queue import queue_of_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.scan import Scan


def test_a_store_opens_with_the_scan_first_at_which_the_model_is_least_sure(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget
) -> None:
    key = key_of(panel)
    expected = sorted(store.cases(), key=lambda case: case.predicted_dice or 0)
    assert [item.name for item in panel.list.model.queue.items] == [case.key for case in expected]
    assert key == expected[0].key
    # No file tells what the annotator calls the case.
    shown = [f"{key[:8]} {view}{rest}" for rest in ("", " bones") for view in ("anterior", "posterior")]
    assert [layer.name for layer in viewer.layers] == shown
    prediction = store.prediction(key)
    assert prediction is not None
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), prediction.regions)
    assert panel.list.place.text() == "1 of 3 · 0 reviewed"


def test_a_prediction_of_the_scan_that_is_open_shows_in_its_layers_and_in_the_list(
    viewer: Viewer, scan: Scan, tmp_path: Path, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    store = LabelStore.create(tmp_path / "store")
    key = store.add(scan)
    panel = open_correcting()
    open_first(qtbot, panel, store)
    (item,) = panel.list.model.queue.items
    assert item.state == "new"
    store.add_prediction(key, prediction_of(scan, certainty=0.9))
    prediction = store.prediction(key)
    assert prediction is not None
    with qtbot.waitSignal(panel.controller.loader.loaded):
        panel.controller.loader.predicted.emit(item, prediction)
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), prediction.regions)
    assert [item.state for item in panel.list.model.queue.items] == ["predicted"]


def test_a_prediction_of_the_open_scan_does_not_keep_the_user_from_the_next(
    scan: Scan, tmp_path: Path, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    store = LabelStore.create(tmp_path / "store")
    for counts in (scan.counts, scan.counts + 1):
        store.add(replace(scan, counts=counts))
    panel = open_correcting()
    first = open_first(qtbot, panel, store)
    store.add_prediction(first, prediction_of(store.scan(first), certainty=0.9))
    prediction = store.prediction(first)
    assert prediction is not None
    here, there = sorted(panel.list.model.queue.items, key=lambda item: item.key != first)
    panel.controller.go_to(there)
    panel.controller.loader.predicted.emit(here, prediction)
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) == there.key)


def test_a_prediction_that_comes_after_the_first_stroke_is_told_and_changes_nothing(
    viewer: Viewer, scan: Scan, tmp_path: Path, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    store = LabelStore.create(tmp_path / "store")
    key = store.add(scan)
    panel = open_correcting()
    open_first(qtbot, panel, store)
    draw(viewer)
    before = [labels.data.copy() for labels in masks(viewer)]
    store.add_prediction(key, prediction_of(scan, certainty=0.9))
    panel.controller.loader.predicted.emit(panel.list.model.queue.items[0], store.prediction(key))
    assert panel.message.text() == "The model has segmented this scan: Start from … has its mask."
    np.testing.assert_array_equal([labels.data for labels in masks(viewer)], before)
    panel.controller.start_from_model()
    assert masks(viewer)[0].data.any()


def test_the_panel_says_that_it_is_no_medical_device(open_correcting: Callable[..., CorrectWidget]) -> None:
    notices = [label.text() for label in open_correcting().findChildren(QLabel)]
    assert "Research software, not a medical device." in notices


def test_page_down_moves_on_into_the_same_layers_with_nothing_to_undo(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    layers = list(viewer.layers)[:4]
    draw(viewer)
    layers[2].undo()
    second = move_on(qtbot, panel)
    assert list(viewer.layers)[:4] == layers
    np.testing.assert_array_equal(np.stack([layers[0].data, layers[1].data]), store.scan(second).counts)
    drawn = masks(viewer)[0].data.copy()
    masks(viewer)[0].redo()
    masks(viewer)[0].undo()
    np.testing.assert_array_equal(masks(viewer)[0].data, drawn)


def test_a_saved_correction_is_a_revision_with_its_name_comment_and_origin(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    key = key_of(panel)
    draw(viewer)
    panel.saving.comment.setText("bladder removed")
    with qtbot.waitSignal(case_of(panel).saved):
        qtbot.mouseClick(panel.saving.reviewed_button, Qt.MouseButton.LeftButton)
    (revision,) = store.revisions(key)
    assert (revision.annotator, revision.comment, revision.reviewed) == ("AB", "bladder removed", True)
    assert str(revision.origin) == "model tiny"
    np.testing.assert_array_equal(store.regions(key, 1), np.stack([labels.data for labels in masks(viewer)]))
    queue = panel.list.model.queue
    assert queue.items[queue.open_row].state == "reviewed"
    assert not panel.controller.has_unsaved
    assert panel.revisions_button.text() == "Revisions (1) …"
    masks(viewer)[0].undo()
    assert panel.controller.has_unsaved


def test_moving_on_with_unsaved_work_asks_and_cancel_stays(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    first = key_of(panel)
    draw(viewer)
    drawn = masks(viewer)[0].data.copy()
    answer("Cancel")
    panel.list.open_next()
    assert key_of(panel) == first
    np.testing.assert_array_equal(masks(viewer)[0].data, drawn)
    answer("Save")
    panel.list.open_next()
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) != first)
    np.testing.assert_array_equal(store.regions(first, 1)[0], drawn)
    draw(viewer)
    second = key_of(panel)
    answer("Discard")
    panel.list.open_next()
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) != second)
    assert store.revisions(second) == []
    assert Drafts(store).waiting("AB") == []


def test_closing_napari_with_unsaved_work_asks_and_saves(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget
) -> None:
    key = key_of(panel)
    draw(viewer)
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the viewer's fixture closes it once more
    answer("Cancel")
    window.close()
    assert window.isVisible()
    answer("Save")
    window.close()
    assert not window.isVisible()
    assert len(store.revisions(key)) == 1


def test_removing_the_labels_layer_loses_nothing(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    key = key_of(panel)
    draw(viewer)
    drawn = masks(viewer)[0].data.copy()
    viewer.layers.remove(masks(viewer)[0])
    assert not is_open(panel)
    qtbot.waitUntil(lambda: Drafts(store).find(key, "AB") is not None)
    draft = Drafts(store).find(key, "AB")
    assert draft is not None
    np.testing.assert_array_equal(draft.regions[0], drawn)


def test_starting_from_an_empty_mask_is_undone_with_where_it_came_from(viewer: Viewer, panel: CorrectWidget) -> None:
    panel.controller.start_empty()
    assert not any(labels.data.any() for labels in masks(viewer))
    assert str(case_of(panel).origin) == "an empty mask"
    for labels in masks(viewer):
        labels.undo()
    assert masks(viewer)[0].data.any()
    assert str(case_of(panel).origin) == "model tiny"


def test_a_folder_of_scans_goes_into_the_store_case_by_case(
    viewer: Viewer,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    for name in ("scans/a.dcm", "scans/b.dcm"):
        write_nm(name, counts=np.random.default_rng(len(name) + ord(name[6])).poisson(5, (2, 96, 32)).astype(np.uint16))
    store = LabelStore.create(tmp_path / "store")
    panel = open_correcting()
    panel.controller.open(store.folder)
    qtbot.waitUntil(lambda: "This store has no cases" in panel.message.text())
    panel.open_scans(tmp_path / "scans")
    qtbot.waitUntil(lambda: is_open(panel))
    assert [item.name for item in panel.list.model.queue.items] == ["a", "b"]
    assert [case.key for case in store.cases()] == [key_of(panel)]
    move_on(qtbot, panel)
    assert len(store.cases()) == 2
    with qtbot.waitSignal(case_of(panel).saved):
        qtbot.mouseClick(panel.saving.reviewed_button, Qt.MouseButton.LeftButton)
    panel.open_scans(tmp_path / "scans")
    qtbot.waitUntil(lambda: panel.list.model.queue.items[-1].state == "reviewed")
    assert [item.name for item in panel.list.model.queue.items] == ["a", "b"]


def test_a_folder_says_how_many_files_were_left_out_and_why(
    tmp_path: Path, write_nm: Callable[..., Path], open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    write_nm("scans/a.dcm")
    write_nm("scans/slice1.dcm", Modality="CT")
    write_nm("scans/slice2.dcm", Modality="CT")
    panel = open_correcting()
    line = panel.opener.left_out
    assert not line.isVisible()
    panel.controller.open(tmp_path / "scans" / "label store", tmp_path / "scans")
    qtbot.waitUntil(lambda: is_open(panel))
    assert line.button.isVisible()
    assert line.button.text() == "2 files were left out: why?"
    qtbot.mouseClick(line.button, Qt.MouseButton.LeftButton)
    assert line.reasons.isVisible()
    assert line.reasons.toPlainText() == "2 x Modality is CT; only nuclear medicine (NM) images can be segmented."
    panel.controller.open(tmp_path / "scans" / "label store")
    qtbot.waitUntil(lambda: not line.isVisible())


def test_the_second_annotator_hears_of_the_first_and_both_masks_are_kept(
    viewer: Viewer, store: LabelStore, scan: Scan, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    first, second, _ = (item.name for item in queue_of_store(store))
    mask = np.full(scan.counts.shape, 5, np.uint8)
    store.save(second, mask, Origin.empty(), annotator="AB", reviewed=True)
    panel = open_correcting("CD")
    assert open_first(qtbot, panel, store) == first
    assert panel.message.text() == ""
    item = case_of(panel).queue.of_case(second)
    assert item is not None
    panel.controller.go_to(item)
    qtbot.waitUntil(lambda: key_of(panel) == second)
    when = store.revisions(second)[0].when
    assert panel.message.isVisible()
    assert panel.message.text() == (
        f"AB saved revision 1, reviewed, on {when[:10]} {when[11:16]} UTC. "
        "Your mask starts from revision 1; all work is kept."
    )
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), mask)
    # The first one saves again, while the second one draws.
    store.save(second, mask, Origin.of_revision(1), annotator="AB", reviewed=False)
    draw(viewer)
    qtbot.mouseClick(panel.saving.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.message.text().startswith("Meanwhile saved: revision 2 by AB (not reviewed)"))
    assert panel.revisions_button.text() == "Revisions (3) …"
    assert [revision.annotator for revision in store.revisions(second)] == ["AB", "AB", "CD"]
    assert str(store.revisions(second)[-1].origin) == "revision 1"


def test_a_case_that_was_read_ahead_is_read_again_if_another_annotator_has_saved_since(
    viewer: Viewer, store: LabelStore, scan: Scan, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting("CD")
    open_first(qtbot, panel, store)
    panel._background.run(lambda: None, lambda _: None, pytest.fail).result(30)  # the next case was read
    QApplication.processEvents()
    mask = np.full(scan.counts.shape, 5, np.uint8)
    store.save(queue_of_store(store)[1].name, mask, Origin.empty(), annotator="AB", reviewed=False)
    move_on(qtbot, panel)
    assert "AB saved revision 1" in panel.message.text()
    np.testing.assert_array_equal(np.stack([labels.data for labels in masks(viewer)]), mask)


def test_a_store_that_vanished_is_one_sentence_and_the_labels_stay(
    viewer: Viewer, store: LabelStore, panel: CorrectWidget, qtbot: QtBot
) -> None:
    draw(viewer)
    drawn = masks(viewer)[0].data.copy()
    moved = store.folder.rename(store.folder.with_name("elsewhere"))
    qtbot.mouseClick(panel.saving.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "stay in the layers" in panel.saving.status.text())
    np.testing.assert_array_equal(masks(viewer)[0].data, drawn)
    moved.rename(store.folder)
    with qtbot.waitSignal(case_of(panel).saved):
        qtbot.mouseClick(panel.saving.button, Qt.MouseButton.LeftButton)


def test_the_list_comes_back_with_its_names_after_a_restart_and_without_its_folder(
    viewer: Viewer,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    open_correcting: Callable[..., CorrectWidget],
    qtbot: QtBot,
) -> None:
    for number, name in enumerate("abc"):
        counts = np.random.default_rng(number).poisson(5, (2, 96, 32)).astype(np.uint16)
        write_nm(f"scans/Doe-{name}.dcm", counts=counts)
    store = LabelStore.create(tmp_path / "store")
    panel = open_correcting()
    panel.controller.open(store.folder, tmp_path / "scans")
    qtbot.waitUntil(lambda: is_open(panel))
    move_on(qtbot, panel)
    panel._background.run(lambda: None, lambda _: None, pytest.fail).result(30)  # the place is remembered
    close_dock(viewer, panel, qtbot)
    viewer.layers.clear()

    again = open_correcting()
    qtbot.waitUntil(lambda: again.list.model.rowCount() == 3)
    assert [item.name for item in again.list.model.queue.items] == ["Doe-a", "Doe-b", "Doe-c"]
    assert (again.opener.place.text(), again.list.place.text()) == ("scans → store", "3 cases · 0 reviewed")
    assert again.list.view.currentIndex().row() == 1
    qtbot.mouseClick(again.list.next_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_open(again))
    assert again.list.model.queue.open_row == 1
    draw(viewer)
    close_dock(viewer, again, qtbot)
    (tmp_path / "scans").rename(tmp_path / "elsewhere")
    viewer.layers.clear()

    last = open_correcting()
    qtbot.waitUntil(lambda: last.list.model.rowCount() == 2)
    assert [item.name for item in last.list.model.queue.items] == ["Doe-a", "Doe-b"]
    assert "the folder is not there" in last.message.text()
    qtbot.waitUntil(lambda: last.drafts.isVisible())
    assert "unsaved work on Doe-b" in last.drafts.text.text()
    stored = b"".join(path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    assert b"Doe" not in stored
