"""Fields of a form begin at the same place, also in the font of a style sheet and under a longer label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Container, LineEdit, SpinBox
from qtpy.QtCore import QPoint

from napari_bonescint.gui.widgets.label_column import align_fields

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot


def test_fields_begin_at_the_same_place(viewer: Viewer, qtbot: QtBot) -> None:
    fields = [ComboBox(label="Model", choices=["a"]), SpinBox(label="Number of steps"), LineEdit(label="In the folder")]
    form = Container(widgets=fields)
    align_fields(form.native)
    dock = viewer.window.add_dock_widget(form.native, name="form")
    dock.setStyleSheet("QLabel { font-size: 19px; }")

    def begins() -> set[int]:
        return {field.native.mapTo(form.native, QPoint()).x() for field in fields}

    qtbot.waitUntil(lambda: fields[0].native.isVisible() and len(begins()) == 1)
    before = begins()
    fields[0].label = "The model that finds the bones"
    qtbot.waitUntil(lambda: len(begins()) == 1 and begins() != before)
    assert min(begins()) > min(before)
