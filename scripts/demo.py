"""Open the real sample scan in napari and segment it, by the same panel and button that a person uses.

`make demo` runs this. On a display the window stays open. On a virtual one, which scripts/on_display.sh announces by
BONESCINT_VIRTUAL_DISPLAY, a screenshot is saved once the labels are there, and the window closes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import napari
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_bonescint.gui.common.panels import open_panel

SCREENSHOT = Path(__file__).parents[1] / "demo" / "segmented-nm1.png"
PATIENCE_SECONDS = 600
SETTLE_SECONDS = 1


def main() -> int:
    """Run the demo; 0 if it came to labels, or if the window was left to the user."""
    viewer = napari.Viewer(title="napari-bonescint")
    viewer.window.resize(1280, 960)
    viewer.open_sample("napari-bonescint", "nema_nm1")
    panel = open_panel(viewer, "Segment skeleton")
    viewer.reset_view()
    if "BONESCINT_VIRTUAL_DISPLAY" not in os.environ:
        QTimer.singleShot(0, panel.button.click)
        napari.run()
        return 0

    panel.button.click()
    started = time.monotonic()
    while panel.is_running and time.monotonic() - started < PATIENCE_SECONDS:
        QApplication.processEvents()
        time.sleep(0.01)
    settled = time.monotonic() + SETTLE_SECONDS  # the legend counts the bones after the result
    while time.monotonic() < settled:
        QApplication.processEvents()
        time.sleep(0.01)
    print(panel.status.text())
    SCREENSHOT.parent.mkdir(exist_ok=True)
    viewer.screenshot(str(SCREENSHOT), canvas_only=False, flash=False)
    masks = [layer.data for layer in viewer.layers if isinstance(layer, Labels)]
    viewer.close()
    print(f"No display was found, so the window was drawn on a virtual one. Screenshot: {SCREENSHOT}")
    return 0 if masks and all(mask.any() for mask in masks) else 1


if __name__ == "__main__":
    sys.exit(main())
