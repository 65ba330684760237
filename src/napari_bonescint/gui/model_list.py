"""The models that were accepted, of which one is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_shelf import accepted_models, current_model, find_model, label, use

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

_CARD = Qt.ItemDataRole.UserRole


class ModelList(QWidget):
    """Accepted models, the newest first, and the shipped default; any of them can be used again."""

    changed = Signal()
    """Emitted when another model is in use."""

    def __init__(self) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName("Models")
        self.list.setMinimumHeight(120)
        self.description = QLabel()
        self.description.setWordWrap(True)
        self.button = QPushButton("Use again")
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addWidget(self.description)
        layout.addWidget(self.button)
        layout.addStretch()
        self.list.currentItemChanged.connect(self._show_chosen)
        self.button.clicked.connect(self._use)
        self.refresh()

    def refresh(self) -> None:
        """List what there is now, the model in use chosen."""
        self.list.clear()
        try:
            current = current_model()
            for card in [*accepted_models(), find_model(DEFAULT_MODEL)]:
                in_use = card == current
                item = QListWidgetItem(label(card) + (", in use" if in_use else ""))
                item.setData(_CARD, card)
                self.list.addItem(item)
                if in_use:
                    self.list.setCurrentItem(item)
        except BonescintError as error:
            self.description.setText(str(error))

    @property
    def _chosen(self) -> ModelCard | None:
        item = self.list.currentItem()
        return None if item is None else item.data(_CARD)

    def _show_chosen(self) -> None:
        card = self._chosen
        self.description.setText("" if card is None else "\n".join(_facts_of(card)))
        self.button.setEnabled(card is not None and card != current_model())

    def _use(self) -> None:
        card = self._chosen
        if card is None:
            return
        try:
            use(card)
        except BonescintError as error:
            self.description.setText(str(error))
            return
        self.refresh()
        self.changed.emit()


def _facts_of(card: ModelCard) -> list[str]:
    """What a person wants to know who chooses between models."""
    finished = str(card.training.get("finished", ""))
    facts = [card.description]
    if finished:
        facts.append(f"Trained until {finished[:16].replace('T', ' ')} UTC.")
    facts += [
        f"{score['metric']}: {score['value']:.3f} on {score['data']}, {score['scans']} scans." for score in card.scores
    ]
    return facts
