"""A list to choose the device for training from, with the time that the training takes on it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import Container
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.child_command import ChildCommand
from napari_bonescint.gui.common.device_box import DeviceBox
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.launch import estimate

if TYPE_CHECKING:
    from napari_bonescint.training.runs.launch import Plan

_MODULE = "napari_bonescint.training.runs.step_time"


class DeviceChooser(QWidget):
    """Devices of this computer; a child process finds them and times a few training steps on each."""

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None
        self._trainings = 1
        self._times: dict[str, dict[str, tuple[str, float]]] = {}
        self._child = ChildCommand(self)
        self.devices = DeviceBox()
        self.form = Container(widgets=[self.devices.box])
        self.form.margins = (0, 0, 0, 0)
        ignore_wheel(self.form.native)
        self.estimate = PlainLabel(wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form.native)
        layout.addWidget(self.estimate)
        self._child.printed.connect(self._on_printed)
        self._child.failed.connect(self.estimate.setText)
        self.devices.box.changed.connect(self._show)

    @property
    def device(self) -> str:
        """The chosen device: ``auto``, ``cpu`` or ``cuda:N``."""
        return self.devices.device

    def set_plan(self, plan: Plan) -> None:
        """Show the time of another plan; it is measured once."""
        self._plan = plan
        if plan.recipe not in self._times:
            self.close_child()
            self._times[plan.recipe] = {}
            self._child.start(_MODULE, [plan.recipe])
        self._show()

    def set_trainings(self, number: int) -> None:
        """Show the time of several trainings, one after the other."""
        self._trainings = number
        self._show()

    def close_child(self) -> None:
        """End the measurement; it starts again with the next plan."""
        if self._child.is_running:
            self._child.stop()
            self._times = {recipe: times for recipe, times in self._times.items() if times}

    def _on_printed(self, line: str) -> None:
        if self._plan is None:
            return
        with suppress(ValueError, KeyError, TypeError):  # a library may print other lines
            measured = json.loads(line)
            device = str(measured["device"])
            self._times[self._plan.recipe][device] = (str(measured["name"]), float(measured["seconds"]))
            self.devices.offer([device])
            self._show()

    def _show(self) -> None:
        plan = self._plan
        if plan is None:
            return
        times = self._times.get(plan.recipe, {})
        # The fastest device is measured first; "Automatic" takes it.
        device = next(iter(times), "") if self.device == "auto" else self.device
        if device not in times:
            self.estimate.setText("Measuring the time on this computer …")
            return
        name, seconds = times[device]
        try:
            steps = read_recipe(Path(plan.recipe)).steps
        except BonescintError as error:
            self.estimate.setText(str(error))
            return
        self.estimate.setText(f"{name}: {estimate(plan, steps, seconds, self._trainings)}")
