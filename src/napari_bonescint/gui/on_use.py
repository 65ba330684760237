"""What the manifest's commands call, each imported when it is used first, in a thread while the window goes on.

napari imports a command's module in the thread of the window, which would stand still for some tenths of a second. So
the manifest names all functions and panels as if they were here.
"""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.garbage_collection import without_collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_FUNCTIONS = {
    "get_reader": "open_command",
    "nema_nm1": "samples",
    "simulated": "samples",
    "segment_skeleton": "commands",
    "export": "export.command",
    "write_tiff": "writers",
    "write_nifti": "writers",
    "write_seg": "writers",
    "write_preview": "writers",
    "correct_this_scan": "commands",
    "measure_this_scan": "commands",
}
_PANELS = {
    "SegmentWidget": "segment.panel",
    "CorrectWidget": "correct.panel",
    "MeasureWidget": "measure.panel",
    "RetrainWidget": "retrain.panel",
    "ArchiveWidget": "archive.panel",
}
# What was used before is there at once.
_AT_ONCE_S, _LOOK_MS = 0.005, 5


def __getattr__(name: str) -> object:
    place = (_FUNCTIONS | _PANELS).get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_imported(f"napari_bonescint.gui.{place}", is_panel=name in _PANELS), name)


def _imported(module: str, *, is_panel: bool) -> ModuleType:
    """Import a module; a window is drawn meanwhile, and takes the user's clicks and keys afterwards."""
    try:
        from qtpy.QtCore import QCoreApplication, QEventLoop, QThread, QTimer
    except ImportError:  # a script that only reads files does without Qt
        return import_module(module)
    application = QCoreApplication.instance()
    if application is None or QThread.currentThread() is not application.thread():
        return import_module(module)
    # A collection in the other thread would hold the window up, and might delete widgets in the wrong thread.
    with without_collection(), ThreadPoolExecutor(1, thread_name_prefix="bonescint-import") as pool:
        future = pool.submit(_import, module, is_panel=is_panel)
        if wait([future], _AT_ONCE_S).not_done:
            from napari_bonescint.gui.common.turns import in_turns

            loop, timer = QEventLoop(), QTimer()

            def look() -> None:
                if future.done():
                    timer.stop()
                    in_turns(loop, _finish(is_panel=is_panel), loop.quit)

            timer.timeout.connect(look)
            timer.start(_LOOK_MS)
            loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        return future.result()


def _import(module: str, *, is_panel: bool) -> ModuleType:
    """Import a module, and read in the same thread what it needs first."""
    from napari_bonescint.gui.common.settings import read_preferences

    found = import_module(module)
    read_preferences()
    if is_panel:
        from magicgui.application import use_app

        from napari_bonescint.gui.layers.overlays import teach_canvas
        from napari_bonescint.inference.model_card import shipped_models

        teach_canvas()
        use_app()
        with suppress(BonescintError):  # the panel that needs the cards says so
            shipped_models()
    return found


def _finish(*, is_panel: bool) -> Iterator[None]:
    """Do in turns of their own what only the thread of the window can do, and what would hold up the first use."""
    for generation in (0, 1):
        gc.collect(generation)
        yield
    if is_panel:
        import napari

        from napari_bonescint.gui.layers.scan_display import display_scans

        viewer = napari.current_viewer()
        if viewer is not None:
            display_scans(viewer)
        yield
