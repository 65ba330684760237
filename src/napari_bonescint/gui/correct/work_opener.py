"""A button that opens a label store, or a folder of scans with a store for their corrections."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget


class WorkOpener(QWidget):
    """A button that opens work, and the name of the open store or folder."""

    store_chosen = Signal(object)
    """Emitted with the folder of a label store, or an empty folder for a new one."""
    scans_chosen = Signal(object)
    """Emitted with a folder of scans."""

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton("Open …")
        menu = QMenu(self.button)
        store_title = "Open a label store, or an empty folder to make one in"
        menu.addAction("Label store …", partial(self._choose, self.store_chosen, store_title))
        menu.addAction("Folder of scans …", partial(self._choose, self.scans_chosen, "Open a folder of scans"))
        self.button.setMenu(menu)
        self.place = QLabel("Open a label store, or a folder of scans to correct.")
        self.place.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.place, 1)

    def ask_for_store(self) -> Path | None:
        """Ask for the store of the corrections of a folder of scans; None if the user cancels."""
        return self._ask("Choose where to save corrections: a label store, or an empty folder for a new one")

    def show_place(self, store: Path, scans: Path | None) -> None:
        """Show the open store or folder."""
        self.place.setText(f"<b>{_called(scans or store)}</b>" + (f" → {_called(store)}" if scans else ""))
        self.place.setToolTip(str(store) if scans is None else f"{scans}\nCorrections are saved in {store}")

    def _choose(self, chosen: Signal, title: str) -> None:
        folder = self._ask(title)
        if folder is not None:
            chosen.emit(folder)

    def _ask(self, title: str) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(self, title)
        return Path(chosen) if chosen else None


def _called(folder: Path) -> str:
    """The name of a folder, or the path of a disk, as rich text."""
    return escape(folder.name or str(folder))
