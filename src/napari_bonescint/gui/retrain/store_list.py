"""The list of label stores to train on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)
from superqt.utils import qdebounced

from napari_bonescint.gui.common.settings import Setting, follow, remember_folders, remembered, remembered_folders
from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.training.data.data_summary import DataSummary

_ROWS = 3
_TYPING_MS = 600
_FOLDER = Qt.ItemDataRole.UserRole


class StoreList(QGroupBox):
    """Label stores that the user adds and removes, with the number of their scans; `background` reads the stores."""

    changed = Signal()
    """Emitted when the list has changed."""
    counted = Signal(object)
    """Emitted with the `DataSummary` of the stores; with None while the scans are counted."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__("Corrected scans")
        self._background = background
        self.list = QListWidget()
        self.list.setFixedHeight(22 * _ROWS)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.list.setAccessibleName("Label stores")
        self.add_button = QPushButton("Add …")
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Take the selected store out of this list (Delete); nothing in it changes")
        self.supply = PlainLabel(wraps=True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.remove_button)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addLayout(buttons)
        layout.addWidget(self.supply)
        self.add_button.clicked.connect(self._choose)
        self.remove_button.clicked.connect(self._remove_selected)
        self.list.itemSelectionChanged.connect(self._show_buttons)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._remove_selected)
        self._written: tuple[Path, ...] | None = None
        for folder in _remembered():
            self._append(folder)
        self.refresh()
        # napari's Preferences tell each letter.
        self._take_soon = qdebounced(self._take_remembered, timeout=_TYPING_MS, parent=self)
        for setting in (Setting.TRAINING_STORES, Setting.STORE):
            follow(setting, self._take_later)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders of the stores, in the order of the list."""
        return tuple(Path(self.list.item(row).data(_FOLDER)) for row in range(self.list.count()))

    def add(self, folder: Path) -> None:
        """Add a store to the list."""
        if folder not in self.folders:
            self._append(folder)
            self._on_changed()

    def refresh(self) -> None:
        """Count the scans of the stores."""
        folders = self.folders
        self._show_buttons()
        self.counted.emit(None)
        if not folders:
            self.supply.setText("Add the label store that has your corrected masks.")
            return
        self.supply.setText("Counting the scans …")
        self._background.run(partial(_count, folders), partial(self._show_supply, folders), self.supply.setText)

    def _take_later(self, _value: str) -> None:
        self._take_soon()

    def _take_remembered(self) -> None:
        """Show the stores that napari's Preferences have now, unless this list wrote them."""
        folders = _remembered()
        if folders != self.folders and remembered_folders(Setting.TRAINING_STORES) != self._written:
            self.list.clear()
            for folder in folders:
                self._append(folder)
            self.refresh()
            self.changed.emit()

    def _show_supply(self, folders: tuple[Path, ...], supply: DataSummary) -> None:
        if folders == self.folders:
            self.supply.setText(supply.sentence)
            self.counted.emit(supply)

    def _append(self, folder: Path) -> None:
        item = QListWidgetItem(folder.name)
        item.setData(_FOLDER, str(folder))
        item.setToolTip(str(folder))
        self.list.addItem(item)

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Add a label store to learn from")
        if chosen:
            self.add(Path(chosen))

    def _remove_selected(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self._on_changed()

    def _on_changed(self) -> None:
        self._written = self.folders
        remember_folders(Setting.TRAINING_STORES, self.folders)
        self.refresh()
        self.changed.emit()

    def _show_buttons(self) -> None:
        self.remove_button.setEnabled(bool(self.list.selectedItems()))


def _remembered() -> tuple[Path, ...]:
    """The stores to learn from; without any, the one that is corrected."""
    corrected = remembered(Setting.STORE)
    return remembered_folders(Setting.TRAINING_STORES) or ((Path(corrected),) if corrected else ())


def _count(folders: tuple[Path, ...]) -> DataSummary:
    # This import takes half a second, and would stop the window.
    from napari_bonescint.training.data.data_summary import summarise_stores

    return summarise_stores(folders)
