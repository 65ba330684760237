"""A prior scan beside the new one, and the report of both, in a real window."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt

from gui.measure.measuring_panel import wait_for_measures
from gui.panel_actions import PATIENCE_MS, answer
from gui.seeing import is_in_view
from napari_bonescint.corrections.hot_spot_drafts import HotSpotDrafts
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.gui.layers.marks import marks_of
from napari_bonescint.gui.measure.prior.views import Look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Labels
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.measure.panel import MeasureWidget
    from napari_bonescint.gui.measure.prior.page import PriorPage
    from napari_bonescint.scan import Scan


@pytest.fixture
def panel(viewer: Viewer, scan: Scan, write_nm: Callable[..., Path]) -> MeasureWidget:
    """The panel with two scans, of which the later one has a hot spot more; their files name two patients."""
    body = np.zeros(scan.counts.shape[1:], np.uint8)
    body[15:45, 22:43], body[45:80, 25:40], body[80:110, 22:43] = 3, 4, 13
    bone = 30 * (body > 0) + 2
    rng = np.random.default_rng(7)
    for day, patient, hot in (("20240105", "7001", 0), ("20240405", "7002", 300)):
        counts = rng.poisson(np.stack([bone, bone])).astype(np.uint16)
        counts[:, 55:60, 30:35] += np.uint16(hot)
        counts[:, 90:95, 30:35] += np.uint16(300)
        facts = {"PatientID": patient, "PatientName": f"P{patient}^X", "PatientBirthDate": f"19{patient[-2:]}0101"}
        path = write_nm(f"day{day}.dcm", counts=counts, AcquisitionDate=day, StudyDate=day, SeriesDate=day, **facts)
        before = list(viewer.layers)
        viewer.open(path, plugin="napari-bonescint")
        for image in [layer for layer in viewer.layers if layer not in before and isinstance(layer, Image)]:
            set_regions(labels := viewer.add_layer(empty_labels(image)), body)
            labels._reset_history()
    panel: MeasureWidget = open_panel(viewer, "Measure")
    return panel


def page_of(panel: MeasureWidget) -> PriorPage:
    assert panel.prior.page is not None
    return panel.prior.page


def captions(viewer: Viewer) -> list[tuple[str, int]]:
    """The titles of the captions that one sees, each with the number of views."""
    seen = [marks_of(layer) for layer in viewer.layers if isinstance(layer, Image) and layer.visible]
    titles = [marks.title for marks in seen if marks is not None and marks.visible]
    return [(title, titles.count(title)) for title in dict.fromkeys(titles)]


def hot_spot_layers(viewer: Viewer) -> list[str]:
    return [layer.name for layer in viewer.layers if layer.name.endswith(" hot spots")]


def mark(layer: Labels, rows: tuple[int, ...]) -> None:
    """Replace all hot spots by squares that begin at some rows."""
    layer.data_setitem(np.nonzero(layer.data), 0)
    for row in rows:
        square = np.mgrid[row : row + 5, 30:35].reshape(2, -1)
        layer.data_setitem(tuple(square), layer.selected_label)


def press_escape_while_comparing(viewer: Viewer, panel: MeasureWidget, qtbot: QtBot) -> None:
    page = page_of(panel)
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert panel.prior.comparing.is_running
    assert panel.cancel_button.isVisible()
    assert not page.button.isEnabled()
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    assert panel.status.text() == "Cancelled."
    assert not panel.cancel_button.isVisible()
    assert page.button.isEnabled()


def test_a_comparison_waits_for_decisions_on_the_prior_that_are_restored(
    viewer: Viewer, panel: MeasureWidget, qtbot: QtBot
) -> None:
    """An earlier session left hot spots of the prior unsaved; they come back while it is measured for Compare."""
    counts = np.stack(
        [layer.data for layer in viewer.layers if layer.name.startswith("day20240105") and isinstance(layer, Image)]
    )
    labels = np.zeros(counts.shape, np.uint16)
    labels[:, 95:100, 30:35] = 1
    HotSpotDrafts(counts).save(labels, [])
    qtbot.waitUntil(lambda: panel.button.isEnabled())
    panel.tabs.setCurrentWidget(panel.prior)
    answer("Compare, it is one patient")
    qtbot.mouseClick(page_of(panel).button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.prior.shown is not None and panel.prior.shown.is_current, timeout=PATIENCE_MS)
    assert not panel.prior.comparing.is_running
    np.testing.assert_array_equal(panel.prior.shown.old.spots.pixels() > 0, labels > 0)


def test_a_prior_scan_is_compared_seen_and_reported(
    viewer: Viewer, panel: MeasureWidget, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: panel.button.isEnabled())
    assert panel.prior.page is None  # built when it is first looked at
    panel.tabs.setCurrentWidget(panel.prior)
    page = page_of(panel)
    assert "day20240105" in page.prior.current_choice
    press_escape_while_comparing(viewer, panel, qtbot)
    assert panel.prior.shown is None
    # The files name two patients, so it is asked first.
    answer("Do not compare")
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.status.text() == "Not compared.", timeout=PATIENCE_MS)
    assert panel.prior.shown is None
    answer("Compare, it is one patient")
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.prior.shown is not None, timeout=PATIENCE_MS)
    # The hot spots of the prior are outlines on it, not two more layers.
    assert hot_spot_layers(viewer) == [f"{image.name} hot spots" for image in panel.prior.shown.new.images]
    # The reader draws the hot spots, so that the test holds whichever ones the model finds.
    new, old = panel.prior.shown.new, panel.prior.shown.old
    for scan, rows in ((new, (55, 90)), (old, (90,))):
        for layer in scan.spots.layers:
            mark(layer, rows)
    qtbot.waitUntil(lambda: page.summary.text().startswith("91 days: 1 new, 0 gone"), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: panel.prior.shown.is_current, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: any(lines.drawn.lines for lines in old.outlines.lines.values()))
    assert [str(lesion.change) for lesion in page.table.shown].count("new") == 1
    assert panel.headline.change_title.text().startswith("In 91 days")
    compared = panel.prior.shown
    assert panel.headline.change.text() == f"{compared.change:+.2f}"
    assert page.plot.isVisibleTo(page)

    # The change follows a verdict at once, and the comparison soon.
    hot = next(spot for spot in panel.spots.table.shown if spot.region == "lumbar_spine")
    panel.controller.decide(hot, suspicious=not hot.suspicious)
    assert not compared.is_current
    assert panel.headline.change.text() != f"{compared.comparison.index.change:+.2f}"
    qtbot.waitUntil(lambda: panel.prior.shown is not compared and panel.prior.shown.is_current, timeout=PATIENCE_MS)

    new, old = (panel.prior.shown.new, panel.prior.shown.old)
    names = [layer.name for layer in viewer.layers]
    page.look.value = str(Look.BESIDE)
    qtbot.waitUntil(lambda: viewer.canvas.grid.enabled)
    grid, layers = viewer.canvas.grid, viewer.layers
    assert {grid.position(layers.index(image), layers) for image in new.images} == {(0, 0)}
    prior = [layer for layer in layers if layer.name.endswith(" prior")]
    assert {grid.position(layers.index(layer), layers) for layer in prior} == {(0, 1)}
    assert [layer.name for layer in prior] == [f"{image.name} prior" for image in old.images]
    qtbot.waitUntil(lambda: captions(viewer) == [("day20240405", 2), ("day20240105 prior", 2)])
    np.testing.assert_array_equal(prior[0].extent.world, new.images[0].extent.world)
    assert not any(image.visible for image in old.images)

    page.look.value = str(Look.BLINK)
    qtbot.waitUntil(lambda: all(layer in layers for layer in panel.prior.views._layers))
    assert not grid.enabled
    shown = panel.prior.views.shows_prior
    one = "day20240105 prior" if shown else "day20240405"
    qtbot.waitUntil(lambda: panel.prior.views.shows_prior is not shown)
    assert captions(viewer) == [("day20240405" if shown else "day20240105 prior", 2)]
    qtbot.waitUntil(lambda: captions(viewer) == [(one, 2)])
    qtbot.waitUntil(lambda: panel.prior.views.shows_prior is shown)

    page.look.value = str(Look.DIFFERENCE)
    qtbot.waitUntil(lambda: any(layer.name.endswith("minus prior") for layer in layers))
    difference = next(layer for layer in layers if layer.name.endswith("anterior minus prior"))
    assert difference.data[57, 32] > 2 > abs(difference.data[30, 32])
    # One caption for each view.
    qtbot.waitUntil(lambda: captions(viewer) == [("day20240405 minus prior", 2)])

    page.look.value = str(Look.APART)
    qtbot.waitUntil(lambda: [layer.name for layer in layers] == names)
    assert all(image.visible for image in (*new.images, *old.images))
    assert is_in_view(viewer)

    # Chosen, the prior gets its layers, and the other scan the outlines.
    for read, other in ((old, new), (new, old)):
        panel.scan.value = panel._choices.index(read.images)
        qtbot.waitUntil(
            lambda scan=read: hot_spot_layers(viewer) == [f"{image.name} hot spots" for image in scan.images]
        )
        assert not any(lines.drawn.lines for lines in read.outlines.lines.values())
        assert any(lines.drawn.lines for lines in other.outlines.lines.values())
    qtbot.waitUntil(lambda: panel.prior.shown is not None and panel.prior.shown.is_current, timeout=PATIENCE_MS)

    # The report has the comparison, too. A child process writes it: an import of highdicom here stops the window.
    monkeypatch.setitem(sys.modules, "highdicom", None)
    wait_for_measures(panel, qtbot)
    dialog = panel.report()
    assert dialog is not None
    assert "comparison with the prior scan" in dialog.note.text()
    dialog.form.folder.value = tmp_path / "reports"
    dialog.form.name.value = "mine"
    qtbot.mouseClick(dialog.write_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.write_button.isEnabled, timeout=PATIENCE_MS)
    written = {path.name for path in (tmp_path / "reports").iterdir()}
    assert {"mine.report.pdf", "mine.report.html", "mine.sr.dcm", "mine.report.dcm"} <= written, dialog.message.text()
    assert "7002" not in (tmp_path / "reports" / "mine.report.html").read_text(encoding="utf-8")
    dialog.close_button.click()
