"""Measure how long the window does not answer during what users do, and name the code that holds it.

    python benchmarks/window_stalls.py [--rounds N]

Opens a real napari window with the simulated sample (on a server: under `scripts/on_display.sh`). A timer of 5 ms runs
in the thread of the window; a stall is the longest time between two ticks. `busy` is the processor time of the thread
in it: the stall on an otherwise idle computer. `napari` is the longest turn, in processor time, in which napari alone
does the same in each round: it docks an empty widget in the same window just before, and in a window of its own opens a
NumPy file with the same views, adds plain layers of the same size or opens an empty dialog. `ours` is the rest. Each
figure is the least of all rounds, since other programs only lengthen it; so imports of the first round do not count.

Another thread looks at the stack during stalls over 50 ms. It gives the innermost line of this plugin that was seen
most often, and the innermost line of all under it. "-" means that no line of this plugin was seen.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import napari
import numpy as np
from napari.layers import Image, Labels
from napari.qt import get_qapp
from napari.settings import get_settings
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDialog, QWidget

import napari_bonescint
from click_to_labels import run_until
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.common.garbage_collection import without_collection
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.common.settings import keep_in
from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.export.export_dialog import open_export
from napari_bonescint.gui.layers.marks import ALL_PARTS, marks_of
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.segment.new_views import split_sides
from napari_bonescint.gui.segment.view_edits import flip, invert

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 0.050
_BEAT_MS, _LOOK_S, _SETTLE_S = 5, 0.004, 0.6
# The window is idle when no turn took more processor time for a while.
_IDLE_TURN_S, _IDLE_S = 0.004, 0.1
_STROKES = 20
_PANEL_WIDTH = 320
_OURS = str(Path(napari_bonescint.__file__).parent)
_SAMPLE = Path(_OURS) / "samples" / "simulated.dcm"


class Stall(NamedTuple):
    """The longest stall of an action, in seconds, and where the thread was."""

    wall: float
    busy: float
    where: str


class Watch:
    """Finds the longest stall of the window's thread, and the code in it."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._last = self._last_busy = self._at_work = 0.0
        self._seen: list[tuple[str, str]] = []
        self._worst = Stall(0.0, 0.0, "")
        self._is_over = False
        self._timer = QTimer()
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        threading.Thread(target=self._look, daemon=True).start()

    def measure(self, action: Callable[[], object], done: Callable[[], bool] = lambda: True) -> Stall:
        """Do something, and wait until it is done and the window is idle again."""
        self._worst = Stall(0.0, 0.0, "")
        self._last, self._last_busy, self._seen = time.perf_counter(), time.thread_time(), []
        QTimer.singleShot(0, action)
        end = time.perf_counter() + _SETTLE_S
        run_until(lambda: time.perf_counter() > max(end, self._at_work + _IDLE_S) and done())
        return self._worst

    def _beat(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        if busy - self._last_busy > _IDLE_TURN_S:
            self._at_work = now
        most = max(busy - self._last_busy, self._worst.busy)  # may be that of another turn
        if now - self._last > self._worst.wall:
            self._worst = Stall(now - self._last, most, _most_seen(self._seen))
        self._worst = self._worst._replace(busy=most)
        self._last, self._last_busy, self._seen = now, busy, []

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            if time.perf_counter() - self._last > 2 * _BEAT_MS / 1000:
                with without_collection():  # it would delete widgets in this thread
                    seen = _lines_of(self._thread)
                self._seen.append(seen)


def _lines_of(thread: int) -> tuple[str, str]:
    """The innermost line of this plugin in a thread, and the innermost line of all.

    It takes microseconds and calls nothing that waits: otherwise the frames would end here, and with them widgets of
    the other thread.
    """
    frame = sys._current_frames().get(thread)
    inner, ours = "-", "-"
    while frame is not None:
        code = frame.f_code
        if inner == "-":
            inner = f"{code.co_filename}:{frame.f_lineno} {code.co_name}"
        if code.co_filename.startswith(_OURS):
            ours = f"{code.co_filename}:{frame.f_lineno} {code.co_name}"
            break
        frame = frame.f_back
    return ours.removeprefix(_OURS).lstrip("/"), inner.rpartition("site-packages/")[2]


def _most_seen(seen: list[tuple[str, str]]) -> str:
    if not seen:
        return "-"
    (ours, times), *_ = Counter(ours for ours, _ in seen).most_common(1)
    (inner, _), *_ = Counter(inner for each, inner in seen if each == ours).most_common(1)
    return f"{ours} ({100 * times // len(seen)} %), in {inner}"


def one_round(watch: Watch, folder: Path) -> tuple[dict[str, Stall], dict[str, Stall]]:
    """Do everything once in a new window; the second part is of napari alone."""
    found: dict[str, Stall] = {}
    naparis: dict[str, Stall] = {}
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    watch.measure(lambda: None)
    layers = viewer.layers

    def images() -> list[Image]:
        return [layer for layer in layers if isinstance(layer, Image)]

    def labels() -> list[Labels]:
        return [layer for layer in layers if isinstance(layer, Labels) and layer.data.any()]

    def open_scan() -> object:
        return viewer.open(_SAMPLE, plugin="napari-bonescint")

    def are_marked() -> bool:
        marks = [marks_of(image) for image in images()]
        return len(marks) == 2 and all(each is not None and each.parts == ALL_PARTS for each in marks)

    def is_bar_whole() -> bool:
        bars = viewer.window._qt_viewer.canvas._viewer_overlay_to_visual.get(viewer.canvas.overlays.scale_bar)
        return bool(bars) and bars[0].node.text.visible

    found["open a scan"] = watch.measure(open_scan, lambda: are_marked() and is_bar_whole())
    naparis["open Segment skeleton"] = dock_empty(watch, viewer, "empty Segment", tabify=False)
    found["open Segment skeleton"] = watch.measure(lambda: open_panel(viewer, "Segment skeleton"))
    panel = open_panel(viewer, "Segment skeleton")
    watch.measure(lambda: None, lambda: not panel.child.is_busy)
    found["segment"] = watch.measure(panel.button.click, lambda: not panel.is_running and len(labels()) == 2)
    legend, front = panel.page.legend, labels()[0]
    found["legend: hide a bone"] = watch.measure(lambda: legend.set_shown(6, False))
    found["legend: show it"] = watch.measure(lambda: legend.set_shown(6, True))
    legend.tree.setCurrentItem(legend.tree.topLevelItem(0))
    found["legend: show only one"] = watch.measure(legend.show_only_chosen)
    found["legend: show all"] = watch.measure(legend.show_all)
    found["switch the layer"] = watch.measure(lambda: setattr(layers.selection, "active", images()[0]))
    found["switch it back"] = watch.measure(lambda: setattr(layers.selection, "active", front))
    front.selected_label, front.brush_size = 6, 8
    points = [(300 + 3 * step, 100 + step) for step in range(_STROKES)]

    def paint() -> None:
        if points:
            front.paint(points.pop(), 6)
            QTimer.singleShot(10, paint)

    found["paint, with legend"] = watch.measure(paint, lambda: not points)
    for number in (1, 0):
        entries = panel.models.model.choices
        found[f"choose model {number + 1}"] = watch.measure(
            lambda entry=entries[number]: setattr(panel.models.model, "value", entry), lambda: not panel.child.is_busy
        )
    naparis["open Correct this scan"] = dock_empty(watch, viewer, "empty Correct")
    found["open Correct this scan"] = watch.measure(panel.correct_button.click)
    correcting = open_panel(viewer, "Correct masks")
    watch.measure(lambda: None, correcting.toolbox.isEnabled)
    found["open Export"] = watch.measure(lambda: open_export(viewer))
    dialog = open_export(viewer)
    dialog.form.folder.value = folder
    found["export all files"] = watch.measure(dialog.write_button.click, dialog.open_button.isVisible)
    dialog.close()
    correcting.controller.state.give_up()  # otherwise it asks
    watch.measure(correcting.controller.finish_scan)
    naparis["open Measure"] = dock_empty(watch, viewer, "empty Measure")
    found |= measuring(watch, viewer)
    naparis["open Retrain"] = dock_empty(watch, viewer, "empty Retrain")
    found["open Retrain"] = watch.measure(lambda: open_panel(viewer, "Retrain"))
    panel.come_forward()
    watch.measure(lambda: None)
    found["mirror a view"] = watch.measure(lambda: flip(layers, images()[1]))
    found["invert a view"] = watch.measure(lambda: invert(layers, images()[0]))
    layers.clear()
    watch.measure(lambda: None)
    open_scan()
    with_two = np.concatenate([each.data for each in images()], axis=1)
    layers.clear()
    viewer.add_image(with_two)

    def split() -> None:
        in_turns(viewer.window._qt_window, split_sides(layers, images()[0]))

    watch.measure(lambda: None)
    found["split a picture"] = watch.measure(split, lambda: len(images()) == 2)
    viewer.close()
    return found, naparis | alone(watch, folder)


def dock_empty(watch: Watch, viewer: napari.Viewer, name: str, *, tabify: bool = True) -> Stall:
    """Dock an empty widget as wide as a panel, and remove it; napari writes a file for each new name."""
    empty = QWidget()
    empty.setMinimumWidth(_PANEL_WIDTH)
    stall = watch.measure(lambda: viewer.window.add_dock_widget(empty, name=name, tabify=tabify))
    viewer.window.remove_dock_widget(empty)
    watch.measure(lambda: None)
    return stall


def measuring(watch: Watch, viewer: napari.Viewer) -> dict[str, Stall]:
    """Measure the open scan, change its hot spots and its mask, and look at all tables."""
    found: dict[str, Stall] = {}
    found["open Measure"] = watch.measure(lambda: open_panel(viewer, "Measure"))
    panel = open_panel(viewer, "Measure")
    table = panel.spots.table

    def is_measured() -> bool:
        scan = panel.controller.current
        return not panel.controller.is_running and scan is not None and scan.is_measured and scan.spots.are_shown

    found["measure"] = watch.measure(panel.button.click, is_measured)
    found["measure again"] = watch.measure(panel.button.click, is_measured)
    layer = panel.controller.current.spots.layers[0]
    found["click on a hot spot"] = watch.measure(lambda: table.picked.emit(table.shown[0]))
    found["tick a hot spot"] = watch.measure(lambda: table.ticked.emit(table.shown[0], True), is_measured)
    found["paint a hot spot"] = watch.measure(lambda: layer.paint((440, 100), layer.selected_label), is_measured)
    found["undo that"] = watch.measure(layer.undo, is_measured)
    bones = panel.controller.current.masks[0]
    found["change the mask"] = watch.measure(lambda: bones.paint((440, 100), 14), is_measured)
    panel.tabs.setCurrentWidget(panel.regions)
    found["click on a bone"] = watch.measure(lambda: panel.regions.table.picked.emit(panel.regions.table.shown[0]))
    found["open the tab Prior scan"] = watch.measure(lambda: panel.tabs.setCurrentWidget(panel.prior))
    found["open Report"] = watch.measure(panel.report)
    panel.controller.discard()
    viewer.window.remove_dock_widget(panel)
    return found


def alone(watch: Watch, folder: Path) -> dict[str, Stall]:
    """Do without this plugin in a new window what napari has to do for some of the actions."""
    found: dict[str, Stall] = {}
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    watch.measure(lambda: None)
    views = [(counts, place) for counts, place, _ in scans_to_layers([open_scan(_SAMPLE)])]
    for _, place in views:
        del place["metadata"]

    places = [place for _, place in views]
    file = folder / "views.npy"
    np.save(file, np.stack([counts for counts, _ in views]))

    def open_images() -> object:
        each = {name: [place[name] for place in places] for name in ("name", "translate", "contrast_limits")}
        both = {name: places[0][name] for name in ("scale", "units", "axis_labels", "colormap")}
        return viewer.open(file, plugin="napari", layer_type="image", channel_axis=0, **each, **both)

    def add_labels() -> None:
        counts, place = views[0]
        where = {name: place[name] for name in ("scale", "translate", "units", "axis_labels")}
        colours = DirectLabelColormap(color_dict={0: "transparent", 1: "#ff2d2d", None: "#3d8bff"})
        viewer.add_labels(np.zeros(counts.shape, np.int32), colormap=colours, **where)

    found["open a scan"] = watch.measure(open_images)
    dialog = QDialog(viewer.window._qt_window)
    found["open Export"] = found["open Report"] = watch.measure(dialog.open)
    dialog.close()
    found["segment"] = found["measure"] = watch.measure(add_labels)
    viewer.layers.selection.active = viewer.layers[0]
    watch.measure(lambda: None)

    def go_to_labels() -> None:
        viewer.layers.selection.active = viewer.layers[-1]
        viewer.scene.camera.center = (0.0, 1000.0, 200.0)

    found["click on a hot spot"] = watch.measure(go_to_labels)
    viewer.layers.clear()
    viewer.add_image(np.concatenate([counts for counts, _ in views], axis=1))
    steps = [lambda: viewer.layers.pop()]
    steps += [lambda view=view: viewer.add_image(view[0], **view[1]) for view in views]
    watch.measure(lambda: None)
    found["split a picture"] = max((watch.measure(step) for step in steps), key=lambda stall: stall.busy)
    viewer.close()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["BONESCINT_DRAFTS"] = str(work / "drafts")
        keep_in(work / "settings")
        get_settings(work / "napari.yaml")
        get_qapp()  # a timer needs it
        watch = Watch()
        results, naparis = zip(*(one_round(watch, work / str(number)) for number in range(rounds)), strict=True)
    print(f"{'least of ' + str(rounds):28}{'stall':>11}{'busy':>11}{'napari':>11}{'ours':>11}")
    for what in results[0]:
        best = min((result[what] for result in results), key=lambda stall: stall.busy)
        own = min((result[what].busy for result in naparis if what in result), default=0.0)
        where = f"  {best.where}" if best.wall > LIMIT_S else ""
        figures = (best.wall, best.busy, own, max(best.busy - own, 0.0))
        print(f"{what:28}" + "".join(f"{1000 * figure:>8.0f} ms" for figure in figures) + where)


if __name__ == "__main__":
    main()
