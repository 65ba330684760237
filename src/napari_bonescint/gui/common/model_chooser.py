"""The choice of a model, with one line about it."""

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
    """A list of the accepted and the shipped models, and of others that the user opens from files.

    When another model is put to use, by whatever process, it is offered and chosen.
    """

    chosen = Signal(object)
    """Emitted with the `ModelCard` that is chosen since now."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[ModelCard] = []
        self._opened: list[ModelCard] = []
        self._current: ModelCard | None = None
        self._combo = QComboBox()
        self._description = PlainLabel()
        self._description.setWordWrap(True)
        # Below its list, however high the page is.
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
        # What is not there cannot be watched. Without a shelf that can be written to, no model is put to use anyway.
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._watcher.addPath(str(folder))

    @property
    def card(self) -> ModelCard | None:
        """The chosen model; None if there is none."""
        index = self._combo.currentIndex()
        return self._cards[index] if index < len(self._cards) else None

    def add_file(self, path: str) -> None:
        """Offer and choose the model of a ``.safetensors`` file whose card lies beside it."""
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
        """List what there is now, the model in use first."""
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
        self._description.setText("There is no model yet: open one from a file." if card is None else card.description)
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
