"""Fields of a form that begin at the same place.

magicgui measures labels in the font of the application. A style sheet, such as napari's, sets another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel

if TYPE_CHECKING:
    from qtpy.QtWidgets import QLayout, QWidget

_EVENTS = (QEvent.Type.Show, QEvent.Type.LayoutRequest, QEvent.Type.StyleChange)


def align_fields(form: QWidget) -> None:
    """Make all labels of a vertical form of magicgui as wide as the widest, now and whenever they change.

    Parameters
    ----------
    form : QWidget
        `native` of the form.
    """
    _LabelColumn(form)


class _LabelColumn(QObject):
    def __init__(self, form: QWidget) -> None:
        super().__init__(form)
        self._form = form
        form.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() in _EVENTS:
            labels = self._labels()
            width = max((label.sizeHint().width() for label in labels), default=0)
            for label in labels:
                if label.minimumWidth() != width:
                    label.setMinimumWidth(width)
        return super().eventFilter(watched, event)

    def _labels(self) -> list[QLabel]:
        """The first widget of each row that is a label."""
        rows = [_widgets(row.layout()) for row in _widgets(self._form.layout()) if not row.isHidden()]
        return [row[0] for row in rows if len(row) > 1 and isinstance(row[0], QLabel)]


def _widgets(layout: QLayout | None) -> list[QWidget]:
    items = [] if layout is None else [layout.itemAt(index) for index in range(layout.count())]
    return [widget for item in items if item is not None and (widget := item.widget()) is not None]
