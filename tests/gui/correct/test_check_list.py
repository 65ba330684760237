from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

from napari_bonescint.anatomy import CODES
from napari_bonescint.gui.correct.check_list import CheckList

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.open_case import OpenCase


def test_a_finding_appears_leads_there_and_goes_with_its_cause(viewer: Viewer, case: OpenCase, qtbot: QtBot) -> None:
    checks = CheckList(viewer)
    viewer.window.add_dock_widget(checks, area="right")
    with qtbot.waitSignal(checks.checked):
        checks.set_case(case)

    def sentences() -> list[str]:
        return [checks.list.item(row).text() for row in range(checks.list.count())]

    before = sentences()
    rows, columns = (each.ravel() for each in np.mgrid[900:906, 30:36])
    case.labels[1].data_setitem((rows, columns), CODES["sternum"])
    qtbot.waitUntil(lambda: len(sentences()) > len(before), timeout=20_000)
    (new,) = [row for row in range(checks.list.count()) if sentences()[row] not in before][:1]
    assert checks.title.text() == f"Checks: {checks.list.count()} to look at"
    item = checks.list.item(new)
    checks.list.scrollToItem(item)
    place = checks.list.visualItemRect(item).center()
    qtbot.mouseClick(checks.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert viewer.layers.selection.active is case.labels[1]
    row, column = case.pixel(1, viewer.scene.camera.center[-2:])
    assert 895 < row < 910
    assert 25 < column < 40
    case.labels[1].undo()
    qtbot.waitUntil(lambda: sentences() == before, timeout=20_000)
    checks.set_case(None)
    assert not sentences()
