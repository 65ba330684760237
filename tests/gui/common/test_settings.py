"""Preferences are there again at the next start, and napari's Preferences show and change them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from napari._qt.dialogs.preferences_dialog import PreferencesDialog
from napari.settings import get_plugin_settings
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox

from napari_bonescint.gui.common.settings import (
    Setting,
    Switch,
    follow,
    is_on,
    keep_in,
    remember,
    remember_folders,
    remembered,
    remembered_folders,
    turn,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

_NEXT_START = """
import sys
from pathlib import Path
from napari_bonescint.gui.common.settings import Setting, keep_in, remembered, remembered_folders
keep_in(Path(sys.argv[1]))
told = [remembered(Setting.ANNOTATOR), *map(str, remembered_folders(Setting.TRAINING_STORES))]
sys.stdout.buffer.write("|".join(told).encode())
"""
PLUGIN = "napari-bonescint"


def test_nothing_was_remembered_at_first_and_the_last_word_counts(tmp_path: Path) -> None:
    assert {setting: remembered(setting) for setting in Setting} == {
        **dict.fromkeys(Setting, ""),
        Setting.DEVICE: "auto",
        Setting.PRESET: "Bone",
    }
    assert [switch for switch in Switch if not is_on(switch)] == [Switch.EXPORT_TIFF]
    remember(Setting.ANNOTATOR, "AB")
    remember(Setting.ANNOTATOR, "CD")
    turn(Switch.EXPORT_TIFF, on=True)
    assert remembered(Setting.ANNOTATOR) == "CD"
    assert all(map(is_on, Switch))
    assert get_plugin_settings(PLUGIN).config_path.is_relative_to(tmp_path)
    with pytest.raises(ValueError, match="Tail"):
        remember(Setting.PRESET, "Tail")


def test_the_presets_of_the_preferences_are_those_of_the_display() -> None:
    (values,) = (
        field.json_schema_extra["enum"]
        for name, field in type(get_plugin_settings(PLUGIN).display).model_fields.items()
        if name == "preset"
    )
    assert values == list(windows())


NAMES = ["Müller, Zoë; 李", "@Smith", "true", "007", '"quoted" = %20']


def test_names_and_folders_are_the_same_at_the_next_start(tmp_path: Path) -> None:
    folders = [Path("C:\\labels\\new"), *(Path(f"//server/share/{name}") for name in NAMES)]
    remember(Setting.ANNOTATOR, NAMES[0])
    remember_folders(Setting.TRAINING_STORES, folders)
    assert remembered_folders(Setting.TRAINING_STORES) == tuple(folders)
    command = [sys.executable, "-c", _NEXT_START, str(tmp_path / "settings")]
    told = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert told == "|".join([NAMES[0], *map(str, folders)])
    assert (tmp_path / "settings" / f"{PLUGIN}.yaml").exists()
    for name in NAMES:
        remember(Setting.ANNOTATOR, name)
        keep_in(tmp_path / "settings")
        assert remembered(Setting.ANNOTATOR) == name


def test_settings_of_an_earlier_version_are_taken_over_once() -> None:
    earlier = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, PLUGIN, PLUGIN)
    earlier.setValue("correcting/annotator", "Zoë")
    earlier.setValue("retraining/stores", "/labels;7\n/ward")
    earlier.sync()
    assert remembered(Setting.ANNOTATOR) == "Zoë"
    assert remembered_folders(Setting.TRAINING_STORES) == (Path("/labels;7"), Path("/ward"))
    earlier.sync()
    assert earlier.allKeys() == []


def test_the_preferences_of_napari_show_change_and_spread_them(viewer: Viewer, qtbot: QtBot) -> None:
    remember(Setting.ANNOTATOR, "AB")
    shown = QLabel()
    follow(Setting.ANNOTATOR, shown.setText)
    dialog = PreferencesDialog(viewer.window._qt_window)
    qtbot.addWidget(dialog)
    dialog.show()
    names = [dialog._list.item(row).text() for row in range(dialog._list.count())]
    dialog._list.setCurrentRow(names.index("Bone scintigraphy"))
    page = dialog._stack.currentWidget()
    titles = {label.text() for label in page.findChildren(QLabel)}
    assert {"Default model", "Default device", "Display preset", "Annotator", "Label store"} <= titles
    assert {"Window of Faint (%)", "Window of Hot spots (%)"} <= titles
    (width,) = (box for box in page.findChildren(QSpinBox) if box.value() == 300)
    width.setValue(250)
    assert windows() == {"Bone": 100, "Faint": 40, "Hot spots": 250}
    boxes = page.findChildren(QComboBox)
    assert [box.currentText() for box in boxes] == ["auto", "Bone"]
    assert [box.isChecked() for box in page.findChildren(QCheckBox)] == [True, True, True, False, True]
    (field,) = (edit for edit in page.findChildren(QLineEdit) if edit.text() == "AB")
    field.setText("CD")
    assert (remembered(Setting.ANNOTATOR), shown.text()) == ("CD", "CD")
    boxes[1].setCurrentText("Faint")
    assert remembered(Setting.PRESET) == "Faint"
    # A panel's change shows in the open dialog.
    remember(Setting.ANNOTATOR, "EF")
    assert field.text() == "EF"
    dialog.reject()
    assert remembered(Setting.ANNOTATOR) == "AB"
    shown.deleteLater()
    qtbot.wait(1)
    remember(Setting.ANNOTATOR, "GH")  # nobody follows any more


def test_a_choice_that_cannot_be_kept_is_told_and_used(shown: Callable[[], list[str]]) -> None:
    remember(Setting.ANNOTATOR, "AB")
    path = get_plugin_settings(PLUGIN).config_path
    path.unlink()
    path.mkdir()
    remember(Setting.ANNOTATOR, "CD")
    assert str(path) in shown()[-1]
    assert remembered(Setting.ANNOTATOR) == "CD"
