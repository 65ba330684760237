"""What is remembered from one start of napari to the next: names and folders that the user typed or chose."""

from __future__ import annotations

from enum import StrEnum

from qtpy.QtCore import QSettings


class Setting(StrEnum):
    """What is remembered."""

    ANNOTATOR = "correcting/annotator"
    STORE = "correcting/store"
    LEARNT_FROM = "retraining/stores"


def remembered(setting: Setting) -> str:
    """What was remembered last; empty if nothing was."""
    return str(_settings().value(setting.value, ""))


def remember(setting: Setting, value: str) -> None:
    """Remember something until it is replaced."""
    _settings().setValue(setting.value, value)


def _settings() -> QSettings:
    # The same kind of file on all systems, in the user's own folder of settings.
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-bonescint", "napari-bonescint")
