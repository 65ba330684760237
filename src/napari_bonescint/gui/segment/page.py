"""The scrolled part of the panel "Segment skeleton": scans, notices, model, bones and display."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGroupBox, QVBoxLayout, QWidget

from napari_bonescint.gui.common.display_presets import DisplayPresets
from napari_bonescint.gui.common.model_chooser import ModelChooser
from napari_bonescint.gui.layers.scans import can_be_scan, same_scan
from napari_bonescint.gui.legend.widget import LegendWidget
from napari_bonescint.gui.segment.notice_list import NoticeList
from napari_bonescint.gui.segment.scan_table import ScanTable
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.scrolled_page import ScrolledPage

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class SegmentPage(ScrolledPage):
    """Everything that is chosen before a segmentation and read after it."""

    def __init__(self, viewer: Viewer) -> None:
        page = QWidget()
        super().__init__(page)
        self._viewer = viewer
        self.rows = ScanTable(viewer)
        self.notices = NoticeList(viewer)
        self.models = ModelChooser()
        self.device = PlainLabel("The model is being loaded …", wraps=True)
        self.legend = LegendWidget(viewer)
        self.brightness = DisplayPresets()
        ignore_wheel(self.brightness.form.native)
        groups = (
            ("Scan layers", (self.rows, self.notices)),
            ("Model", (self.models, self.device)),
            ("Bones", (self.legend,)),
            ("Display", (self.brightness.form.native,)),
        )
        parts = QVBoxLayout(page)
        parts.setContentsMargins(0, 0, 0, 0)
        for title, widgets in groups:
            group = QGroupBox(title)
            inner = QVBoxLayout(group)
            for widget in widgets:
                inner.addWidget(widget)
            parts.addWidget(group)
        parts.addStretch()
        self.rows.rebuilt.connect(self._show_scans)
        self.rows.edited.connect(lambda image: self.notices.note_edit(same_scan(viewer.layers, image)))
        self.notices.edited.connect(self.rows.refresh)
        self.notices.spacing_requested.connect(self.ask_for_spacing)
        self._show_scans()

    def show_device(self, reason: str) -> None:
        """Say on which device the model computes, and why there."""
        self.device.setText(f"Computes on the {reason}.")

    def disconnect_from_viewer(self) -> None:
        """Stop following the viewer."""
        self.rows.disconnect_from_viewer()
        self.legend.disconnect_from_viewer()

    def _show_scans(self) -> None:
        self.notices.refresh()
        self.brightness.set_images([layer for layer in self._viewer.layers if can_be_scan(layer)])

    def ask_for_spacing(self, image: Image) -> None:
        """Put the keyboard into the field for the pixel size of an image."""
        self.ensureWidgetVisible(self.rows)
        self.rows.ask_for_spacing(image)
