"""A label for text from cards, files and people."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


class PlainLabel(QLabel):
    """A label that shows its text as it stands.

    An ordinary one takes what looks like HTML for HTML, and looks for the pictures that it names, which may lie on
    another computer.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
