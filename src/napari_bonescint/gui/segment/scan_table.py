"""The table of scan layers: a check box, the view and the pixel size of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from napari.layers import Labels
from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QSizePolicy,
    QStyle,
    QToolButton,
    QWidget,
)

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.layers.scans import can_be_scan, doubted, facts_of, same_scan, spacing_of
from napari_bonescint.gui.segment.view_edits import flip, set_spacing, set_view
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.scan import ViewName, ViewSource, spacing_problem

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer
    from qtpy.QtGui import QResizeEvent

_LARGEST_PIXEL_MM = 50.0
_INDENT = 24
# In pixels of the screen.
_NARROWEST_NAME, _GAP = 90, 8
_VIEW_TOOLTIPS = {
    ViewSource.FILE: "View from the file; choose the other view if the file is wrong",
    ViewSource.USER: "Your choice; the file does not name the view",
    ViewSource.OVERRULED: "Your choice; the file names the opposite view",
    ViewSource.ASSUMED: "The file does not name the view: please choose",
}


class _ElidedBox(QCheckBox):
    """A check box that may be narrower than its text, because the names of files are long."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._whole = text
        self.setAccessibleName(text)
        self.setMinimumWidth(_NARROWEST_NAME)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Cut the text to the width that there is."""
        super().resizeEvent(event)
        room = self.width() - self.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth) - _GAP
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, room))


class ScanTable(QWidget):
    """A row for each image layer that can be a view of a scan."""

    rebuilt = Signal()
    """Emitted when layers have come, gone, or been edited here."""
    edited = Signal(object)
    """Emitted with an image whose view the user has edited here."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._spacings: WeakKeyDictionary[Image, QDoubleSpinBox] = WeakKeyDictionary()
        self._unchecked: WeakSet[Image] = WeakSet()
        self._boxes: list[tuple[Image, QCheckBox]] = []
        self._doubted: list[Image] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        events = viewer.layers.events
        self._events = (events.inserted, events.removed, events.reordered, events.renamed)
        for event in self._events:
            event.connect(self._on_layers)
        self._rebuild()

    def disconnect_from_viewer(self) -> None:
        """Stop following the viewer's layers."""
        for event in self._events:
            event.disconnect(self._on_layers)

    def checked(self) -> list[Image]:
        """The layers to segment, in the order of the layer list."""
        return [image for image, box in self._boxes if box.isChecked()]

    def check_only(self, images: list[Image]) -> None:
        """Check these layers and no others."""
        for image, box in self._boxes:
            box.setChecked(image in images)

    def ask_for_spacing(self, image: Image) -> None:
        """Put the focus on the field for the pixel size of a scan."""
        for view in same_scan(self._viewer.layers, image):
            if view in self._spacings:
                self._spacings[view].setFocus()
                self._spacings[view].selectAll()

    def refresh(self) -> None:
        """Show the views as they are now."""
        self._rebuild()

    def _on_layers(self, event: Any) -> None:
        if not isinstance(getattr(event, "value", None), Labels):  # these have no rows
            self._rebuild()

    def _rebuild(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self._boxes = []
        self._spacings.clear()
        images = [layer for layer in self._viewer.layers if can_be_scan(layer)]
        if not images:
            self._add_hint("Open a bone scan: drop a DICOM file here, or see File > Open Sample > Bone scintigraphy.")
        self._doubted = doubted(images)
        for image in images:
            self._add_row(image)
            if image is same_scan(images, image)[0] and _asks_for_spacing(image):
                self._add_spacing(image)
        ignore_wheel(self)
        self.rebuilt.emit()

    def _add_hint(self, text: str) -> None:
        self._grid.addWidget(PlainLabel(text, wraps=True), self._grid.rowCount(), 0, 1, 3)

    def _add_row(self, image: Image) -> None:
        row = self._grid.rowCount()
        box = _ElidedBox(image.name)
        box.setToolTip(f"Segment {image.name}")
        box.setChecked(image not in self._unchecked)
        box.toggled.connect(partial(self._on_toggled, image))
        self._boxes.append((image, box))
        self._grid.addWidget(box, row, 0)
        self._grid.addWidget(self._view_widget(image), row, 1)
        mirror = QToolButton()
        mirror.setText("⇄")
        mirror.setToolTip("Mirror this view and its labels, if its file shows it mirrored; then R and L are correct")
        mirror.setAccessibleName(f"Mirror {image.name}")
        mirror.clicked.connect(lambda: self._edit(flip, image))
        self._grid.addWidget(mirror, row, 2)

    def _add_spacing(self, image: Image) -> None:
        row = self._grid.rowCount()
        label = PlainLabel("Pixel size")
        label.setIndent(_INDENT)
        self._grid.addWidget(label, row, 0)
        self._spacings[image] = self._spacing_widget(image)
        self._grid.addWidget(self._spacings[image], row, 1)

    def _view_widget(self, image: Image) -> QWidget:
        view = facts_of(image).view
        combo = QComboBox()
        combo.addItems([str(name) for name in ViewName])
        combo.setCurrentIndex(list(ViewName).index(view.name))
        if view.source is ViewSource.ASSUMED or image in self._doubted:
            combo.setItemText(combo.currentIndex(), f"{view.name}?")
        combo.setToolTip(_VIEW_TOOLTIPS[view.source])
        combo.activated.connect(lambda index: self._edit(set_view, image, list(ViewName)[index]))
        return combo

    def _spacing_widget(self, image: Image) -> QDoubleSpinBox:
        spacing = spacing_of(image)
        box = QDoubleSpinBox()
        box.setRange(0.0, _LARGEST_PIXEL_MM)
        box.setDecimals(3)
        box.setSingleStep(0.1)
        box.setSuffix(" mm")
        box.setSpecialValueText("unknown")
        box.setToolTip("The file does not state the pixel size; the network needs it to know the size of bones")
        box.setValue(spacing[0] if spacing is not None else 0.0)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(lambda mm: self._edit(set_spacing, image, mm) if mm > 0 else None)
        return box

    def _on_toggled(self, image: Image, checked: bool) -> None:
        (self._unchecked.discard if checked else self._unchecked.add)(image)

    def _edit(self, edit: Any, image: Image, *arguments: Any) -> None:
        try:
            edit(self._viewer.layers, image, *arguments)
        except BonescintError as error:
            show_error(str(error))
        else:
            self.edited.emit(image)
        self._rebuild()


def _asks_for_spacing(image: Image) -> bool:
    """Whether the file of an image states no pixel size, or its layer has an impossible one."""
    spacing = spacing_of(image)
    return (
        facts_of(image).scan.spacing is None
        or spacing is None
        or spacing_problem(spacing, image.data.shape) is not None
    )
