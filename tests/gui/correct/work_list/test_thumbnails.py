from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QObject

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.correct.work_list.thumbnails import HEIGHT, Thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.scan import Scan


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    parent = QObject()
    thumbnails = Thumbnails(parent)
    yield thumbnails
    thumbnails.close()


def test_a_picture_comes_later_and_is_read_once(thumbnails: Thumbnails, scan: Scan, qtbot: QtBot) -> None:
    read: list[int] = []

    def reading() -> Scan:
        read.append(1)
        return scan

    with qtbot.waitSignal(thumbnails.ready) as ready:
        assert thumbnails.get("a", reading) is None
    assert ready.args == ["a"]
    picture = thumbnails.get("a", reading)
    assert picture is not None
    assert HEIGHT / 2 < picture.height() <= HEIGHT
    places = [(x, y) for x in range(picture.width()) for y in range(0, picture.height(), 7)]
    shades = {picture.pixelColor(x, y).lightness() for x, y in places}
    assert max(shades) - min(shades) > 100
    assert len(read) == 1


def test_those_asked_for_last_are_made_first(thumbnails: Thumbnails, scan: Scan, qtbot: QtBot) -> None:
    made: list[object] = []
    thumbnails.ready.connect(made.append)
    may_go_on = Event()

    def reading() -> Scan:
        may_go_on.wait()
        return scan

    for name in ("under way", "scrolled past", "then", "last"):
        thumbnails.get(name, reading)
    thumbnails.get("then", reading)  # seen again
    may_go_on.set()
    qtbot.waitUntil(lambda: len(made) == 4)
    assert made == ["under way", "then", "last", "scrolled past"]


def test_a_scan_that_cannot_be_read_has_none_and_the_next_has(thumbnails: Thumbnails, scan: Scan, qtbot: QtBot) -> None:
    def unreadable() -> Scan:
        raise BonescintError("scan.dcm: The file is damaged.")

    made: list[object] = []
    thumbnails.ready.connect(made.append)
    thumbnails.get("damaged", unreadable)
    thumbnails.get("whole", lambda: scan)
    qtbot.waitUntil(lambda: len(made) == 2)
    assert thumbnails.get("damaged", unreadable) is None
    assert thumbnails.get("whole", unreadable) is not None
