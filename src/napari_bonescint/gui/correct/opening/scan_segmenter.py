"""Segment the scan that is corrected, for the tools that need a model, while the user draws already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_bonescint.inference.child_messages import Failed, Finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.gui.common.segmenting import SegmentationClient
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


class ScanSegmenter:
    """Segments one scan at a time, after all scans that a user waits for.

    Parameters
    ----------
    child : SegmentationClient
        The client of the panel.
    call_later : callable
        Calls a function a moment later, in the same thread.
    """

    segmented = Signal(object)
    """Emitted with the `Segmentation`."""
    failed = Signal(str)
    """Emitted with a sentence."""

    def __init__(self, child: SegmentationClient, call_later: Callable[[Callable[[], None]], None]) -> None:
        self._child, self._call_later = child, call_later
        self._part: SegmentationClient | None = None

    def segment(self, scan: Scan, card: ModelCard) -> None:
        """Segment a scan; an earlier one is dropped."""
        self.stop()
        self._part = self._child.part(ahead=True)
        self._part.segment(scan, card)
        self._call_later(self._poll)

    def stop(self) -> None:
        """Drop the scan."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _poll(self) -> None:
        part = self._part
        for event in [] if part is None else part.poll():
            if isinstance(event, (Failed, Finished)):
                self.stop()
                if isinstance(event, Finished):
                    self.segmented.emit(event.segmentation)
                else:
                    self.failed.emit(event.sentence)
        if part is not None and part is self._part:
            self._call_later(self._poll)
