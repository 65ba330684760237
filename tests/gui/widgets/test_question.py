from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

from gui.panel_actions import answer
from napari_bonescint.gui.correct.states import Unsaved
from napari_bonescint.gui.retrain.panel import Leave
from napari_bonescint.gui.widgets.question import ask

if TYPE_CHECKING:
    from enum import Enum

    from pytestqt.qtbot import QtBot


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


@pytest.mark.parametrize("expected", [*Leave, *Unsaved], ids=str)
def test_each_button_is_an_answer(expected: Enum, parent: QWidget) -> None:
    answer(expected.value)
    assert ask(parent, "Retrain", "quick-1 is being trained.", "Step 3 of 40.", type(expected)) is expected


def test_the_first_answer_is_the_default_and_closing_is_the_last(parent: QWidget) -> None:
    seen: list[str] = []

    def close() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, close)
            return
        seen.extend([box.text(), box.informativeText(), box.defaultButton().text()])
        box.close()

    QTimer.singleShot(0, close)
    assert ask(parent, "Retrain", "quick-1 is being trained.", "Step 3 of 40.", Leave) is Leave.CANCEL
    assert seen == ["quick-1 is being trained.", "Step 3 of 40.", "Leave it running"]
