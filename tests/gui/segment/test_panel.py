from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.utils import progress
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QLabel

from gui.panel_actions import PATIENCE_MS, click, click_and_wait, labels_in
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as Linux and macOS know them")


def wait_until_computing(qtbot: QtBot, panel: SegmentWidget) -> int:
    qtbot.waitUntil(lambda: panel.bar.value() > 0, timeout=PATIENCE_MS)
    pid = panel.child.pid
    assert pid is not None
    return pid


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_click_gives_a_labels_layer_per_view(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    labels = labels_in(viewer)
    assert [layer.name for layer in labels] == ["scan anterior bones", "scan posterior bones"]
    for image, layer in zip(images, labels, strict=True):
        assert layer.data.any()
        np.testing.assert_array_equal(layer.scale, image.scale)
        np.testing.assert_array_equal(layer.translate, image.translate)
        assert layer.units == image.units
        assert layer.axis_labels == image.axis_labels
        assert list(layer.features["name"]) == [region.label for region in REGIONS]
        assert list(layer.features["index"]) == [region.code for region in REGIONS]
        np.testing.assert_allclose(layer.colormap.map(REGIONS[1].code)[:3] * 255, (0x4E, 0x79, 0xA7), atol=1)
    card = panel.models.card
    assert card is not None
    assert labels[0].metadata["bonescint"]["model_sha256"] == card.weights_sha256
    assert "tiny" in panel.status.text()
    assert panel.page.device.text().startswith("Computes on the CPU")


def test_the_first_click_says_that_the_model_is_loaded_before(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    panel.segment()
    assert panel.status.text().startswith("Loading the model")
    for _ in range(2):
        qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
        panel.segment()
        assert panel.status.text() == "Segmenting …"
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)


def test_labels_are_what_the_model_says_of_both_views_together(
    viewer: Viewer, scan: Scan, open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    from napari_bonescint.gui.layers.scans import scans_to_layers

    for data, attributes, kind in scans_to_layers([scan]):
        viewer._add_layer_from_data(data, attributes, kind)
    panel = open_panel(outputs=1)
    card = panel.models.card
    assert card is not None
    click_and_wait(qtbot, panel)
    expected = Segmenter(card).segment(scan).skeleton
    labels = labels_in(viewer)
    assert [layer.name for layer in labels] == ["scan anterior skeleton", "scan posterior skeleton"]
    np.testing.assert_array_equal(np.stack([layer.data for layer in labels]), expected)
    assert list(labels[0].features["name"]) == ["background", "bone"]


def test_one_undo_takes_a_result_out_and_redo_puts_it_back(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    for layer in labels_in(viewer):
        result = layer.data.copy()
        layer.undo()
        assert not layer.data.any()
        layer.redo()
        np.testing.assert_array_equal(layer.data, result)


def test_a_second_click_updates_in_place_without_asking(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    before = labels_in(viewer)
    click_and_wait(qtbot, panel)
    assert labels_in(viewer) == before


@pytest.fixture
def computing(
    viewer: Viewer, make_model: Callable[..., ModelCard], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> tuple[SegmentWidget, int]:
    """A panel whose child is in the middle of a view that takes many seconds, and the child's number."""
    viewer.add_image(np.random.default_rng(0).poisson(5, (3000, 2000)), scale=(1.3, 1.3), units=("mm", "mm"))
    card = make_model("fine", architecture="fdn-13")
    card.weights_path.with_suffix(".json").write_text(replace(card, grid_mm=1.3).to_json(), encoding="utf-8")
    panel = open_panel()
    panel.models.add_file(str(card.weights_path))
    click(qtbot, panel)
    return panel, wait_until_computing(qtbot, panel)


def segment_a_small_image(viewer: Viewer, qtbot: QtBot, panel: SegmentWidget) -> None:
    viewer.layers.clear()
    viewer.add_image(np.ones((40, 20), np.uint8) * np.arange(20, dtype=np.uint8))
    click_and_wait(qtbot, panel)
    assert len(labels_in(viewer)) == 1


@pytest.mark.parametrize("by_key", [False, True])
def test_cancel_in_the_middle_leaves_nothing_and_the_next_click_works(
    viewer: Viewer, computing: tuple[SegmentWidget, int], qtbot: QtBot, by_key: bool
) -> None:
    panel, child = computing
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    start = time.monotonic()
    if by_key:
        qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    else:
        qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert not panel.is_running
    qtbot.waitUntil(lambda: has_ended(child), timeout=1000)
    assert time.monotonic() - start < 1
    assert labels_in(viewer) == []
    segment_a_small_image(viewer, qtbot, panel)


def test_cancel_between_two_views_ends_no_idle_child(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    child = panel.child.pid
    # The first that the window does once it has the first view's labels.
    viewer.layers.events.inserted.connect(lambda: QTimer.singleShot(0, panel.cancel_button.click))
    click_and_wait(qtbot, panel)
    assert panel.child.pid == child
    (labels,) = labels_in(viewer)
    assert labels.data.any()
    assert "Ctrl+Z" in panel.status.text()


@needs_signals
def test_a_killed_child_is_one_sentence_and_the_next_click_works(
    viewer: Viewer, computing: tuple[SegmentWidget, int], qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    panel, child = computing
    os.kill(child, signal.SIGKILL)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert "The segmentation process ended unexpectedly" in shown()[-1]
    assert labels_in(viewer) == []
    segment_a_small_image(viewer, qtbot, panel)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("own_child")
def test_closing_the_window_while_it_runs_ends_the_child(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click(qtbot, panel)
    pid = panel.child.pid
    assert pid is not None
    viewer.close()
    qtbot.waitUntil(lambda: has_ended(pid), timeout=5000)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("own_child")
def test_closing_the_panel_while_it_runs_ends_everything(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click(qtbot, panel)
    pid = panel.child.pid
    assert pid is not None
    (dock,) = [dock for dock in viewer.window._qt_window.findChildren(QDockWidget) if dock.widget() is panel]
    qtbot.mouseClick(dock.title.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: has_ended(pid), timeout=1000)
    assert not progress._all_instances
    assert not panel.is_running
    rows = len(panel.rows.checked())
    viewer.add_image(np.ones((40, 20)))
    assert len(panel.rows.checked()) == rows


def test_an_image_of_another_reader_is_segmented(
    viewer: Viewer, open_panel: Callable[..., SegmentWidget], qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    viewer.add_image(np.random.default_rng(1).poisson(9, (90, 40)).astype(np.uint8), name="photo")
    panel = open_panel()
    click_and_wait(qtbot, panel)
    assert [layer.name for layer in labels_in(viewer)] == ["photo bones"]
    assert any("pixel size of 2.26 mm" in told for told in panel.notices.texts())
    assert shown() == []


def test_what_is_no_bone_scan_is_told_of_by_scan_until_the_next_result(
    viewer: Viewer, open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    for name in ("ant", "second"):
        viewer.add_image(np.random.default_rng(1).poisson(90, (90, 40)).astype(np.uint8), name=name)
    panel = open_panel()
    told = "The anterior view is bright up to its edges"

    def found() -> list[str]:
        return [text for text in panel.notices.texts() if text.startswith(told)]

    click_and_wait(qtbot, panel)
    assert len(found()) == 2
    titles = [label.text() for label in panel.notices.findChildren(QLabel)]
    assert {"ant", "second"} <= set(titles)
    viewer.layers.remove("second")
    assert len(found()) == 1
    click_and_wait(qtbot, panel)
    assert len(found()) == 1
    viewer.layers.remove("ant")
    assert panel.notices.texts() == []


def test_what_takes_long_is_shown_in_the_activity_dock(computing: tuple[SegmentWidget, int], qtbot: QtBot) -> None:
    panel, _ = computing
    qtbot.waitUntil(lambda: bool(progress._all_instances), timeout=PATIENCE_MS)
    (shown,) = progress._all_instances
    assert (shown.desc, shown.n, shown.total) == ("Segment skeleton", panel.bar.value(), panel.bar.maximum())
    assert panel.cancel_button.isVisible()
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert not progress._all_instances
    assert not panel.cancel_button.isVisible()


def test_what_is_quick_draws_nothing_in_the_activity_dock(
    images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click(qtbot, panel)
    assert panel.is_running
    assert not panel.bar.isHidden()
    assert not progress._all_instances
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert not panel._long.isActive()


@pytest.mark.usefixtures("own_child")
def test_damaged_weights_are_one_sentence(
    images: list[Image],
    open_panel: Callable[..., SegmentWidget],
    qtbot: QtBot,
    shown: Callable[[], list[str]],
) -> None:
    panel = open_panel()
    card = panel.models.card
    assert card is not None
    card.weights_path.write_bytes(b"damaged")
    panel.child.close()
    click_and_wait(qtbot, panel)
    assert "SHA-256" in shown()[-1]
    assert "SHA-256" in panel.status.text()


def test_the_window_imports_no_torch() -> None:
    code = """
import sys
import napari
viewer = napari.Viewer(show=False)
viewer.open_sample("napari-bonescint", "simulated")
print("torch" in sys.modules)
for panel in ("Segment skeleton", "Correct masks", "Retrain"):
    viewer.window.add_plugin_dock_widget("napari-bonescint", panel)
print("torch" in sys.modules)
viewer.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
