"""Scans as they are seen in a window after they were opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels
from PIL import Image as Picture
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from scipy import ndimage

from dicom_files import ANTERIOR, POSTERIOR
from gui.seeing import is_in_view, on_screen
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.layers import scan_display
from napari_bonescint.gui.layers.labels import empty_labels
from napari_bonescint.gui.layers.marks import ALL_PARTS, marks_of
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Layer
    from pytestqt.qtbot import QtBot

ROOM = 40
ORANGE = (240, 140, 0)


def names(viewer: Viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


def letters_seen(viewer: Viewer) -> list[tuple[float, float]]:
    """Middles (y, x) of the letters in a picture of the canvas, in pixels of the canvas, from left to right."""
    picture = viewer.screenshot(flash=False)[..., :3].astype(int)
    found, count = ndimage.label(np.abs(picture - ORANGE).max(axis=2) < 60, np.ones((3, 3)))
    ratio = picture.shape[0] / viewer.canvas.size[0]
    middles = [
        (box[0].start + box[0].stop, box[1].start + box[1].stop)
        for box in ndimage.find_objects(found)[:count]
        if box[0].stop - box[0].start >= 8 * ratio
    ]
    return sorted(((y / 2 / ratio, x / 2 / ratio) for y, x in middles), key=lambda middle: middle[1])


def pieces_of_scale_bar(viewer: Viewer) -> int:
    """How many letters and lines the lower right corner of the canvas shows."""
    picture = viewer.screenshot(flash=False)[..., :3].min(axis=2)
    ratio = picture.shape[0] / viewer.canvas.size[0]
    return int(ndimage.label(picture[-int(45 * ratio) :, -int(180 * ratio) :] > 120)[1])


def wait_for_marks(viewer: Viewer, qtbot: QtBot) -> None:
    """Wait until captions and letters are drawn, one in each turn."""

    def are_whole() -> bool:
        marks = [marks_of(layer) for layer in viewer.layers if isinstance(layer, Image)]
        return all(each is None or (each.visible and each.parts == ALL_PARTS) for each in marks)

    qtbot.waitUntil(are_whole)


def drop(viewer: Viewer, *paths: Path) -> None:
    """Drop files on the canvas, as from a file manager."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    viewer.window._qt_viewer.dropEvent(event)


