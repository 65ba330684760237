"""The tab "View": display of mask, maps and brightness, and the readout under the mouse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_bonescint.gui.common.display_presets import DisplayPresets
from napari_bonescint.gui.correct.cursor_readout import CursorReadout
from napari_bonescint.gui.correct.key_bindings import KeyBindings
from napari_bonescint.gui.correct.overlay_maps import DifferenceMap, UncertaintyMap
from napari_bonescint.gui.correct.tools.tool_button import TOOL_STYLE, ToolButton
from napari_bonescint.gui.layers.overlays import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.viewer import Viewer

    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.gui.correct.overlay_maps import OverlayMap

_MASK_KEY, _WINDOW_KEY = "C", "W"
_MASKS = {
    "Filled": "The mask is filled.",
    "Outline": "Only the edge of each region is drawn.",
    "Hidden": "The mask is not shown.",
}
_MAPS: dict[str, tuple[str, type[OverlayMap], str]] = {
    "Difference": (
        "Y",
        DifferenceMap,
        "Difference from the model's mask: green is added, magenta is removed, amber is another region.",
    ),
    "Unsure": ("I", UncertaintyMap, "Violet where the model is uncertain about bone."),
}
_CROSS_KEY = "J"
_CROSS_COLOUR = "#00a2ff"
_UPDATE_MS = 60
_NOWHERE = "Point at the image to see region and counts."


class DisplayPanel(QWidget):
    """Controls for the display of the mask and the scan."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._keys = KeyBindings()
        self._case: OpenCase | None = None
        self._place: CursorReadout | None = None
        self._maps = {name: kind(viewer) for name, (_, kind, _) in _MAPS.items()}
        self._cross = Lines(viewer, "same place", _CROSS_COLOUR)
        self.mask_buttons = {
            name: ToolButton(name, _MASK_KEY if name == "Filled" else "", tip, checkable=True)
            for name, tip in _MASKS.items()
        }
        self.map_buttons = {name: ToolButton(name, key, tip, checkable=True) for name, (key, _, tip) in _MAPS.items()}
        self.cross_button = ToolButton(
            "Other view", _CROSS_KEY, "Shows a cross at the same place of the body in the other view.", checkable=True
        )
        self.cross_button.setChecked(True)
        self.brightness = DisplayPresets()
        self.under_mouse = QLabel(_NOWHERE)
        self._mask = "Filled"
        self._follow_soon = qthrottled(self._follow_mask, timeout=_UPDATE_MS, leading=False)
        self._lay_out()
        self._connect()
        self.set_case(None)

    def set_case(self, case: OpenCase | None) -> None:
        """Use the same display for another scan; with None, remove keys, maps and cross from the viewer."""
        if self._case is not None:
            self._leave(self._case)
        self._case = case
        self._place = None if case is None else CursorReadout(case)
        self.setEnabled(case is not None)
        self.under_mouse.setText(_NOWHERE)
        owners = () if case is None else (*case.labels, self._viewer)
        self._keys.move_to(owners, self._bind_keys)
        if case is None:
            self._cross.remove()
            for each in self._maps.values():
                each.remove()
            return
        self._cross.clear()
        self._cross.show()
        self._viewer.mouse_move_callbacks.append(self._on_move)
        for labels in case.labels:
            labels.events.paint.connect(self._on_mask)
            labels.events.set_data.connect(self._on_mask)  # Undo emits only this
        for name, button in self.map_buttons.items():
            self._show_map(name, button.isChecked())
        self._show_cross(self.cross_button.isChecked())
        self.show_mask(self._mask)
        self.brightness.set_images(case.images, case.windows)

    def show_mask(self, name: str, _checked: bool = False) -> None:
        """Show the mask ``Filled``, as ``Outline`` or ``Hidden``."""
        self._mask = name
        for each, button in self.mask_buttons.items():
            button.setChecked(each == name)
        for labels in self._case.labels if self._case is not None else []:
            contour = 1 if name == "Outline" else 0
            if name != "Hidden" and labels.contour != contour:
                labels.contour = contour
            if labels.visible != (name != "Hidden"):
                labels.visible = name != "Hidden"

    def _leave(self, case: OpenCase) -> None:
        self._viewer.mouse_move_callbacks.remove(self._on_move)
        for labels in case.labels:
            labels.events.paint.disconnect(self._on_mask)
            labels.events.set_data.disconnect(self._on_mask)

    def _lay_out(self) -> None:
        self.setStyleSheet(TOOL_STYLE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        grid = QGridLayout()
        grid.setSpacing(2)
        rows = (self.mask_buttons.values(), (*self.map_buttons.values(), self.cross_button))
        for row, buttons in enumerate(rows):
            for column, button in enumerate(buttons):
                grid.addWidget(button, row, column)
        for column in range(3):
            grid.setColumnStretch(column, 1)
        self.under_mouse.setWordWrap(True)
        self.under_mouse.setStyleSheet("font-size: 11px;")
        self.under_mouse.setMinimumHeight(30)
        layout.addLayout(grid)
        layout.addWidget(self.brightness.form.native)
        layout.addWidget(self.under_mouse)

    def _connect(self) -> None:
        for name, button in self.mask_buttons.items():
            button.clicked.connect(partial(self.show_mask, name))
        for name, button in self.map_buttons.items():
            button.toggled.connect(partial(self._show_map, name))
        self.cross_button.toggled.connect(self._show_cross)

    def _bind_keys(self, owners: Sequence[Any]) -> None:
        self._keys.bind(owners, _MASK_KEY, self._next_mask)
        self._keys.bind(owners, _WINDOW_KEY, self.brightness.next_preset)
        self._keys.bind(owners, _CROSS_KEY, self.cross_button.toggle)
        for name, (key, _, _) in _MAPS.items():
            self._keys.bind(owners, key, self.map_buttons[name].toggle)

    def _next_mask(self) -> None:
        names = list(_MASKS)
        self.show_mask(names[(names.index(self._mask) + 1) % len(names)])

    def _show_map(self, name: str, shown: bool) -> None:
        if shown and self._case is not None:
            self._maps[name].show(self._case)
        else:
            self._maps[name].hide()

    def _show_cross(self, shown: bool) -> None:
        self._cross.clear()
        self._cross.visible = shown

    def _on_mask(self, _event: Any) -> None:
        self._follow_soon()

    def _follow_mask(self) -> None:
        if self._place is not None:
            self._place.forget_midlines()
        for name, button in self.map_buttons.items():
            if button.isChecked():
                self._show_map(name, True)

    def _on_move(self, _viewer: Viewer, event: Any) -> None:
        if self._place is None or self._case is None:
            return
        self.under_mouse.setText(self._place.describe(event.position) or _NOWHERE)
        if self.cross_button.isChecked():
            there = self._place.opposite(event.position)
            if there is None:
                self._cross.clear()
            else:
                self._cross.draw_cross(there)
