"""A picture is shown whole, in its proportions, in the middle of whatever room there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtGui import QColor, QPixmap

from napari_bonescint.gui.widgets.fitted_picture import FittedPicture

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.mark.parametrize("size", [(300, 200), (140, 400), (50, 30)])
def test_a_picture_fits_every_size(qtbot: QtBot, size: tuple[int, int]) -> None:
    pixmap = QPixmap(30, 60)
    pixmap.fill(QColor("red"))
    picture = FittedPicture()
    qtbot.addWidget(picture)
    picture.set_pixmap(pixmap)
    picture.resize(*size)
    place = picture.place()
    assert picture.rect().contains(place)
    assert place.height() == pytest.approx(2 * place.width(), abs=2)
    assert abs(place.center().x() - picture.rect().center().x()) <= 1
    drawn = picture.grab().toImage()
    assert drawn.pixelColor(place.center()) == QColor("red")
    assert drawn.pixelColor(0, drawn.height() - 1) != QColor("red")
    assert picture.pixmap().size() == pixmap.size()


def test_there_may_be_no_picture_yet(qtbot: QtBot) -> None:
    picture = FittedPicture()
    qtbot.addWidget(picture)
    picture.show()
    assert picture.place().isEmpty()
    assert picture.minimumSizeHint().width() < picture.sizeHint().width()
