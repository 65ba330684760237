"""Fields that ignore the mouse wheel, so that scrolling a panel never changes them."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QWidget

_FIELDS = (QAbstractSlider, QAbstractSpinBox, QComboBox)


class _Filter(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() != QEvent.Type.Wheel:
            return super().eventFilter(watched, event)
        # The event goes on to the parent, which scrolls.
        event.ignore()
        return True


def ignore_wheel(form: QWidget) -> None:
    """Let all fields of a form ignore the wheel."""
    quiet = _Filter(form)
    for field in form.findChildren(QWidget):
        if isinstance(field, _FIELDS):
            field.installEventFilter(quiet)
