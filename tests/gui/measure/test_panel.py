"""The panel "Measure" in a real window: what a reader sees and does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from gui.correct.correcting import Hand, open_case
from gui.measure.measuring_panel import tick, wait_for_measures
from gui.panel_actions import PATIENCE_MS, answer
from napari_bonescint.corrections.hot_spot_drafts import any_drafts
from napari_bonescint.gui.commands import measure_this_scan
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.measurement.bone_scan_index import DISTAL_LIMBS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from gui.correct.correcting import OpenCase
    from napari_bonescint.gui.measure.panel import MeasureWidget


@pytest.fixture
def sample(viewer: Viewer) -> OpenCase:
    """The simulated sample with its true mask."""
    return open_case(viewer)


@pytest.fixture
def panel(viewer: Viewer, sample: OpenCase, qtbot: QtBot) -> MeasureWidget:
    """The panel after the scan was measured by a click."""
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(lambda: panel.button.isEnabled())
    assert panel.button.text() == "Measure"
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    return panel


def numbers(panel: MeasureWidget) -> list[tuple[str, int]]:
    return [(str(spot.view), spot.id) for spot in panel.spots.table.shown]


def test_a_click_measures_and_shows_hot_spots_in_table_and_layers(
    viewer: Viewer, sample: OpenCase, panel: MeasureWidget, qtbot: QtBot
) -> None:
    names = [layer.name for layer in viewer.layers if "hot spots" in layer.name]
    assert names == [f"{image.name} hot spots" for image in sample.images]
    layers = [viewer.layers[name] for name in names]
    for layer, image in zip(layers, sample.images, strict=True):
        assert isinstance(layer, Labels)
        np.testing.assert_array_equal(layer.extent.world, image.extent.world)
    spots = panel.spots.table.shown
    assert len(spots) > 1
    assert panel.tabs.tabText(0) == f"Hot spots ({len(spots)})"
    suspicious = [spot for spot in spots if spot.suspicious]
    for spot in spots:
        layer = layers[["anterior", "posterior"].index(spot.view)]
        assert np.count_nonzero(layer.data == spot.id) == spot.pixels
        red, _, blue, _ = layer.get_color(spot.id)
        assert bool(red > blue) is spot.suspicious
    # The masks that are measured are those of the layers; the index is of the suspicious hot spots.
    assert panel.headline.index.text() == f"{panel.controller.current.measures.index.total:.2f}"
    assert f"{len(suspicious)} of {len(spots)} hot spots suspicious" in panel.headline.parts.text()
    assert (panel.headline.change_title.text(), panel.headline.change.text()) == ("Change", "–")
    # A click on a row outlines the hot spot, centres on it, and gives its layer to the brush.
    table = panel.spots.table
    cell = table.visualRect(table.model().index(1, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    spot = table.shown[1]
    image = sample.images[["anterior", "posterior"].index(spot.view)]
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], image.data_to_world((spot.row, spot.column)), atol=3 * image.scale[0]
    )
    assert viewer.layers.selection.active is layers[["anterior", "posterior"].index(spot.view)]
    assert panel._outlines.lines.drawn.lines
    assert spot.reason in panel.spots.hint.text()
    # So does one on a region.
    panel.tabs.setCurrentWidget(panel.regions)
    regions = panel.regions.table
    row = next(at for at, each in enumerate(regions.shown) if (each.region, each.side) == ("femur", "left"))
    regions.scrollTo(regions.model().index(row, 0))
    before = panel._outlines.lines.drawn.lines
    qtbot.mouseClick(
        regions.viewport(), Qt.MouseButton.LeftButton, pos=regions.visualRect(regions.model().index(row, 0)).center()
    )
    qtbot.waitUntil(lambda: panel._outlines.lines.drawn.lines != before)
    femur = np.argwhere(sample.labels[0].data == 14)
    middle = (femur.min(axis=0) + femur.max(axis=0)) / 2
    centre = sample.images[0].world_to_data(viewer.scene.camera.center[-2:])
    assert abs(centre[0] - middle[0]) < 3
    assert centre[1] > middle[1]  # the patient's left femur, on the right of an anterior view
    # The tab Ratios has the profile across the sacroiliac joints; a click on it outlines them in the posterior view.
    panel.tabs.setCurrentWidget(panel.ratios)
    qtbot.waitUntil(panel.ratios.plot.isVisible)
    ratios = {ratio.name: ratio.value for ratio in panel.ratios.table.shown}
    left, right = (ratios[f"sacroiliac_to_sacrum_{side}"] for side in ("left", "right"))
    assert panel.ratios.plot.texts == [f"left joint {left:.2f}", "sacrum 1.00", f"right joint {right:.2f}"]
    qtbot.mouseClick(panel.ratios.plot, Qt.MouseButton.LeftButton)
    sacrum = np.argwhere(sample.labels[1].data == 5)
    centre = sample.images[1].world_to_data(viewer.scene.camera.center[-2:])
    assert np.all(np.abs(centre - sacrum.mean(axis=0)) < 12)
    lines = np.array(panel._outlines.lines.drawn.lines)
    assert np.ptp(lines[:, [1, 3]]) > np.ptp(sacrum[:, 1]) * sample.images[1].scale[1]


def test_index_and_colour_follow_ticks_strokes_the_eraser_and_undo_at_once(
    viewer: Viewer, sample: OpenCase, panel: MeasureWidget, qtbot: QtBot
) -> None:
    before = panel.headline.index.text()
    shown = panel.spots.table.shown
    row = next(at for at, spot in enumerate(shown) if spot.region not in DISTAL_LIMBS)
    spot = panel.spots.table.shown[row]
    tick(panel, row, qtbot)
    after_tick = panel.headline.index.text()
    was = spot.suspicious
    assert (float(after_tick) < float(before)) if was else (float(after_tick) > float(before))
    change = panel.controller.current.change_by_reader()
    assert panel.headline.change.text() == f"{change:+.2f}".replace("-", "\u2212")
    assert panel.headline.change_title.text() == "Changed by the reader"
    layer = viewer.layers[f"{sample.images[['anterior', 'posterior'].index(spot.view)].name} hot spots"]
    assert bool(layer.get_color(spot.id)[0] > layer.get_color(spot.id)[2]) is not was
    qtbot.waitUntil(lambda: "decided by the reader" in panel.spots.table.shown[row].reason, timeout=PATIENCE_MS)
    assert panel.headline.index.text() == after_tick
    tick(panel, row, qtbot)
    assert panel.headline.index.text() == before

    # A stroke of napari's brush on bone makes a hot spot of the reader.
    anterior = viewer.layers[f"{sample.images[0].name} hot spots"]
    known, pixels = numbers(panel), anterior.data.copy()
    femur = np.argwhere(sample.labels[0].data == 14)
    place = femur[len(femur) // 2]
    viewer.layers.selection.active = anterior
    anterior.mode, anterior.brush_size = "paint", 8
    hand = Hand(viewer, sample)
    hand.click(0, place)
    number = int(anterior.data[tuple(place)])
    assert number == pixels.max() + 1
    assert float(panel.headline.index.text()) > float(before)
    wait_for_measures(panel, qtbot)
    drawn = next(spot for spot in panel.spots.table.shown if (spot.view, spot.id) == ("anterior", number))
    assert (drawn.region, drawn.suspicious, drawn.verdict.by_reader) == ("femur", True, True)
    with_drawn = panel.headline.index.text()
    # One Undo removes it, Redo brings it back under its number, and the eraser removes it, too.
    hand.undo()
    assert panel.headline.index.text() == before
    np.testing.assert_array_equal(anterior.data, pixels)
    qtbot.waitUntil(lambda: numbers(panel) == known)
    anterior.redo()
    assert panel.headline.index.text() == with_drawn
    anterior.mode, anterior.brush_size = "erase", 30
    hand.click(0, place)
    assert panel.headline.index.text() == before
    qtbot.waitUntil(lambda: numbers(panel) == known)
    # Measured again, what the reader decided stays.
    tick(panel, row, qtbot)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    assert panel.headline.index.text() == after_tick
    assert numbers(panel) == known


def test_numbers_follow_the_mask(viewer: Viewer, sample: OpenCase, panel: MeasureWidget, qtbot: QtBot) -> None:
    def area() -> float:
        rows = panel.regions.table.shown
        return next(row.pixels for row in rows if (row.view, row.region, row.side) == ("anterior", "skull", ""))

    before = area()
    labels = sample.labels[0]
    corner = tuple(np.argwhere(labels.data == 1)[0])
    labels.paint(corner, 1)
    qtbot.waitUntil(lambda: "being measured again" in panel.notice.text())
    qtbot.waitUntil(lambda: area() > before, timeout=PATIENCE_MS)
    assert "found with the former masks" in panel.notice.text()
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    assert "former masks" not in panel.notice.text()
    # A mirrored or removed view has no numbers.
    viewer.layers.remove(sample.images[1])
    assert panel.headline.index.text() == "–"
    assert not [layer.name for layer in viewer.layers if "hot spots" in layer.name]


def test_tables_are_sorted_copied_and_saved(
    panel: MeasureWidget, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = panel.spots.table
    peak = next(at for at in range(8) if table.model().headerData(at, Qt.Orientation.Horizontal) == "Peak")
    header = table.horizontalHeader()
    place = header.sectionViewportPosition(peak) + header.sectionSize(peak) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, 8))
    peaks = [spot.peak_ratio for spot in table.shown]
    assert peaks in (sorted(peaks), sorted(peaks, reverse=True))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0].split("\t") == ["No.", "Region", "Side", "View", "mm²", "Peak", "Prob.", "Reason"]
    assert len(lines) == 1 + len(peaks)
    # The Space key ticks the current row.
    table.setCurrentIndex(table.model().index(0, 0))
    was = table.shown[0].suspicious
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert table.shown[0].suspicious is not was
    # Ctrl+Z takes one tick after the other back.
    index = panel.headline.index.text()
    table.setCurrentIndex(table.model().index(1, 0))
    second = table.shown[1].suspicious
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert table.shown[1].suspicious is not second
    qtbot.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (table.shown[0].suspicious, table.shown[1].suspicious) == (not was, second)
    assert panel.headline.index.text() == index
    qtbot.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert table.shown[0].suspicious is was
    qtbot.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert table.shown[0].suspicious is was
    assert not panel.controller.unsaved
    qtbot.waitUntil(lambda: "by the reader" not in table.shown[0].reason, timeout=PATIENCE_MS)
    # The Enter key does what a click on the row does.
    assert not panel._outlines.lines.drawn.lines
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert panel._outlines.lines.drawn.lines
    target = tmp_path / "tables" / "mine.csv"
    target.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(panel.spots.save_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved" in panel.status.text())
    text = target.read_text().splitlines()
    assert text[0].startswith("id,view,region,side,row,column,pixels,area_mm2,peak_ratio")
    assert len(text) == 1 + len(peaks)


def test_a_scan_without_a_mask_is_segmented_first_and_escape_stops_that(
    viewer: Viewer, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    panel: MeasureWidget = open_panel(viewer, "Measure")
    assert "Open a bone scan" in panel.notice.text()
    assert not panel.button.isEnabled()
    viewer.open(write_nm(), plugin="napari-bonescint")
    qtbot.waitUntil(lambda: panel.button.isEnabled())
    assert panel.button.text() == "Segment and measure"
    measure_this_scan(viewer)
    assert panel.controller.is_running
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    assert not panel.controller.is_running
    assert panel.status.text() == "Cancelled."
    assert [layer.name for layer in viewer.layers] == ["scan anterior", "scan posterior"]


def test_the_command_measures_also_when_it_opens_the_panel(viewer: Viewer, write_nm: Callable[..., Path]) -> None:
    viewer.open(write_nm(), plugin="napari-bonescint")
    measure_this_scan(viewer)
    panel: MeasureWidget = open_panel(viewer, "Measure")
    assert panel.controller.is_running
    panel.controller.cancel()


def test_a_prior_that_is_segmented_leaves_the_brush_with_the_scan_that_is_read(
    viewer: Viewer, panel: MeasureWidget, sample: OpenCase, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    viewer.open(write_nm("prior.dcm"), plugin="napari-bonescint")
    qtbot.waitUntil(lambda: panel.scan.enabled)
    prior = tuple(viewer.layers[f"prior {view}"] for view in ("anterior", "posterior"))
    assert panel.controller.images == tuple(sample.images)
    spots = viewer.layers[f"{sample.images[0].name} hot spots"]
    viewer.layers.selection.active = spots
    panel.controller.measure(prior)
    qtbot.waitUntil(lambda: not panel.controller.is_running, timeout=PATIENCE_MS)
    assert [layer for layer in viewer.layers if layer.name == "prior anterior bones"]
    assert viewer.layers.selection.active is spots
    assert panel.controller.images == tuple(sample.images)


def test_unsaved_decisions_are_kept_as_a_draft_and_shown_again(
    viewer: Viewer, sample: OpenCase, panel: MeasureWidget, qtbot: QtBot
) -> None:
    window = viewer.window._qt_window
    assert panel.may_close()
    spot = panel.spots.table.shown[0]
    tick(panel, 0, qtbot)
    anterior = viewer.layers[f"{sample.images[0].name} hot spots"]
    erased = max(np.unique(anterior.data))
    anterior.data_setitem(np.nonzero(anterior.data == erased), 0)
    index = panel.headline.index.text()
    answer("Cancel")
    assert not window.close()
    answer("Keep as a draft")
    assert panel.may_close()
    panel.parent().destroyOnClose()
    assert any_drafts()
    assert not [layer.name for layer in viewer.layers if "hot spots" in layer.name]
    # The draft is found by the pixels of the scan.
    again: MeasureWidget = open_panel(viewer, "Measure")
    assert again is not panel
    wait_for_measures(again, qtbot)
    # There is nothing before them to which Undo could go back.
    assert again.status.text() == "Your unsaved decisions on this scan were restored."
    assert again.headline.index.text() == index
    restored = next(each for each in again.spots.table.shown if (each.view, each.id) == (spot.view, spot.id))
    assert restored.suspicious is not spot.suspicious
    # What was erased stays away when the scan is measured again, and then again.
    anterior = viewer.layers[f"{sample.images[0].name} hot spots"]
    assert erased not in anterior.data
    kept = anterior.data.copy()
    for _ in range(2):
        qtbot.mouseClick(again.button, Qt.MouseButton.LeftButton)
        wait_for_measures(again, qtbot)
        np.testing.assert_array_equal(anterior.data, kept)
    answer("Discard")
    assert again.may_close()
    qtbot.waitUntil(lambda: not any_drafts())
