"""The dialog "Report"."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton

from napari_bonescint.gui.export.open_scans import OpenScan
from napari_bonescint.gui.export.writing_dialog import WritingDialog
from napari_bonescint.gui.measure.reporting.form import ReportForm
from napari_bonescint.measurement.report.apart import ReportOrder, write_report_apart

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtWidgets import QWidget

    from napari_bonescint.gui.measure.reading import Reading
    from napari_bonescint.measurement.comparison.changes import Comparison

_NOTHING = "Tick at least one kind of file."


class ReportDialog(WritingDialog):
    """Choose the files of a report, and write them in the background; it may be closed before they are written.

    Parameters
    ----------
    parent : QWidget
    reading : Reading
        The measured scan.
    comparison : Comparison or None
        Its comparison with a prior scan, which becomes a part of the report.
    """

    send_wanted = Signal()
    """Emitted when the results are to be sent to an archive."""

    def __init__(self, parent: QWidget, reading: Reading, comparison: Comparison | None) -> None:
        opened = OpenScan(reading.images, ())
        is_dicom = bool(opened.files) and opened.may_be_dicom
        form = ReportForm(opened.folder, opened.name, is_dicom=is_dicom)
        super().__init__(parent, "Report", form.container, "Write the report", "Open it")
        self._reading, self._comparison, self.form = reading, comparison, form
        self._written: list[Path] = []
        self.send_button = QPushButton("Send to archive …")
        self.send_button.setEnabled(is_dicom)
        self._lay_out(right=(self.send_button,))
        self.write_button.clicked.connect(self.write)
        self.open_button.clicked.connect(self._open)
        self.send_button.clicked.connect(self._send)
        prior = "" if comparison is None else "The comparison with the prior scan is a part of it."
        self._show_note(" ".join(filter(None, (prior, form.note))))
        self.write_button.setFocus()

    def write(self) -> None:
        """Write what is ticked."""
        form, reading, folder = self.form, self._reading, self.form.chosen_folder
        measured, name = reading.measured, self.form.chosen_name
        if form.is_empty or folder is None or not name or measured is None:
            self._say(_NOTHING if form.is_empty else "Choose a folder and a name for the files.")
            return
        order = ReportOrder(
            *(folder, name, reading.scan, reading.regions, measured),
            comparison=self._comparison,
            options=form.options,
            sources=tuple(reading.files),
        )
        self._begin("Writing …")
        self._background.run(partial(write_report_apart, order), self._on_written, self._finish)

    def _send(self) -> None:
        self.reject()
        self.send_wanted.emit()

    def _on_written(self, result: tuple[list[Path], list[str]]) -> None:
        paths, left_out = result
        self._written = paths
        self.open_button.setVisible(bool(self._to_open()))
        self._finish_written(paths, left_out)

    def _to_open(self) -> list[Path]:
        """The pages for people that were written."""
        return [path for path in self._written if path.suffix in (".pdf", ".html")]

    def _open(self) -> None:
        for path in self._to_open()[:1]:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
