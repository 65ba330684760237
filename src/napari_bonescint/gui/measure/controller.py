"""The logic of the panel "Measure": what is measured when, and the safety of what a reader has decided."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_bonescint.corrections.hot_spot_drafts import HotSpotDrafts, any_drafts
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.run import ignore
from napari_bonescint.gui.correct.opening.places import CaseInLayers, case_in
from napari_bonescint.gui.layers.scans import layers_to_scan
from napari_bonescint.gui.measure.finding import SpotFinder
from napari_bonescint.gui.measure.reading import Reading, look_of
from napari_bonescint.gui.measure.region_masks import region_masks
from napari_bonescint.gui.measure.saved_before import SavedBefore, saved_before
from napari_bonescint.gui.measure.segmenting_scan import SegmentingScan
from napari_bonescint.gui.measure.shown_spots import ShownSpots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.records.hot_spot_revision import HotSpotRevision
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.common.segmenting import SegmentationClient
    from napari_bonescint.gui.measure.spot_layers import Edited
    from napari_bonescint.measurement.measures import HotSpot, Measures

_CHECK_MS, _MASKS_MS, _EDIT_MS, _DRAFT_MS = 50, 400, 150, 2000


class MeasureController:
    """Measures scans of a viewer, follows edits, and keeps drafts.

    Parameters
    ----------
    viewer : ViewerModel
    run : Run
        The thread that measures, and reads and writes files.
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    child : SegmentationClient

    Attributes
    ----------
    images : tuple of Image
        The views of the chosen scan; empty if there is none.
    """

    changed = Signal()
    """Emitted when the chosen scan, its measures or their state have changed."""
    progressed = Signal(float)
    """Emitted with the fraction of the segmentation that is done."""
    message = Signal(str, bool)
    """Emitted with a sentence, which may be empty, and whether it is an error."""
    warned = Signal(object, object)
    """Emitted with the views of a scan and the warnings about them after their segmentation."""
    measured = Signal(object)
    """Emitted with a `Reading` that was measured as `measure` asked."""

    def __init__(
        self,
        viewer: ViewerModel,
        run: Run,
        call_later: Callable[[int, Callable[[], None]], None],
        child: SegmentationClient,
    ) -> None:
        self._viewer, self._run, self._call_later = viewer, run, call_later
        self.images: tuple[Image, ...] = ()
        self._scans: list[Reading] = []
        self._finder = SpotFinder(child, run, call_later)
        self._segmenting = SegmentingScan(child, call_later)
        self._shown = ShownSpots(call_later, self._readings)
        self._measuring: Reading | None = None
        self._target: tuple[Image, ...] = ()  # the views that are segmented or measured
        self._active: Layer | None = None  # when that began
        self._is_closed = False
        self._finder.found.connect(self._on_found)
        self._finder.failed.connect(self._on_failed)
        self._segmenting.done.connect(self._on_segmented)
        self._segmenting.failed.connect(self._on_failed)
        self._segmenting.warned.connect(self.warned.emit)
        for step in (self._segmenting, self._finder):
            step.progressed.connect(self.progressed.emit)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def current(self) -> Reading | None:
        """The chosen scan, if it was measured as it is now."""
        return self.reading_of(self.images)

    def reading_of(self, images: Sequence[Image]) -> Reading | None:
        """The scan in image layers, if it was measured as it is now."""
        return next((scan for scan in self._scans if images and scan.is_of(images)), None)

    @property
    def is_running(self) -> bool:
        """Whether a scan is being segmented or its hot spots are being found."""
        return self._segmenting.is_running or self._measuring is not None

    @property
    def has_masks(self) -> bool:
        """Whether the chosen scan has masks that name regions."""
        return bool(self.images) and region_masks(self._viewer.layers, self.images) is not None

    def choose(self, images: Sequence[Image]) -> None:
        """Show another scan; what was decided on it before is shown at once."""
        if tuple(images) != self.images:
            self.cancel()
            self.images = tuple(images)
            self._shown.update()
            self.message.emit("", False)
        self._look_soon()
        self.changed.emit()

    def measure(self, images: Sequence[Image] = ()) -> None:
        """Measure a scan, by default the chosen one; it is segmented first if it has no mask with named bones."""
        target = tuple(images) or self.images
        if not target or self.is_running:
            return
        self._target, self._active = target, self._viewer.layers.selection.active
        masks = region_masks(self._viewer.layers, target)
        if masks is None:
            self.message.emit("Segmenting …", False)
            self._segmenting.segment(self._viewer.layers, target)
            self.changed.emit()
            return
        try:
            scan = self._scan_of(target, masks)
        except BonescintError as error:
            self._on_failed(str(error))
            return
        self._measuring = scan
        scan.take_masks()
        self.message.emit("Finding hot spots …", False)
        self._finder.find(scan.scan, scan.regions)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop at once; what was measured stays."""
        was_running = self.is_running
        self._segmenting.stop()
        self._finder.stop()
        self._measuring = None
        if was_running:
            self.message.emit("Cancelled.", False)
            self.changed.emit()

    def decide(self, spot: HotSpot, *, suspicious: bool) -> None:
        """Take the reader's verdict on a hot spot; the index follows at once."""
        scan = self.current
        if scan is not None and scan.measures is not None:
            scan.decide(spot, suspicious=suspicious)
            self._after_edit(scan)

    def undo_decision(self) -> None:
        """Take the reader's last verdict on the chosen scan back."""
        scan = self.current
        if scan is not None and scan.undo_decision():
            self._after_edit(scan)

    @property
    def case(self) -> CaseInLayers | None:
        """The case of a label store that the chosen scan is; None for other scans."""
        masks = region_masks(self._viewer.layers, self.images) if self.images else None
        return None if masks is None else case_in(masks)

    @property
    def unsaved(self) -> list[Reading]:
        """The scans with decisions of the reader that are not saved."""
        return [scan for scan in self._scans if scan.is_changed()]

    def save(self) -> None:
        """Save the hot spots of the chosen case, and the decisions on them, to its label store."""
        scan, case = self.current, self.case
        if scan is None or scan.measures is None or case is None:
            return
        if not case.annotator:
            self.message.emit("Type your name as annotator in the panel Correct masks first, then save again.", True)
            return
        labels, spots, origin, drafts = scan.spots.pixels(), scan.decisions(), scan.origin, scan.drafts
        changed = scan.changed_pixels()

        def work() -> HotSpotRevision:
            saved = case.store.save_hot_spots(
                *(case.key, labels, spots),
                annotator=case.annotator,
                origin=origin,
                mask=case.origin,
                changed=changed,
            )
            drafts.discard()
            return saved

        def then(saved: HotSpotRevision) -> None:
            if scan in self._scans:
                scan.note_saved(labels, spots)
                scan.origin = Origin.of_revision(saved.number)
            self.message.emit(f"Saved as revision {saved.number} of the hot spots of this case.", False)
            self.changed.emit()

        self._run(work, then, self._on_failed)

    def keep(self) -> None:
        """Save unsaved decisions as drafts now."""
        for scan in self._scans:
            self._keep(scan)

    def discard(self) -> None:
        """Delete the drafts of unsaved decisions, as the user decided."""
        for scan in self.unsaved:
            self._run(scan.drafts.discard, ignore, self._show_error)
            scan.note_saved()

    def close(self) -> None:
        """Keep unsaved decisions as drafts, and take the hot spots out of the viewer."""
        self.keep()
        self._is_closed = True
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._segmenting.stop()
        self._finder.stop()
        for scan in self._scans:
            scan.stop()

    def _scan_of(self, images: tuple[Image, ...], masks: Sequence[Any]) -> Reading:
        """The scan in image layers with these masks, known already or new."""
        known = self.reading_of(images)
        if known is not None and known.masks == tuple(masks):
            return known
        scan = Reading(self._viewer, images, layers_to_scan(images), masks)
        for other in [each for each in self._scans if set(each.images) & set(images)]:
            self._forget(other)
        scan.spots.edited.connect(partial(self._on_edited, scan))
        for labels in masks:
            for event in (labels.events.paint, labels.events.labels_update, labels.events.set_data):
                scan.follow(event, partial(self._on_masks, scan))
        for image in images:
            for event in (image.events.data, image.events.metadata, image.events.scale, image.events.units):
                scan.follow(event, self._on_look)
        self._scans.append(scan)
        return scan

    def _look_soon(self) -> None:
        """Look for what was decided on the chosen scan before, if it has masks and was not measured yet."""
        if self.images and self.current is None and not self.is_running:
            self._run(any_drafts, partial(self._look_up, self.images), ignore)

    def _look_up(self, images: tuple[Image, ...], has_drafts: bool) -> None:
        if self._is_closed or images != self.images or self.current is not None or self.is_running:
            return
        case = self.case
        if not self.has_masks or not (has_drafts or case):
            return
        try:
            drafts = HotSpotDrafts(layers_to_scan(images).counts)
        except BonescintError:  # measuring says why
            return
        self._run(partial(saved_before, drafts, case), partial(self._on_looked_up, images, look_of(images)), ignore)

    def _on_looked_up(self, images: tuple[Image, ...], look: tuple[Any, ...], saved: SavedBefore) -> None:
        masks = region_masks(self._viewer.layers, images) if images == self.images else None
        is_new = saved.draft is not None or saved.revision is not None
        if self._is_closed or masks is None or not is_new or self.current is not None or self.is_running:
            return
        if look == look_of(images):
            scan = self._scan_of(images, masks)
            scan.was_looked_up = True
            scan.note_saved()
            self._on_saved_before(scan, saved)

    def _on_segmented(self) -> None:
        # A prior scan is measured beside: brush and eraser stay with the scan that is being read.
        if self._target != self.images and self._active in self._viewer.layers:
            self._viewer.layers.selection.active = self._active
        self.measure(self._target)

    def _on_found(self, labels: NDArray[Any], classes: Any) -> None:
        scan = self._measuring
        if scan is None or not scan.is_of(scan.images):
            self._measuring = None
            self.changed.emit()
            return
        scan.take_found(labels, classes)
        scan.without_model = self._finder.without_model
        self._measure_soon(scan, 0)

    def _on_failed(self, sentence: str) -> None:
        self._measuring = None
        self.message.emit(sentence, True)
        self.changed.emit()

    def _on_edited(self, scan: Reading, edit: Edited) -> None:
        scan.take_edit(edit)
        self._after_edit(scan)

    def _after_edit(self, scan: Reading) -> None:
        self.changed.emit()
        self._measure_soon(scan, _EDIT_MS)
        self._call_later(_DRAFT_MS, partial(self._keep, scan))

    def _on_masks(self, scan: Reading, _event: Any = None) -> None:
        if not scan.masks_are_watched and scan.measures is not None:
            scan.masks_are_watched = True
            self._call_later(_CHECK_MS, partial(self._check_masks, scan))

    def _check_masks(self, scan: Reading) -> None:
        scan.masks_are_watched = False
        if not self._is_closed and scan in self._scans and scan.masks_have_changed():
            self.changed.emit()
            self._measure_soon(scan, _MASKS_MS)

    def _on_look(self, _event: Any = None) -> None:
        self._call_later(0, self._look_again)

    def _look_again(self) -> None:
        """Take note of views that were mirrored, renamed or filled with another scan."""
        if self._is_closed:
            return
        for scan in [each for each in self._scans if each.look != look_of(each.images)]:
            self._forget(scan)
        self._look_soon()
        self.changed.emit()

    def _measure_soon(self, scan: Reading, delay: int) -> None:
        """Measure in the thread after a pause; a later call replaces an earlier one."""
        scan.turn += 1
        self._call_later(delay, partial(self._begin, scan, scan.turn))

    def _begin(self, scan: Reading, turn: int) -> None:
        if self._is_closed or turn != scan.turn or scan not in self._scans:
            return
        scan.take_masks()
        self._run(scan.snapshot().measure, partial(self._on_measured, scan, turn), self._on_failed)

    def _on_measured(self, scan: Reading, turn: int, measures: Measures) -> None:
        if self._is_closed or turn != scan.turn or scan not in self._scans:
            return
        scan.take_measures(measures)
        was_asked = scan is self._measuring
        if was_asked:
            self._measuring = None
            self.message.emit("", False)
        self._shown.update()
        if not scan.was_looked_up:
            scan.was_looked_up = True
            self._run(partial(saved_before, scan.drafts, scan.case), partial(self._on_saved_before, scan), ignore)
        if was_asked:
            self.measured.emit(scan)
        self.changed.emit()

    def _readings(self) -> tuple[list[Reading], Reading | None]:
        """The scans whose hot spots are to be shown, and the one that is read."""
        return ([], None) if self._is_closed else (self._scans, self.current)

    def _on_saved_before(self, scan: Reading, saved: SavedBefore) -> None:
        """Show what was decided on this scan before: unsaved work on this computer, else the store's last revision."""
        if self._is_closed or scan not in self._scans:
            return
        if saved.revision is not None and saved.labels is not None and scan.fits(saved.labels):
            scan.restore(saved.labels, saved.revision.spots, saved.revision.changed)
            scan.note_saved()
            scan.origin = Origin.of_revision(saved.revision.number)
            when = saved.revision.when[:16].replace("T", " ")
            self.message.emit(f"Hot spots of {saved.revision.annotator}, {when} UTC, from the label store.", False)
        if saved.draft is not None and scan.fits(saved.draft.labels):
            is_step = scan.restore(saved.draft.labels, saved.draft.spots, saved.draft.changed)
            undo = "; Undo removes them" if is_step else ""
            self.message.emit(f"Your unsaved decisions on this scan were restored{undo}.", False)
        if saved.revision is not None or saved.draft is not None:
            self.changed.emit()
            self._measure_soon(scan, 0)

    def _keep(self, scan: Reading) -> None:
        if scan in self._scans and (draft := scan.draft_to_write()) is not None:
            self._run(draft, ignore, self._show_error)

    def _forget(self, scan: Reading) -> None:
        """Drop a scan whose layers are gone or show another one; unsaved decisions are kept as a draft."""
        self._keep(scan)
        self._scans.remove(scan)
        if self._measuring is scan:
            self.cancel()
        scan.stop()

    def _on_removed(self, event: Any) -> None:
        layer: Layer = event.value
        for scan in list(self._scans):
            if layer in (*scan.images, *scan.masks, *scan.spots.layers) and layer is not scan.spots.leaving:
                self._forget(scan)
        if layer in self.images:
            self.cancel()
            self.images = ()
        self.changed.emit()

    def _show_error(self, sentence: str) -> None:
        self.message.emit(sentence, True)
