from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt

from gui.panel_actions import PATIENCE_MS, answer, click, click_and_wait, labels_in
from napari_bonescint.gui.segment.result_target import Keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget
    from napari_bonescint.inference.model_card import ModelCard


@pytest.mark.parametrize("keep", list(Keep))
def test_edits_are_kept_as_the_user_says(
    keep: Keep, viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    layer = labels_in(viewer)[0]
    model = layer.data.copy()
    drawn = np.zeros(model.shape, bool)
    drawn[5:9, 4:8] = True
    layer.data_setitem(np.nonzero(drawn), 3)
    edited = layer.data.copy()
    assert (edited != model).any()
    answer(keep.value)
    click_and_wait(qtbot, panel)
    if keep is Keep.NOTHING:
        np.testing.assert_array_equal(layer.data, model)
        layer.undo()
    np.testing.assert_array_equal(layer.data, edited)
    assert len(labels_in(viewer)) == (3 if keep is Keep.LAYER else 2)
    if keep is Keep.LAYER:
        np.testing.assert_array_equal(labels_in(viewer)[-1].data, model)
        # The edited layer is the user's own from now on: the next click fills the new one and asks nothing.
        click_and_wait(qtbot, panel)
        np.testing.assert_array_equal(layer.data, edited)
        assert len(labels_in(viewer)) == 3


def test_edits_made_while_it_runs_are_asked_about(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    layer = labels_in(viewer)[0]
    click(qtbot, panel)
    layer.fill((3, 3), int(layer.data[3, 3]) % 16 + 1)
    edited = layer.data.copy()
    answer("Cancel")
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    np.testing.assert_array_equal(layer.data, edited)
    assert panel.status.text().endswith("Nothing was changed.")


def test_a_result_without_its_image_is_dropped(
    viewer: Viewer,
    images: list[Image],
    open_panel: Callable[..., SegmentWidget],
    qtbot: QtBot,
    shown: Callable[[], list[str]],
) -> None:
    panel = open_panel()
    click(qtbot, panel)
    viewer.layers.remove(images[0])
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert [layer.name for layer in labels_in(viewer)] == ["scan posterior bones"]
    assert any("anterior: no result, because the image was removed or changed" in message for message in shown())


@pytest.mark.parametrize("change", [lambda data: data[:, ::-1], lambda data: data[:-9]], ids=["mirrored", "cropped"])
def test_a_result_of_an_image_that_changed_is_dropped(
    change: Callable[[np.ndarray], np.ndarray],
    viewer: Viewer,
    images: list[Image],
    open_panel: Callable[..., SegmentWidget],
    qtbot: QtBot,
    shown: Callable[[], list[str]],
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    anterior, posterior = labels_in(viewer)
    before = anterior.data.copy()
    posterior.undo()
    click(qtbot, panel)
    images[0].data = change(images[0].data)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    np.testing.assert_array_equal(anterior.data, before)
    assert posterior.data.any()
    assert any("anterior: no result, because the image was removed or changed" in message for message in shown())


def test_removed_labels_are_made_anew(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click_and_wait(qtbot, panel)
    viewer.layers.remove(labels_in(viewer)[0])
    click_and_wait(qtbot, panel)
    assert sorted(layer.name for layer in labels_in(viewer)) == ["scan anterior bones", "scan posterior bones"]


def test_empty_labels_are_one_click_and_are_asked_about_once_drawn_on(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    qtbot.mouseClick(panel.empty_button, Qt.MouseButton.LeftButton)
    labels = labels_in(viewer)
    assert [layer.name for layer in labels] == ["scan anterior bones", "scan posterior bones"]
    np.testing.assert_array_equal(labels[1].translate, images[1].translate)
    labels[0].paint((20, 10), 7)
    drawn = labels[0].data.copy()
    assert drawn.any()
    answer("Keep my edits")
    click_and_wait(qtbot, panel)
    np.testing.assert_array_equal(labels[0].data[drawn > 0], drawn[drawn > 0])
    assert labels[1].data.any()


def test_bone_alone_is_put_beside_regions_and_not_over_them(
    viewer: Viewer,
    images: list[Image],
    make_model: Callable[..., ModelCard],
    open_panel: Callable[..., SegmentWidget],
    qtbot: QtBot,
) -> None:
    panel = open_panel()
    panel.rows.check_only([images[0]])
    click_and_wait(qtbot, panel)
    (regions,) = labels_in(viewer)
    before = regions.data.copy()
    panel.models.add_file(str(make_model("bone", outputs=1).weights_path))
    click_and_wait(qtbot, panel)
    assert [layer.name for layer in labels_in(viewer)] == ["scan anterior bones", "scan anterior skeleton"]
    np.testing.assert_array_equal(regions.data, before)


def test_a_result_lies_on_its_image_wherever_that_was_moved_meanwhile(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    click(qtbot, panel)
    images[0].translate = (30, 40)
    images[0].scale = (2, 3)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    for image, labels in zip(images, labels_in(viewer), strict=True):
        np.testing.assert_array_equal(labels.translate, image.translate)
        np.testing.assert_array_equal(labels.scale, image.scale)


def test_no_garbage_is_collected_while_layers_are_made(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    collecting: list[bool] = []
    viewer.layers.events.inserted.connect(lambda: collecting.append(gc.isenabled()))
    panel = open_panel()
    click_and_wait(qtbot, panel)
    assert collecting == [False, False]
    qtbot.waitUntil(gc.isenabled, timeout=PATIENCE_MS)  # what is imported ahead delays it, too
    viewer.layers.remove("scan anterior bones")
    click(qtbot, panel)
    qtbot.waitUntil(lambda: len(collecting) == 3, timeout=PATIENCE_MS)
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(gc.isenabled, timeout=PATIENCE_MS)
