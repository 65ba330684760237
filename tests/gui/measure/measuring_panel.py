"""What a reader does with the panel "Measure"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt

from gui.panel_actions import PATIENCE_MS

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.measure.panel import MeasureWidget


def wait_for_measures(panel: MeasureWidget, qtbot: QtBot) -> None:
    """Wait until the numbers are those of the layers as they are now."""

    def is_measured() -> bool:
        scan = panel.controller.current
        return (
            scan is not None
            and not panel.controller.is_running
            and scan.measures is not None
            and not scan.was_only_restored
            and all(spot.pixels for spot in scan.measures.hot_spots)
            and scan.spots.are_shown
        )

    qtbot.waitUntil(is_measured, timeout=PATIENCE_MS)


def tick(panel: MeasureWidget, row: int, qtbot: QtBot) -> None:
    """Click on the box of a row."""
    table = panel.spots.table
    table.scrollTo(table.model().index(row, 0))
    cell = table.visualRect(table.model().index(row, 0))
    box = QPoint(cell.left() + 10, cell.center().y())
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=box)
