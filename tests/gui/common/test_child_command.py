from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from qtpy.QtCore import QObject

from napari_bonescint.gui.common.child_command import ChildCommand

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

PATIENCE_MS = 60_000


def servers() -> list[psutil.Process]:
    """What this process started as a web server and is not at its end."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended, and perhaps nobody has asked how
            if "http.server" in child.cmdline():
                found.append(child)
    return found


def test_the_lines_of_a_command_are_heard(qtbot: QtBot) -> None:
    parent = QObject()
    command = ChildCommand(parent)
    lines: list[str] = []
    command.printed.connect(lines.append)
    with qtbot.waitSignal(command.done, timeout=PATIENCE_MS):
        command.start("napari_bonescint", ["--version"])
    assert lines[0].startswith("bonescint ")
    assert not command.is_running


def test_a_command_that_fails_tells_its_reason(qtbot: QtBot) -> None:
    parent = QObject()
    command = ChildCommand(parent)
    with qtbot.waitSignal(command.failed, timeout=PATIENCE_MS) as failed:
        command.start("napari_bonescint", ["store", "list", "/nowhere"])
    assert "/nowhere" in failed.args[0]
    assert not failed.args[0].startswith("bonescint")


def test_a_command_that_is_stopped_says_nothing(qtbot: QtBot) -> None:
    parent = QObject()
    command = ChildCommand(parent)
    with qtbot.assertNotEmitted(command.failed, wait=300):
        command.start("http.server", ["0"])
        qtbot.waitUntil(lambda: len(servers()) == 1, timeout=PATIENCE_MS)
        command.stop()
    assert not command.is_running
    qtbot.waitUntil(lambda: not servers(), timeout=PATIENCE_MS)
