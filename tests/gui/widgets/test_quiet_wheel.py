from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Container, Slider
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget


def turn_wheel(widget: QWidget) -> None:
    where = QPointF(widget.rect().center())
    down = QPoint(0, -120)
    buttons, modifier = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turn = QWheelEvent(where, where, QPoint(), down, buttons, modifier, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(widget, turn)


def test_the_wheel_changes_no_field(qtbot: QtBot) -> None:
    combo, slider = ComboBox(choices=["a", "b"]), Slider(value=50, max=100)
    form = Container(widgets=[combo, slider])
    qtbot.addWidget(form.native)
    form.native.show()
    turn_wheel(combo.native)
    assert combo.value == "b", "as long as it is not ignored"
    ignore_wheel(form.native)
    combo.value = "a"
    turn_wheel(combo.native)
    turn_wheel(slider.native)
    assert (combo.value, slider.value) == ("a", 50)
