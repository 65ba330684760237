"""Find hot spots off the thread of the window: a model in the shared child process, then pieces in the panel's thread.

Without a model that finds hot spots, thresholds do it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.child_messages import Computed, Failed, Progressed
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.measurement.measures import UptakeClasses

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.common.segmenting import SegmentationClient
    from napari_bonescint.scan import Scan

_POLL_MS = 25
_BY_THRESHOLDS = "The hot spots were found by thresholds instead."


class SpotFinder:
    """Finds the hot spots of one scan at a time.

    Parameters
    ----------
    child : SegmentationClient
        The client of the panel.
    run : Run
        The thread of the panel.
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    """

    found = Signal(object, object)
    """Emitted with hot spots of uint16, shape (view, y, x), and their `UptakeClasses`."""
    without_model = ""
    """Why thresholds find the hot spots, in a sentence; empty if a model does."""
    failed = Signal(str)
    """Emitted with a sentence."""
    progressed = Signal(float)
    """Emitted with the fraction done."""

    def __init__(
        self, child: SegmentationClient, run: Run, call_later: Callable[[int, Callable[[], None]], None]
    ) -> None:
        self._child, self._run, self._call_later = child, run, call_later
        self._turn = 0
        self._in_child = False

    def find(self, scan: Scan, regions: NDArray[np.uint8]) -> None:
        """Find the hot spots of a scan; an earlier one is dropped."""
        self.stop()
        self.without_model = ""
        try:
            card = current_model(FINDING_HOT_SPOTS)
        except BonescintError as error:
            self.without_model = f"{error} {_BY_THRESHOLDS}"
            self._mark(scan, regions, None)
            return
        # Loaded already: `panel` does it in a thread, because it takes some tenths of a second.
        from napari_bonescint.measurement.detection.detector import classify

        self._child.compute(classify, scan, regions, card)
        self._in_child = True
        self._call_later(_POLL_MS, partial(self._poll, self._turn, scan, regions))

    def stop(self) -> None:
        """Drop the scan."""
        self._turn += 1
        if self._in_child:
            self._in_child = False
            self._child.cancel()

    def _poll(self, turn: int, scan: Scan, regions: NDArray[np.uint8]) -> None:
        for event in self._child.poll() if turn == self._turn else ():
            match event:
                case Progressed(fraction):
                    self.progressed.emit(fraction)
                case Computed(UptakeClasses() as classes):
                    self._in_child = False
                    self._mark(scan, regions, classes)
                case Failed(sentence):
                    self._in_child = False
                    self.failed.emit(sentence)
        if turn == self._turn and self._in_child:
            self._call_later(_POLL_MS, partial(self._poll, turn, scan, regions))

    def _mark(self, scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses | None) -> None:
        turn = self._turn

        def then(result: tuple[NDArray[np.uint16], UptakeClasses]) -> None:
            if turn == self._turn:
                self.found.emit(*result)

        def failed(sentence: str) -> None:
            if turn == self._turn:
                self.failed.emit(sentence)

        self._run(partial(_find, scan, regions, classes), then, failed)


def _find(
    scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses | None
) -> tuple[NDArray[np.uint16], UptakeClasses]:
    # Here, in the thread: what this imports would stop the window.
    from napari_bonescint.measurement.detection.candidates import find_hot_spots, threshold_classes

    known = threshold_classes(scan, regions) if classes is None else classes
    return find_hot_spots(scan, regions, known)
