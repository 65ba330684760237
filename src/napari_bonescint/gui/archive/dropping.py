"""Drag a study or series from the list of an archive onto the viewer to open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QDropEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

MIME = "application/x-bonescint-study"
"""What is dragged: only this word, since other programs could read more."""

_DRAGGING = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class ViewerDrops(QObject):
    """Takes what is dragged from the list; napari takes files as before.

    Parameters
    ----------
    target : QWidget
        napari's widget with the canvas.
    on_drop : callable
    """

    def __init__(self, owner: QObject, target: QWidget, on_drop: Callable[[], object]) -> None:
        super().__init__(owner)
        self._on_drop: Callable[[], object] | None = on_drop
        self._target: QWidget | None = target
        target.installEventFilter(self)

    def stop(self) -> None:
        """Take nothing more, and hold nothing."""
        if self._target is not None:
            self._target.removeEventFilter(self)
        self._on_drop = self._target = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Accept a drag from the list, and open what is dropped."""
        if event.type() not in _DRAGGING or not isinstance(event, QDropEvent):
            return super().eventFilter(watched, event)
        dragged = event.mimeData()
        if dragged is None or not dragged.hasFormat(MIME):
            return super().eventFilter(watched, event)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if event.type() == QEvent.Type.Drop and self._on_drop is not None:
            self._on_drop()
        return True
