"""Questions with a button for each answer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from qtpy.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

AnswerT = TypeVar("AnswerT", bound=Enum)


def ask(parent: QWidget | None, title: str, text: str, explanation: str, answers: type[AnswerT]) -> AnswerT:
    """Ask a question with a title, a text and an explanation.

    The values of `answers` are the texts of the buttons. The first is the default. The last one cancels; closing the
    window gives it, too.
    """
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=parent)
    box.setInformativeText(explanation)
    usual = QMessageBox.StandardButton.__members__
    buttons = {
        answer: box.addButton(usual[answer.value])
        if answer.value in usual
        else box.addButton(answer.value, QMessageBox.ButtonRole.AcceptRole)
        for answer in answers
    }
    first, *_, last = answers
    box.setDefaultButton(buttons[first])
    box.setEscapeButton(buttons[last])
    box.exec()
    return next((answer for answer, button in buttons.items() if button is box.clickedButton()), last)
