"""The form of a report: its files, folder and name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, ComboBox, Container, FileEdit, LineEdit

from napari_bonescint.gui.common.settings import Setting, remembered
from napari_bonescint.measurement.report.options import DicomDocument, ReportOptions

_NO_PAGES = "none"
_PAGES = (("Encapsulated PDF", DicomDocument.PDF), ("Image (Secondary Capture)", DicomDocument.CAPTURE))
_NO_DICOM = "The scan was not opened from DICOM files, so there are no files for an archive."


class ReportForm:
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
        self.note = "" if is_dicom else _NO_DICOM
        self.pdf = CheckBox(text="PDF, to print and to send", value=True)
        self.html = CheckBox(text="HTML page, for a browser", value=True)
        self.identity = CheckBox(text="Name and number of the patient on the pages", value=False)
        self.identity.tooltip = "Read from the scan's file when the report is written"
        self.segmentation = CheckBox(text="Hot spots as DICOM SEG", value=is_dicom)
        self.structured = CheckBox(text="All measures as DICOM SR", value=is_dicom)
        self.pages = ComboBox(
            label="Pages for the archive",
            choices=[("None", _NO_PAGES), *((title, str(kind)) for title, kind in _PAGES)],
            value=str(DicomDocument.PDF) if is_dicom else _NO_PAGES,
            tooltip="Every archive shows an image; most show a PDF, in which text can be searched",
        )
        self.folder = FileEdit(label="Folder", mode=FileDialogMode.EXISTING_DIRECTORY)
        self.folder.choose_btn.text = "Choose …"
        wanted = remembered(Setting.EXPORT_FOLDER)
        self.folder.value = Path(wanted) if wanted else folder or Path.home()
        self.name = LineEdit(label="Name", value=name, tooltip="Beginning of the names of all files")
        for_archive = (self.identity, self.segmentation, self.structured, self.pages)
        for field in for_archive:
            field.enabled = is_dicom
        self.container: Container[Any] = Container(
            widgets=[self.pdf, self.html, *for_archive, self.folder, self.name],
        )
        self.container.margins = (0, 0, 0, 0)

    @property
    def options(self) -> ReportOptions:
        """The files to write."""
        pages = self.pages.value
        return ReportOptions(
            pdf=self.pdf.value,
            html=self.html.value,
            identity=self.identity.value,
            segmentation=self.segmentation.value,
            structured_report=self.structured.value,
            document=None if pages == _NO_PAGES else DicomDocument(pages),
        )

    @property
    def is_empty(self) -> bool:
        """Whether no file is to be written."""
        chosen = self.options
        return not (chosen.pdf or chosen.html or chosen.wants_dicom)

    @property
    def chosen_folder(self) -> Path | None:
        """The folder for the files; None if the field is empty."""
        text = self.folder.line_edit.value.strip()
        return Path(text).expanduser() if text else None
