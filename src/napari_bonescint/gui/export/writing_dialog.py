"""A dialog that writes files of a scan in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QPushButton, QVBoxLayout

from napari_bonescint.gui.common.background_dialog import BackgroundDialog
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from magicgui.widgets import Container
    from qtpy.QtWidgets import QWidget

_WIDTH = 480


class WritingDialog(BackgroundDialog):
    """A form, a note, a button that writes files, and a message; closed early, the dialog still writes the files.

    Parameters
    ----------
    parent : QWidget or None
    title : str
    container : Container
        The form.
    start : str
        Text of the button that writes.
    result : str
        Text of the button, hidden at first, that opens what was written.
    """

    def __init__(self, parent: QWidget | None, title: str, container: Container[Any], start: str, result: str) -> None:
        super().__init__(parent, title)
        self._container = container
        self.note, self.message = PlainLabel(wraps=True), PlainLabel(wraps=True)
        self.write_button, self.open_button = QPushButton(start), QPushButton(result)
        self.open_button.hide()

    def _lay_out(self, right: Iterable[QPushButton] = ()) -> None:
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self._container.native)
        layout.addWidget(self.note)
        layout.addLayout(self._button_row((self.write_button, self.open_button), right))
        layout.addWidget(self.message)

    def _begin(self, doing: str) -> None:
        self._show_busy(True)
        self._say(doing)

    def _finish_written(self, paths: Sequence[Path], left_out: Sequence[str] = ()) -> None:
        """Say which files were written, and what was left out."""
        names = "\n".join([*(path.name for path in paths), *left_out])
        self._finish(f"{counted(len(paths), 'file')} in {paths[0].parent}:\n{names}")

    def _finish(self, sentence: str) -> None:
        self._show_busy(False)
        self._say(sentence)
        if not self.isVisible():
            show_info(sentence)
        self._end_when_idle()

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.adjustSize()

    def _show_note(self, note: str) -> None:
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.adjustSize()

    def _show_busy(self, busy: bool) -> None:
        self._is_busy = busy
        self._container.enabled = not busy
        self.write_button.setEnabled(not busy)
