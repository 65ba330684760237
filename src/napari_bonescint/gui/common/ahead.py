"""Import and read in a thread what a user is likely to need next, so that no click waits for it.

torch is left out: its import holds the window up for half a second, also in a thread, and only child processes need it.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from importlib import import_module
from threading import Lock, Thread
from typing import TYPE_CHECKING

from qtpy.QtCore import QCoreApplication

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.garbage_collection import without_collection
from napari_bonescint.gui.common.settings import read_preferences
from napari_bonescint.gui.layers.later import later

if TYPE_CHECKING:
    from collections.abc import Callable

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
_SOON_MS, _DELAY_MS, _LOOK_MS = 300, 1000, 50


def prepare_panels() -> None:
    """Soon begin to read preferences and model cards, and to import all panels; further calls do nothing.

    Nor does it do anything in a script without a window.
    """
    if QCoreApplication.instance() is not None and _begun.acquire(blocking=False):
        do_ahead(_prepare, _DELAY_MS)


def do_ahead(work: Callable[[], None], milliseconds: int = _SOON_MS) -> None:
    """Soon begin to do in a thread what only imports and reads.

    Meanwhile there is no garbage collection, which might delete widgets in that thread.
    """
    thread, delay = Thread(target=work, name="bonescint-ahead"), ExitStack()

    def begin() -> None:
        delay.enter_context(without_collection())
        thread.start()
        look()

    def look() -> None:
        if thread.is_alive():
            later(look, _LOOK_MS)
        else:
            delay.close()

    later(begin, milliseconds)


def _prepare() -> None:
    from napari_bonescint.inference.model_card import shipped_models  # not before a scan is opened

    read_preferences()
    with suppress(BonescintError):  # the panel that needs the cards says so
        shipped_models()
    for module in _MODULES:
        import_module(module)
