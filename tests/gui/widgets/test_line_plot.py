from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint
from qtpy.QtGui import QColor

from napari_bonescint.gui.widgets.line_plot import LinePlot

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

RED = "#ff0000"


def red_columns(curve: LinePlot) -> list[int]:
    """Columns of the picture in which the line is seen."""
    image = curve.grab().toImage()
    red = QColor(RED)
    return [
        x for x in range(image.width()) if any(image.pixelColor(QPoint(x, y)) == red for y in range(image.height()))
    ]


def test_the_line_grows_with_the_steps(qtbot: QtBot) -> None:
    curve = LinePlot("Training loss", RED)
    qtbot.addWidget(curve)
    curve.resize(300, 110)
    assert red_columns(curve) == []
    curve.show_points([(0, 1.0), (50, 0.5)], 100)
    half = max(red_columns(curve))
    assert 150 < half < 200
    curve.show_points([(0, 1.0), (50, 0.5), (100, 0.25)], 100)
    assert max(red_columns(curve)) > 280
    assert curve.latest == "0.25"
    assert curve.accessibleDescription() == "0.25"


def test_a_single_point_and_equal_values_can_be_drawn(qtbot: QtBot) -> None:
    curve = LinePlot("Dice", RED)
    qtbot.addWidget(curve)
    curve.resize(300, 110)
    for points in ([(10.0, 0.0)], [(10.0, 0.9), (20.0, 0.9)]):
        curve.show_points(points, 0)
        assert red_columns(curve)


def test_an_axis_of_zeros_begins_at_0(qtbot: QtBot) -> None:
    curve = LinePlot("Index", RED)
    qtbot.addWidget(curve)
    curve.resize(300, 110)
    curve.show_points([(0.0, 0.0), (20.0, 0.0)], 20)
    image = curve.grab().toImage()
    places = [QPoint(x, y) for x in range(image.width()) for y in range(image.height())]
    assert min(place.y() for place in places if image.pixelColor(place) == QColor(RED)) > 85  # the lower edge


def test_the_mouse_is_told_the_value(qtbot: QtBot) -> None:
    curve = LinePlot("Dice", RED)
    qtbot.addWidget(curve)
    curve.resize(300, 110)
    curve.show_points([(10, 0.8123), (20, 0.9)], 20)
    curve.show()
    qtbot.waitExposed(curve)
    qtbot.mouseMove(curve, QPoint(170, 50))
    qtbot.waitUntil(lambda: curve.toolTip() == "step 10: 0.8123")
