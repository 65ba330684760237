"""Preferences that last: napari keeps them, shows them in its Preferences, and this module reads and writes them.

The manifest (``napari.yaml``, ``configurations``) has their names, texts and defaults.
"""

from __future__ import annotations

import csv
import io
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import napari.settings
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject, QSettings, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PLUGIN = "napari-bonescint"
_watched: Any = None
_reading = Lock()


class Setting(StrEnum):
    """Texts that are kept, by their place in the manifest; empty if the user has given none."""

    MODEL = "segmenting.model"
    """Name or weights file of the model that a panel begins with; empty for the model in use."""
    DEVICE = "segmenting.device"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""
    PRESET = "display.preset"
    """A name of `windows`."""
    ANNOTATOR = "correcting.annotator"
    STORE = "correcting.store"
    TRAINING_STORES = "retraining.stores"
    """Folders; see `remembered_folders`."""
    EXPORT_FOLDER = "exporting.folder"


class Switch(StrEnum):
    """Choices of yes or no that are kept, by their place in the manifest."""

    EXPORT_SEG = "exporting.seg"
    EXPORT_NIFTI = "exporting.nifti"
    EXPORT_COUNTS = "exporting.counts"
    EXPORT_TIFF = "exporting.tiff"
    EXPORT_PICTURE = "exporting.picture"


class Limit(StrEnum):
    """Numbers that are kept, by their place in the manifest, which has their range."""

    FAINT = "display.faint"
    """Width of the window for faint uptake, in per cent of the usual one."""
    HOT_SPOTS = "display.hot_spots"
    """Width of the window for hot spots."""


def windows() -> dict[str, int]:
    """Name and width of each display preset, in per cent of the usual window."""
    return {"Bone": 100, "Faint": limit(Limit.FAINT), "Hot spots": limit(Limit.HOT_SPOTS)}


def limit(number: Limit) -> int:
    """The value of a limit."""
    return int(_value(number))


def set_limit(number: Limit, value: int) -> None:
    """Keep the value of a limit; a `ValueError` if it is out of range."""
    _keep(number, value)


def remembered(setting: Setting) -> str:
    """The value of a setting."""
    return str(_value(setting))


def remember(setting: Setting, value: str) -> None:
    """Keep the value of a setting; a `ValueError` if the manifest lists the values and this is none of them."""
    _keep(setting, value)


def is_on(switch: Switch) -> bool:
    """Whether a switch is on."""
    return bool(_value(switch))


def turn(switch: Switch, *, on: bool) -> None:
    """Keep the state of a switch."""
    _keep(switch, on)


def remembered_folders(setting: Setting) -> tuple[Path, ...]:
    """The folders in a setting: separated by semicolons, and in quotation marks if they contain one."""
    rows = csv.reader([remembered(setting)], delimiter=";", skipinitialspace=True)
    return tuple(Path(folder) for folder in next(rows, []) if folder)


def remember_folders(setting: Setting, folders: Iterable[Path]) -> None:
    """Keep several folders in a setting."""
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="").writerow(map(str, folders))
    _keep(setting, line.getvalue())


def follow(setting: Setting, slot: Callable[[str], None]) -> None:
    """Call a method of a widget with each new value of a setting, wherever it is changed, while the widget exists."""
    _preferences()
    if setting not in _NEWS:
        _NEWS[setting] = _News()
        _NEWS[setting].value = remembered(setting)
    _NEWS[setting].changed.connect(slot)


def read_preferences() -> Any:
    """Read the preferences of this plugin, also in a thread: the first time, napari searches all plugins."""
    with _reading:
        return napari.settings.get_plugin_settings(_PLUGIN)


def keep_in(folder: Path) -> None:
    """Read and keep all settings in another folder from now on, so that tests and measurements leave the user's own."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    napari.settings._CFG_PATH = str(folder / "napari.yaml")
    napari.settings._clear_plugin_settings_cache()


class _News(QObject):
    """Emits the new values of one setting; `value` is the last one."""

    changed = Signal(str)
    value = ""


# They are made when they are needed: this module may be imported in a thread, to which they would belong.
_NEWS: dict[Setting, _News] = {}


def _preferences() -> Any:
    """The preferences of this plugin; napari makes a new object when plugins are switched on or off."""
    global _watched
    preferences = read_preferences()
    if preferences is not _watched:
        _watched = preferences
        _take_over()
        _spread()
        preferences.events.changed.connect(_spread)
    return preferences


def _spread(_event: object = None) -> None:
    """Emit what has changed; the event does not tell, since napari's Preferences set a whole section at once."""
    for setting, news in _NEWS.items():
        value = remembered(setting)
        if value != news.value:
            news.value = value
            news.changed.emit(value)


def _value(place: StrEnum) -> Any:
    section, _, name = place.partition(".")
    return getattr(getattr(_preferences(), section), name)


def _keep(place: StrEnum, value: object) -> None:
    section, _, name = place.partition(".")
    preferences = _preferences()
    try:
        setattr(getattr(preferences, section), name, value)  # napari writes its file at once
    except OSError as error:
        show_warning(
            f"{preferences.config_path}: cannot be written ({error.strerror}), so your choice is lost when napari "
            "closes; make the folder writable."
        )


# Where earlier versions kept settings: an INI file in the user's own folder, on all systems.
_EARLIER = {
    "correcting/annotator": Setting.ANNOTATOR,
    "correcting/store": Setting.STORE,
    "retraining/stores": Setting.TRAINING_STORES,
}


def _take_over() -> None:
    """Move the settings of an earlier version, if there are any, to napari's preferences."""
    earlier = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, _PLUGIN, _PLUGIN)
    for key, setting in _EARLIER.items():
        if not earlier.contains(key):
            continue
        value = str(earlier.value(key))
        if setting is Setting.TRAINING_STORES:
            remember_folders(setting, map(Path, filter(None, value.split("\n"))))
        else:
            remember(setting, value)
        earlier.remove(key)
