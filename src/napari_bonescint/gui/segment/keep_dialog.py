"""The question what to keep of labels that a person edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

from napari_bonescint.gui.segment.result_target import Keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtWidgets import QWidget


def ask_what_to_keep(parent: QWidget, names: Sequence[str]) -> Keep:
    """Ask what to keep of the edited layers `names`; closing the window is cancelling."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Segment skeleton")
    box.setText("You have edited " + " and ".join(names) + ".")
    box.setInformativeText("What shall become of your edits? Undo (Ctrl+Z) takes back whatever you choose.")
    buttons = {
        keep: box.addButton(keep.value, QMessageBox.ButtonRole.AcceptRole)
        for keep in (Keep.EDITS, Keep.NOTHING, Keep.LAYER)
    }
    buttons[Keep.CANCEL] = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(buttons[Keep.EDITS])
    box.setEscapeButton(buttons[Keep.CANCEL])
    box.exec()
    return next((keep for keep, button in buttons.items() if button is box.clickedButton()), Keep.CANCEL)
