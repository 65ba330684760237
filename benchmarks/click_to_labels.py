"""How long it takes from the click on "Segment skeleton" to the labels, and how long the window stalls meanwhile.

    python benchmarks/click_to_labels.py [--model NAME|FILE] [--clicks N]

Opens a real napari window with the NEMA NM1 scan (on a server: under `xvfb-run -a`), opens the panel, and clicks as a
person would: once at once, while the child process still loads PyTorch and the model, then N times warm. A heartbeat of
5 ms runs in the thread of the window; the longest gap between two beats is the longest time that the window did not
answer. Drawing itself counts, too: under Xvfb it is done by the processor.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import napari
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

_BEAT_MS = 5
_CORES = 2
_PATIENCE_S = 300.0
_IDLE_S = 3.0


@dataclass
class Heartbeat:
    """Measures for how long the thread of the window does not answer.

    Attributes
    ----------
    longest : float
        The longest gap between two beats, in seconds.
    busiest : float
        The most processor time that the thread took between two beats, in seconds: what a stall would be on a
        computer that has nothing else to do.
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
        """Be called by a timer of the window."""
        now, busy = time.perf_counter(), time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.busiest, self._last_busy = max(self.busiest, busy - self._last_busy), busy


def run_until(condition: Callable[[], bool]) -> None:
    """Let the window run until something is true."""
    end = time.perf_counter() + _PATIENCE_S
    while not condition():
        if time.perf_counter() > end:
            sys.exit("Nothing came within five minutes.")
        QApplication.processEvents()
        time.sleep(0.0005)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a .safetensors file (default: the default model)")
    parser.add_argument("--clicks", type=int, default=5, help="warm clicks (default: 5)")
    arguments = parser.parse_args()

    cores = range(os.cpu_count() or 1)
    if hasattr(os, "sched_setaffinity"):  # on Linux, two cores are what is measured; the child inherits them
        cores = sorted(os.sched_getaffinity(0))[:_CORES]
        os.sched_setaffinity(0, cores)
    viewer = napari.Viewer()
    viewer.open_sample("napari-bonescint", "nema_nm1")
    viewer.reset_view()
    heart = Heartbeat()
    timer = QTimer()
    timer.setInterval(_BEAT_MS)
    timer.timeout.connect(heart.beat)
    timer.start()
    idle_until = time.perf_counter() + _IDLE_S
    run_until(lambda: time.perf_counter() > idle_until)

    rows: list[tuple[str, float | None, float, float]] = []

    def measure(what: str, action: Callable[[], object], done: Callable[[], bool], *, timed: bool = True) -> None:
        heart.start()
        start = time.perf_counter()
        action()
        heart.beat()
        run_until(done)
        heart.beat()
        rows.append((what, time.perf_counter() - start if timed else None, heart.longest, heart.busiest))

    def pause(seconds: float) -> Callable[[], bool]:
        end = time.perf_counter() + seconds
        return lambda: time.perf_counter() > end

    measure("idle", lambda: None, pause(_IDLE_S), timed=False)
    opened = []
    measure(
        "opening the panel",
        lambda: opened.append(viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")[1]),
        pause(0.2),
        timed=False,
    )
    panel = opened[0]
    if arguments.model:
        panel.models.add_file(arguments.model)
    if panel.models.card is None:
        sys.exit("There is no model; name one with --model.")

    def click(what: str) -> None:
        measure(what, panel.button.click, lambda: not panel.is_running)

    click("first click, child still loading")
    for number in range(arguments.clicks):
        click(f"warm click {number + 1}")

    labels = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    shapes = ", ".join(f"{layer.data.shape[0]} x {layer.data.shape[1]}" for layer in labels)
    print(f"{panel.models.card.name}; {panel.device.text()}; {len(cores)} cores of {platform.machine()}")
    print(f"NM1, {shapes}")
    print(f"{'':34}{'click to labels':>16}{'longest stall':>16}{'busy in it':>16}")
    for what, seconds, stall, busy in rows:
        waited = "" if seconds is None else f"{seconds:.2f} s"
        print(f"{what:34}{waited:>16}{1000 * stall:>13.0f} ms{1000 * busy:>13.0f} ms")
    viewer.close()


if __name__ == "__main__":
    main()
