from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.gui.retrain.device_chooser import DeviceChooser
from napari_bonescint.training.runs.launch import plan_of_file

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

PATIENCE_MS = 120_000


def test_the_time_on_this_machine_is_measured(tiny_recipe: Path, qtbot: QtBot) -> None:
    devices = DeviceChooser()
    qtbot.addWidget(devices)
    assert devices.device == "auto"
    devices.set_plan(plan_of_file(tiny_recipe))
    assert "Measuring" in devices.estimate.text()
    qtbot.waitUntil(lambda: ": about " in devices.estimate.text(), timeout=PATIENCE_MS)
    devices.devices.box.value = "cpu"
    assert devices.device == "cpu"
    qtbot.waitUntil(lambda: ": about " in devices.estimate.text(), timeout=PATIENCE_MS)


def test_a_recipe_that_cannot_be_read_is_one_sentence(tmp_path: Path, qtbot: QtBot) -> None:
    devices = DeviceChooser()
    qtbot.addWidget(devices)
    devices.set_plan(plan_of_file(tmp_path / "gone.toml"))
    qtbot.waitUntil(lambda: "gone.toml" in devices.estimate.text(), timeout=PATIENCE_MS)


def test_measuring_that_is_cut_short_is_done_again(tiny_recipe: Path, qtbot: QtBot) -> None:
    devices = DeviceChooser()
    qtbot.addWidget(devices)
    plan = plan_of_file(tiny_recipe)
    devices.set_plan(plan)
    devices.close_child()
    devices.set_plan(plan)
    qtbot.waitUntil(lambda: ": about " in devices.estimate.text(), timeout=PATIENCE_MS)
