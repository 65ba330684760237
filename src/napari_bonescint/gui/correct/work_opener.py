"""A button that opens a label store, or a folder of scans with a store for their corrections, and goes back to both."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store_place import Place, place
from napari_bonescint.gui.correct.folders.left_out_line import LeftOutLine
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog, taken
from napari_bonescint.gui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtpy.QtGui import QAction

    from napari_bonescint.formats.left_out import LeftOut

_NEW = "A label store is a folder of its own for scans and corrected masks."
_FOR_CORRECTIONS = "Corrections are saved in a label store, a folder of its own. The scans stay as they are."


class WorkOpener(QWidget):
    """A button that opens work, the name of the open store or folder, and what was left out of the folder."""

    store_chosen = Signal(object)
    """Emitted with the folder of a label store, or an empty or new folder for one."""
    scans_chosen = Signal(object)
    """Emitted with a folder of scans."""
    list_chosen = Signal(object, object)
    """Emitted with the folder of a label store, and with the folder of scans of an earlier list, or None."""
    order_requested = Signal()
    """Emitted when the user wants the list ordered anew."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Open …")
        menu = QMenu(self.button)
        menu.addAction("Label store …", self._choose_store)
        menu.addAction("New label store …", self._make_store)
        menu.addAction("Folder of scans …", self._choose_scans)
        menu.addSeparator()
        self._recent: list[QAction] = []
        self._below = menu.addSeparator()
        menu.addAction("Order the list anew, most useful first", self.order_requested.emit)
        self.button.setMenu(menu)
        hint = "Open a label store, or a folder of scans to correct."
        self.place = ElidedLabel(hint, Qt.TextElideMode.ElideMiddle)
        self.left_out = LeftOutLine()
        line = QHBoxLayout()
        line.addWidget(self.button)
        line.addWidget(self.place, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.left_out)
        self._last = Path.home()

    def ask_for_store(self) -> Path | None:
        """Ask for the store of corrections, which may be a new folder; None if the user cancels."""
        return self._ask_in_dialog(self._last, _FOR_CORRECTIONS)

    def show_place(self, store: Path, scans: Path | None) -> None:
        """Show the open store or folder."""
        self.place.setText(_title(store, scans))
        self.place.setToolTip(str(store) if scans is None else f"{scans}\nCorrections are saved in {store}")
        self._last = store.parent

    def offer(self, lists: Iterable[tuple[Path, Path | None]]) -> None:
        """Offer earlier lists in the menu: the folder of the store, and the folder of scans or None."""
        menu = self.button.menu()
        for action in self._recent:
            menu.removeAction(action)
        self._recent = []
        for store, scans in lists:
            action = menu.addAction(_title(store, scans).replace("&", "&&"))
            action.setToolTip(str(scans or store))
            action.triggered.connect(partial(self._on_list, store, scans))
            menu.insertAction(self._below, action)
            self._recent.append(action)

    def show_left_out(self, left_out: LeftOut) -> None:
        """Show how many files were left out of the opened folder, and why."""
        self.left_out.show_files(left_out)

    def _on_list(self, store: Path, scans: Path | None, _checked: bool = False) -> None:
        self.list_chosen.emit(store, scans)

    def _choose_store(self) -> None:
        folder = self._ask_for_folder("Open a label store, or an empty folder to make one in")
        if folder is not None and _is_taken(folder):
            folder = self._ask_in_dialog(folder, taken(folder))
        if folder is not None:
            self.store_chosen.emit(folder)

    def _make_store(self) -> None:
        folder = self._ask_in_dialog(self._last, _NEW)
        if folder is not None:
            self.store_chosen.emit(folder)

    def _choose_scans(self) -> None:
        folder = self._ask_for_folder("Open a folder of scans")
        if folder is not None:
            self._last = folder.parent
            self.scans_chosen.emit(folder)

    def _ask_for_folder(self, title: str) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(self, title, str(self._last))
        return Path(chosen) if chosen else None

    def _ask_in_dialog(self, folder: Path, explanation: str) -> Path | None:
        dialog = StoreDialog(self, folder, explanation)
        dialog.exec()
        dialog.deleteLater()
        return dialog.chosen


def _is_taken(folder: Path) -> bool:
    try:
        return place(folder) is Place.TAKEN
    except StoreError:  # the store that cannot be reached is reported when it is opened
        return False


def _title(store: Path, scans: Path | None) -> str:
    """The names of the folders, or the paths of disks."""
    return " → ".join(folder.name or str(folder) for folder in (scans, store) if folder is not None)
