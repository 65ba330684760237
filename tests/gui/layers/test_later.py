from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_bonescint.gui.layers.later import later

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Later:
    """An object that nothing but its method keeps."""

    def __init__(self, done: list[str]) -> None:
        self._done = done

    def act(self) -> None:
        self._done.append("later")


def test_what_waits_already_comes_first(qtbot: QtBot) -> None:
    done: list[str] = []
    waiting = QTimer()
    waiting.setSingleShot(True)
    waiting.timeout.connect(lambda: done.append("waiting"))
    waiting.start(0)
    later(Later(done).act)
    assert done == []
    qtbot.waitUntil(lambda: len(done) == 2)
    assert done == ["waiting", "later"]