def test_the_first_picture_of_a_sample_shows_all_of_it(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.open_sample("napari-bonescint", "simulated")
    assert names(viewer) == [
        *(f"simulated {view}" for view in ViewName),
        *(f"simulated {view} truth" for view in ViewName),
    ]
    assert is_in_view(viewer, ROOM)
    anterior, posterior = viewer.layers[:2]
    bar, camera = viewer.canvas.overlays.scale_bar, viewer.scene.camera
    place = (camera.zoom, camera.center)
    # The window answers first.
    assert [bar.visible, *(marks_of(view).visible for view in (anterior, posterior))] == [False] * 3
    wait_for_marks(viewer, qtbot)
    assert bar.visible
    assert (camera.zoom, camera.center) == place
    assert all(on_screen(viewer, view)[:, 0].max() <= viewer.canvas.size[0] - 46 for view in (anterior, posterior))
    assert pieces_of_scale_bar(viewer) >= len("1mm") + 1  # it has its number
    # A letter above each upper corner.
    seen = letters_seen(viewer)
    assert len(seen) == 4
    for image, letters in ((anterior, seen[:2]), (posterior, seen[2:])):
        (top, left), (_, right) = on_screen(viewer, image)[:2]
        for y, x in letters:
            assert top - 25 < y < top
            assert left < x < right
    # They go with a view that is turned, hidden or removed.
    for turn in (180, 90, -90, 0):
        anterior.rotate = turn
        viewer.reset_view()
        places = on_screen(viewer, anterior)
        (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
        seen = [(y, x) for y, x in letters_seen(viewer) if left < x < right]
        above, below = [y for y, _ in seen if top - 25 < y < top], [y for y, _ in seen if bottom < y < bottom + 25]
        assert (len(above), len(below)) == ((1, 1) if turn % 180 else (2, 0)), turn
    posterior.visible = False
    assert len(letters_seen(viewer)) == 2
    viewer.layers.remove(anterior)
    assert letters_seen(viewer) == []


def test_a_view_may_go_before_the_scale_bar_was_drawn(
    viewer: Viewer, write_nm: Callable[..., Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_display, "_MARKS_MS", 5000)  # a busy computer may open the file slowly
    drawn: list[object] = []
    canvas = viewer.window._qt_viewer.canvas
    canvas.events.draw.connect(drawn.append)

    def draw() -> None:
        drawn.clear()
        canvas.native.update()
        qtbot.waitUntil(lambda: bool(drawn))

    viewer.open(write_nm(), plugin="napari-bonescint")
    draw()
    viewer.layers.pop(0)
    draw()
    viewer.layers[0].contrast_limits = (0, 5)  # napari alone crashes here in Mesa's software renderer
    draw()
    assert not viewer.canvas.overlays.scale_bar.visible


def test_scans_are_in_view_whichever_way_they_are_opened(
    viewer: Viewer, write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    study = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    first, second = (write_nm(f"IM{i}", views=(view,), **study) for i, view in enumerate((ANTERIOR, POSTERIOR)))
    whole, other = write_nm("whole"), write_nm("other")
    ways: dict[str, tuple[Callable[[], object], list[str]]] = {
        "drop": (lambda: drop(viewer, whole), ["whole anterior", "whole posterior"]),
        "drop two": (lambda: drop(viewer, first, second), ["IM0 anterior", "IM1 posterior"]),
        "beside": (lambda: drop(viewer, other), ["IM0 anterior", "IM1 posterior", "other anterior", "other posterior"]),
        "stack": (
            lambda: viewer.open([str(first), str(second)], stack=True, plugin="napari-bonescint"),
            ["IM0 anterior", "IM0 posterior"],
        ),
        "again": (
            lambda: viewer.open(str(first), plugin="napari-bonescint"),
            ["IM0 anterior", "IM0 posterior", "IM0 (2) anterior"],
        ),
    }
    for way, (open_it, expected) in ways.items():
        if way not in ("beside", "again"):
            viewer.layers.clear()
        viewer.scene.camera.zoom = 40.0
        open_it()
        assert names(viewer) == expected, way
        assert is_in_view(viewer, ROOM), way
        assert isinstance(viewer.layers.selection.active, Image)
    labels = [viewer.add_layer(empty_labels(image)) for image in viewer.layers[:2]]
    for each in labels:
        each.data[10:30, 10:30] = 5
    viewer.layers.selection = set(labels)
    (mask,) = viewer.layers.save(str(tmp_path / "bone.regions.tif"), selected=True)
    viewer.layers.clear()
    viewer.scene.camera.zoom = 40.0
    viewer.open(mask, plugin="napari-bonescint")
    assert names(viewer) == ["bone anterior bones", "bone posterior bones"]
    assert is_in_view(viewer)


def test_the_view_of_a_user_stays(viewer: Viewer, write_nm: Callable[..., Path], qtbot: QtBot) -> None:
    viewer.open(write_nm(), plugin="napari-bonescint")
    width = viewer.canvas.size[1]
    viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    viewer.window._qt_window.resize(900, 500)
    viewer.screenshot(flash=False)
    assert viewer.canvas.size[1] < width
    qtbot.waitUntil(lambda: is_in_view(viewer, ROOM))
    camera = viewer.scene.camera
    camera.zoom, camera.center = 3.0, (0.0, 100.0, 50.0)
    # Neither labels, nor copies, nor images of scripts are opened scans.
    viewer.add_layer(empty_labels(viewer.layers[0]))
    viewer.layers.selection = {viewer.layers[0]}
    viewer.add_image(np.ones((50, 50)))
    assert (camera.zoom, camera.center) == (3.0, (0.0, 100.0, 50.0))


def test_pictures_lie_side_by_side_like_views(
    viewer: Viewer, write_nm: Callable[..., Path], tmp_path: Path, qtbot: QtBot
) -> None:
    counts = np.random.default_rng(3).poisson(3, (120, 60)).astype(np.uint8)
    counts[20:100, 20:40] += 60
    counts[60:64, 30:34] = 255
    paths = [tmp_path / f"{name}.png" for name in ("front", "back", "third")]
    for path in paths:
        Picture.fromarray(counts).save(path)
    viewer.open([str(path) for path in paths[:2]], plugin="napari")
    front, back = viewer.layers
    assert tuple(back.translate) == (0, 0)
    viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    assert back.translate[1] == pytest.approx(69)
    viewer.open(str(paths[2]), plugin="napari")
    assert viewer.layers[2].translate[1] == pytest.approx(138)
    assert is_in_view(viewer, ROOM)
    # Nothing says which view they show, nor how large they are.
    assert [marks_of(image).view for image in (front, back)] == ["anterior?"] * 2
    wait_for_marks(viewer, qtbot)
    assert letters_seen(viewer) == []
    assert not viewer.canvas.overlays.scale_bar.visible
    viewer.layers.selection = {front}
    front.contrast_limits = (0, 5)
    viewer.window._qt_viewer.canvas.native.setFocus()
    front.reset_contrast_limits()
    assert front.contrast_limits == list(contrast_limits(counts))
    # A picture that the user moved is not moved again.
    front.translate = (0, 500)
    viewer.open(write_nm(), plugin="napari-bonescint")
    assert front.translate[1] == 500


def test_a_copy_of_a_view_has_its_caption_and_lies_on_it(
    viewer: Viewer, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    viewer.open(write_nm(), plugin="napari-bonescint")
    view = viewer.layers[1]
    data, state, kind = view.as_layer_data_tuple()
    (copy,) = viewer._add_layer_from_data(data, {**state, "name": "copy"}, kind)
    assert tuple(copy.translate) == tuple(view.translate)
    wait_for_marks(viewer, qtbot)
    assert marks_of(copy) == marks_of(view)


def test_the_auto_contrast_button_keeps_bone_in_sight(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    counts = np.random.default_rng(3).poisson(3, (2, 120, 60)).astype(np.uint16)
    counts[:, 20:100, 20:40] += 40
    counts[:, 60:64, 30:34] = 9000
    viewer.open(write_nm(counts=counts), plugin="napari-bonescint")
    image = viewer.layers[0]
    viewer.layers.selection = {image}
    controls = viewer.window._qt_viewer.controls.widgets[image]
    once, auto = _buttons(controls, "once"), _buttons(controls, "continuous")
    image.contrast_limits = (0, 9000)
    once.click()
    assert image.contrast_limits[1] < 150
    image.contrast_limits = (0, 9000)
    auto.click()
    assert image.auto_contrast
    assert image.contrast_limits[1] < 150


def _buttons(controls: object, text: str):
    from qtpy.QtWidgets import QAbstractButton

    (button,) = [each for each in controls.findChildren(QAbstractButton) if each.text() == text]
    return button


def test_a_second_call_changes_nothing(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    for _ in range(2):
        display_scans(viewer)
    viewer.open(write_nm(), plugin="napari-bonescint")
    layers: list[Layer] = list(viewer.layers)
    assert len(layers) == 2
    assert not any(isinstance(layer, Labels) for layer in layers)
