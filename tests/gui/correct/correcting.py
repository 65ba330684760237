"""A scan that is open for correction, and what a hand does over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter

from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer

# vispy drops moves of the mouse that follow within 10 ms, and napari delays those within 5 ms.
_PACE_MS = 12


def open_case(viewer: Viewer, *, with_model: bool = True) -> OpenCase:
    """Open the simulated sample with its true mask, which is also what the model says."""
    scan = open_scan(SAMPLES / "simulated.dcm")
    truth = read_labels(SAMPLES / "simulated.regions.tif").masks
    images = [
        viewer.add_image(data, **attributes) for data, attributes, kind in scans_to_layers([scan]) if kind == "image"
    ]
    labels = [viewer.add_layer(empty_labels(image)) for image in images]
    for layer, plane in zip(labels, truth, strict=True):
        set_regions(layer, plane)
        layer._reset_history()
    viewer.reset_view()
    QApplication.processEvents()
    windows = [image.contrast_limits for image in images]
    if not with_model:
        return OpenCase(scan, images, windows, labels)
    probability = gaussian_filter((truth > 0).astype(np.float32), (0, 1.5, 1.5))
    return OpenCase(scan, images, windows, labels, truth.copy(), probability)


class Hand:
    """Moves the mouse over a view and presses keys, as events that Qt gives to the canvas."""

    def __init__(self, viewer: Viewer, case: OpenCase) -> None:
        self._viewer, self._case = viewer, case
        self._canvas = viewer.window._qt_viewer.canvas.native
        self._held = Qt.MouseButton.NoButton

    def send(self, event: QEvent) -> None:
        QApplication.sendEvent(self._canvas, event)

    def move(self, view: int, point: Sequence[float]) -> None:
        self._mouse(QEvent.Type.MouseMove, Qt.MouseButton.NoButton, view, point)
        # A timer of Qt ends the wait, so napari's earlier timer has brought a delayed move by then, however slow the
        # picture is; `QTest.qWait` ends by the clock.
        wait, timer = QEventLoop(), QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(wait.quit)
        timer.start(_PACE_MS)
        wait.exec()

    def press(self, view: int, point: Sequence[float]) -> None:
        self.move(view, point)
        self._held = Qt.MouseButton.LeftButton
        self._mouse(QEvent.Type.MouseButtonPress, Qt.MouseButton.LeftButton, view, point)

    def release(self, view: int, point: Sequence[float]) -> None:
        self._held = Qt.MouseButton.NoButton
        self._mouse(QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton, view, point)

    def click(self, view: int, point: Sequence[float]) -> None:
        self.press(view, point)
        self.release(view, point)

    def drag(self, view: int, path: Sequence[Sequence[float]]) -> None:
        self.press(view, path[0])
        for point in path[1:]:
            self.move(view, point)
        self.release(view, path[-1])

    def key(self, *keys: str) -> None:
        """Press keys such as ``S`` or ``Shift-S`` and let them go."""
        for key in keys:
            shift = key.startswith("Shift-")
            code = getattr(Qt.Key, f"Key_{key.removeprefix('Shift-')}")
            self._key(code, Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier)

    def undo(self) -> None:
        self._key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    def hold_space(self, *, down: bool) -> None:
        kind = QEvent.Type.KeyPress if down else QEvent.Type.KeyRelease
        self.send(QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier))

    def _key(self, code: Qt.Key, modifier: Qt.KeyboardModifier) -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            self.send(QKeyEvent(kind, code, modifier))

    def _mouse(self, kind: QEvent.Type, button: Qt.MouseButton, view: int, point: Sequence[float]) -> None:
        (world,) = self._case.world(view, np.array([point], float))
        camera = self._viewer.scene.camera
        size = np.array([self._canvas.height(), self._canvas.width()])
        y, x = (world - np.array(camera.center)[-2:]) * camera.zoom + size / 2
        place = QPointF(x, y)
        self.send(QMouseEvent(kind, place, place, button, self._held, Qt.KeyboardModifier.NoModifier))
