"""Segment the scan that is to be measured, and put the masks into labels layers, as the panel Segment does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.segment.result_target import Keep, ResultTarget
from napari_bonescint.inference.child_messages import Failed, Finished, Progressed
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import current_model, find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.layers import Image

    from napari_bonescint.gui.common.segmenting import SegmentationClient
    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard

_POLL_MS, _PUT_MS = 25, 1


class SegmentingScan:
    """Segments one scan at a time in the shared child process.

    Parameters
    ----------
    child : SegmentationClient
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    """

    progressed = Signal(float)
    """Emitted with the fraction done."""
    done = Signal()
    """Emitted when all views have their masks."""
    failed = Signal(str)
    """Emitted with a sentence."""
    warned = Signal(object, object)
    """Emitted with the views and with the warnings about them and their result, none if all is as usual."""

    def __init__(self, child: SegmentationClient, call_later: Callable[[int, Callable[[], None]], None]) -> None:
        self._child, self._call_later = child, call_later
        self._target: ResultTarget | None = None
        self._read_warnings: tuple[str, ...] = ()
        self._views: Iterator[str | None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a scan is being segmented."""
        return self._target is not None

    def segment(self, layers: Any, images: Sequence[Image]) -> None:
        """Segment a scan by a model that names regions."""
        self.stop()
        try:
            card = model_with_regions()
            target = ResultTarget(layers, images, names_regions=True, ask=lambda _names: Keep.LAYER)
            target.prepare()
            scan = target.take_scan()
            self._child.segment(scan, card)
        except BonescintError as error:
            self.failed.emit(str(error))
            return
        target.make_layers()
        self._target, self._read_warnings = target, scan.warnings
        self._call_later(_POLL_MS, self._poll)

    def stop(self) -> None:
        """Drop the scan; views that have their masks keep them."""
        if self._target is not None and self._views is None:
            self._child.cancel()
        self._target = self._views = None

    def _poll(self) -> None:
        for event in self._child.poll() if self.is_running else ():
            self._handle(event)
        if not self.is_running:
            return
        if self._views is None:
            self._call_later(_POLL_MS, self._poll)
            return
        # One view after the other, so that the window can be drawn in between.
        if next(self._views, self) is self:
            self._target = self._views = None
            self.done.emit()
        else:
            self._call_later(_PUT_MS, self._poll)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Progressed):
            self.progressed.emit(event.fraction)
        elif isinstance(event, Failed):
            self._target = None
            self.failed.emit(event.sentence)
        elif isinstance(event, Finished) and self._target is not None:
            self._views = self._target.put(event.segmentation)
            self.warned.emit(self._target.images, [*self._read_warnings, *event.segmentation.warnings])


def model_with_regions() -> ModelCard:
    """The model in use if it names regions, otherwise the shipped one that does."""
    card = current_model()
    return card if card is not None and card.names_regions else find_model(DEFAULT_MODEL)
