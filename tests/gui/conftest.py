"""What the tests of the window need: a display, a viewer that knows the plugin, and scans on disk."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from napari.layers import Image
from napari.utils.notifications import notification_manager

from gui.correcting import Hand, open_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.open_case import OpenCase
    from napari_bonescint.gui.segment_widget import SegmentWidget
    from napari_bonescint.inference.model_card import ModelCard


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Before any fixture: without a display Qt would end the whole test run.
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        pytest.fail(
            "Tests of the window need a display: run `make test`, or pytest under `xvfb-run -a`.", pytrace=False
        )


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Viewer]) -> Viewer:
    """A real napari window that knows this plugin, and only this one."""
    from npe2 import PluginManager

    manager = PluginManager.instance()
    if "napari-bonescint" not in manager:
        manager.discover()
    return make_napari_viewer(show=True)


@pytest.fixture
def images(viewer: Viewer, write_nm: Callable[..., Path]) -> list[Image]:
    """The anterior and the posterior view of a scan, opened as a user does."""
    viewer.open(write_nm(), plugin="napari-bonescint")
    return [layer for layer in viewer.layers if isinstance(layer, Image)]


@pytest.fixture
def open_panel(viewer: Viewer, make_model: Callable[..., ModelCard], qtbot: QtBot) -> Callable[..., SegmentWidget]:
    """Open the panel with a small model of random weights chosen."""

    def open_it(**model: Any) -> SegmentWidget:
        _, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
        panel.models.add_file(str(make_model(**model).weights_path))
        return panel

    return open_it


@pytest.fixture
def shown() -> Callable[[], list[str]]:
    """What napari has told the user since the test began."""
    before = len(notification_manager.records)
    return lambda: [notification.message for notification in notification_manager.records[before:]]


@pytest.fixture
def case(viewer: Viewer) -> OpenCase:
    """The simulated sample, open for correction."""
    return open_case(viewer)


@pytest.fixture
def hand(viewer: Viewer, case: OpenCase) -> Hand:
    """A hand over that sample."""
    return Hand(viewer, case)
