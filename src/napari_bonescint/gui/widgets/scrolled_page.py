"""A page that scrolls up and down and is never narrower than its content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QScrollArea, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtpy.QtGui import QShowEvent

# A panel that fills its pages in turns makes the first one within this time, each part in its own turn.
_PATIENCE_MS = 30


class ScrolledPage(QScrollArea):
    """Scrolls a widget that may be higher than the window.

    Parameters
    ----------
    page : QWidget or callable
        A function makes the page when it is put in.
    later : bool
        True leaves the page out until `fill` or until it is shown, since Qt takes long to style many widgets.
    """

    def __init__(self, page: QWidget | Callable[[], QWidget], *, later: bool = False) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        # The Tab key scrolls to each control; the page itself is none.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page = page
        if not later:
            self.fill()

    def fill(self) -> None:
        """Put the page in, if it is not in."""
        if self.widget() is None:
            if not isinstance(self._page, QWidget):
                self._page = self._page()
            self.setWidget(self._page)

    def fill_in_steps(self) -> Iterator[None]:
        """Make the page in one step and put it in in the next one, for `in_turns`."""
        if self.widget() is None and not isinstance(self._page, QWidget):
            self._page = self._page()
            yield
        self.fill()
        yield

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Put the page in soon after it is seen, if `fill` has not done so: the window answers first."""
        super().showEvent(event)
        if self.widget() is None:
            QTimer.singleShot(_PATIENCE_MS, self, self._fill_if_seen)

    def _fill_if_seen(self) -> None:
        if self.isVisible():  # its panel may be closed already
            self.fill()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The width of the page and of the scroll bar."""
        page = self._page.minimumSizeHint() if isinstance(self._page, QWidget) else QSize()
        width = max(page.width(), 0) + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size at which nothing needs to be scrolled."""
        frame = self.size() - self.maximumViewportSize()
        page = self._page.sizeHint() if isinstance(self._page, QWidget) else QSize(0, 0)
        return page + frame + QSize(self.verticalScrollBar().sizeHint().width(), 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the page when its width changes, for example by the style of its new window."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
