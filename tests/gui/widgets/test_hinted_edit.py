from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QApplication

from napari_bonescint.gui.widgets.hinted_edit import HintedEdit

if TYPE_CHECKING:
    from napari import Viewer


def test_the_hint_is_light_on_a_dark_theme_and_dark_on_a_light_one(viewer: Viewer) -> None:
    field = HintedEdit("AB", hint="your name")
    assert (field.text(), field.placeholderText()) == ("AB", "your name")
    viewer.window.add_dock_widget(field)
    shades = []
    for theme in ("dark", "light", "dark"):
        viewer.theme = theme
        QApplication.processEvents()
        shades.append(field.palette().color(QPalette.ColorRole.PlaceholderText))
    assert [shade.lightness() > 128 for shade in shades] == [True, False, True]
    assert all(shade.alpha() == 255 for shade in shades)
