from __future__ import annotations

from qtpy.QtCore import QSize
from qtpy.QtGui import QColor

from napari_bonescint.gui.legend.eye import eye, swatch


def test_an_open_and_a_closed_eye_differ_and_a_swatch_has_its_colour(qtbot: object) -> None:
    size = QSize(32, 32)
    open_eye, closed = (eye(QColor("white"), is_open=each).pixmap(size).toImage() for each in (True, False))
    assert open_eye != closed
    assert open_eye.pixelColor(16, 16).alpha() == 255
    assert open_eye.pixelColor(0, 0).alpha() == 0
    assert swatch("#76b7b2").pixmap(size).toImage().pixelColor(16, 16).name() == "#76b7b2"
