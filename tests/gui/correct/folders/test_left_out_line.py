from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.gui.correct.folders.left_out_line import LeftOutLine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_the_number_is_shown_and_a_click_opens_the_reasons(qtbot: QtBot) -> None:
    line = LeftOutLine()
    qtbot.addWidget(line)
    line.show_files(LeftOut())
    assert line.isHidden()
    line.show_files(LeftOut({"Modality is CT.": 2}, ("a.dcm: The file is damaged.",)))
    line.show()
    assert line.button.text() == "3 files were left out: why?"
    assert not line.reasons.isVisible()
    qtbot.mouseClick(line.button, Qt.MouseButton.LeftButton)
    assert line.reasons.isVisible()
    assert line.reasons.toPlainText() == "a.dcm: The file is damaged.\n2 x Modality is CT."
    line.show_files(LeftOut({"The file is empty.": 1}))
    assert not line.reasons.isVisible()
    assert line.button.text() == "1 file was left out: why?"
