"""The dialog "Export", and the button and command that open it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, write_files_atomically
from napari_bonescint.formats.export import Form, encode
from napari_bonescint.gui.common.main_window import main_window
from napari_bonescint.gui.export.export_form import ExportForm
from napari_bonescint.gui.export.open_scans import mask_of, open_scans, scan_of, to_export, with_sources
from napari_bonescint.gui.export.source_files import find_sources
from napari_bonescint.gui.export.writing_dialog import WritingDialog
from napari_bonescint.gui.layers.exports import EXPORTS
from napari_bonescint.gui.layers.scans import shear_warnings
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari.layers import Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_bonescint.formats.export import Export
    from napari_bonescint.formats.masks.registry import Files
    from napari_bonescint.gui.export.open_scans import OpenScan

_NO_SCAN = "Open a bone scan first; Export writes its views and masks."
_NOTHING = "Nothing was exported."
_WHICH_FILE = "Which DICOM file is this scan from? (of two, both)"


class Replace(Enum):
    """Answers to the question about existing files."""

    YES = "Replace"
    NO = "Cancel"


@dataclass(frozen=True)
class _Job:
    """An export that the user has asked for; `paths` are files and folders to find the scan's DICOM file in."""

    what: Export
    forms: tuple[Form, ...]
    folder: Path
    name: str
    paths: tuple[Path, ...]
    masks: Mapping[Labels, NDArray[np.generic]]
    """The labels that are exported, as they are now."""

    def encoded(self) -> Files | None:
        """All files by name; None if the DICOM file that they need was not found."""
        what = self.what
        if Form.SEG in self.forms:
            sources = find_sources(what.scan, self.paths)
            if not sources:
                return None
            what = with_sources(what, sources)
        return encode(what, self.forms, self.name)

    def written(self, files: Files) -> list[Path]:
        """Write all files, or none."""
        make_folder(self.folder)
        return write_files_atomically(self.folder, files)


def open_export(viewer: Viewer, forms: Iterable[Form] | None = None) -> ExportDialog | None:
    """Open the dialog for the scan of the active layer, or say that no scan is open.

    `forms` are ticked at first; without them, those of the last export.
    """
    scans = open_scans(viewer.layers)
    if not scans:
        show_info(_NO_SCAN)
        return None
    dialog = ExportDialog(viewer, scans, forms)
    dialog.open()
    return dialog


class ExportButton(QPushButton):
    """The button "Export …" of a panel."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Export …")
        self.setToolTip("Save all views of a scan and their masks as DICOM SEG, NIfTI, TIFF or a picture")
        self.clicked.connect(lambda: open_export(viewer))


class ExportDialog(WritingDialog):
    """Choose scan, formats and folder, and write the files in a thread; it may be closed before they are written."""

    def __init__(self, viewer: Viewer, scans: list[OpenScan], forms: Iterable[Form] | None) -> None:
        active = viewer.layers.selection.active
        # Layers are in the order in which they were opened.
        chosen = scan_of(scans, active) or scans[-1]
        form = ExportForm(scans, chosen, forms)
        super().__init__(main_window(), "Export", form.container, "Export", "Open the folder")
        self._viewer, self.form = viewer, form
        self._folder = Path()
        mask = mask_of(chosen, active)
        if mask is not None:
            form.choose_mask(mask)
        self.write_button.setDefault(True)
        self._lay_out()
        form.container.changed.connect(lambda: self._show_note(form.note))
        self.write_button.clicked.connect(self.export)
        self.open_button.clicked.connect(self._open_folder)
        self._show_note(form.note)
        self.write_button.setFocus()

    def export(self) -> None:
        """Write what is ticked; asks for the DICOM file if it is needed and unknown, and before files are replaced."""
        form, folder = self.form, self.form.chosen_folder
        if not form.forms:
            self._say("Tick at least one format.")
            return
        if folder is None:
            self._say("Choose a folder for the files.")
            return
        scan = form.chosen_scan
        try:
            what = to_export(self._viewer.layers, scan, form.chosen_mask)
        except BonescintError as error:
            self._say(str(error))
            return
        for warning in shear_warnings(scan.images):
            show_warning(warning)
        form.keep_ticks()
        layers = form.chosen_mask.labels if form.chosen_mask is not None else ()
        masks = {labels: np.array(labels.data) for labels in layers}
        self._encode(_Job(what, tuple(form.forms), folder, form.chosen_name, scan.files, masks), scan.files)

    def _encode(self, job: _Job, paths: tuple[Path, ...]) -> None:
        self._begin("Exporting …")

        def then(found: tuple[Files | None, list[str]]) -> None:
            files, existing = found
            if files is None:
                self._ask_for_file(job, paths)
            elif existing and self._ask_to_replace(existing) is Replace.NO:
                self._finish(_NOTHING)
            else:
                self._background.run(partial(job.written, files), partial(self._on_written, job), self._finish)

        self._background.run(partial(_look, job), then, self._finish)

    def _ask_for_file(self, job: _Job, paths: tuple[Path, ...]) -> None:
        if job.paths != paths:  # asked before
            names = " and ".join(path.name for path in job.paths)
            self._finish(f"{names}: this scan was not opened from it. {_NOTHING}")
            return
        named, _ = QFileDialog.getOpenFileNames(self, _WHICH_FILE)
        if named:
            chosen = tuple(map(Path, named))
            self._encode(replace(job, paths=chosen), paths)
        else:
            self._finish(f"DICOM SEG needs the DICOM file of the scan. {_NOTHING}")

    def _ask_to_replace(self, existing: list[str]) -> Replace:
        text = f"{counted(len(existing), 'file')} in this folder would be replaced."
        return ask(self, "Export", text, "\n".join(existing), Replace)

    def _on_written(self, job: _Job, paths: list[Path]) -> None:
        if any(form.needs_mask for form in job.forms):
            EXPORTS.note(job.masks)
        self._folder = paths[0].parent
        self.open_button.show()
        self._finish_written(paths)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


def _look(job: _Job) -> tuple[Files | None, list[str]]:
    """The files of an export, and the names of those that exist already."""
    files = job.encoded()
    return files, [name for name in files or () if (job.folder / name).exists()]
