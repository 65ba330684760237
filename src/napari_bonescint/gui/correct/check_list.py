"""The list of findings of the live checks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from superqt.utils import qdebounced

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.checks import check
from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from concurrent.futures import Future

    from napari.viewer import Viewer

    from napari_bonescint.corrections.checks import Finding
    from napari_bonescint.gui.correct.open_case import OpenCase

_WAIT_MS = 300
_ROWS = 4
_NOTHING = "Checks: nothing found"


class CheckList(QWidget):
    """The findings of the live checks; a click shows the place of a finding.

    A thread checks the mask a moment after its last change.
    """

    checked = Signal(object, object)
    """Emitted from the thread with the case and its findings."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._case: OpenCase | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checks")
        self._running: Future[None] | None = None
        self.title = PlainLabel()
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.list.setStyleSheet("QListWidget { font-size: 11px; }")
        self.list.setFixedHeight(24 * _ROWS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addWidget(self.list)
        layout.addStretch()
        self._start_soon = qdebounced(self._start, timeout=_WAIT_MS)
        self.checked.connect(self._show)
        self.destroyed.connect(partial(self._thread.shutdown, wait=False))
        self.list.itemActivated.connect(self._go_to)
        self.list.itemClicked.connect(self._go_to)
        self._show(None, [])

    def set_case(self, case: OpenCase | None) -> None:
        """Check another scan, or none."""
        if self._case is not None:
            for labels in self._case.labels:
                labels.events.paint.disconnect(self._wait)
                labels.events.set_data.disconnect(self._wait)
        self._start_soon.cancel()
        self._case = case
        self._show(case, [])
        if case is not None:
            for labels in case.labels:
                labels.events.paint.connect(self._wait)
                labels.events.set_data.connect(self._wait)  # Undo emits only this
            self._start_soon()

    def _wait(self, _event: Any = None) -> None:
        self._start_soon()

    def _start(self) -> None:
        if self._case is None:
            return
        if self._running is not None and not self._running.done():
            self._start_soon()
            return
        self._running = self._thread.submit(self._check, self._case, self._case.regions())

    def _check(self, case: OpenCase, regions: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        views = [case.view(index) for index in range(len(case.images))]
        self.checked.emit(case, check(regions, case.scan.counts, views, case.scan.spacing))

    def _show(self, case: OpenCase | None, findings: list[Finding]) -> None:
        if case is not self._case:
            return
        self.list.clear()
        self.title.setText(f"Checks: {len(findings)} to look at" if findings else _NOTHING)
        self.list.setVisible(bool(findings))
        for finding in findings:
            square = QPixmap(10, 10)
            square.fill(QColor(REGIONS[finding.code].colour))
            item = QListWidgetItem(QIcon(square), finding.sentence)
            item.setToolTip("Click to show the place")
            item.setData(Qt.ItemDataRole.UserRole, finding)
            self.list.addItem(item)

    def _go_to(self, item: QListWidgetItem) -> None:
        finding: Finding = item.data(Qt.ItemDataRole.UserRole)
        if self._case is None:
            return
        self._viewer.layers.selection.active = self._case.labels[finding.view]
        (centre,) = self._case.world(finding.view, np.array([finding.point]))
        self._viewer.scene.camera.center = (0.0, *centre)
