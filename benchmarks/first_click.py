"""Measure how long the window does not answer during the first click on this plugin after napari has started.

    python benchmarks/first_click.py [--rounds N] [--file FILE]

Each round starts napari anew for each figure (on a server: under `scripts/on_display.sh`). The first click opens a scan
or a panel. For comparison, napari alone opens a NumPy file with the same views, or docks an empty widget. A timer of
5 ms runs in the thread of the window; a stall is the longest time between two ticks, and `busy` is the processor time
of the thread in it. Each figure is the least of all rounds, since other programs only lengthen it. `ours` is `busy`
less that of napari alone. `until idle` is the time from the click until the window has nothing more to do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
from napari.qt import get_qapp
from napari.settings import get_settings
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

_BEAT_MS, _IDLE_TURN_S, _IDLE_S, _START_S = 5, 0.004, 0.8, 2.0
_PANEL_WIDTH = 320
_SAMPLE = Path(__file__).parent.parent / "src" / "napari_bonescint" / "samples" / "simulated.dcm"
_PLUGIN, _FILE, _EMPTY = "napari-bonescint", "open a NumPy file (napari)", "dock an empty widget (napari)"
_SCAN = "open a scan"
_PANELS = ("Segment skeleton", "Correct masks", "Measure", "Retrain", "Archive")


def run_until_idle(act: Callable[[], object], seconds: float = 0.0) -> tuple[float, float, float]:
    """Do something, and run the window until no turn took long for a while.

    Returns the longest stall, the busiest one, and the time until then, in seconds.
    """
    began = last = at_work = time.perf_counter()
    last_busy = time.thread_time()
    wall = busy = 0.0
    loop, is_done = QEventLoop(), False

    def start() -> None:
        nonlocal is_done
        act()
        is_done = True

    def beat() -> None:
        nonlocal last, last_busy, at_work, wall, busy
        now, now_busy = time.perf_counter(), time.thread_time()
        wall, busy = max(wall, now - last), max(busy, now_busy - last_busy)
        if now_busy - last_busy > _IDLE_TURN_S:
            at_work = now
        elif is_done and now > max(at_work + _IDLE_S, began + seconds):
            loop.quit()
        last, last_busy = now, now_busy

    timer = QTimer()
    timer.setInterval(_BEAT_MS)
    timer.timeout.connect(beat)
    timer.start()
    QTimer.singleShot(0, start)
    loop.exec()
    timer.stop()
    return wall, busy, at_work - began


def click_first(what: str, file: Path) -> None:
    """Start napari, do one thing, and print what it took."""
    get_qapp()
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    run_until_idle(lambda: None, _START_S)

    def dock_empty() -> None:
        widget = QWidget()
        widget.setMinimumWidth(_PANEL_WIDTH)
        viewer.window.add_dock_widget(widget, name="empty")

    actions = {
        _FILE: lambda: viewer.open(file, plugin="napari", layer_type="image", channel_axis=0),
        _EMPTY: dock_empty,
        _SCAN: lambda: viewer.open(file, plugin=_PLUGIN),
    }
    action = actions.get(what, lambda: viewer.window.add_plugin_dock_widget(_PLUGIN, what))
    print(json.dumps(run_until_idle(action)), flush=True)
    os._exit(0)


def views_of(file: Path, folder: Path) -> Path:
    """A NumPy file with the views of a scan."""
    from napari_bonescint.formats.opening import open_scan  # not in the child that opens the scan

    path = folder / "views.npy"
    np.save(path, open_scan(file).counts)
    return path


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--file", type=Path, default=_SAMPLE, help="scan (default: the simulated sample)")
    parser.add_argument("--first", help=argparse.SUPPRESS)
    parser.add_argument("--settings", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.first:
        get_settings(arguments.settings)
        click_first(arguments.first, arguments.file)
    names = (_FILE, _SCAN, _EMPTY, *_PANELS)
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        views = views_of(arguments.file, Path(folder))
        for number, name in ((number, name) for number in range(arguments.rounds) for name in names):
            command = [sys.executable, __file__, "--first", name, "--file", views if name == _FILE else arguments.file]
            command += ["--settings", Path(folder) / f"{number} {name}.yaml"]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[name].append(json.loads(output.splitlines()[-1]))
    print(f"{'least of ' + str(arguments.rounds):32}{'stall':>11}{'busy':>11}{'ours':>11}{'until idle':>14}")
    least = {name: [1000 * min(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    for name, (wall, busy, whole) in least.items():
        own = least[_FILE if name in (_FILE, _SCAN) else _EMPTY][1]
        print(f"{name:32}{wall:>8.0f} ms{busy:>8.0f} ms{busy - own:>8.0f} ms{whole:>11.0f} ms")


if __name__ == "__main__":
    main()
