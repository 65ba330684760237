"""The order in which the Tab key visits the controls of a panel: the order in which one reads them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtpy.QtWidgets import QLayout, QLayoutItem

# Their parts are no controls of their own.
_WHOLE = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)


def put_in_reading_order(panel: QWidget) -> None:
    """Make the Tab key visit the controls in a panel line by line, as its layouts place them."""
    for before, after in pairwise(_controls(panel)):
        QWidget.setTabOrder(before, after)


def _controls(widget: QWidget) -> Iterator[QWidget]:
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None:
        yield widget
    if isinstance(widget, _WHOLE):
        return
    for part in _parts(widget):
        yield from _controls(part)


def _parts(widget: QWidget) -> Iterator[QWidget]:
    """The widgets directly inside a widget."""
    layout = widget.layout()
    if isinstance(widget, QScrollArea):
        if (page := widget.widget()) is not None:
            yield page
    elif isinstance(widget, QTabWidget):
        yield widget.tabBar()
        if (beside := widget.cornerWidget()) is not None:
            yield beside
        yield from filter(None, map(widget.widget, range(widget.count())))
    elif isinstance(widget, (QSplitter, QStackedWidget)):
        yield from filter(None, map(widget.widget, range(widget.count())))
    elif layout is not None:
        yield from _widgets_in(layout)


def _widgets_in(layout: QLayout) -> Iterator[QWidget]:
    for item in _items_of(layout):
        if (widget := item.widget()) is not None:
            yield widget
        elif (inner := item.layout()) is not None:
            yield from _widgets_in(inner)


def _items_of(layout: QLayout) -> list[QLayoutItem]:
    indices = list(range(layout.count()))
    if isinstance(layout, QGridLayout):
        places: list[Any] = [layout.getItemPosition(index) for index in indices]  # row, column, and their spans
        indices.sort(key=lambda index: (places[index][0], places[index][1]))
    return [item for index in indices if (item := layout.itemAt(index)) is not None]
