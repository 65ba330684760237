"""A flat button that shows its key."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy

from napari_bonescint.gui.widgets.elided_label import ElidedLabel
from napari_bonescint.gui.widgets.plain_label import PlainLabel

_HEIGHT = 22
# Of a button whose name changes, so that the panel does not become wider by it.
_MOST_WIDTH = 130
_SWATCH = 10
TOOL_STYLE = """
ToolButton { border: 1px solid transparent; border-radius: 3px; padding: 0px; background: rgba(128, 128, 128, 28); }
ToolButton:hover { border-color: rgba(128, 128, 128, 160); }
ToolButton:checked { background: rgba(70, 130, 220, 150); border-color: rgba(110, 170, 255, 220); }
ToolButton:focus { border-color: rgba(110, 170, 255, 220); }
ToolButton:pressed { background: rgba(70, 130, 220, 90); }
ToolButton QLabel { background: transparent; font-size: 11px; }
"""
"""For the widget that holds the buttons: Qt takes long to read a style for each of forty."""


class ToolButton(QPushButton):
    """A flat button with its name on the left and its key on the right; only the Tab key gives it the focus.

    `tip` is the tooltip, and `colour` the colour of a small square before the name, if any.
    """

    def __init__(self, name: str, key: str = "", tip: str = "", *, checkable: bool = False, colour: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._key, self._name = key, ElidedLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(3)
        if colour:
            square = QPixmap(_SWATCH, _SWATCH)
            square.fill(QColor(colour))
            swatch = PlainLabel()
            swatch.setPixmap(square)
            layout.addWidget(swatch)
        layout.addWidget(self._name, 1)
        shown = PlainLabel(key)
        shown.setObjectName("key")
        layout.addWidget(shown)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.show_text(name, tip)

    def show_text(self, name: str, tip: str) -> None:
        """Show another name and tooltip."""
        if name != self._name.text() or not self.toolTip():
            self._name.setText(name)
            self.setAccessibleName(name)
            self.setToolTip(f"<p>{tip}</p>" + (f"<p>Key: <b>{self._key}</b></p>" if self._key else "") if tip else "")

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that the texts on the button need."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The same size, so that no name is cut off; a very long one ends in dots."""
        return self.sizeHint().boundedTo(QSize(_MOST_WIDTH, _HEIGHT))
