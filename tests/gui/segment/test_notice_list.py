"""Every notice with its button, in a real window and by the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QPushButton, QToolButton

from gui.panel_actions import PATIENCE_MS, click_and_wait, labels_in
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.layers.labels import all_labels_of
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of, layers_to_scan, spacing_of
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, View, ViewName, ViewSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget


def buttons(panel: SegmentWidget) -> dict[str, QPushButton]:
    """The buttons of the notices that the user sees, by text."""
    return {each.text(): each for each in panel.notices.findChildren(QPushButton) if each.isVisible()}


def press(qtbot: QtBot, panel: SegmentWidget, text: str) -> None:
    def is_reachable() -> bool:
        """Scroll to the button; Qt lays a new one out after the present event."""
        button = buttons(panel).get(text)
        if button is None:
            return False
        panel.page.ensureWidgetVisible(button)
        return button.visibleRegion().contains(button.rect().center())

    qtbot.waitUntil(is_reachable)
    qtbot.mouseClick(buttons(panel)[text], Qt.MouseButton.LeftButton)


def views_in(viewer: Viewer) -> list[Image]:
    return [layer for layer in viewer.layers if can_be_scan(layer)]


@pytest.fixture
def panel(viewer: Viewer, open_panel: Callable[..., SegmentWidget]) -> SegmentWidget:
    return open_panel()


def test_what_a_file_leaves_open_is_answered_by_buttons(
    viewer: Viewer, panel: SegmentWidget, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    viewer.open(write_nm(views=(None, None), PixelSpacing=None), plugin="napari-bonescint")
    first, second = views_in(viewer)
    assert panel.notices.texts() == [VIEWS_ASSUMED, NO_SPACING]
    press(qtbot, panel, "Swap the views")
    assert [facts_of(view).view for view in (first, second)] == [
        View(ViewName.POSTERIOR, ViewSource.USER),
        View(ViewName.ANTERIOR, ViewSource.USER),
    ]
    press(qtbot, panel, "Set the pixel size …")
    (field,) = panel.rows.findChildren(QDoubleSpinBox)
    assert panel.window().focusWidget() is field
    qtbot.keyClicks(field, "2.5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert spacing_of(first) == spacing_of(second) == (2.5, 2.5)
    assert panel.notices.texts() == []
    assert not panel.notices.isVisible()


def test_a_notice_that_only_informs_is_closed(
    viewer: Viewer, panel: SegmentWidget, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    viewer.open(write_nm(RescaleSlope=2.0), plugin="napari-bonescint")
    (told,) = panel.notices.texts()
    assert "rescale tags" in told
    assert buttons(panel) == {}
    qtbot.waitUntil(lambda: any(each.isVisible() for each in panel.notices.findChildren(QToolButton)))
    (close,) = [each for each in panel.notices.findChildren(QToolButton) if each.isVisible()]
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert panel.notices.texts() == []
    viewer.layers.reverse()
    assert panel.notices.texts() == [], "closed for good"


def test_a_mirrored_posterior_view_is_found_and_mirrored_with_its_labels(
    viewer: Viewer, panel: SegmentWidget, qtbot: QtBot
) -> None:
    viewer.open(SAMPLES / "simulated.dcm", plugin="napari-bonescint")
    _, posterior = views_in(viewer)
    posterior.data = posterior.data[:, ::-1].copy()
    panel.models.add_file(str(find_model(DEFAULT_MODEL).weights_path))
    click_and_wait(qtbot, panel)
    (told,) = panel.notices.texts()
    assert "not mirror images" in told
    assert "--" not in told
    (labels,) = all_labels_of(viewer.layers, posterior)
    pixels, mask = posterior.data.copy(), labels.data.copy()
    press(qtbot, panel, "Mirror the posterior view")
    np.testing.assert_array_equal(posterior.data, pixels[:, ::-1])
    np.testing.assert_array_equal(labels.data, mask[:, ::-1])
    assert facts_of(posterior).view.flipped
    assert panel.notices.texts() == []
    labels.undo()
    assert not labels.data.any(), "Undo takes the mirrored result out"
    click_and_wait(qtbot, panel)
    assert panel.notices.texts() == []


def test_two_bodies_in_one_picture_are_found_split_and_segmented(
    viewer: Viewer, panel: SegmentWidget, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    both = open_scan(SAMPLES / "simulated.dcm")
    counts = np.hstack([*both.counts])[np.newaxis]
    spacing = [float(side) for side in both.spacing or ()]
    viewer.open(write_nm(counts=counts, views=(None,), PixelSpacing=spacing), plugin="napari-bonescint")
    panel.models.add_file(str(find_model(DEFAULT_MODEL).weights_path))
    click_and_wait(qtbot, panel)
    assert any("two bodies side by side" in told for told in panel.notices.texts())
    (whole,), (mask,) = views_in(viewer), labels_in(viewer)
    press(qtbot, panel, "Split into two views")
    qtbot.waitUntil(lambda: "Undo the split" in buttons(panel), timeout=PATIENCE_MS)
    anterior, posterior = views_in(viewer)
    assert labels_in(viewer) == [], "the mask of the whole picture is gone"
    click_and_wait(qtbot, panel)
    assert panel.notices.texts() == ["You split a picture into these two views."]
    scan = layers_to_scan([anterior, posterior])
    np.testing.assert_array_equal(scan.counts, both.counts)
    assert scan.views == tuple(View(name, ViewSource.USER) for name in ViewName)
    assert len(labels_in(viewer)) == 2
    press(qtbot, panel, "Undo the split")
    qtbot.waitUntil(lambda: (views_in(viewer), labels_in(viewer)) == ([whole], [mask]), timeout=PATIENCE_MS)
    assert mask.data.any()


def test_a_lying_and_an_upside_down_scan_are_found_and_turned_with_their_labels(
    viewer: Viewer, panel: SegmentWidget, write_nm: Callable[..., Path], qtbot: QtBot
) -> None:
    upright = open_scan(SAMPLES / "simulated.dcm")
    lying = np.rot90(upright.counts, k=-1, axes=(1, 2))  # the head on the right
    spacing = [float(side) for side in upright.spacing or ()]
    viewer.open(write_nm(counts=lying, PixelSpacing=spacing), plugin="napari-bonescint")
    panel.models.add_file(str(find_model(DEFAULT_MODEL).weights_path))
    click_and_wait(qtbot, panel)
    assert [each.partition(",")[0] for each in panel.notices.texts()] == [
        f"The {name} view is wider than long" for name in ViewName
    ]
    anterior, posterior = views_in(viewer)
    masks = {labels: labels.data.copy() for labels in labels_in(viewer)}
    press(qtbot, panel, "Turn it 90° to the right")
    for image, counts in zip((anterior, posterior), upright.counts, strict=True):
        np.testing.assert_array_equal(image.data, counts[::-1, ::-1])
    for labels, before in masks.items():
        np.testing.assert_array_equal(labels.data, np.rot90(before, k=-1))
    across = viewer.scene.camera.zoom * (posterior.extent.world[1, 1] - anterior.extent.world[0, 1])
    assert across < viewer.canvas.size[1], "both are in view"
    zoom = viewer.scene.camera.zoom
    viewer.reset_view()
    assert viewer.scene.camera.zoom == pytest.approx(zoom), "and as large as fits"
    click_and_wait(qtbot, panel)
    for name in ViewName:
        press(qtbot, panel, f"Turn the {name} view by 180°")
    np.testing.assert_array_equal(layers_to_scan([anterior, posterior]).counts, upright.counts)
    click_and_wait(qtbot, panel)
    assert panel.notices.texts() == [f"You turned the {name} view by 270°." for name in ViewName]
    press(qtbot, panel, "Turn it back")
    np.testing.assert_array_equal(layers_to_scan([anterior, posterior]).counts, lying)
    assert panel.notices.texts() == []


def test_pictures_that_cannot_be_segmented_become_views_by_buttons(
    viewer: Viewer, panel: SegmentWidget, qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    grey = np.random.default_rng(0).integers(1, 99, (60, 40)).astype(np.uint8)
    viewer.add_image(np.repeat(grey[..., np.newaxis], 3, axis=-1), name="greys", rgb=True)
    assert panel.rows.checked() == []
    assert panel.notices.texts()[0].startswith("greys cannot be segmented")
    press(qtbot, panel, "Take it as grey")
    (view,) = views_in(viewer)
    np.testing.assert_array_equal(view.data, grey)
    press(qtbot, panel, "It is posterior")
    assert facts_of(view).view == View(ViewName.POSTERIOR, ViewSource.USER)
    assert VIEW_ASSUMED not in panel.notices.texts()
    viewer.add_image(np.stack([grey, grey[:, ::-1]]), name="stack")
    press(qtbot, panel, "Make views of its frames")
    qtbot.waitUntil(lambda: len(views_in(viewer)) == 3, timeout=PATIENCE_MS)
    noise = np.random.default_rng(0).integers(0, 99, (60, 40, 3)).astype(np.uint8)
    viewer.add_image(noise, name="photo", rgb=True)
    press(qtbot, panel, "Take it as grey")
    assert "photo: The image is in colour" in shown()[-1]
    assert any(told.startswith("photo cannot be segmented") for told in panel.notices.texts())


def test_a_picture_that_shows_uptake_dark_is_inverted(viewer: Viewer, panel: SegmentWidget, qtbot: QtBot) -> None:
    picture = np.full((90, 40), 250, np.uint8)
    picture[20:70, 15:25] = 30
    viewer.add_image(picture, name="export")
    click_and_wait(qtbot, panel)
    assert any("export: The background is brighter" in told for told in panel.notices.texts())
    press(qtbot, panel, "Invert the anterior view")
    (view,) = views_in(viewer)
    assert (view.data[0, 0], view.data[30, 20]) == (30, 250)
    assert facts_of(view).view.inverted
    assert not any("brighter" in told for told in panel.notices.texts())
    press(qtbot, panel, "Invert it back")
    np.testing.assert_array_equal(view.data, picture)
    assert not facts_of(view).view.inverted
