"""Fields for the DICOM files of a measured scan."""

from __future__ import annotations

from magicgui.widgets import CheckBox, ComboBox

from napari_bonescint.measurement.report.options import DicomDocument, ReportOptions

NO_PAGES = "none"
_PAGES = [
    ("Encapsulated PDF", str(DicomDocument.PDF)),
    ("Image (Secondary Capture)", str(DicomDocument.CAPTURE)),
    ("None", NO_PAGES),
]


class DicomFields:
    """The fields; a form takes them into its container.

    Parameters
    ----------
    pages : str
        Label of the field for the pages of the report.
    on : bool
        Whether all kinds are chosen at first, or none.
    """

    def __init__(self, pages: str, *, on: bool = True) -> None:
        self.segmentation = CheckBox(text="Hot spots as DICOM SEG", value=on)
        self.structured = CheckBox(text="All measures as DICOM SR", value=on)
        first = str(DicomDocument.PDF) if on else NO_PAGES
        self.pages = ComboBox(label=pages, choices=_PAGES, value=first)
        self.pages.tooltip = "Every archive shows an image; most show a PDF, in which text can be searched"
        self.identity = CheckBox(text="Name and number of the patient on the pages", value=False)
        self.identity.tooltip = "Read from the scan's file when the report is written"
        self.all = (self.segmentation, self.structured, self.pages, self.identity)

    def options(self, *, pdf: bool = False, html: bool = False) -> ReportOptions:
        """The files that are wanted, with the pages for people."""
        pages = self.pages.value
        return ReportOptions(
            pdf=pdf,
            html=html,
            identity=self.identity.value,
            segmentation=self.segmentation.value,
            structured_report=self.structured.value,
            document=None if pages == NO_PAGES else DicomDocument(pages),
        )
