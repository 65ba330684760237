"""Names and folders that the user typed or chose, kept for the next start of napari."""

from __future__ import annotations

from enum import StrEnum

from qtpy.QtCore import QSettings


class Setting(StrEnum):
    """The settings that are kept."""

    ANNOTATOR = "correcting/annotator"
    STORE = "correcting/store"
    TRAINING_STORES = "retraining/stores"


def remembered(setting: Setting) -> str:
    """The last value of a setting; empty if there is none."""
    return str(_settings().value(setting.value, ""))


def remember(setting: Setting, value: str) -> None:
    """Keep the value of a setting."""
    _settings().setValue(setting.value, value)


def _settings() -> QSettings:
    # An INI file in the user's own folder of settings, on all systems.
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-bonescint", "napari-bonescint")
