"""The question what shall become of a training when napari closes."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class Leave(Enum):
    """What becomes of a training."""

    RUNNING = "Leave it running"
    STOPPED = "Stop and keep the best"
    CANCEL = "Cancel"


def ask_how_to_leave(parent: QWidget, name: str, status: str) -> Leave:
    """Ask; closing the question is cancelling.

    Parameters
    ----------
    parent : QWidget
        The panel.
    name, status : str
        Of the training.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Retrain")
    box.setText(f"{name} is being trained.")
    box.setInformativeText(f"{status} The panel Retrain finds it again when napari is opened next, either way.")
    buttons = {leave: box.addButton(leave.value, QMessageBox.ButtonRole.AcceptRole) for leave in Leave}
    box.setDefaultButton(buttons[Leave.RUNNING])
    box.setEscapeButton(buttons[Leave.CANCEL])
    box.exec()
    return next((leave for leave, button in buttons.items() if button is box.clickedButton()), Leave.CANCEL)
