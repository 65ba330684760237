"""Measure the time and the stalls of the panel "Correct masks" when it opens a large store and the next case.

    scripts/on_display.sh python benchmarks/work_list.py --cases 10000
    scripts/on_display.sh python benchmarks/work_list.py --store labels          # an existing store

The list is timed with small cases (see `store_size.py`), the next case with those of a scan's usual size, which come
first. A stall is the longest gap in the thread of the window until one second later, so drawing (under Xvfb on the
processor) and reading the following case ahead count, too. `busy` is the processor time in it: the stall on an
otherwise idle computer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import napari
from qtpy.QtCore import QTimer
from tqdm import tqdm

from click_to_labels import Heartbeat, run_until
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.work_list.record import FOLDER_VARIABLE
from napari_bonescint.gui.common.settings import keep_in
from store_size import SMALL, USUAL, add_case

if TYPE_CHECKING:
    from collections.abc import Callable

_BEAT_MS = 5
_USUAL_CASES = 8
_AFTERWARDS_S = 1.0


def make_store(folder: Path, cases: int) -> None:
    """Make a store of small cases, and some of the usual size with uncertain predictions."""
    store = LabelStore.create(folder)
    for number in tqdm(range(cases), desc="making cases"):
        usual = number < _USUAL_CASES
        add_case(store, number, USUAL if usual else SMALL, predicted=usual, corrected=number % 4 == 3 and not usual)


def pause() -> None:
    """Let the window run on for a while."""
    end = time.perf_counter() + _AFTERWARDS_S
    run_until(lambda: time.perf_counter() > end)


def measure(folder: Path) -> None:
    """Print the times."""
    # With empty settings, the panel opens no other store.
    keep_in(Path(tempfile.mkdtemp()))
    os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp()
    viewer = napari.Viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Correct masks")
    panel.controller.loader.card = None
    heart, timer = Heartbeat(), QTimer()
    timer.setInterval(_BEAT_MS)
    timer.timeout.connect(heart.beat)
    timer.start()
    pause()

    def timed(what: str, action: Callable[[], object], done: Callable[[], bool]) -> None:
        heart.start()
        start = time.perf_counter()
        action()
        heart.beat()
        run_until(done)
        taken = time.perf_counter() - start
        pause()
        heart.beat()
        print(f"{what:30}{taken:>8.3f} s{1000 * heart.longest:>10.0f} ms{1000 * heart.busiest:>10.0f} ms")

    print(f"{'':30}{'time':>10}{'stall':>13}{'busy in it':>13}")
    controller, model = panel.controller, panel.list.model
    timed("opening the list", lambda: controller.open(folder, begin=False), model.rowCount)
    print(f"{model.rowCount()} cases")
    for number in range(_USUAL_CASES - 1):
        before = model.queue.open_row
        name = "first case, new layers" if before < 0 else f"next, {number}"
        timed(name, panel.list.open_next, lambda before=before: model.queue.open_row > before)
    panel.close()
    viewer.close()


def main() -> None:
    """Make a store if none is given, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, help="cases to make (default: 10000)")
    parser.add_argument("--store", type=Path, help="an existing store")
    arguments = parser.parse_args()
    if arguments.store:
        measure(arguments.store)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store")
        make_store(store, arguments.cases)
        measure(store)


if __name__ == "__main__":
    main()
