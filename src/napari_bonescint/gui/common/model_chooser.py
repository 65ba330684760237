"""A list to choose a model from, with a description of the model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QFileSystemWatcher, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.inference.model_card import shipped_models
from napari_bonescint.inference.model_registry import accepted_models, current_model, find_model, label, registry_folder

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

_FROM_FILE = "From a file …"


class ModelChooser(QWidget):
    """A list of the accepted models, the shipped models and those that the user opens from files.

    When another process changes the model in use, that model is chosen in the list.
    """

    chosen = Signal(object)
    """Emitted with the `ModelCard` when another model is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[ModelCard] = []
        self._opened: list[ModelCard] = []
        self._current: ModelCard | None = None
        self._combo = QComboBox()
        self._description = PlainLabel(wraps=True)
        self._description.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        layout.addWidget(self._description)
        self._list()
        self._choose(self._current)
        self._combo.activated.connect(self._on_activated)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._on_shelf_changed)
        folder = registry_folder()
        # Only an existing folder can be watched. If the folder cannot be made, the model in use never changes.
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._watcher.addPath(str(folder))

    @property
    def card(self) -> ModelCard | None:
        """The chosen model; None if there is none."""
        index = self._combo.currentIndex()
        return self._cards[index] if index < len(self._cards) else None

    def add_file(self, path: str) -> None:
        """Add the model of a ``.safetensors`` file to the list and choose it; its card must lie beside the file."""
        try:
            card = find_model(path)
        except BonescintError as error:
            show_error(str(error))
            return
        if card not in self._cards:
            self._opened.append(card)
            self._list()
        self._choose(card)
        self.chosen.emit(card)

    def _list(self) -> None:
        """Fill the list; the model in use is first."""
        try:
            self._cards = [*accepted_models(), *shipped_models(), *self._opened]
            self._current = current_model()
        except BonescintError as error:
            show_error(str(error))
        self._cards.sort(key=lambda card: card != self._current)
        self._combo.clear()
        self._combo.addItems([*map(label, self._cards), _FROM_FILE])

    def _choose(self, card: ModelCard | None) -> None:
        self._show(self._cards.index(card) if card in self._cards else 0)

    def _show(self, index: int) -> None:
        self._combo.setCurrentIndex(index)
        card = self.card
        self._description.setText("There is no model: open one from a file." if card is None else card.description)
        self._shown = index

    def _on_activated(self, index: int) -> None:
        if index < len(self._cards):
            self._show(index)
            self.chosen.emit(self._cards[index])
            return
        self._show(self._shown)
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", "Weights (*.safetensors)")
        if path:
            self.add_file(path)

    def _on_shelf_changed(self) -> None:
        before, chosen = self._current, self.card
        self._list()
        if self._current == before:
            self._choose(chosen)
            return
        self._choose(self._current)
        self.chosen.emit(self.card)
