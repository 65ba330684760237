"""The tab "Set up": chooses label stores, recipe and device of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container, PushButton
from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QGroupBox, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.folds import EXTRA_TRAININGS, USUAL_FOLDS
from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.common.dock_panel import main_button
from napari_bonescint.gui.common.install_box import InstallBox
from napari_bonescint.gui.retrain.device_chooser import DeviceChooser
from napari_bonescint.gui.retrain.store_list import StoreList
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.inference.model_registry import current_model, label
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.launch import RunSettings, plan_of_file, shipped_plans

if TYPE_CHECKING:
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.training.data.data_summary import DataSummary
    from napari_bonescint.training.runs.launch import Plan

_SHORTEST_FIELD = 10
_FOLDS_NOTE = (
    f"There are few patients. {USUAL_FOLDS} extra trainings each leave out other patients and are scored on them, so "
    f"that all patients count for the verdict; all trainings together take {USUAL_FOLDS + 1} times as long."
)


class SetupPage(QWidget):
    """Label stores, recipe, device and the button that starts a training; `background` reads the stores."""

    start_requested = Signal(object)
    """Emitted with the `RunSettings` of the training."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._plans: list[Plan] = []
        self._is_few = False
        self.stores = StoreList(background)
        self.recipes = ComboBox(label="Recipe", choices=self._recipe_choices)
        self.recipes.native.setAccessibleName("Recipe")
        # The text of an entry may be longer than the field.
        self.recipes.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.recipes.native.setMinimumContentsLength(_SHORTEST_FIELD)
        self.file_button = PushButton(text="From a file …", tooltip="Add a recipe of your own (TOML)")
        self._choice: Container[Any] = Container(
            widgets=[self.recipes, self.file_button], layout="horizontal", labels=False
        )
        self._choice.margins = (0, 0, 0, 0)
        self.description = PlainLabel(wraps=True)
        self.folds = CheckBox(text=EXTRA_TRAININGS)
        self.folds_note = PlainLabel(_FOLDS_NOTE, wraps=True)
        self.devices = DeviceChooser()
        self.model = PlainLabel(wraps=True)
        self.missing = InstallBox("train", "Training needs")
        self.button = main_button("Start retraining")
        self.message = PlainLabel(wraps=True)
        self._lay_out()
        self._offer(*shipped_plans())
        self.recipes.changed.connect(self._show_recipe)
        self.file_button.changed.connect(self._open_recipe)
        self.button.clicked.connect(self._on_clicked)
        self.stores.counted.connect(self._on_counted)
        self.folds.changed.connect(self._show_trainings)
        self._show_recipe()
        self._on_counted(None)
        self.show_model()

    @property
    def plan(self) -> Plan:
        """The chosen recipe."""
        return self._plans[int(self.recipes.value)]

    def add_recipe(self, path: Path) -> None:
        """Add the recipe of a file to the list and choose it."""
        try:
            read_recipe(path)
        except BonescintError as error:
            show_error(str(error))
            return
        self._offer(plan_of_file(path))
        self.recipes.value = len(self._plans) - 1

    def show_model(self) -> None:
        """Show the model in use, from which a training starts."""
        self._background.run(
            lambda: label(current_model()),
            lambda name: self.model.setText(f"Starts from {name}, the model in use."),
            self.model.setText,
        )

    def choose_folds(self) -> None:
        """Tick the extra trainings, which are offered if there are few patients."""
        self.folds.value = True

    def say(self, sentence: str) -> None:
        """Show a sentence under the button."""
        self.message.setText(sentence)

    def _on_clicked(self) -> None:
        folders = self.stores.folders
        if not folders:
            self.say("Add a label store with corrected masks first.")
            return
        self.say("Starting …")
        # The measurement would slow the training down.
        self.devices.close_child()
        plan, device, folds = self.plan, self.devices.device, self._chosen_folds

        def settings() -> RunSettings:
            return RunSettings(plan, tuple(map(str, folders)), str(current_model().weights_path), device, folds)

        self._background.run(settings, self.start_requested.emit, self.say)

    @property
    def _chosen_folds(self) -> int:
        return USUAL_FOLDS if self.folds.value and self._is_few else 0

    def _on_counted(self, supply: DataSummary | None) -> None:
        """Offer cross-validation if there are few patients."""
        self._is_few = supply is not None and supply.is_few
        self.folds.visible = self._is_few
        self.folds_note.setVisible(self._is_few)
        self._show_trainings()

    def _show_trainings(self) -> None:
        self.devices.set_trainings(1 + self._chosen_folds)

    def _offer(self, *plans: Plan) -> None:
        self._plans += plans
        self.recipes.reset_choices()

    def _recipe_choices(self, _box: object) -> list[tuple[str, int]]:
        return numbered([plan.title for plan in self._plans])

    def _show_recipe(self) -> None:
        try:
            self.description.setText(read_recipe(Path(self.plan.recipe)).description)
        except BonescintError as error:
            self.description.setText(str(error))
            return
        self.devices.set_plan(self.plan)

    def _open_recipe(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", "Recipes (*.toml)")
        if path:
            self.add_recipe(Path(path))

    def _lay_out(self) -> None:
        recipe = QGroupBox("Recipe")
        recipe_layout = QVBoxLayout(recipe)
        for part in (self._choice.native, self.description, self.model, self.folds.native, self.folds_note):
            recipe_layout.addWidget(part)
        device = QGroupBox("Device")
        QVBoxLayout(device).addWidget(self.devices)
        layout = QVBoxLayout(self)
        for part in (self.stores, recipe, device, self.missing, self.button, self.message):
            layout.addWidget(part)
        layout.addStretch()
