from __future__ import annotations

import subprocess
import sys

import pytest
from npe2 import PluginManifest

from napari_bonescint.gui import on_use
from napari_bonescint.gui.measure.panel import MeasureWidget

SCRIPT = """
import gc
import sys
from qtpy.QtCore import QCoreApplication, QObject, QThread, QTimer
from napari_bonescint.gui import on_use

app, ticks = QCoreApplication([]), []
timer = QTimer()
timer.timeout.connect(lambda: ticks.append("napari_bonescint.gui.reader" in sys.modules))
timer.start(0)
print(on_use.get_reader.__module__, len(ticks) > 5, ticks[0], gc.isenabled())
ticks.clear()
on_use.get_reader
print(len(ticks))

from napari_bonescint.gui.common import settings
settings.follow(settings.Setting.DEVICE, print)
print(*{each.thread() is app.thread() for each in gc.get_objects() if isinstance(each, QObject)})
"""


def test_the_window_goes_on_while_a_command_is_imported_for_its_first_use() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    first, again, threads = ended.stdout.splitlines()
    assert first == "napari_bonescint.gui.open_command True False True"
    assert again == "0", "what is there takes no turn"
    assert threads == "True", "all objects belong to the thread of the window"


def test_commands_are_what_their_modules_define() -> None:
    commands = PluginManifest.from_distribution("napari-bonescint").contributions.commands or []
    names = [command.python_name.removeprefix("napari_bonescint.gui.on_use:") for command in commands]
    assert len(names) == 16
    for name in names:
        assert getattr(on_use, name).__name__ == name
    assert on_use.MeasureWidget is MeasureWidget
    with pytest.raises(AttributeError, match="no attribute 'MeasureWidgets'"):
        on_use.MeasureWidgets  # noqa: B018
