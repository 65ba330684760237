"""The base of all panels: one of each kind in a window, whose processes end with it; and widgets of all panels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QSize, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QPushButton, QWidget

from napari_bonescint.gui.common.ahead import prepare_panels
from napari_bonescint.gui.common.close_guard import CloseGuard
from napari_bonescint.gui.common.main_window import main_window_of
from napari_bonescint.gui.common.tab_order import put_in_reading_order
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.text.formatting import DISCLAIMER

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QCloseEvent, QShowEvent

    from napari_bonescint.gui.common.segmenting import SegmentationClient


class DockPanel(QWidget):
    """A panel in a dock of napari; a subclass ends its processes in `_end_processes`, which is called once."""

    _closing: CloseGuard | None = None
    _is_shut_down = False
    _was_shown = False
    _is_behind = False
    _is_settled = False

    def come_forward(self) -> None:
        """Show the panel, in front of the other tabs of its dock."""
        dock = self.parent()
        if isinstance(dock, QDockWidget) and not self._is_shut_down:
            dock.show()
            dock.raise_()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Give way to a panel of the same kind in this window, if there is one."""
        super().showEvent(event)
        put_in_reading_order(self)  # so that the Tab key enters the panel at its first control
        if self._was_shown:
            return
        self._was_shown = True
        self._soon(self._settle)
        prepare_panels()  # the others
        alike = self.window().findChildren(type(self))
        earlier = [panel for panel in alike if panel is not self and not panel._is_shut_down]
        if earlier:
            # Not now, since napari is still adding the dock of this one.
            self._soon(partial(self._give_way, earlier[0]))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest size; none in the turn in which the panel is docked.

        A panel that widens its dock makes Qt lay out the window, and napari draw the canvas, once more.
        """
        return super().minimumSizeHint() if self._is_settled else QSize(0, 0)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """End the panel's processes."""
        self._shut_down()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the dock, and end the panel's processes when napari takes the panel out of it without closing it."""
        super().changeEvent(event)
        if event.type() != QEvent.Type.ParentChange:
            return
        dock = self.parent()
        if dock is None:
            self._shut_down()
        elif isinstance(dock, QDockWidget):
            dock.visibilityChanged.connect(self._on_visibility)

    def focusNextPrevChild(self, to_next: bool) -> bool:  # noqa: N802
        """Visit the controls in reading order, also those that were added since; Qt asks for each Tab key."""
        put_in_reading_order(self)
        return super().focusNextPrevChild(to_next)

    def _on_visibility(self, visible: bool) -> None:
        """Come forward if the panel is hidden while it lies behind another tab: napari's menus do that to show it."""
        dock = self.parent()
        if not isinstance(dock, QDockWidget) or self._is_shut_down:
            return
        if dock.isHidden() and self._is_behind:
            self._soon(self.come_forward)
        self._is_behind = not visible and not dock.isHidden()

    def _settle(self) -> None:
        self._share_height()
        self._is_settled = True
        self.updateGeometry()

    def _share_height(self) -> None:
        """Become a tab beside the panels in this area: napari's menus put one above the other, with little room."""
        dock, window = self.parent(), main_window_of(self)
        if window is None or not isinstance(dock, QDockWidget) or dock.isFloating() or window.tabifiedDockWidgets(dock):
            return
        panels = [each for each in window.findChildren(DockPanel) if each is not self and not each._is_shut_down]
        docks = [other for each in panels if isinstance(other := each.parent(), QDockWidget)]
        area = window.dockWidgetArea(dock)
        beside = [other for other in docks if not other.isFloating() and window.dockWidgetArea(other) == area]
        if beside:
            window.tabifyDockWidget(beside[-1], dock)
            dock.raise_()

    def _give_way(self, earlier: DockPanel) -> None:
        dock: Any = self.parent()
        dock.destroyOnClose()  # as the button of napari's docks
        earlier.come_forward()

    def _soon(self, act: Callable[[], None]) -> None:
        """Call a function after the present event, unless the panel is deleted by then."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(act)
        timer.start(0)

    def _end_at_last(self, child: SegmentationClient) -> None:
        """Leave the shared child process also when the panel is deleted without being closed, and when napari ends."""
        # Connected to the child alone, since nothing else of the panel exists once `destroyed` is emitted.
        self.destroyed.connect(child.close)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(child.close)

    def _guard_window(self, may_close: Callable[[], bool], closed: Callable[[], None]) -> QWidget | None:
        """Ask before napari closes, see `CloseGuard`; the first call returns the window, further ones None."""
        if self._closing is not None or self._is_shut_down:
            return None
        self._closing = CloseGuard(self, may_close, closed)
        return self._closing.window

    def _shut_down(self) -> None:
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if self._closing is not None:
            self._closing.stop()
        self._end_processes()

    def _end_processes(self) -> None:
        raise NotImplementedError


def disclaimer_label() -> PlainLabel:
    """The disclaimer, in small letters."""
    label = PlainLabel(f"{DISCLAIMER}.")
    label.setStyleSheet("font-size: 11px;")
    return label


def main_button(text: str) -> QPushButton:
    """A large button for the main action of a panel."""
    button = QPushButton(text)
    button.setStyleSheet("QPushButton { font-size: 15px; font-weight: bold; padding: 10px; }")
    return button
