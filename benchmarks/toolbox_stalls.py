"""Measure stalls of the window by each tool and each display setting of the panel "Correct masks".

    python benchmarks/toolbox_stalls.py [--repeats N]

Opens a real napari window with the simulated sample (two views of 1024 x 256), the toolbox and the display settings (on
a server: under `xvfb-run -a`), and sends real mouse and keyboard events. `stall` is the time from sending an event to
the end of its handling, without the drawing that follows: the longest of a stroke's events, the worst of N strokes.
`busy` is the processor time in it: the stall on an otherwise idle computer. Limit: 50 ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import napari
from qtpy.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gui.correct.correcting import Hand, open_case
from napari_bonescint.gui.correct.display_panel import DisplayPanel
from napari_bonescint.gui.correct.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtCore import QEvent

LIMIT_S = 0.050
FEMUR = (430, 100)
STROKE = [(365 + row, 90 + row // 2) for row in range(0, 60, 3)]
LOOP = [(340, 60), (340, 180), (420, 180), (420, 60), (345, 62)]
DRAGS = {"S": STROKE, "T": STROKE, "O": LOOP, "R": LOOP, "K": [(340, 60), (420, 180)], "P": STROKE, "E": STROKE}
CLICKS = {"A": (850, 128), "D": FEMUR, "Shift-D": FEMUR, "M": FEMUR, "F": FEMUR}
AT_ONCE = ("G", "Shift-G", "U", "H", "Shift-K", "Shift-C", "Q", "Y", "I", "C", "W", "J")


class TimedHand(Hand):
    """A simulated user that records the longest handling time of its events."""

    longest = busiest = 0.0

    def send(self, event: QEvent) -> None:
        """Send an event to the canvas."""
        start, busy = time.perf_counter(), time.thread_time()
        super().send(event)
        self.longest = max(self.longest, time.perf_counter() - start)
        self.busiest = max(self.busiest, time.thread_time() - busy)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="strokes of each tool (default: 5)")
    repeats: int = parser.parse_args().repeats
    viewer = napari.Viewer()
    case = open_case(viewer)
    toolbox, aids = Toolbox(viewer), DisplayPanel(viewer)
    for part in (toolbox, aids):
        viewer.window.add_dock_widget(part, area="right")
        part.set_case(case)
    viewer.reset_view()
    QApplication.processEvents()
    hand = TimedHand(viewer, case)
    for key in ("Y", "Y", "I", "I"):  # the first time, napari adds layers, for which it takes as long as for any other
        hand.key(key)
    rows: list[tuple[str, float, float]] = []

    def measure(what: str, action: Callable[[], object], before: Sequence[str] = ()) -> None:
        longest = busiest = 0.0
        for _ in range(repeats):
            hand.move(0, (365, 117))
            hand.key("1", "3", *before)
            QApplication.processEvents()
            hand.longest = hand.busiest = 0.0
            action()
            longest, busiest = max(longest, hand.longest), max(busiest, hand.busiest)
            QApplication.processEvents()
            if case.labels[0]._undo_history:
                hand.undo()
        rows.append((what, longest, busiest))

    names = {
        button.toolTip().rpartition("<b>")[2].partition("<")[0].replace("⇧", "Shift-"): name
        for name, button in (*toolbox.tool_buttons.items(), *aids.map_buttons.items())
    }
    for key, path in DRAGS.items():
        measure(names[key], lambda path=path: hand.drag(0, path), [key])
    for key, point in CLICKS.items():
        measure(names[key], lambda point=point: hand.click(0, point), [key])
    for key in AT_ONCE:
        measure(names.get(key, f"key {key}"), lambda key=key: hand.key(key), ["Z"])
    measure("mouse from view to view", lambda: (hand.move(0, (365, 117)), hand.move(1, (365, 117))), ["Z"])
    hand.key("K")
    hand.drag(0, LOOP[:3])
    slow = fast = 0.0
    for percent in range(5, 100, 5):
        start, busy = time.perf_counter(), time.thread_time()
        toolbox.threshold.setValue(percent)
        slow, fast = max(slow, time.perf_counter() - start), max(fast, time.thread_time() - busy)
    rows.append(("slider of Ask again", slow, fast))
    print(f"{'worst of ' + str(repeats):28}{'stall':>12}{'busy':>12}")
    for what, stall, busy in rows:
        print(f"{what:28}{1000 * stall:>9.1f} ms{1000 * busy:>9.1f} ms{'  over' if busy > LIMIT_S else ''}")
    viewer.close()


if __name__ == "__main__":
    main()
