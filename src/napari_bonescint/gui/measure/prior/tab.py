"""The tab "Prior scan": its page is built when it is first looked at."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_bonescint.gui.measure.prior.comparing import PriorComparing
from napari_bonescint.gui.measure.prior.page import PriorPage
from napari_bonescint.gui.measure.prior.views import Look, PriorViews
from napari_bonescint.gui.placement import world
from napari_bonescint.gui.widgets.question import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Image
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent

    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.measure.controller import MeasureController
    from napari_bonescint.gui.measure.prior.comparing import Compared
    from napari_bonescint.measurement.comparison.changes import LesionChange


class OtherPatient(Enum):
    """Answers to the question about a file that names another patient."""

    NO = "Do not compare"
    YES = "Compare, it is one patient"
    CANCEL = "Cancel"


class PriorTab(QWidget):
    """Compares the chosen scan with a prior one; see `PriorComparing` for the parameters."""

    changed = Signal()
    """Emitted when a comparison was made, brought up to date or dropped."""
    said = Signal(str, bool)
    """Emitted with a sentence, which may be empty, and whether it is an error."""

    def __init__(
        self,
        viewer: Viewer,
        controller: MeasureController,
        run: Run,
        call_later: Callable[[int, Callable[[], None]], None],
    ) -> None:
        super().__init__()
        self._viewer, self._controller = viewer, controller
        self.comparing = PriorComparing(controller, run, call_later, self._ask_about_patient)
        self.views = PriorViews(viewer, call_later)
        self.page: PriorPage | None = None
        self._scans: Sequence[tuple[Image, ...]] = ()
        self._wanted: tuple[Image, ...] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.comparing.changed.connect(self._show)
        self.comparing.message.connect(self.said.emit)

    @property
    def shown(self) -> Compared | None:
        """The comparison that is shown."""
        return self.comparing.shown

    def offer(self, scans: Sequence[tuple[Image, ...]]) -> None:
        """Offer the scans that are open now."""
        self._scans = scans
        self._show()

    def choose(self, images: tuple[Image, ...]) -> None:
        """Choose the prior scan, now or when the page is built."""
        self._wanted = images
        self._show()

    def close_comparison(self) -> None:
        """Follow the scans no longer, and show them as they are open."""
        self.comparing.close()
        self.views.clear()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Build the page when it is first looked at."""
        super().showEvent(event)
        if self.page is not None:
            return
        self.page = page = PriorPage(self._viewer)
        page.compare_requested.connect(self.comparing.compare)
        page.look_changed.connect(lambda look: self.views.show(self.shown, look))
        page.blinked.connect(self.views.swap)
        page.table.picked.connect(self._go_to)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(page)
        self._show()

    def _show(self) -> None:
        shown = self.shown
        if self.page is not None:
            controller = self._controller
            self.page.offer(self._scans, controller.images)
            if self._wanted:
                self.page.choose(self._wanted)
                self._wanted = ()
            running = controller.is_running or self.comparing.is_running
            self.page.show_state(can_compare=bool(controller.images), running=running)
            self.page.show_comparison(shown, self.comparing.follow_up)
        if self.views.look is not Look.APART:
            self.views.show(shown, self.views.look)
        self.changed.emit()

    def _go_to(self, lesion: LesionChange) -> None:
        """Centre on a lesion of the new scan, or on the place where it was."""
        shown = self.shown
        if shown is None or not lesion.places:
            return
        view, place = next(iter(lesion.places.items()))
        (centre,) = world(shown.new.image_of(view), np.array([place]))
        self._viewer.scene.camera.center = (0.0, *centre)

    def _ask_about_patient(self, sentence: str) -> bool:
        explanation = "Names and numbers were read from the files just now; none is kept."
        answer: Any = ask(self, "Measure", sentence, explanation, OtherPatient)
        return answer is OtherPatient.YES
