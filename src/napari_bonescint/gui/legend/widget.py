"""The legend: a row for each bone of the scan that the active layer belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.legend.bones import (
    bone_at,
    hidden_in,
    hide,
    labelled_views,
    legend_of,
    middle_of,
    name_of,
)
from napari_bonescint.gui.legend.caption import BoneCaption
from napari_bonescint.gui.legend.eye import eye, swatch
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.text_colours import icon_colour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.layers import Labels
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.gui.legend.bones import Bone, LabelledView, Legend

_UPDATE_MS = 60
_SPACING = 3
_EYE, _NAME, _AREAS = 0, 1, 2
_CODE = Qt.ItemDataRole.UserRole
_ICON = QSize(16, 16)
_NOTHING_HERE = "Point at the scan to see the name of a bone."
_NO_BONES = "Segment a scan, or open its mask, to see its bones here."
_EVENTS_OF_LABELS = ("paint", "set_data", "colormap", "features", "scale", "units")


class LegendWidget(QWidget):
    """Bones with colour, area and eye; a click on a bone chooses its label and centres the view on it.

    It follows edits, Undo, layers that come and go, and the scan of the active layer.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._views: tuple[LabelledView, ...] = ()
        self._watched: list[Labels] = []
        self._titles: list[str] = []
        self._caption = BoneCaption(viewer)
        self.tree = QTreeWidget()
        self.under_mouse = PlainLabel(_NO_BONES, wraps=True)
        self.only_button = QPushButton("Show only this bone")
        self.all_button = QPushButton("Show all")
        self._lay_out()
        self._refresh_soon = qthrottled(self.refresh, timeout=_UPDATE_MS, leading=False, parent=self)
        self.tree.itemClicked.connect(self._on_clicked)
        self.tree.itemActivated.connect(lambda item, _column: self._choose(item))
        self.tree.currentItemChanged.connect(lambda *_items: self._show_buttons())
        self.only_button.clicked.connect(self.show_only_chosen)
        self.all_button.clicked.connect(self.show_all)
        layers = viewer.layers
        self._events = [
            *(getattr(layers.events, name) for name in ("inserted", "removed", "reordered")),
            layers.selection.events.active,
        ]
        for event in self._events:
            event.connect(self._on_event)
        viewer.mouse_move_callbacks.append(self._on_move)
        self.refresh()

    @property
    def code(self) -> int | None:
        """The label of the chosen bone; None if none is chosen."""
        item = self.tree.currentItem()
        return None if item is None else int(item.data(_NAME, _CODE))

    def refresh(self) -> None:
        """Count the pixels again and show the rows."""
        self._views = self._present_views()
        self._watch([view.labels for view in self._views])
        legend = legend_of(self._views) if self._views else None
        has_bones = legend is not None and bool(legend.bones)
        for part in (self.tree, self.only_button, self.all_button):
            part.setVisible(has_bones)
        if legend is None or not has_bones:
            self.tree.clear()
            self._point_at("")
            return
        self._fill(legend)
        if self.under_mouse.text() == _NO_BONES:
            self._point_at("")

    def set_shown(self, code: int, shown: bool) -> None:
        """Show or hide one bone in all views."""
        hidden = hidden_in(self._present_views())
        self._hide(hidden - {code} if shown else hidden | {code})

    def show_only_chosen(self) -> None:
        """Hide all bones but the chosen one."""
        code = self.code
        if code is not None:
            self._hide({other for other in self._codes() if other != code})

    def show_all(self) -> None:
        """Show all bones again."""
        self._hide(set())

    def _hide(self, codes: set[int]) -> None:
        # One view after the other, since napari takes up to 30 ms for each; the rows follow the colours.
        in_turns(self, _hide_in_each(self._present_views(), codes))

    def _present_views(self) -> tuple[LabelledView, ...]:
        """The views now; an update of the rows may be due."""
        return labelled_views(self._viewer.layers, self._viewer.layers.selection.active)

    def disconnect_from_viewer(self) -> None:
        """Stop following the viewer."""
        for event in self._events:
            event.disconnect(self._on_event)
        self._watch([])
        if self._on_move in self._viewer.mouse_move_callbacks:
            self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._caption.show("")

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Catch up with what happened while the legend was hidden."""
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draw the eyes again in the colour of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_refresh_soon"):
            self._refresh_soon()

    def _lay_out(self) -> None:
        self.tree.setAccessibleName("Bones")
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(0)
        self.tree.setUniformRowHeights(True)
        self.tree.setIconSize(_ICON)
        self.tree.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setStyleSheet("QTreeWidget::item { padding: 0px; }")
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setMinimumSectionSize(20)
        self.tree.setToolTip("Click a bone to choose its label and to centre the view on it; click its eye to hide it")
        buttons = QHBoxLayout()
        buttons.addWidget(self.only_button)
        buttons.addWidget(self.all_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_SPACING)
        layout.addWidget(self.under_mouse)
        layout.addWidget(self.tree)
        layout.addLayout(buttons)

    def _fill(self, legend: Legend) -> None:
        names = [str(view.name) for view in legend.views]
        # Short, so that the names of bones are whole in a narrow panel.
        short = [f"{name}, {legend.unit}" if len(names) == 1 else name.replace("erior", ".") for name in names]
        titles = ["", "Bone" if len(names) == 1 else f"Bone, area in {legend.unit}", *short]
        if titles != self._titles:
            self._title(titles)
            for view, name in enumerate(names):
                self.tree.headerItem().setToolTip(_AREAS + view, f"{name} view")
        if self._codes() != [bone.code for bone in legend.bones]:
            chosen = self.code
            self.tree.clear()
            self.tree.addTopLevelItems([_item(bone, len(names)) for bone in legend.bones])
            self._mark(chosen)
        colour = QColor(icon_colour())
        eyes = {is_open: eye(colour, is_open=is_open) for is_open in (True, False)}
        for item, bone in zip(self._items(), legend.bones, strict=True):
            item.setIcon(_EYE, eyes[bone.is_shown])
            item.setToolTip(_EYE, f"{'Hide' if bone.is_shown else 'Show'} {bone.name}")
            item.setData(_EYE, _CODE, bone.is_shown)
            for view, area in enumerate(bone.areas):
                item.setText(_AREAS + view, f"{area:,.0f}".replace(",", "\u2009") if area else "–")
        self._fit()
        self._show_buttons()

    def _title(self, titles: list[str]) -> None:
        self._titles = titles
        self.tree.clear()
        self.tree.setColumnCount(len(titles))
        self.tree.setHeaderLabels(titles)
        header = self.tree.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)

    def _fit(self) -> None:
        """Show all rows: the page scrolls, not the list."""
        rows = self.tree.topLevelItemCount()
        height = rows * self.tree.sizeHintForRow(0) if rows else 0
        self.tree.setFixedHeight(self.tree.header().sizeHint().height() + height + 2 * self.tree.frameWidth() + 2)

    def _show_buttons(self) -> None:
        item = self.tree.currentItem()
        self.only_button.setEnabled(item is not None)
        self.only_button.setText("Show only this bone" if item is None else f"Show only {item.text(_NAME)}")
        self.all_button.setEnabled(bool(hidden_in(self._views)))

    def _codes(self) -> list[int]:
        return [int(item.data(_NAME, _CODE)) for item in self._items()]

    def _items(self) -> list[QTreeWidgetItem]:
        items = [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]
        return [item for item in items if item is not None]

    def _mark(self, code: int | None) -> None:
        """Mark the row of a bone."""
        for item in self._items():
            if item.data(_NAME, _CODE) == code:
                self.tree.setCurrentItem(item)

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == _EYE:
            self.set_shown(int(item.data(_NAME, _CODE)), not item.data(_EYE, _CODE))
        else:
            self._choose(item)

    def _choose(self, item: QTreeWidgetItem) -> None:
        """Choose the label of a bone in all labels of the scan, and centre the camera on the bone."""
        code = int(item.data(_NAME, _CODE))
        active = self._viewer.layers.selection.active
        # In the view of the active layer, if it shows the bone.
        views = sorted(self._views, key=lambda view: active not in (view.image, view.labels))
        for view in views:
            view.labels.selected_label = code
        middle = middle_of(views, code)
        if middle is not None:
            camera = self._viewer.scene.camera
            camera.center = (*camera.center[:-2], *middle)

    def _on_move(self, viewer: Viewer, event: Any) -> None:
        layers = viewer.layers
        found = bone_at(layers, layers.selection.active, event.position)
        text = "" if found is None or found[1] == 0 else f"{name_of(*found)}, {found[0].name}"
        self._point_at(text)

    def _point_at(self, bone: str) -> None:
        self.under_mouse.setText(bone or (_NOTHING_HERE if self._codes() else _NO_BONES))
        self._caption.show(bone)

    def _on_event(self, _event: Any) -> None:
        # Hidden behind another tab, it costs nothing while the user draws.
        if self.isVisible():
            self._refresh_soon()

    def _watch(self, wanted: list[Labels]) -> None:
        """Follow the edits of these labels layers only."""
        for labels in self._watched:
            if labels not in wanted:
                for name in _EVENTS_OF_LABELS:
                    getattr(labels.events, name).disconnect(self._on_event)
        for labels in wanted:
            if labels not in self._watched:
                for name in _EVENTS_OF_LABELS:
                    getattr(labels.events, name).connect(self._on_event)
        self._watched = wanted


def _hide_in_each(views: tuple[LabelledView, ...], codes: set[int]) -> Iterator[None]:
    for view in views:
        hide([view], codes)
        yield


def _item(bone: Bone, views: int) -> QTreeWidgetItem:
    item = QTreeWidgetItem(["", bone.name])
    item.setIcon(_NAME, swatch(bone.colour))
    item.setData(_NAME, _CODE, bone.code)
    for column in range(_AREAS, _AREAS + views):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
