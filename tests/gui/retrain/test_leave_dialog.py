from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtWidgets import QWidget

from gui.panel_actions import answer
from napari_bonescint.gui.retrain.leave_dialog import Leave, ask_how_to_leave

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.mark.parametrize("leave", list(Leave))
def test_each_button_is_an_answer(leave: Leave, qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    answer(leave.value)
    assert ask_how_to_leave(parent, "quick-1", "Step 3 of 40.") is leave
