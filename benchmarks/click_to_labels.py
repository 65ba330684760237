"""Measure the time to open the panel "Segment skeleton", and from a click to labels, and compare with limits.

    python benchmarks/click_to_labels.py [--model FILE] [--clicks N] [--wait SECONDS]

Opens a real napari window with a simulated scan of two views (on a server: under `scripts/on_display.sh`) and the
panel, waits as long as a person would, clicks, and clicks N more times. The first and the last click make new labels
layers. Then the panel is closed, which ends the child process, and all is repeated: in the first round nothing is
compiled for the CPU yet, as after the installation; in the second round the compiled model is on disk. All runs on two
cores.

A timer of 5 ms runs in the thread of the window; the longest gap between two ticks is the longest stall. Drawing
counts, too; under Xvfb the processor does it. Processor time (window and child process, all threads) is shown beside
wall-clock time, which other programs lengthen. The exit status is 1 if anything exceeds its limit.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import napari
import psutil
from napari.layers import Labels
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

import napari_bonescint
from napari_bonescint.inference.backends.compiled_cache import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.gui.segment.panel import SegmentWidget

_BEAT_MS = 5
_CORES = 2
_PATIENCE_S = 300.0
_IDLE_S = 3.0
_OPENING_LIMIT_S = 0.5
_WARM_LIMIT_S = 1.0
_RATIO_LIMIT = 2.0


@dataclass
class Heartbeat:
    """Measures stalls of the window's thread.

    Attributes
    ----------
    longest : float
        Longest gap between two ticks, in seconds.
    busiest : float
        Most processor time of the thread between two ticks, in seconds: the stall on an otherwise idle computer.
    """

    longest: float = 0.0
    busiest: float = 0.0
    _last: float = 0.0
    _last_busy: float = 0.0

    def start(self) -> None:
        """Begin a new measurement."""
        self.longest = self.busiest = 0.0
        self._last, self._last_busy = time.perf_counter(), time.thread_time()

    def beat(self) -> None:
        """Record one tick; called by a timer of the window."""
        now, busy = time.perf_counter(), time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.busiest, self._last_busy = max(self.busiest, busy - self._last_busy), busy


class Row(NamedTuple):
    """One measurement, in seconds."""

    what: str
    wall: float
    processor: float
    stall: float
    busy: float


class Opening(NamedTuple):
    """Measurements from opening the panel to closing it."""

    opened: Row
    waited: Row
    first: Row
    warm: list[Row]
    anew: Row

    @property
    def ratio(self) -> float:
        """Time of the first click divided by that of a warm click."""
        return self.first.wall / statistics.median(row.wall for row in self.warm)

    @property
    def rows(self) -> list[Row]:
        """All measurements in order."""
        return [self.opened, self.waited, self.first, *self.warm, self.anew]


class Window:
    """A napari window with a scan in it, and a clock."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer()
        self.viewer.open(
            Path(napari_bonescint.__file__).parent / "samples" / "simulated.dcm", plugin="napari-bonescint"
        )
        self.viewer.reset_view()
        self._heart = Heartbeat()
        self._timer = QTimer()
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._heart.beat)
        self._timer.start()

    def measure(self, what: str, action: Callable[[], object], done: Callable[[], bool]) -> Row:
        """Start an action, and let the window run until it is done."""
        self._heart.start()
        start, used = time.perf_counter(), _processor_s()
        action()
        self._heart.beat()
        run_until(done)
        self._heart.beat()
        wall, processor = time.perf_counter() - start, max(0.0, _processor_s() - used)
        return Row(what, wall, processor, self._heart.longest, self._heart.busiest)

    def wait(self, what: str, seconds: float) -> Row:
        """Leave the window alone."""
        end = time.perf_counter() + seconds
        return self.measure(what, lambda: None, lambda: time.perf_counter() > end)

    def open_and_click(self, model: str | None, wait_s: float, clicks: int) -> Opening:
        """Open the panel, wait, click, click again, and close it."""
        panels: list[SegmentWidget] = []

        def open_panel() -> None:
            panels.append(self.viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")[1])
            QApplication.processEvents()  # it is open once it is drawn

        opened = self.measure("opening the panel", open_panel, lambda: True)
        (panel,) = panels
        if model:
            panel.models.add_file(model)
        if panel.models.card is None:
            sys.exit("There is no model; name one with --model.")
        waited = self.wait(f"{wait_s:g} s of waiting", wait_s)

        def click(what: str) -> Row:
            return self.measure(what, panel.button.click, lambda: not panel.is_running)

        first = click("first click")
        warm = [click(f"warm click {number + 1}") for number in range(clicks)]
        self._remove_labels()
        anew = click("warm click, new layers")
        self.about = f"{panel.models.card.name}; {panel.device.text()}"
        self.viewer.window.remove_dock_widget(panel)
        self._remove_labels()
        return Opening(opened, waited, first, warm, anew)

    def _remove_labels(self) -> None:
        for layer in [layer for layer in self.viewer.layers if isinstance(layer, Labels)]:
            self.viewer.layers.remove(layer)
        self.wait("removing", 0.5)


def run_until(condition: Callable[[], bool]) -> None:
    """Let the window run until a condition is true.

    Uses Qt's own event loop, because only there Qt carries out `deleteLater`. Otherwise napari would keep drawing its
    busy sign 30 times a second.
    """
    loop, timer, end = QEventLoop(), QTimer(), time.perf_counter() + _PATIENCE_S

    def look() -> None:
        if condition() or time.perf_counter() > end:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(_BEAT_MS)
    loop.exec()
    if time.perf_counter() > end:
        sys.exit("Nothing came within five minutes.")


def _processor_s() -> float:
    """Processor time of this process and of the children that it has now."""
    own = psutil.Process()
    total = sum(own.cpu_times()[:2])
    for child in own.children():
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.Error:  # it ended meanwhile
            continue
    return float(total)


def report(window: Window, torch_at_start: bool, openings: list[Opening], idle: Row) -> bool:
    """Print all rows, then the facts; return true if all limits are met."""
    print(f"{window.about}; {_CORES} cores of {platform.machine()}; two views of 1024 x 256")
    print(f"{'':36}{'on the clock':>14}{'processor':>12}{'longest stall':>16}{'busy in it':>13}")
    for title, rows in [
        ("", [idle]),
        ("nothing compiled yet", openings[0].rows),
        ("compiled before", openings[1].rows),
    ]:
        if title:
            print(title)
        for row in rows:
            stalls = f"{1000 * row.stall:>13.0f} ms{1000 * row.busy:>10.0f} ms"
            print(f"  {row.what:34}{row.wall:>12.2f} s{row.processor:>10.2f} s{stalls}")
    opened = openings[0].opened
    warm = min(statistics.median(row.wall for row in opening.warm) for opening in openings)
    torch_later = "torch" in sys.modules
    print()
    print(f"torch imported: {_yes(torch_at_start)} before the panel opens, {_yes(torch_later)} after all clicks")
    print(f"opening the panel: {opened.wall:.2f} s, {opened.processor:.2f} s of processor (limit {_OPENING_LIMIT_S} s)")
    print(f"click to labels, warm: {warm:.2f} s (limit {_WARM_LIMIT_S:g} s)")
    for opening, when in zip(openings, ("nothing compiled yet", "compiled before"), strict=True):
        alike = opening.first.wall / opening.anew.wall
        print(f"first click over a warm one, {when}: {opening.ratio:.2f} (limit {_RATIO_LIMIT:g}), over one")
        print(f"  that makes new layers, too: {alike:.2f}")
    return (
        not torch_at_start
        and not torch_later
        and opened.wall < _OPENING_LIMIT_S
        and warm < _WARM_LIMIT_S
        and max(opening.ratio for opening in openings) <= _RATIO_LIMIT
    )


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def main() -> int:
    """Measure twice and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="FILE", help="a .safetensors file (default: the default model)")
    parser.add_argument("--clicks", type=int, default=5, metavar="N", help="warm clicks (default: %(default)s)")
    parser.add_argument("--wait", type=float, default=5.0, metavar="SECONDS", help="before (default: %(default)g)")
    arguments = parser.parse_args()

    if hasattr(os, "sched_setaffinity"):  # on Linux, two cores are what is measured; the child inherits them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder
        window = Window()
        torch_at_start = "torch" in sys.modules
        idle = window.wait("idle", _IDLE_S)
        openings = [window.open_and_click(arguments.model, arguments.wait, arguments.clicks) for _ in range(2)]
        fine = report(window, torch_at_start, openings, idle)
        window.viewer.close()
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
