"""The dialog says which files of a report could not be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Qt

from gui.measure.measuring_panel import wait_for_measures
from gui.panel_actions import PATIENCE_MS
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.layers.labels import empty_labels, set_regions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.measure.panel import MeasureWidget


def test_a_file_without_identifiers_gives_the_pages_and_a_sentence(
    viewer: Viewer, write_nm: Callable[..., Path], tmp_path: Path, qtbot: QtBot
) -> None:
    viewer.open(write_nm("bare.dcm", StudyInstanceUID=None), plugin="napari-bonescint")
    for image in [layer for layer in viewer.layers if isinstance(layer, Image)]:
        body = np.zeros(image.data.shape, np.uint8)
        body[15:45, 22:43] = 3
        set_regions(viewer.add_layer(empty_labels(image)), body)
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    panel.measure()
    wait_for_measures(panel, qtbot)
    dialog = panel.report()
    assert dialog is not None
    dialog.form.folder.value = tmp_path / "reports"
    dialog.form.name.value = "mine"
    qtbot.mouseClick(dialog.write_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.write_button.isEnabled, timeout=PATIENCE_MS)
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["mine.report.html", "mine.report.pdf"]
    lines = dialog.message.text().splitlines()
    assert lines[1:3] == ["mine.report.pdf", "mine.report.html"]
    assert lines[3].startswith("bare.dcm: has no StudyInstanceUID")
    assert lines[3].endswith("The report has no files for an archive.")
    dialog.close_button.click()
