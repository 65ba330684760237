"""Walk the clinician's way through the real window by mouse, count the clicks, and check the files at its end.

    scripts/on_display.sh python scripts/clinician_walk.py --work FOLDER

The way: open a scan, segment it, read the bones, correct a rib, export DICOM SEG, NIfTI and a picture of both views.
Dropping a file and a drag on the image count as one click each; the wheel and the moving mouse do not count. napari has
been told before to open *.dcm with this plugin, see docs/segmenting.md. The exit status is 1 if the way takes more than
eight clicks. scripts/panel_pictures.py makes the strip of pictures in docs/ from it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Labels
from napari.settings import get_settings
from PIL import Image, ImageDraw, ImageFont
from qtpy.QtCore import QBuffer, QEvent, QIODevice, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.gui.common.settings import keep_in
from napari_bonescint.gui.layers.marks import ALL_PARTS, marks_of
from napari_bonescint.gui.sample_files import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Layer
    from napari.viewer import Viewer
    from numpy.typing import NDArray
    from qtpy.QtGui import QPixmap

LIMIT = 8
WINDOW = (1366, 768)
RIBS = next(region.code for region in REGIONS if region.label == "ribs")
_CELL = (640, 360)
_GAP, _CAPTION, _LETTERS = 12, 30, 20
_WHOLE = (0, 0, *WINDOW)
_STRIP = {
    "opened": ("Click 1: drop the file on the window", _WHOLE),
    "menu": ("2, 3: Layers > Segment > Segment this scan", (0, 0, 683, 384)),
    "segmented": ("Read: colours, bones and areas", (483, 171, 1366, 668)),
    "drawn": ("4, 5, 6: Correct this scan, Trace edge, draw", (440, 130, 1123, 514)),
    "export": ("7: Export …, with both views", (400, 180, 1083, 564)),
    "exported": ("8: Export; the files are there", (400, 180, 1083, 564)),
}
"""Caption and part of the window of each picture."""
_PATIENCE_S = 120
_SETTLE_S = 0.5
_ZOOM_NOTCHES = 9
# vispy drops moves of the mouse that follow within 10 ms.
_PACE_MS = 12
_LEFT, _NONE, _NO_KEY = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


class WayBlocked(Exception):
    """The way cannot be walked by mouse; says why."""


@dataclass
class Walk:
    """A walk that has been done.

    Attributes
    ----------
    clicks : list of str
        The clicks, in order.
    files : list of Path
        The exported files.
    rib_pixels : int
        How many pixels of ribs the correction has added.
    """

    clicks: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    rib_pixels: int = 0


class Mouse:
    """Presses only what can be seen, and writes each click down."""

    def __init__(self, viewer: Viewer, clicks: list[str]) -> None:
        self._viewer, self._clicks = viewer, clicks
        self._window = viewer.window._qt_window
        self._canvas: QWidget = viewer.window._qt_viewer.canvas.native

    def drop(self, path: Path) -> None:
        """Drop a file on the canvas."""
        self._clicks.append(f"drop {path.name} on the window")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        place = self._canvas.rect().center()
        for kind in (QDragEnterEvent, QDropEvent):
            # A drop is a kind of a move, whose place is not that of a press.
            where = place if kind is QDragEnterEvent else QPointF(place)
            event = kind(where, Qt.DropAction.CopyAction, data, _LEFT, _NO_KEY)
            QApplication.sendEvent(self._viewer.window._qt_viewer, event)

    def click(self, widget: QWidget, place: QPoint | None = None, what: str = "") -> None:
        """Click a widget in its middle, or at a place of it."""
        place = widget.rect().center() if place is None else place
        wait(lambda: _is_in_sight(widget, place))
        self._clicks.append(what or widget.text())
        QTest.mouseClick(widget, _LEFT, _NO_KEY, place)

    def choose(self, *titles: str, look: Callable[[], object]) -> None:
        """Choose from napari's menus; sub-menus open under the mouse. `look` is called before the last click."""
        shown: Any = self._window.menuBar()
        for title in titles:
            action = next(each for each in shown.actions() if each.text().replace("&", "").startswith(title))
            place, menu = shown.actionGeometry(action).center(), action.menu()
            if isinstance(shown, QMenu):
                QTest.mouseMove(shown, place)
            if menu is None:
                look()
            if menu is None or not isinstance(shown, QMenu):
                self.click(shown, place, title)
            if menu is not None:
                wait(menu.isVisible)
                shown = menu

    def zoom(self, layer: Labels, pixel: Sequence[float]) -> None:
        """Turn the wheel over a pixel."""
        for _ in range(_ZOOM_NOTCHES):
            place = self._place(layer, pixel)
            everywhere = QPointF(self._canvas.mapToGlobal(place.toPoint()))
            turn = QPoint(0, 120)
            wheel = QWheelEvent(place, everywhere, turn, turn, _NONE, _NO_KEY, Qt.ScrollPhase.NoScrollPhase, False)
            QApplication.sendEvent(self._canvas, wheel)
            QTest.qWait(_PACE_MS)

    def move(self, layer: Labels, pixel: Sequence[float], held: Qt.MouseButton = _NONE) -> None:
        """Move the mouse to a pixel."""
        self._send(QEvent.Type.MouseMove, _NONE, held, self._place(layer, pixel))
        QTest.qWait(_PACE_MS)

    def drag(self, layer: Labels, path: Sequence[Sequence[float]], *, look: Callable[[], object]) -> None:
        """Draw a line over pixels of a layer; `look` is called before the button is released."""
        self._clicks.append("draw along the edge of a rib")
        start, end = self._place(layer, path[0]), self._place(layer, path[-1])
        _require(_is_in_sight(self._canvas, start.toPoint()), "the rib cannot be seen")
        self.move(layer, path[0])
        self._send(QEvent.Type.MouseButtonPress, _LEFT, _LEFT, start)
        for pixel in path[1:]:
            self.move(layer, pixel, _LEFT)
        look()
        self._send(QEvent.Type.MouseButtonRelease, _LEFT, _NONE, end)

    def _place(self, layer: Labels, pixel: Sequence[float]) -> QPointF:
        """Where a pixel is on the canvas."""
        camera = self._viewer.scene.camera
        size = np.array([self._canvas.height(), self._canvas.width()])
        world = np.array(layer.data_to_world(pixel)[-2:])
        y, x = (world - np.array(camera.center)[-2:]) * camera.zoom + size / 2
        return QPointF(x, y)

    def _send(self, kind: QEvent.Type, button: Qt.MouseButton, held: Qt.MouseButton, place: QPointF) -> None:
        QApplication.sendEvent(self._canvas, QMouseEvent(kind, place, place, button, held, _NO_KEY))


