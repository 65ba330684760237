"""Exports by mouse in a real window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import tifffile
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from gui.panel_actions import answer
from napari_bonescint.formats.export import Form
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.gui.common.settings import Setting, Switch, is_on, remember
from napari_bonescint.gui.export.export_dialog import ExportButton, ExportDialog, open_export
from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

ENDINGS = (
    *(".anterior.counts.nii.gz", ".anterior.nii.gz", ".posterior.counts.nii.gz", ".posterior.nii.gz"),
    *(".preview.png", ".seg.dcm"),
)


def draw(viewer: Viewer, images: list[Image]) -> None:
    for code, image in enumerate(images, start=3):
        labels = empty_labels(image)
        labels.data[10:30, 4 * code : 4 * code + 8] = code
        viewer.add_layer(labels)


def click_export(qtbot: QtBot, dialog: ExportDialog) -> None:
    qtbot.mouseClick(dialog.write_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.write_button.isEnabled, timeout=20_000)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_both_views_are_exported_with_two_clicks_and_the_folder_opens(
    viewer: Viewer, images: list[Image], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(viewer, images)
    viewer.layers.selection.active = images[0]
    button = ExportButton(viewer)
    qtbot.addWidget(button)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    dialog = viewer.window._qt_window.findChild(ExportDialog)
    form = dialog.form
    assert (form.chosen_folder, form.name.value) == (tmp_path, "scan")
    assert not form.scan.native.isVisible()
    assert not form.mask.native.isVisible()
    assert dialog.note.isHidden()
    assert dialog.focusWidget() is dialog.write_button
    before = names_in(tmp_path)
    click_export(qtbot, dialog)
    written = sorted(set(names_in(tmp_path)) - set(before))
    assert written == [form.name.value + ending for ending in ENDINGS]
    assert dialog.message.text().splitlines()[0] == f"6 files in {tmp_path}:"
    assert sorted(dialog.message.text().splitlines()[1:]) == written
    # Nothing is squeezed.
    for field in (*form.ticks.values(), form.name):
        assert field.native.height() >= field.native.minimumSizeHint().height()
    assert dialog.message.height() >= dialog.message.heightForWidth(dialog.message.width())
    for code, view in ((3, "anterior"), (4, "posterior")):
        assert np.unique(read_mask(tmp_path / f"{form.name.value}.{view}.nii.gz").regions).tolist() == [0, code]
    assert str(pydicom.dcmread(tmp_path / f"{form.name.value}.seg.dcm").PatientName) == "Secret^Person"
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)
    assert Path(opened[0].toLocalFile()) == tmp_path
    # A second time it asks, and keeps the files if the answer is no.
    (tmp_path / written[0]).write_bytes(b"mine")
    answer("Cancel")
    click_export(qtbot, dialog)
    assert dialog.message.text() == "Nothing was exported."
    assert (tmp_path / written[0]).read_bytes() == b"mine"
    answer("Replace")
    click_export(qtbot, dialog)
    assert (tmp_path / written[0]).read_bytes() != b"mine"
    qtbot.mouseClick(dialog.close_button, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_without_a_mask_the_image_is_exported_and_the_note_says_so(
    viewer: Viewer, images: list[Image], tmp_path: Path, qtbot: QtBot
) -> None:
    remember(Setting.EXPORT_FOLDER, str(tmp_path / "new" / "folder"))
    dialog = open_export(viewer)
    assert dialog is not None
    assert "No mask lies on this scan" in dialog.note.text()
    assert [form for form, tick in dialog.form.ticks.items() if not tick.enabled] == [Form.SEG, Form.NIFTI, Form.TIFF]
    dialog.form.ticks[Form.PICTURE].value = False
    dialog.form.name.value = "a/b"
    click_export(qtbot, dialog)
    assert dialog.message.text().startswith("'a/b' is no name of a file")
    dialog.form.name.value = "front and back"
    click_export(qtbot, dialog)
    assert names_in(tmp_path / "new" / "folder") == [
        "front and back.anterior.counts.nii.gz",
        "front and back.posterior.counts.nii.gz",
    ]
    # Ticks are kept for the next time; those that were not possible stay as they were.
    assert [switch for switch in Switch if not is_on(switch)] == [Switch.EXPORT_TIFF, Switch.EXPORT_PICTURE]
    for tick in dialog.form.ticks.values():
        tick.value = False
    click_export(qtbot, dialog)
    assert dialog.message.text() == "Tick at least one format."
    dialog.reject()


def test_a_view_without_a_mask_is_named_and_the_mask_of_the_active_layer_is_chosen(
    viewer: Viewer, images: list[Image], tmp_path: Path, qtbot: QtBot
) -> None:
    draw(viewer, images)
    draw(viewer, images[:1])
    lower = viewer.layers[-3]
    viewer.layers.selection.active = lower
    dialog = open_export(viewer, [Form.TIFF])
    assert dialog is not None
    form = dialog.form
    assert len(form.mask.choices) == 2
    # The uppermost layer of each view is its first mask.
    assert form.chosen_mask is not None
    assert form.chosen_mask.labels == (lower,)
    assert dialog.note.text() == f"No mask lies on {images[1].name}."
    click_export(qtbot, dialog)
    (path,) = tmp_path.glob("*.regions.tif")
    assert tifffile.imread(path).shape == (1, *images[0].data.shape)
    dialog.reject()


def test_the_dicom_file_is_asked_for_if_it_has_moved(
    viewer: Viewer,
    images: list[Image],
    write_nm: Callable[..., Path],
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw(viewer, images)
    (tmp_path / "scan.dcm").rename(tmp_path / "moved")
    other = write_nm("other.dcm")
    dialog = open_export(viewer, [Form.SEG, Form.PICTURE])
    assert dialog is not None
    chosen = [str(other)]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    click_export(qtbot, dialog)
    assert dialog.message.text() == "other.dcm: this scan was not opened from it. Nothing was exported."
    chosen[:] = []
    click_export(qtbot, dialog)
    assert "Nothing was exported" in dialog.message.text()
    assert not list(tmp_path.glob("*.png"))
    chosen[:] = [str(tmp_path / "moved")]
    click_export(qtbot, dialog)
    assert dialog.message.text().startswith("2 files in ")
    dialog.reject()


def test_one_of_several_scans_is_chosen_and_the_nema_sample_becomes_dicom_seg(
    viewer: Viewer, images: list[Image], tmp_path: Path, qtbot: QtBot
) -> None:
    draw(viewer, images)
    viewer.open_sample("napari-bonescint", "nema_nm1")
    sample = viewer.layers[-1]
    draw(viewer, [sample])
    viewer.layers.selection.active = sample
    dialog = open_export(viewer, [Form.SEG])
    assert dialog is not None
    assert dialog.form.scan.native.isVisible()
    assert dialog.form.chosen_scan.images == (sample,)
    assert dialog.form.chosen_folder == Path.home()
    dialog.form.folder.value = tmp_path / "out"
    click_export(qtbot, dialog)
    (path,) = (tmp_path / "out").iterdir()
    assert pydicom.dcmread(path).SegmentSequence
    images[0].name = "ward 7/no: 3 anterior"
    dialog.form.scan.value = 0
    assert dialog.form.chosen_scan.images == tuple(images)
    assert dialog.form.name.value == "ward 7_no_ 3"
    assert dialog.form.chosen_folder == tmp_path
    dialog.reject()


def test_files_are_finished_when_the_dialog_is_closed_at_once(
    viewer: Viewer, images: list[Image], tmp_path: Path, qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    dialog = open_export(viewer, [Form.COUNTS])
    assert dialog is not None
    dialog.export()
    dialog.reject()
    qtbot.waitUntil(lambda: any("2 files in" in message for message in shown()))
    assert len(list(tmp_path.glob("*.counts.nii.gz"))) == 2


def test_without_a_scan_it_says_so(viewer: Viewer, shown: Callable[[], list[str]]) -> None:
    assert open_export(viewer) is None
    assert shown()[-1].startswith("Open a bone scan first")
