"""From the archive into the panel Measure and back, in a real window with a real Orthanc."""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from qtpy.QtCore import Qt

from archive_peers.failing import full_disk
from archive_peers.patients import write_scan, write_views
from gui.measure.measuring_panel import wait_for_measures
from gui.panel_actions import PATIENCE_MS, answer
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.setup.setups_file import keep_setup, setups_file
from napari_bonescint.gui.archive.send_dialog import SendDialog
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.measurement.report import codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QPushButton

    from archive_peers.orthanc import Orthanc
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.gui.archive.panel import ArchiveWidget
    from napari_bonescint.gui.measure.panel import MeasureWidget

NM, SEG, SR, PDF, CAPTURE = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("20", "66.4", "88.33", "104.1", "7"))


def press(button: QPushButton, qtbot: QtBot) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(dialog: SendDialog, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: not dialog.cancel_button.isVisible(), timeout=PATIENCE_MS)
    return dialog.message.text()


def segmentation_in(orthanc: Orthanc, study: str) -> pydicom.Dataset:
    """The only segmentation in a study."""
    query = {"StudyInstanceUID": study, "Modality": "SEG"}
    (found,) = orthanc.ask("/tools/find", {"Level": "Instance", "Query": query})
    return pydicom.dcmread(io.BytesIO(orthanc.file(found)))


def bones_of(seg: pydicom.Dataset) -> set[tuple[int, int]]:
    """Regions and pixels of each frame of a segmentation, as pydicom reads it."""
    numbers = [
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber for group in seg.PerFrameFunctionalGroupsSequence
    ]
    return {(int(number), int(frame.sum())) for number, frame in zip(numbers, seg.pixel_array, strict=True)}


def draw_bones(viewer: Viewer, images: Sequence[Image]) -> None:
    """Bones of regions 3 and 4 with 240 and 320 pixels on each view."""
    regions = np.zeros((96, 48), np.uint8)
    regions[10:40, 20:28], regions[40:80, 20:28] = 3, 4
    for image in images:
        set_regions(labels := viewer.add_layer(empty_labels(image)), regions)
        labels._reset_history()


def test_without_a_scan_and_an_archive_it_says_what_is_missing(viewer: Viewer, qtbot: QtBot) -> None:
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    dialog = panel.send()
    qtbot.waitUntil(lambda: "Set an archive up first" in dialog.note.text())
    assert dialog.note.text().startswith("Segment or measure a scan to send its results.")
    assert not dialog.send_button.isEnabled()
    assert not dialog.scan.visible
    assert not dialog.again_button.isVisible()
    dialog.close_button.click()


@pytest.mark.archive
def test_a_scan_comes_with_its_prior_and_its_results_go_back(
    viewer: Viewer,
    kept_child: None,
    qtbot: QtBot,
    orthanc: Orthanc,
    web: ArchiveSetup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    same = {"PatientID": "PATIENT-0001", "PatientName": "Identifying^Person0001"}
    new, prior = write_scan(tmp_path / "new.dcm", 1), write_scan(tmp_path / "prior.dcm", 2, "20250110", **same)
    orthanc.store(new, prior)
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(lambda: panel.session.setup is not None)
    panel.search()
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 2, timeout=PATIENCE_MS)
    press(panel.priors_button, qtbot)
    qtbot.waitUntil(lambda: "Measure (Bone scintigraphy)" in viewer.window.dock_widgets, timeout=PATIENCE_MS)
    measure: MeasureWidget = open_panel(viewer, "Measure")
    assert measure.scan.current_choice == "scan 2 anterior + scan 2 posterior"
    assert measure.tabs.currentWidget() is measure.prior
    qtbot.waitUntil(lambda: measure.prior.page is not None)
    assert measure.prior.page is not None
    assert measure.prior.page.prior.current_choice == "scan 1 anterior + scan 1 posterior"

    # Of a scan that is segmented only, the masks can be sent.
    draw_bones(viewer, measure.controller.images)
    study = str(pydicom.dcmread(new).StudyInstanceUID)
    dialog = panel.send()
    qtbot.waitUntil(dialog.send_button.isEnabled)
    assert dialog.scan.current_choice == "scan 2 anterior + scan 2 posterior"
    assert dialog.note.text().startswith("The scan is not measured; measure it in the panel Measure")
    assert dialog.masks.value
    assert [
        dialog.of_measures.segmentation.enabled,
        dialog.of_measures.structured.enabled,
        dialog.of_measures.pages.enabled,
    ] == [False] * 3
    press(dialog.send_button, qtbot)
    assert finish(dialog, qtbot).startswith("web has 1 of 1 result; a search found 1 in the study of the scan.")
    assert bones_of(segmentation_in(orthanc, study)) == {(3, 240), (4, 320)}
    dialog.close_button.click()

    qtbot.waitUntil(lambda: measure.button.text() == "Measure")
    press(measure.button, qtbot)
    wait_for_measures(measure, qtbot)
    layer = measure.controller.current.spots.layers[0]
    layer.data_setitem(tuple(np.mgrid[50:55, 22:26].reshape(2, -1)), 1)
    wait_for_measures(measure, qtbot)

    draw_bones(viewer, [viewer.layers["scan 1 anterior"], viewer.layers["scan 1 posterior"]])
    press(measure.prior.page.button, qtbot)
    qtbot.waitUntil(lambda: measure.prior.shown is not None and measure.prior.shown.is_current, timeout=PATIENCE_MS)

    # An archive that is gone: the results wait.
    keep_setup(replace(web, url=f"http://127.0.0.1:{orthanc.napari_port}/dicom-web"))
    report = measure.report()
    assert report is not None
    # Never where the scans are, which is emptied when napari closes.
    assert report.form.chosen_folder == Path.home()
    press(report.send_button, qtbot)
    dialog = measure.findChild(SendDialog)
    qtbot.waitUntil(dialog.send_button.isEnabled)
    assert dialog.scan.current_choice == "scan 2 anterior + scan 2 posterior"
    assert dialog.masks.value
    assert dialog.of_measures.segmentation.value
    press(dialog.send_button, qtbot)
    assert finish(dialog, qtbot).startswith("web: ")
    qtbot.waitUntil(lambda: "4 results wait to be sent again." in dialog.note.text())
    dialog.close_button.click()
    assert len(orthanc.instances(StudyInstanceUID=study)) == 2

    # It is back.
    keep_setup(web)
    dialog = panel.send()
    qtbot.waitUntil(dialog.again_button.isVisible)
    press(dialog.again_button, qtbot)
    assert finish(dialog, qtbot).startswith("web has 4 of 4 results; a search found 4 in the study of the scan.")
    qtbot.waitUntil(lambda: not dialog.again_button.isVisible())
    stored = orthanc.instances(StudyInstanceUID=study)
    assert sorted(each["SOPClassUID"] for each in stored) == sorted((SEG, SEG, SEG, SR, PDF, NM))
    assert {each["PatientID"] for each in stored} == {"PATIENT-0001"}
    (report,) = orthanc.ask("/tools/find", {"Level": "Instance", "Query": {"Modality": "SR"}})
    assert codes.NEW_LESIONS[2] in str(pydicom.dcmread(io.BytesIO(orthanc.file(report))))
    dialog.masks.value = dialog.of_measures.segmentation.value = dialog.of_measures.structured.value = False
    dialog.of_measures.pages.value = "capture"
    press(dialog.send_button, qtbot)
    assert finish(dialog, qtbot).startswith("web has 1 of 1 result; ")
    assert [each["Modality"] for each in orthanc.instances(StudyInstanceUID=study, SOPClassUID=CAPTURE)] == ["OT"]
    assert Outbox().parcels() == ()
    # Only the scans that are open are left in the folder of this process.
    left = [path for path in (tmp_path / "received").rglob("*.dcm") if path.parent.name.count(".") < 3]
    assert left == []
    # Neither settings, caches, drafts nor temporary files name the patient.
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path not in (new, prior)]
    for path in kept:
        if tmp_path / "received" not in path.parents:
            assert not any(text in path.read_bytes() for text in (b"PATIENT-0001", b"Person0001"))
    assert setups_file() in kept
    dialog.close_button.click()


