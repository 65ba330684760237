"""The question what shall become of unsaved work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

from napari_bonescint.gui.correct.states import Unsaved

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


def ask_about_unsaved(parent: QWidget, case: str) -> Unsaved:
    """Ask; closing the window is cancelling."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Correct masks")
    box.setText(f"Case {case} has corrections that are not saved.")
    box.setInformativeText("Save makes a revision that is not marked as reviewed. Discard cannot be undone.")
    buttons = [(answer, box.addButton(QMessageBox.StandardButton[answer.value])) for answer in Unsaved]
    box.setDefaultButton(QMessageBox.StandardButton.Save)
    box.setEscapeButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return next((answer for answer, button in buttons if button is box.clickedButton()), Unsaved.CANCEL)
