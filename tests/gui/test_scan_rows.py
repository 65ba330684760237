from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel, QToolButton

from gui.panel_actions import PATIENCE_MS, click, click_and_wait, labels_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment_widget import SegmentWidget


def test_no_view_can_be_edited_while_it_runs(
    images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    mirror = panel.rows.findChildren(QToolButton)[0]
    click(qtbot, panel)
    assert not mirror.isEnabled()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert panel.rows.isEnabled()


def test_only_checked_layers_are_segmented(
    viewer: Viewer, images: list[Image], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    panel.rows.check_only([images[1]])
    click_and_wait(qtbot, panel)
    assert [layer.name for layer in labels_in(viewer)] == ["posterior bones"]


@pytest.mark.parametrize(
    ("pixels", "remedy"),
    [(np.ones((40, 20, 3), np.uint8), "Split RGB"), (np.ones((2, 40, 20), np.uint8), "Split Stack")],
)
def test_an_image_that_cannot_be_segmented_has_a_hint(
    pixels: np.ndarray, remedy: str, viewer: Viewer, open_panel: Callable[..., SegmentWidget]
) -> None:
    viewer.add_image(pixels, name="picture", rgb=pixels.shape[-1] == 3)
    panel = open_panel()
    assert panel.rows.checked() == []
    hints = [label.text() for label in panel.rows.findChildren(QLabel)]
    assert any(hint.startswith("picture cannot be segmented") and remedy in hint for hint in hints)
