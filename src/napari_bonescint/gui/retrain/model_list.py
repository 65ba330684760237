"""The tab "Models": lists the accepted models and changes the model in use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import accepted_models, current_model, find_model, label, use
from napari_bonescint.inference.model_titles import details, title

if TYPE_CHECKING:
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard

    Models = tuple[list[tuple[str, ModelCard]], ModelCard]

_CARD = Qt.ItemDataRole.UserRole


class ModelList(QWidget):
    """The accepted models, newest first, and the shipped default; the user can put any of them into use again."""

    changed = Signal()
    """Emitted when the model in use has changed."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._current: ModelCard | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Models")
        self.list.setMinimumHeight(120)
        self.description = PlainLabel(wraps=True)
        self.button = QPushButton("Use again")
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addWidget(self.description)
        layout.addWidget(self.button)
        layout.addStretch()
        self.list.currentItemChanged.connect(self._show_chosen)
        self.button.clicked.connect(self._use)
        self._show_chosen()
        self.refresh()

    def refresh(self) -> None:
        """Update the list; the model in use is selected."""
        self._background.run(_models, self._fill, self.description.setText)

    def _fill(self, models: Models) -> None:
        cards, self._current = models
        self.list.clear()
        for name, card in cards:
            in_use = card == self._current
            item = QListWidgetItem(name + (", in use" if in_use else ""))
            item.setData(_CARD, card)
            self.list.addItem(item)
            if in_use:
                self.list.setCurrentItem(item)

    @property
    def _chosen(self) -> ModelCard | None:
        item = self.list.currentItem()
        card: ModelCard | None = None if item is None else item.data(_CARD)
        return card

    def _show_chosen(self) -> None:
        card = self._chosen
        self.description.setText("" if card is None else "\n".join(_facts_of(card)))
        self.button.setEnabled(card is not None and card != self._current)

    def _use(self) -> None:
        card = self._chosen
        if card is not None:
            self._background.run(partial(use, card), self._on_used, self.description.setText)

    def _on_used(self, _card: ModelCard) -> None:
        self.refresh()
        self.changed.emit()


def _models() -> Models:
    """Names and cards of the models, and the card of the model in use."""
    cards = [*accepted_models(), find_model(DEFAULT_MODEL)]
    return [(label(card), card) for card in cards], current_model()


def _facts_of(card: ModelCard) -> list[str]:
    """Lines about a model: purpose and score, description and all scores, and the end of its training."""
    finished = str(card.training.get("finished", ""))
    facts = [title(card), details(card)]
    if finished:
        facts.append(f"Trained until {finished[:16].replace('T', ' ')} UTC.")
    return facts
