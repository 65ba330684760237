"""The controller without any window, on a real store and a real viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_bonescint.gui.correct.controller import CorrectController
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.layers.scans import scans_to_layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gui.correct.plain_worker import PlainWorker
    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.scan import Scan


class Desk:
    """A controller, and what it tells and asks."""

    def __init__(self, worker: PlainWorker) -> None:
        self.viewer = ViewerModel()
        self.asked: list[str] = []
        self.answer: Callable[[], Any] = lambda: pytest.fail("nothing was to be asked")
        self.store: Path | None = None
        self.came_forward = 0
        self.status: list[str] = []
        self.said: list[str] = []
        self.tools: list[OpenCase | None] = []
        self.controller = CorrectController(
            self.viewer,
            worker.run,
            lambda _: None,
            self._ask,
            "AB",
            ask_about_scan=self._ask,
            choose_store=lambda: self.store,
        )
        self.controller.wanted.connect(self._come)
        self.controller.status.connect(lambda sentence, _wrong: self.status.append(sentence))
        self.controller.message.connect(lambda sentence, _wrong: self.said.append(sentence))
        self.controller.tools_moved.connect(self.tools.append)

    def _come(self) -> None:
        self.came_forward += 1

    def _ask(self, case: str) -> Any:
        self.asked.append(case)
        return self.answer()

    @property
    def case(self) -> Correcting:
        assert isinstance(self.controller.state, Correcting)
        return self.controller.state

    @property
    def scan(self) -> CorrectingScan:
        assert isinstance(self.controller.state, CorrectingScan)
        return self.controller.state

    def open_scan(self, scan: Scan, active: int = 0) -> None:
        """Open a scan as the reader does, and select one of its views."""
        images = [
            self.viewer.add_image(data, **attributes)
            for data, attributes, kind in scans_to_layers([scan])
            if kind == "image"
        ]
        self.viewer.layers.selection.active = images[active]

    def draw(self) -> None:
        state = self.controller.state
        assert isinstance(state, Correcting | CorrectingScan)
        state.labels[0].data_setitem((np.array([5]), np.array([6])), 13)
