"""The choice of a model and a device: a form of magicgui for all panels, with a description of the model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Container
from napari.utils.notifications import show_error
from qtpy.QtCore import QFileSystemWatcher, Qt, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.device_box import DeviceBox
from napari_bonescint.gui.common.settings import Setting, follow, remembered
from napari_bonescint.gui.widgets.label_column import align_fields
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.inference.model_card import shipped_models
from napari_bonescint.inference.model_registry import accepted_models, current_model, find_model, registry_folder
from napari_bonescint.inference.model_titles import details, title

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

_MORE, _FROM_FILE = "more", "file"
_ENTRIES = {_MORE: "More models, for comparison …", _FROM_FILE: "From a file …"}
# The text of an entry may be longer than the field; the list is as wide as its texts.
_SHORTEST_FIELD = 16


class ModelChooser(QWidget):
    """A form with the models, by purpose and score, and the devices.

    The list has the accepted models, the default and those that the user opened from files. An entry adds those that
    are for comparison. When another process changes the model in use, that model is chosen in the list.
    """

    chosen = Signal(object)
    """Emitted with the `ModelCard` when another model or another device is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, ModelCard] = {}
        self._opened: list[ModelCard] = []
        self._current: ModelCard | None = None
        self._card: ModelCard | None = None
        self._unfolded = False
        self._read()
        self._card = self._default() or self._current or next(iter(self._cards.values()), None)
        self.model = ComboBox(label="Model", choices=self._choices, tooltip="What the model does, and how well")
        self.devices = DeviceBox()
        self.form = Container(widgets=[self.model, self.devices.box])
        self.form.margins = (0, 0, 0, 0)
        self._description = PlainLabel(wraps=True)
        self._description.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._lay_out()
        self._show()
        self.model.changed.connect(self._on_changed)
        self.devices.box.changed.connect(lambda _device: self.chosen.emit(self._card))
        follow(Setting.MODEL, self._take_default)
        follow(Setting.DEVICE, self._take_device)
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
        return self._card

    @property
    def device(self) -> str:
        """The chosen device: ``auto``, ``cpu`` or ``cuda:N``."""
        return self.devices.device

    def add_file(self, path: str) -> None:
        """Add the model of a ``.safetensors`` file to the list and choose it; its card must lie beside the file."""
        try:
            card = find_model(path)
        except BonescintError as error:
            show_error(str(error))
            return
        self._add(card)
        self._choose(card)
        self.chosen.emit(card)

    def _add(self, card: ModelCard) -> None:
        if card not in self._cards.values():
            self._opened.append(card)
            self._read()

    def _default(self) -> ModelCard | None:
        """The default model of the preferences; None if there is none, or if it cannot be used."""
        name = remembered(Setting.MODEL).strip()
        if not name:
            return None
        try:
            card = find_model(name)
        except BonescintError as error:
            show_error(f"Preferences, Default model: {error}")
            return None
        self._add(card)
        return card

    def _take_default(self, name: str) -> None:
        # Letter by letter: most texts are no model yet.
        with suppress(BonescintError):
            card = find_model(name.strip()) if name.strip() else self._current
            if card is not None:
                self._add(card)
                self._choose(card)
                self.chosen.emit(card)

    def _take_device(self, device: str) -> None:
        self.devices.choose(device)

    def _lay_out(self) -> None:
        combo: QComboBox = self.model.native
        combo.setAccessibleName("Model")
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(_SHORTEST_FIELD)
        ignore_wheel(self.form.native)
        align_fields(self.form.native)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form.native)
        layout.addWidget(self._description)
        layout.addStretch()

    def _read(self) -> None:
        """Read the cards; the model in use is first."""
        cards: list[ModelCard] = []
        try:
            cards = [*accepted_models(), *shipped_models(), *self._opened]
            self._current = current_model()
        except BonescintError as error:
            show_error(str(error))
        cards.sort(key=lambda card: card != self._current)
        self._cards = {}
        for card in cards:
            name = title(card)
            self._cards[f"{name} {card.weights_sha256[:8]}" if name in self._cards else name] = card

    def _choices(self, _box: object) -> list[tuple[str, str]]:
        shown = [
            name
            for name, card in self._cards.items()
            if self._unfolded or not card.is_for_comparison or card in (self._card, self._current, *self._opened)
        ]
        entries = [_FROM_FILE] if len(shown) == len(self._cards) else [_MORE, _FROM_FILE]
        return [*((name, name) for name in shown), *((_ENTRIES[entry], entry) for entry in entries)]

    def _choose(self, card: ModelCard | None) -> None:
        self._card = card if card in self._cards.values() else next(iter(self._cards.values()), None)
        self._show()

    def _show(self) -> None:
        """Show the list as it is now, with the chosen model."""
        chosen = next((name for name, card in self._cards.items() if card == self._card), None)
        with self.model.changed.blocked():
            # Emptied first, because magicgui would keep the old order.
            self.model.choices = ()
            self.model.reset_choices()
            if chosen is not None:
                self.model.value = chosen
        self.model.tooltip = chosen or ""
        nothing = "There is no model: open one from a file."
        self._description.setText(nothing if self._card is None else details(self._card))
        view = self.model.native.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + view.verticalScrollBar().sizeHint().width())

    def _on_changed(self, entry: str) -> None:
        if entry in self._cards:
            self._choose(self._cards[entry])
            self.chosen.emit(self._card)
            return
        self._unfolded = self._unfolded or entry == _MORE
        self._show()
        if entry == _MORE:
            QTimer.singleShot(0, self.model.native.showPopup)
        elif entry == _FROM_FILE:
            path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", "Weights (*.safetensors)")
            if path:
                self.add_file(path)

    def _on_shelf_changed(self) -> None:
        before = self._current
        self._read()
        if self._current == before:
            self._choose(self._card)
            return
        self._choose(self._current)
        self.chosen.emit(self._card)
