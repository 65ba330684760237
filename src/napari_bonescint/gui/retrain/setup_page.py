"""The tab "Set up": chooses label stores, recipe and device of a training."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFileDialog, QGroupBox, QLabel, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.folds import USUAL_FOLDS
from napari_bonescint.gui.common.dock_panel import main_button
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.gui.retrain.device_chooser import DeviceChooser
from napari_bonescint.gui.retrain.store_list import StoreList
from napari_bonescint.inference.model_registry import current_model, label
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.launch import RunSettings, plan_of_file, shipped_plans

if TYPE_CHECKING:
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.training.data.data_summary import DataSummary
    from napari_bonescint.training.runs.launch import Plan

_FROM_FILE = "From a file …"


class SetupPage(QWidget):
    """Label stores, recipe, device and the button that starts a training; `background` reads the stores."""

    start_requested = Signal(object)
    """Emitted with the `RunSettings` of the training."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._plans: list[Plan] = []
        self.stores = StoreList(background)
        self.recipes = QComboBox()
        self.recipes.setAccessibleName("Recipe")
        self.recipes.addItem(_FROM_FILE)
        self.description = PlainLabel(wraps=True)
        self.folds = QCheckBox(f"Few patients: train {USUAL_FOLDS} times more for a verdict")
        self.folds.setToolTip(
            f"Each of {USUAL_FOLDS} extra trainings leaves out other patients and is scored on them, so that all "
            f"patients count for the verdict; all trainings together take {USUAL_FOLDS + 1} times as long"
        )
        self.folds.hide()
        self.devices = DeviceChooser()
        self.model = QLabel()
        self.model.setWordWrap(True)
        self.button = main_button("Start retraining")
        self.message = PlainLabel(wraps=True)
        self._lay_out()
        for plan in shipped_plans():
            self._offer(plan)
        self._shown = 0
        self._choose(0)
        self.recipes.activated.connect(self._on_activated)
        self.button.clicked.connect(self._on_clicked)
        self.stores.counted.connect(self._on_counted)
        self.folds.toggled.connect(self._show_trainings)
        self.show_model()

    @property
    def plan(self) -> Plan:
        """The chosen recipe."""
        return self._plans[self._shown]

    def add_recipe(self, path: Path) -> None:
        """Add the recipe of a file to the list and choose it."""
        try:
            read_recipe(path)
        except BonescintError as error:
            show_error(str(error))
            return
        self._offer(plan_of_file(path))
        self._choose(len(self._plans) - 1)

    def show_model(self) -> None:
        """Show the model in use, from which a training starts."""
        self._background.run(
            lambda: label(current_model()),
            lambda name: self.model.setText(f"Starts from <b>{escape(name)}</b>, the model in use."),
            self.model.setText,
        )

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
        return USUAL_FOLDS if self.folds.isChecked() and not self.folds.isHidden() else 0

    def _on_counted(self, supply: DataSummary | None) -> None:
        """Offer cross-validation if there are few patients."""
        self.folds.setVisible(supply is not None and supply.is_few)
        self._show_trainings()

    def _show_trainings(self) -> None:
        self.devices.set_trainings(1 + self._chosen_folds)

    def _offer(self, plan: Plan) -> None:
        self.recipes.insertItem(len(self._plans), plan.title)
        self._plans.append(plan)

    def _choose(self, index: int) -> None:
        self._shown = index
        self.recipes.setCurrentIndex(index)
        try:
            self.description.setText(read_recipe(Path(self.plan.recipe)).description)
        except BonescintError as error:
            self.description.setText(str(error))
            return
        self.devices.set_plan(self.plan)

    def _on_activated(self, index: int) -> None:
        if index < len(self._plans):
            self._choose(index)
            return
        self.recipes.setCurrentIndex(self._shown)
        path, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", "Recipes (*.toml)")
        if path:
            self.add_recipe(Path(path))

    def _lay_out(self) -> None:
        recipe = QGroupBox("Recipe")
        recipe_layout = QVBoxLayout(recipe)
        recipe_layout.addWidget(self.recipes)
        recipe_layout.addWidget(self.description)
        recipe_layout.addWidget(self.model)
        recipe_layout.addWidget(self.folds)
        device = QGroupBox("Device")
        QVBoxLayout(device).addWidget(self.devices)
        layout = QVBoxLayout(self)
        for part in (self.stores, recipe, device, self.button, self.message):
            layout.addWidget(part)
        layout.addStretch()
