"""Keep the keyboard with the image: keys of tools work after the mouse was in a panel, and not while one types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QTextEdit,
    QWidget,
)

from napari_bonescint.gui.common.main_window import main_window_of

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)


def is_typing() -> bool:
    """Whether the keyboard is with a field for text."""
    focus = QApplication.focusWidget()
    return isinstance(focus, _TEXT) or (isinstance(focus, QComboBox) and focus.isEditable())


class CanvasFocus(QObject):
    """Gives the keyboard to napari's canvas after each use of the mouse in a panel.

    The Tab key still visits every control, and a control that was reached so keeps the keyboard.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel

    def watch(self, part: QWidget) -> None:
        """Follow the controls that the panel, or a part that comes into it later, has now."""
        for control in part.findChildren(QWidget):
            if isinstance(control, QLineEdit):
                control.returnPressed.connect(self.give)
            elif not isinstance(control, _TEXT) and control.focusPolicy() & Qt.FocusPolicy.TabFocus:
                # A click does not take the keyboard from the canvas.
                control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            for used in _uses(control):
                used.connect(partial(self._on_use, control))

    def give(self) -> None:
        """Give the keyboard to the canvas."""
        window = main_window_of(self._panel)
        center = None if window is None else window.centralWidget()
        canvas = None if center is None else center.findChild(QOpenGLWidget)
        if window is None or canvas is None:
            return
        if not window.isActiveWindow() and self._panel.isActiveWindow():
            window.activateWindow()  # the panel floats
        canvas.setFocus()

    def take_back(self) -> None:
        """Give the keyboard to the canvas, unless a person is typing; for the mouse that comes back to the canvas."""
        if not is_typing():
            self.give()

    def _on_use(self, control: QWidget, *_: object) -> None:
        if not control.hasFocus():  # otherwise it was used by the keyboard
            self.give()


class WindowKeys(QObject):
    """Keys that work in the whole window of a panel.

    Attributes
    ----------
    shortcuts : list of QShortcut
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._window: QWidget | None = window
        self.shortcuts: list[QShortcut] = []
        self._not_while_typing: list[QShortcut] = []
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus)

    def bind(self, keys: str, action: Callable[[], object], *, while_typing: bool) -> None:
        """Bind keys such as ``Ctrl+Return``; `while_typing` says whether they also work in fields for text."""
        shortcut = QShortcut(QKeySequence(keys), self._window)
        shortcut.activated.connect(action)
        self.shortcuts.append(shortcut)
        if not while_typing:
            self._not_while_typing.append(shortcut)
            shortcut.setEnabled(not is_typing())

    def release(self) -> None:
        """Remove all keys."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.disconnect(self._on_focus)
        for shortcut in self.shortcuts:
            shortcut.setParent(None)
        self.shortcuts.clear()
        self._not_while_typing.clear()
        self._window = None

    def _on_focus(self) -> None:
        for shortcut in self._not_while_typing:
            shortcut.setEnabled(not is_typing())


def _uses(control: QWidget) -> list[Signal]:
    """The signals by which a control says that it was used."""
    if isinstance(control, QPushButton) and control.menu() is not None:
        return [control.menu().aboutToHide]
    if isinstance(control, QAbstractButton):
        return [control.clicked]
    if isinstance(control, QAbstractSlider):
        return [control.actionTriggered]
    if isinstance(control, QAbstractItemView):
        return [control.clicked]
    if isinstance(control, QComboBox):
        return [control.activated]
    if isinstance(control, QTabBar):
        return [control.tabBarClicked]
    return []
