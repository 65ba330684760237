"""The bar below the panel: annotator, comment, save buttons, and a line on what is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.gui.common.settings import Setting, remember
from napari_bonescint.gui.correct.correcting import Correcting

if TYPE_CHECKING:
    from napari_bonescint.gui.correct.controller import CorrectController


class SaveBar(QWidget):
    """Fields for annotator and comment, and buttons that save the open case."""

    def __init__(self, controller: CorrectController) -> None:
        super().__init__()
        self._controller = controller
        self.name = QLineEdit(controller.annotator)
        self.name.setPlaceholderText("your name")
        self.name.setToolTip("Annotator: your name or initials; kept for the next start")
        self.comment = QLineEdit()
        self.comment.setPlaceholderText("comment (optional)")
        self.reviewed_button = QPushButton("Save as reviewed")
        self.reviewed_button.setToolTip("Save a finished mask (Ctrl+Enter)")
        self.button = QPushButton("Save, not reviewed")
        self.button.setToolTip("Save a mask that still needs work or a second look (Ctrl+Shift+Enter)")
        self.status = PlainLabel(wraps=True)
        self._lay_out()
        self.name.editingFinished.connect(self._sign)
        self.comment.textChanged.connect(self._take_comment)
        self.reviewed_button.clicked.connect(self.save_as_reviewed)
        self.button.clicked.connect(self.save_not_reviewed)
        controller.changed.connect(self._show_case)
        controller.status.connect(self._show_status)
        controller.name_missing.connect(lambda: self.name.setFocus())
        self._show_case()

    def save_as_reviewed(self) -> None:
        """Save a finished mask."""
        self._controller.save(reviewed=True)

    def save_not_reviewed(self) -> None:
        """Save a mask that needs more work or a second look."""
        self._controller.save(reviewed=False)

    def _sign(self) -> None:
        name = self.name.text().strip()
        remember(Setting.ANNOTATOR, name)
        self._controller.sign(name)

    def _take_comment(self, text: str) -> None:
        self._controller.comment = text

    def _show_case(self) -> None:
        for widget in (self.reviewed_button, self.button, self.comment):
            widget.setEnabled(isinstance(self._controller.state, Correcting))
        if self.comment.text() != self._controller.comment:
            self.comment.setText(self._controller.comment)

    def _show_status(self, sentence: str, wrong: bool) -> None:
        self.status.setText(sentence)
        self.status.setStyleSheet("color: #ff7b72;" if wrong else "")

    def _lay_out(self) -> None:
        words = QHBoxLayout()
        words.addWidget(PlainLabel("Annotator"))
        words.addWidget(self.name, 1)
        words.addWidget(self.comment, 2)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reviewed_button)
        buttons.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(words)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
