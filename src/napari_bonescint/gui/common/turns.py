"""Work in several turns of the event loop, so that the window answers and is drawn in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtpy.QtCore import QObject


def in_turns(owner: QObject, steps: Iterator[object], then: Callable[[], None] = lambda: None) -> None:
    """Do one step in each of the next turns of the event loop, and call `then` after the last one.

    The steps end when `owner` is deleted.
    """
    timer = QTimer(owner)

    def step() -> None:
        finished = object()
        timer.stop()  # a step may run the event loop
        if next(steps, finished) is finished:
            timer.deleteLater()
            then()
        else:
            timer.start(0)

    timer.timeout.connect(step)
    timer.start(0)
