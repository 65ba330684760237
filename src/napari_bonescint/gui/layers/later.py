"""Leave work to a later turn of Qt's event loop, so that the window answers in between."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def later(act: Callable[[], None], milliseconds: int = 0) -> None:
    """Call a function in a later turn of the event loop; at once where there is none, as in a script."""
    try:
        from qtpy.QtCore import QCoreApplication, QTimer
    except ImportError:  # without Qt
        act()
        return
    application = QCoreApplication.instance()
    if application is None:
        act()
        return
    # Qt's single shot of 0 ms comes in the same turn, before other timers and the user's input.
    timer = QTimer(application)
    timer.setSingleShot(True)
    timer.timeout.connect(partial(act))  # PySide would not keep the object of a method
    timer.timeout.connect(timer.deleteLater)
    timer.start(milliseconds)
