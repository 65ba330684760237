"""Two parts of a panel, one above the other: the lower one gets the height that it needs, the upper one the rest.

The upper one gets at least what its texts need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QSplitter

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent
    from qtpy.QtWidgets import QWidget

# Style sheets may put a frame around each part, which its size hint lacks.
_FRAME = 2


class GrowingSplitter(QSplitter):
    """Shares its height between two parts, until the user drags the bar between them."""

    def __init__(self, upper: QWidget, lower: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._is_dragged = False
        self._upper, self._lower = upper, lower
        for part in (upper, lower):
            self.addWidget(part)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._on_moved)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Share another height."""
        super().resizeEvent(event)
        self._share()

    def event(self, event: QEvent) -> bool:
        """Follow the lower part when it needs another height."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._share()
        return bool(done)

    def _share(self) -> None:
        if not self._is_dragged:
            needed = self._lower.sizeHint().height() + _FRAME
            room, layout = self.height() - self.handleWidth(), self._upper.layout()
            least = layout.minimumHeightForWidth(self.width()) if layout is not None else 0
            above = max(room - needed, least)
            self.setSizes([above, max(room - above, 0)])

    def _on_moved(self) -> None:
        self._is_dragged = True
