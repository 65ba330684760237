"""Import and read in a thread what a user is likely to need next, so that no click waits for it.

torch is left out: its import holds the window up for half a second, also in a thread, and only child processes need it.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Lock, Thread

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.garbage_collection import without_collection
from napari_bonescint.gui.common.settings import read_preferences
from napari_bonescint.gui.layers.later import later

# Named, since what lies here is imported by all panels.
_MODULES = (
    "napari_bonescint.gui.segment.panel",
    "napari_bonescint.gui.correct.panel",
    "napari_bonescint.gui.measure.panel",
    "napari_bonescint.gui.retrain.panel",
    "napari_bonescint.gui.archive.panel",
)
_begun = Lock()
# Python does one thing at a time: the scan or the panel that is being opened comes first.
_DELAY_MS = 1000


def prepare_panels() -> None:
    """Soon begin to read preferences and model cards, and to import all panels; further calls do nothing."""
    if _begun.acquire(blocking=False):
        later(Thread(target=_prepare, name="bonescint-ahead").start, _DELAY_MS)


def _prepare() -> None:
    from napari_bonescint.inference.model_card import shipped_models  # not before a scan is opened

    read_preferences()
    with suppress(BonescintError):  # the panel that needs the cards says so
        shipped_models()
    for module in _MODULES:
        # A collection in this thread would hold the window up, and might delete widgets in the wrong thread.
        with without_collection():
            import_module(module)
