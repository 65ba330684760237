"""The question what shall become of unsaved work."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class Unsaved(Enum):
    """What becomes of unsaved work."""

    SAVE = QMessageBox.StandardButton.Save
    DISCARD = QMessageBox.StandardButton.Discard
    CANCEL = QMessageBox.StandardButton.Cancel


def ask_about_unsaved(parent: QWidget, case: str) -> Unsaved:
    """Ask; closing the window is cancelling."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Correct masks")
    box.setText(f"Case {case} has corrections that are not saved.")
    box.setInformativeText("Save makes a revision that is not marked as reviewed. Discard cannot be undone.")
    for answer in Unsaved:
        box.addButton(answer.value)
    box.setDefaultButton(QMessageBox.StandardButton.Save)
    box.setEscapeButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    button = box.clickedButton()
    return next((answer for answer in Unsaved if box.button(answer.value) is button), Unsaved.CANCEL)
