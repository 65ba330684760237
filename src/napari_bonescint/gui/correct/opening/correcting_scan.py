"""The state in which a scan of the viewer is corrected that is in no label store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.scan_drafts import ScanDrafts
from napari_bonescint.corrections.scan_to_store import CorrectedScan, add_corrected
from napari_bonescint.corrections.work_list.work import open_store, open_work
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.correct.correcting import EditedMask, ModelMask
from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.opening.scan_layers import origin_of, unedited_masks
from napari_bonescint.gui.layers.exports import EXPORTS
from napari_bonescint.gui.layers.results import result_of
from napari_bonescint.gui.layers.titles import lasts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from filelock import FileLock
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.scan_to_store import Added
    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.records.revision import Origin
    from napari_bonescint.corrections.work_list.work import Work
    from napari_bonescint.display import Window
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.correct.opening.scan_layers import ScanLayers
    from napari_bonescint.gui.correct.states import NoStore, StoreOpen
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class ScanRead:
    """What a thread reads before a scan is corrected.

    Attributes
    ----------
    windows : tuple of (float, float)
        Contrast limits of each view.
    drafts : ScanDrafts
    claim : FileLock or None
        Held while the scan is corrected; None if it is being corrected elsewhere.
    draft : Draft or None
        Unsaved work on the scan.
    """

    windows: tuple[Window, ...]
    drafts: ScanDrafts
    claim: FileLock | None
    draft: Draft | None


@dataclass(frozen=True)
class SavedScan:
    """A scan that was added to a store: the store with its work, the new revision, and the case as opened."""

    work: Work
    added: Added
    case: OpenedCase


def read_scan(scan: Scan, *, names_regions: bool) -> ScanRead:
    """Read what is known of a scan on this computer, and claim it."""
    drafts = ScanDrafts.of(scan.counts, names_regions=names_regions)
    claim = drafts.claim()
    draft = drafts.find() if claim is not None else None
    return ScanRead(tuple(contrast_limits(counts) for counts in scan.counts), drafts, claim, draft)


class CorrectingScan(EditedMask):
    """A scan of the viewer is corrected in its own layers; `before` is the state to which the panel returns.

    Parameters
    ----------
    before : NoStore or StoreOpen
    layers : ScanLayers
    labels : sequence of Labels
        The layer of each view.
    read : ScanRead
    run : Run
        The thread that writes drafts and label stores.
    origin : Origin, optional
        Origin of the mask, if it is known better than the layers tell.

    Attributes
    ----------
    segmentation : Segmentation or None
        The last result of a model for the scan.
    """

    edited = Signal()
    """Emitted when the user has mirrored, turned or renamed a view, or the like: it is another scan now."""

    def __init__(
        self,
        before: NoStore | StoreOpen,
        layers: ScanLayers,
        labels: Sequence[Labels],
        read: ScanRead,
        run: Run,
        origin: Origin | None = None,
    ) -> None:
        super().__init__(labels, unedited_masks(labels), origin or origin_of(labels), run)
        self.before, self.layers, self.windows = before, layers, read.windows
        self._last_result = result_of(layers.images)
        self._drafts, self._claim = read.drafts, read.claim
        self._restored = read.draft is not None and not np.array_equal(read.draft.regions, self.regions())
        if read.draft is not None:
            self.start_from(read.draft.regions, read.draft.origin)
            self._written = read.draft.regions
        self._watch()
        for event in self._image_events():
            event.connect(self._on_edit)

    @property
    def name(self) -> str:
        """The names of the images."""
        return self.layers.name

    @property
    def title(self) -> str:
        """The title of the scan for a label store; empty if it is one of this window alone."""
        return self.layers.title if lasts(self.layers.title) else ""

    @property
    def key(self) -> str:
        """A name of the scan made of its pixels."""
        return self._drafts.key

    @property
    def greeting(self) -> str:
        """A sentence for the beginning."""
        if self._restored:
            return f"Your unsaved work on {self.name} was restored; Undo removes it."
        return f"Correcting {self.name}, in no label store. Unsaved work is kept as a draft on this computer."

    @property
    def names_regions(self) -> bool:
        """True if the labels are region codes, False if 1 means bone."""
        return self.layers.names_regions

    @property
    def model_mask(self) -> ModelMask | None:
        """The mask of the last model that segmented the scan."""
        last = self.segmentation
        if last is None:
            return None
        mask = last.skeleton if last.regions is None else last.regions
        return ModelMask(mask, last.regions is not None, last.model, last.model_sha256)

    @property
    def segmentation(self) -> Segmentation | None:
        """The last result of a model for the scan, also of one that segmented it meanwhile."""
        return result_of(self.layers.images) or self._last_result

    def for_tools(self) -> OpenCase:
        """The scan for the tools, with the last result of a model."""
        last = self.segmentation
        regions, probability = (None, None) if last is None else (last.regions, last.probability)
        layers = self.layers
        return OpenCase(layers.scan, list(layers.images), self.windows, list(self.labels), regions, probability)

    def take_segmentation(self, segmentation: Segmentation) -> None:
        """Use the result of a model for the tools."""
        self._last_result = segmentation

    @property
    def origin(self) -> Origin:
        """The origin of the mask; a model's result that was put into the layers meanwhile counts."""
        known = super().origin
        segmentation = result_of(self.layers.images)
        if segmentation is None or segmentation is self._last_result:
            return known
        return origin_of(self.labels)

    def is_changed(self) -> bool:
        """Whether the mask differs from the one before the work, and was not exported as it is."""
        return super().is_changed() and not EXPORTS.hold(self.labels)

    def stop(self) -> None:
        """Save unsaved work as a draft, stop following the layers, and let others correct the scan."""
        super().stop()
        for event in self._image_events():
            event.disconnect(self._on_edit)
        if self._claim is not None:
            self._run(self._claim.release, ignore, ignore)

    def give_up(self) -> None:
        """Undo all corrections, as one step that can be undone itself, and delete the draft; the layers stay."""
        self.start_from(self._stored, self.origin)
        self.discard()

    def add_to(
        self, folder: Path, annotator: str, comment: str, then: Callable[[SavedScan], None]
    ) -> Future[SavedScan]:
        """Add the scan and its mask to a label store, or to a new one in an empty folder.

        `then` is called when both are saved; a failure is emitted.
        """
        regions, title = self.regions(), self.title
        corrected = CorrectedScan(
            self.layers.scan,
            self.layers.files,
            regions,
            self.layers.names_regions,
            self.origin,
            self.segmentation,
        )

        def work() -> SavedScan:
            store = open_store(folder)
            added = add_corrected(store, corrected, annotator=annotator, reviewed=False, comment=comment)
            self._drafts.discard()
            case = open_case(store, added.case, annotator, title)
            return SavedScan(open_work(folder, annotator), added, case)

        def done(saved: SavedScan) -> None:
            self._note_written(regions)
            then(saved)

        return self._run(work, done, self.failed.emit)

    def add_and_wait(self, folder: Path, annotator: str, comment: str) -> bool:
        """Add the scan and its mask to a label store before the window closes; returns False if that fails."""
        regions = self.regions()
        return self._wait(self.add_to(folder, annotator, comment, ignore), lambda _: self._note_written(regions))

    def _note_written(self, regions: NDArray[np.uint8]) -> None:
        self._stored, self._written = regions, None

    def _on_edit(self, _event: Any = None) -> None:
        self.edited.emit()

    def _image_events(self) -> list[Any]:
        names = ("data", "metadata", "scale")
        return [getattr(image.events, name) for image in self.layers.images for name in names]

    def _events(self) -> list[Any]:
        return [*super()._events(), EXPORTS.noted]

    def _draft_writer(self, regions: NDArray[np.uint8], origin: Origin) -> Callable[[], None]:
        drafts = self._drafts
        return lambda: drafts.save(regions, origin)

    def _draft_remover(self) -> Callable[[], None]:
        return self._drafts.discard
