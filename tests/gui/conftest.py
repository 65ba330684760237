"""What the tests of the window need: a display, a viewer that knows the plugin, and scans on disk."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.layers import Image
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject

from gui.correct.correcting import Hand, open_case
from gui.correct.correcting_panel import prediction_of
from gui.panel_actions import PATIENCE_MS
from gui.spared import spare
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.gui.common import segmenting
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.segmenting import shared_child
from napari_bonescint.gui.common.settings import Setting, keep_in, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.segment.panel import SegmentWidget
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Before any fixture: without a display Qt would end the whole test run.
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        pytest.fail(
            "Tests of the window need a display: run `make test`, or pytest under `xvfb-run -a`.", pytrace=False
        )


@pytest.fixture(scope="session", autouse=True)
def _spared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        spare(patch, tmp_path_factory.mktemp("napari"))
        yield


_frozen_modules = 0


@pytest.fixture(autouse=True)
def _no_garbage_of_modules() -> None:
    """Spare the collections of garbage what the tests before have imported, as after the collection of tests."""
    global _frozen_modules
    if len(sys.modules) > _frozen_modules + 20:
        gc.collect()
        gc.freeze()
        _frozen_modules = len(sys.modules)


@pytest.fixture
def qtbot(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """It waits as long as a busy computer may need, because other programs must not make a test fail."""
    for wait in ("waitUntil", "waitSignal", "waitSignals"):
        monkeypatch.setattr(qtbot, wait, partial(getattr(qtbot, wait), timeout=PATIENCE_MS))
    return qtbot


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


_keeper = shared_child()


@pytest.fixture(scope="session", autouse=True)
def _no_child_is_left() -> Iterator[None]:
    yield
    _keeper.close()


@pytest.fixture
def own_child() -> None:
    """The child process that computes for all panels ends with the last panel, as it does for users."""
    _keeper.close()
    for client in list(segmenting._SHARED._inboxes):  # of panels of earlier tests, which Qt has not deleted yet
        client.close()


@pytest.fixture
def kept_child(request: pytest.FixtureRequest, make_model: Callable[..., ModelCard]) -> None:
    """The child process goes on after a test, so that only the first one waits for it to import torch."""
    if "own_child" not in request.fixturenames and _keeper.pid is None:
        _keeper.load(make_model("kept"))


@pytest.fixture
def open_panel(
    viewer: Viewer,
    make_model: Callable[..., ModelCard],
    qtbot: QtBot,
    kept_child: None,
) -> Callable[..., SegmentWidget]:
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


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between starts is forgotten between tests, and never the user's own."""
    keep_in(tmp_path / "settings")
    monkeypatch.setenv("BONESCINT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("BONESCINT_DRAFTS", str(tmp_path / "drafts"))


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[FileWorker]:
    """The thread of a panel."""
    parent = QObject()
    thread = FileWorker(parent)
    yield thread
    thread.close()


@pytest.fixture
def tiny_recipe(tmp_path: Path) -> Path:
    """A training of seconds, which begins with random weights or with what it is told."""
    path = tmp_path / "tiny.toml"
    path.write_text(
        'name = "tiny"\ndescription = "Learns little, fast"\narchitecture = "fdn-5"\noutputs = 17\n'
        "grid_mm = 9.0\nrows = 64\ncolumns = 48\nbatch = 4\nkeep_phases = [4]\nlearning_rate = 0.02\nwarm_up = 5\n"
        "steps = 30\ndice_weight = 0.5\naverage = 0.8\nseed = 1\nstart = []\n"
    )
    return path


@pytest.fixture
def store(tmp_path: Path, scan: Scan) -> LabelStore:
    """A label store with three cases; a model is sure of the first two and wrong about the third."""
    store = LabelStore.create(tmp_path / "store")
    for number in range(3):
        key = store.add(replace(scan, counts=scan.counts + np.uint16(number), source_sha256=f"{number}"))
        store.add_prediction(key, prediction_of(scan, certainty=(0.99, 0.9, 0.6)[number]))
    return store


@pytest.fixture
def open_correcting(viewer: Viewer, qtbot: QtBot) -> Iterator[Callable[..., CorrectWidget]]:
    """Open the panel "Correct masks"; work that a test leaves unsaved is dropped without a question."""
    panels: list[CorrectWidget] = []

    def open_it(annotator: str = "AB") -> CorrectWidget:
        if annotator:
            remember(Setting.ANNOTATOR, annotator)
        _, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Correct masks")
        # Predictions come from the store, not from a child process that takes seconds to start.
        panel.controller.loader.card = None
        panels.append(panel)
        return panel

    yield open_it
    while panels:
        with suppress(RuntimeError):  # Qt's word that a test closed the panel and it is no more
            panels.pop().close()


@pytest.fixture
def case(viewer: Viewer) -> OpenCase:
    """The simulated sample, open for correction."""
    return open_case(viewer)


@pytest.fixture
def hand(viewer: Viewer, case: OpenCase) -> Hand:
    """A hand over that sample."""
    return Hand(viewer, case)
