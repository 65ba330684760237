"""A scan of the viewer is corrected in its own layers, without a label store and without any window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.scan_drafts import ScanDrafts, drafts_folder
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.work_list.queue import queue_of_store
from napari_bonescint.gui.correct.states import NoStore, UnsavedScan
from napari_bonescint.gui.layers.labels import all_labels_of, empty_labels, set_regions

if TYPE_CHECKING:
    from pathlib import Path

    from gui.correct.desk import Desk
    from gui.correct.plain_worker import PlainWorker
    from napari_bonescint.scan import Scan


def test_a_scan_is_corrected_in_its_own_layers_without_a_store(
    desk: Desk, scan: Scan, store: LabelStore, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    layers = list(desk.viewer.layers)
    desk.controller.correct_scan()
    worker.settle()
    state = desk.scan
    assert [layer for layer in desk.viewer.layers if layer in layers] == layers  # no copies
    assert [labels.data.any() for labels in state.labels] == [False, False]
    tools = desk.tools[-1]
    assert tools is not None
    assert (tools.images, tools.labels, tools.model_regions) == (layers, list(state.labels), None)
    desk.draw()
    assert desk.status[-1] == "Not saved yet."
    desk.controller.keep()
    worker.settle()
    drafts = ScanDrafts.of(scan.counts, names_regions=True)
    draft = drafts.find()
    assert draft is not None
    assert draft.regions[0, 5, 6] == 13
    state.labels[0].undo()
    desk.controller.keep()
    worker.settle()
    assert drafts.find() is None
    desk.draw()
    desk.answer = lambda: UnsavedScan.CANCEL
    desk.controller.finish_scan()
    assert desk.controller.state is state
    desk.answer = lambda: UnsavedScan.KEEP
    desk.controller.finish_scan()
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)
    assert desk.tools[-1] is None
    assert state.labels[0].data[5, 6] == 13
    assert drafts.find() is not None
    # The same scan, opened again.
    desk.viewer.layers.clear()
    desk.open_scan(scan, active=1)
    desk.controller.correct_scan()
    worker.settle()
    assert desk.said[-1].startswith("Your unsaved work on")
    assert desk.scan.regions()[0, 5, 6] == 13
    desk.scan.labels[0].undo()
    assert not desk.scan.labels[0].data.any()
    # A case of the work list is opened meanwhile: unsaved work is asked for, and given up.
    desk.draw()
    desk.answer = lambda: UnsavedScan.DISCARD
    left = desk.scan
    desk.controller.open(store.folder)
    worker.settle()
    assert not left.regions().any()
    assert drafts.find() is None
    assert desk.case.key == queue_of_store(store)[0].name


def test_a_scan_with_a_mask_goes_into_a_store_and_on_in_its_layers(
    desk: Desk, scan: Scan, tmp_path: Path, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    images = list(desk.viewer.layers)
    labels = [desk.viewer.add_layer(empty_labels(image)) for image in images]
    set_regions(labels[1], np.full(scan.counts.shape[1:], 3, np.uint8))
    labels[0].metadata["bonescint"] = labels[1].metadata["bonescint"] = {"model": "tiny", "model_sha256": "0" * 64}
    desk.viewer.layers.selection.active = labels[1]
    desk.controller.correct_scan()
    worker.settle()
    assert desk.scan.labels == tuple(labels)
    desk.draw()
    desk.controller.comment = "rib"
    desk.controller.save_scan()  # the user chooses no store
    assert desk.controller.state is desk.scan
    desk.store = tmp_path / "new store"
    desk.controller.save_scan()
    worker.settle()
    assert desk.case.labels == tuple(labels)
    assert not desk.controller.has_unsaved
    store = LabelStore.open(tmp_path / "new store")
    (revision,) = store.revisions(desk.case.key)
    assert (revision.annotator, revision.reviewed, revision.comment) == ("AB", False, "rib")
    assert str(revision.origin) == "model tiny"
    np.testing.assert_array_equal(store.regions(desk.case.key, 1), desk.case.regions())
    np.testing.assert_array_equal(store.scan(desk.case.key).counts, scan.counts)
    assert not list(drafts_folder().glob("*.npz"))
    labels[0].undo()  # the history goes on, too
    assert labels[0].data[5, 6] == 0
    desk.controller.save(reviewed=True)
    worker.settle()
    assert [each.reviewed for each in store.revisions(desk.case.key)] == [False, True]
    # The scan is the open case now.
    desk.controller.correct_scan()
    assert (desk.came_forward, len(all_labels_of(desk.viewer.layers, images[0]))) == (1, 1)


def test_what_cannot_be_corrected_is_one_sentence(desk: Desk, scan: Scan, worker: PlainWorker) -> None:
    desk.controller.correct_scan()
    assert "Open a bone scan" in desk.said[-1]
    desk.open_scan(scan)
    desk.viewer.add_labels(np.full(scan.counts.shape[1:], 300), scale=scan.spacing, units=("mm", "mm"), name="cells")
    desk.controller.correct_scan()
    assert desk.said[-1].startswith("cells: has the label 300")
    desk.viewer.layers.remove("cells")
    desk.open_scan(scan)
    desk.viewer.layers.selection.clear()
    desk.controller.correct_scan()
    assert "Select a layer of the scan" in desk.said[-1]
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)


def test_removed_layers_of_a_scan_leave_a_draft(desk: Desk, scan: Scan, worker: PlainWorker) -> None:
    desk.open_scan(scan)
    desk.controller.correct_scan()
    worker.settle()
    desk.draw()
    desk.viewer.layers.clear()
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)
    assert ScanDrafts.of(scan.counts, names_regions=True).find() is not None
    assert "open it again" in desk.said[-1]


def test_a_window_that_closes_saves_a_scan_into_a_store(
    desk: Desk, scan: Scan, store: LabelStore, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    desk.controller.correct_scan()
    worker.settle()
    desk.draw()
    desk.answer = lambda: UnsavedScan.SAVE
    assert not desk.controller.may_close()  # no store was chosen
    desk.store = store.folder
    assert desk.controller.may_close()
    key = store.find(scan)
    assert key is not None
    assert store.regions(key, 1)[0, 5, 6] == 13