@pytest.mark.archive
@pytest.mark.parametrize(("protocol", "one_series"), [("web", True), ("dimse", False)])
def test_two_views_in_two_files_are_one_scan_and_results_refer_to_both(
    viewer: Viewer,
    qtbot: QtBot,
    orthanc: Orthanc,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    protocol: str,
    one_series: bool,
) -> None:
    setup: ArchiveSetup = request.getfixturevalue(protocol)
    files = write_views(tmp_path / "views", 1, one_series=one_series)
    orthanc.store(*files, write_scan(tmp_path / "other.dcm", 1, "20250110"))
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(lambda: panel.session.setup is not None)
    panel.search()
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 2, timeout=PATIENCE_MS)
    assert panel.tree.topLevelItem(0).text(0) == "2026-03-01\n2 images"
    press(panel.open_button, qtbot)
    qtbot.waitUntil(lambda: panel.status.text() == "Opened: scan 1 (2026-03-01).", timeout=PATIENCE_MS)
    assert [layer.name for layer in viewer.layers] == ["scan 1 anterior", "scan 1 posterior"]

    draw_bones(viewer, list(viewer.layers))
    dialog = panel.send()
    qtbot.waitUntil(dialog.send_button.isEnabled)
    with full_disk(1000):
        press(dialog.send_button, qtbot)
        assert "could not be written (File too large)" in finish(dialog, qtbot)
    assert len(orthanc.instances()) == 3
    press(dialog.send_button, qtbot)
    said = f"{setup.name} has 1 of 1 result; a search found 1 in the study of the scan."
    assert finish(dialog, qtbot).startswith(said)
    dialog.close_button.click()
    sources = [pydicom.dcmread(path) for path in files]
    seg = segmentation_in(orthanc, str(sources[0].StudyInstanceUID))
    referenced = [
        (str(series.SeriesInstanceUID), str(each.ReferencedSOPInstanceUID))
        for series in seg.ReferencedSeriesSequence
        for each in series.ReferencedInstanceSequence
    ]
    assert referenced == [(str(each.SeriesInstanceUID), str(each.SOPInstanceUID)) for each in sources]
    of_frames = [
        group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for group in seg.PerFrameFunctionalGroupsSequence
    ]
    assert of_frames == [each.SOPInstanceUID for each in sources for _ in range(2)]
    assert seg.PatientID == "PATIENT-0001"


@pytest.mark.archive
def test_what_waits_can_be_discarded(
    viewer: Viewer, qtbot: QtBot, orthanc: Orthanc, web: ArchiveSetup, tmp_path: Path
) -> None:
    from archive_peers.results import seg_of
    from napari_bonescint.archive.sending.outgoing import prepare

    scan = write_scan(tmp_path / "scan.dcm", 1)
    Outbox().put("web", prepare([seg_of(scan, tmp_path / "mask.dcm")], scan), "kept")
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    dialog = panel.send()
    qtbot.waitUntil(lambda: "1 result waits to be sent again." in dialog.note.text())
    answer("Discard them")
    press(dialog.discard_button, qtbot)
    qtbot.waitUntil(lambda: not dialog.discard_button.isVisible())
    assert Outbox().parcels() == ()
    dialog.close_button.click()
