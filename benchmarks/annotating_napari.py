"""A napari in which a simulated user corrects a mask until it is killed, for `napari_crashes`.

Prints one line of JSON after it has opened the draft, and one after each stroke.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from click_to_labels import run_until

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gui.correct.correcting import Hand
from napari_bonescint.corrections.work_list.record import FOLDER_VARIABLE
from napari_bonescint.gui.common.settings import keep_in
from napari_bonescint.gui.correct.correcting import Correcting

if TYPE_CHECKING:
    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.gui.correct.panel import CorrectWidget

ANNOTATOR = "A. Annotator"
FEMUR = 14
_PACE_MS = 300
# Places of strokes, far enough apart for a brush of 8 pixels.
_PLACES = [(view, (float(row), 40.0)) for row in range(20, 1000, 20) for view in (0, 1)]


def open_panel(folder: Path) -> tuple[CorrectWidget, OpenCase, Hand]:
    """Open the store the first time, and continue with the draft or the next case later."""
    viewer = napari.Viewer()
    _, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Correct masks")
    panel.controller.loader.card = None
    if not panel.controller.annotator:
        QTest.keyClicks(panel.saving.name, ANNOTATOR)
        QTest.keyClick(panel.saving.name, Qt.Key.Key_Return)
        panel.controller.open(folder / "store")
    else:
        run_until(panel.list.model.rowCount)
        if panel.drafts.isVisible():
            QTest.mouseClick(panel.drafts.open_button, Qt.MouseButton.LeftButton)
        else:  # killed before the first draft was saved
            panel.list.open_next()
    run_until(lambda: isinstance(panel.controller.state, Correcting))
    case = panel.toolbox.strokes.case
    if case is None:
        raise RuntimeError("the case is not in the toolbox")
    return panel, case, Hand(viewer, case)


def strokes_in(case: OpenCase) -> list[bool]:
    """For each place, true if its stroke is in the mask."""
    regions = case.regions()
    return [bool(regions[view, int(row), int(column)]) for view, (row, column) in _PLACES]


def undo_and_redo(case: OpenCase) -> bool:
    """True if one Undo in each changed view removes the whole draft, and Redo restores it."""
    before = case.regions()
    stepped = [labels for labels in case.labels if labels._undo_history]
    for labels in stepped:
        labels.undo()
    empty = not case.regions().any()
    for labels in stepped:
        labels.redo()
    return empty and np.array_equal(case.regions(), before)


def say(**what: object) -> None:
    """Print a message for the parent process."""
    print(json.dumps(what), flush=True)


def main() -> None:
    """Draw until killed."""
    folder = Path(sys.argv[1])
    keep_in(folder / "settings")
    os.environ[FOLDER_VARIABLE] = str(folder / "work")
    panel, case, hand = open_panel(folder)
    drawn = strokes_in(case)
    number = sum(drawn)
    say(strokes=number, whole=all(drawn[:number]) and undo_and_redo(case))
    hand.move(0, _PLACES[0][1])
    hand.key("1", "4", "P")
    if panel.toolbox.strokes.code != FEMUR:
        raise RuntimeError("the keys chose another region")
    for view, (row, column) in _PLACES[number:]:
        hand.drag(view, [(row, column - 3), (row, column), (row, column + 3)])
        say(stroke=time.time())
        QTest.qWait(_PACE_MS)
    while True:
        QTest.qWait(_PACE_MS)


if __name__ == "__main__":
    main()
