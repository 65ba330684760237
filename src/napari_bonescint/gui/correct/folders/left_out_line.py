"""A line about the files that were left out of a folder, with a list of the reasons."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from napari_bonescint.formats.left_out import LeftOut

_MOST_ROWS = 4
_FRAME = 12


class LeftOutLine(QWidget):
    """The number of files that were left out; a click opens the list of reasons. Hidden if there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setToolTip("Show or hide the reasons")
        self.reasons = QPlainTextEdit()
        self.reasons.setReadOnly(True)
        self.reasons.setTabChangesFocus(True)
        self.reasons.setAccessibleName("Reasons")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.button)
        layout.addWidget(self.reasons)
        self.button.toggled.connect(self._open)
        self.show_files(LeftOut())

    def show_files(self, left_out: LeftOut) -> None:
        """Show another folder's files."""
        self.button.setChecked(False)
        self._open(False)
        self.button.setText(f"{left_out.title}: why?")
        self.reasons.setPlainText("\n".join(left_out.lines))
        rows = min(len(left_out.lines), _MOST_ROWS)
        self.reasons.setFixedHeight(rows * self.fontMetrics().lineSpacing() + _FRAME)
        self.setVisible(bool(left_out.number))

    def _open(self, is_open: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.reasons.setVisible(is_open)
