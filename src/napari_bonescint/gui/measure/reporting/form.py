"""The form of a report: its files, folder and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, Container

from napari_bonescint.gui.export.dicom_fields import DicomFields
from napari_bonescint.gui.export.target_fields import TargetFields
from napari_bonescint.gui.widgets.label_column import align_fields

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.measurement.report.options import ReportOptions

_NO_DICOM = "The scan was not opened from DICOM files, so there are no files for an archive."


class ReportForm(TargetFields):
    """Fields in `container`; `note` says what is not possible.

    Parameters
    ----------
    folder : Path or None
        Folder of the scan.
    name : str
        Beginning of the names of all files.
    is_dicom : bool
        Whether the scan was opened from DICOM files.
    """

    def __init__(self, folder: Path | None, name: str, *, is_dicom: bool) -> None:
        super().__init__()
        self.note = "" if is_dicom else _NO_DICOM
        self.pdf = CheckBox(text="PDF, to print and to send", value=True)
        self.html = CheckBox(text="HTML page, for a browser", value=True)
        self.archive = DicomFields("Pages for the archive", on=is_dicom)
        for field in self.archive.all:
            field.enabled = is_dicom
        self.propose(folder, name)
        fields = [self.pdf, self.html, *self.archive.all, self.folder, self.name]
        self.container: Container[Any] = Container(widgets=fields)
        align_fields(self.container.native)
        self.container.margins = (0, 0, 0, 0)

    @property
    def options(self) -> ReportOptions:
        """The files to write."""
        return self.archive.options(pdf=self.pdf.value, html=self.html.value)

    @property
    def is_empty(self) -> bool:
        """Whether no file is to be written."""
        chosen = self.options
        return not (chosen.pdf or chosen.html or chosen.wants_dicom)
