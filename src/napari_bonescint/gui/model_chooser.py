"""The choice of a model, with one line about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import find_model, shipped_models

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

_FROM_FILE = "From a file …"


class ModelChooser(QWidget):
    """A list of the shipped models, and of others that the user opens from files."""

    chosen = Signal(object)
    """Emitted with the `ModelCard` that the user has chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[ModelCard] = []
        self._combo = QComboBox()
        self._combo.addItem(_FROM_FILE)
        self._description = QLabel("There is no model yet: open one from a file.")
        self._description.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        layout.addWidget(self._description)
        try:
            for card in shipped_models():
                self._add(card)
        except BonescintError as error:
            show_error(str(error))
        self._show(0)
        self._combo.activated.connect(self._on_activated)

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
            self._add(card)
        self._show(self._cards.index(card))
        self.chosen.emit(card)

    def _add(self, card: ModelCard) -> None:
        self._combo.insertItem(len(self._cards), card.name)
        self._cards.append(card)

    def _show(self, index: int) -> None:
        self._combo.setCurrentIndex(index)
        card = self.card
        if card is not None:
            self._description.setText(card.description)
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