def walk(viewer: Viewer, scan: Path, show: Callable[[str, Image.Image], object]) -> Walk:
    """Walk the whole way in a window, with a file whose folder takes the exported files.

    `show` is called with a name and a picture of the window after each step.
    """
    done = Walk()
    mouse = Mouse(viewer, done.clicks)
    window = viewer.window._qt_window
    window.setGeometry(0, 0, *WINDOW)
    settle()
    _require((window.width(), window.height()) == WINDOW, "the window is larger than a small screen")
    get_settings().plugins.extension2reader = {"*.dcm": "napari-bonescint"}

    mouse.drop(scan)
    wait(lambda: len(viewer.layers) > 1 and all(map(_is_marked, viewer.layers)))
    settle()
    show("opened", _picture(window))

    mouse.choose("Layers", "Segment", "Segment this scan", look=lambda: show("menu", _picture(window)))
    segmenting = _panel(viewer, "Segment skeleton")
    wait(lambda: not segmenting.is_running and bool(_filled(viewer)))
    anterior = _filled(viewer)[0]
    path = _along_a_rib(anterior.data)
    mouse.move(anterior, _rib_pixel(anterior.data))
    settle()
    legend = segmenting.page.legend
    _require("ribs" in legend.under_mouse.text(), "the rib under the mouse is not named")
    _require(bool(legend.tree.findItems("ribs", Qt.MatchFlag.MatchExactly, 1)), "the legend has no ribs")
    show("segmented", _picture(window))

    mouse.click(_button(segmenting, "Correct this scan"))
    wait(lambda: any("Correct masks" in name for name in viewer.window.dock_widgets))
    correcting = _panel(viewer, "Correct masks")
    wait(correcting.toolbox.isEnabled)
    settle()
    before = np.count_nonzero(anterior.data == RIBS)
    mouse.click(correcting.toolbox.tool_buttons["Trace edge"], what="Trace edge")
    mouse.zoom(anterior, path[len(path) // 2])
    settle()
    mouse.drag(anterior, path, look=lambda: show("drawn", _picture(window)))
    wait(lambda: np.count_nonzero(anterior.data == RIBS) != before)
    done.rib_pixels = int(np.count_nonzero(anterior.data == RIBS)) - before
    settle()
    show("corrected", _picture(window))

    mouse.click(_button(correcting, "Export …"))
    dialog = _dialog()
    settle()
    _require(window.geometry().contains(dialog.frameGeometry()), "the dialog does not fit on a small screen")
    show("export", _picture(window))
    mouse.click(dialog.write_button)
    wait(dialog.open_button.isVisible)
    settle()
    show("exported", _picture(window))
    _require((window.width(), window.height()) == WINDOW, "the panels made the window larger")
    done.files = sorted(path for path in scan.parent.iterdir() if path != scan)
    return done


def strip(work: Path) -> Image.Image:
    """The whole way in six pictures with their captions."""
    pictures: dict[str, Image.Image] = {}
    begin(work)
    viewer = napari.Viewer()
    walk(viewer, sample(work), pictures.__setitem__)
    viewer.close()
    width, height = _CELL
    sheet = Image.new("RGB", (2 * width + _GAP, 3 * (height + _CAPTION + _GAP) - _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (name, (caption, box)) in enumerate(_STRIP.items()):
        x, y = number % 2 * (width + _GAP), number // 2 * (height + _CAPTION + _GAP)
        pen.text((x + 2, y + 4), caption, "black", font=ImageFont.load_default(_LETTERS))
        cut = pictures[name].crop(box)
        sheet.paste(cut.resize(_CELL, Image.Resampling.LANCZOS), (x, y + _CAPTION))
    return sheet


def begin(work: Path) -> None:
    """Keep settings and drafts in a folder, and forget those of the last walk."""
    for name in ("settings", "drafts"):
        shutil.rmtree(work / name, ignore_errors=True)
    os.environ["BONESCINT_DRAFTS"] = str(work / "drafts")
    keep_in(work / "settings")


def wait(done: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
    """Let the window run until something has happened."""
    end = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > end:
            raise WayBlocked("the window did not come to an end")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(seconds: float = _SETTLE_S) -> None:
    """Let the window draw itself."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def sample(work: Path) -> Path:
    """A copy of the simulated sample, a scan of two views, in a folder of its own."""
    folder = work / "scan"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Path(shutil.copy(SIMULATED, folder / "patient.dcm"))


def _require(fact: bool, otherwise: str) -> None:
    if not fact:
        raise WayBlocked(otherwise)


def _is_in_sight(widget: QWidget, place: QPoint) -> bool:
    """Whether a click at a place of a widget reaches it: it is shown, not scrolled away, and nothing covers it."""
    found = QApplication.widgetAt(widget.mapToGlobal(place))
    return widget.isEnabled() and found is not None and (found is widget or widget.isAncestorOf(found))


def _is_marked(image: Layer) -> bool:
    """Whether a view has its caption and letters, which come one after the other."""
    marks = marks_of(image)
    return marks is not None and marks.parts == ALL_PARTS


def _panel(viewer: Viewer, title: str) -> Any:
    return next(panel for name, panel in viewer.window.dock_widgets.items() if title in name)


def _button(panel: QWidget, text: str) -> QPushButton:
    return next(button for button in panel.findChildren(QPushButton) if button.text() == text)


def _dialog() -> Any:
    found: list[QWidget] = []

    def is_open() -> bool:
        found[:] = [each for each in QApplication.topLevelWidgets() if type(each).__name__ == "ExportDialog"]
        return any(each.isVisible() for each in found)

    wait(is_open)
    return next(each for each in found if each.isVisible())


def _filled(viewer: Viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels) and layer.data.any()]


def _rib_pixel(mask: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """A pixel in the middle of the ribs' outermost part."""
    rows, columns = np.nonzero(mask == RIBS)
    outermost = int(np.argmax(columns))
    return int(rows[outermost]), int(columns[outermost]) - 1


def _along_a_rib(mask: NDArray[np.integer[Any]]) -> list[tuple[float, float]]:
    """A line three pixels outside the outermost rib."""
    row, column = _rib_pixel(mask)
    return [(row + step, column + 4.0) for step in np.linspace(-6, 6, 13)]


def _picture(window: QWidget) -> Image.Image:
    """The window with all dialogs and menus over it."""
    corner = window.geometry().topLeft()
    return to_image(window.screen().grabWindow(0, corner.x(), corner.y(), *WINDOW))


def to_image(pixels: QPixmap) -> Image.Image:
    """A picture of Qt as one of Pillow."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixels.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")


def main() -> int:
    """Walk, and print the clicks and files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the scan, the files and settings")
    work: Path = parser.parse_args().work.resolve()
    begin(work)
    get_settings(work / "settings" / "napari.yaml")
    viewer = napari.Viewer()
    done = walk(viewer, sample(work), lambda name, picture: picture.save(work / f"{name}.png"))
    viewer.close()
    for number, what in enumerate(done.clicks, 1):
        print(f"{number}. {what}")
    print(f"{done.rib_pixels} pixels of ribs added; files: {', '.join(path.name for path in done.files)}")
    return 0 if len(done.clicks) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
