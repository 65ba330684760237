"""The dialog "Report"."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.common.close_guard import CloseGuard
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.export.open_scans import OpenScan
from napari_bonescint.gui.measure.reporting.form import ReportForm
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.measurement.report.apart import ReportOrder, write_report_apart
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.gui.measure.reading import Reading
    from napari_bonescint.measurement.comparison.changes import Comparison

_WIDTH = 480
_NOTHING = "Tick at least one kind of file."


class ReportDialog(QDialog):
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
        super().__init__(parent)
        self.setWindowTitle("Report")
        self._reading, self._comparison = reading, comparison
        self._background = FileWorker(self)
        self._guard = CloseGuard(self, lambda: True, self._background.close)
        self._is_busy = False
        self._written: list[Path] = []
        opened = OpenScan(reading.images, ())
        is_dicom = bool(opened.files) and opened.may_be_dicom
        self.form = ReportForm(opened.folder, opened.name, is_dicom=is_dicom)
        self.note, self.message = PlainLabel(wraps=True), PlainLabel(wraps=True)
        self.write_button, self.open_button = QPushButton("Write the report"), QPushButton("Open it")
        self.send_button, self.close_button = QPushButton("Send to archive …"), QPushButton("Close")
        self.send_button.setEnabled(is_dicom)
        self._lay_out()
        self.write_button.clicked.connect(self.write)
        self.open_button.clicked.connect(self._open)
        self.send_button.clicked.connect(self._send)
        self.close_button.clicked.connect(self.reject)
        prior = "" if comparison is None else "The comparison with the prior scan is a part of it."
        self.note.setText(" ".join(filter(None, (prior, self.form.note))))
        self.note.setVisible(bool(self.note.text()))
        self.write_button.setFocus()

    def write(self) -> None:
        """Write what is ticked."""
        form, reading, folder = self.form, self._reading, self.form.chosen_folder
        measured, name = reading.measured, self.form.name.value.strip()
        if form.is_empty or folder is None or not name or measured is None:
            self._say(_NOTHING if form.is_empty else "Choose a folder and a name for the files.")
            return
        order = ReportOrder(
            *(folder, name, reading.scan, reading.regions, measured),
            comparison=self._comparison,
            options=form.options,
            sources=tuple(reading.files),
        )
        self._show_busy(True)
        self._say("Writing …")
        self._background.run(partial(write_report_apart, order), self._on_written, self._finish)

    def done(self, result: int) -> None:
        """Close the dialog; files that are being written are finished."""
        super().done(result)
        self._end_when_idle()

    def _send(self) -> None:
        self.reject()
        self.send_wanted.emit()

    def _on_written(self, result: tuple[list[Path], list[str]]) -> None:
        paths, left_out = result
        self._written = paths
        names = "\n".join([*(path.name for path in paths), *left_out])
        self.open_button.setVisible(bool(self._to_open()))
        self._finish(f"{counted(len(paths), 'file')} in {paths[0].parent}:\n{names}")

    def _finish(self, sentence: str) -> None:
        self._show_busy(False)
        self._say(sentence)
        if not self.isVisible():
            show_info(sentence)
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if not self._is_busy and not self.isVisible():
            self._guard.stop()
            self._background.close()
            self.deleteLater()

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.adjustSize()

    def _show_busy(self, busy: bool) -> None:
        self._is_busy = busy
        self.form.container.enabled = not busy
        self.write_button.setEnabled(not busy)

    def _to_open(self) -> list[Path]:
        """The pages for people that were written."""
        return [path for path in self._written if path.suffix in (".pdf", ".html")]

    def _open(self) -> None:
        for path in self._to_open()[:1]:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _lay_out(self) -> None:
        self.open_button.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(self.write_button)
        buttons.addWidget(self.open_button)
        buttons.addStretch()
        buttons.addWidget(self.send_button)
        buttons.addWidget(self.close_button)
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form.container.native)
        layout.addWidget(self.note)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
