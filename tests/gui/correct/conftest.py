from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gui.correct.correcting_panel import open_first
from gui.correct.desk import Desk
from gui.correct.plain_worker import PlainWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget


@pytest.fixture
def worker() -> Iterator[PlainWorker]:
    worker = PlainWorker()
    yield worker
    worker.close()


@pytest.fixture
def desk(worker: PlainWorker) -> Iterator[Desk]:
    desk = Desk(worker)
    yield desk
    desk.controller.close()


@pytest.fixture
def opened(desk: Desk, store: LabelStore, worker: PlainWorker) -> Desk:
    """The first case of the store is being corrected, the next one is read."""
    desk.controller.open(store.folder)
    worker.settle()
    return desk


@pytest.fixture
def panel(store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot) -> CorrectWidget:
    """The panel in a window, with the first case of the store."""
    panel = open_correcting()
    open_first(qtbot, panel, store)
    return panel
