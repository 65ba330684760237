"""One scan that is being read: its layers, its hot spots, the reader's decisions, and the measures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.corrections.hot_spot_drafts import HotSpotDrafts
from napari_bonescint.corrections.store.records.found_hot_spots import changed_pixels, found_hot_spots
from napari_bonescint.corrections.store.records.hot_spot_revision import SpotDecision
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.correct.opening.places import CaseInLayers, case_in
from napari_bonescint.gui.export.open_scans import OpenScan
from napari_bonescint.gui.layers.labels import masks_of
from napari_bonescint.gui.layers.scans import facts_of
from napari_bonescint.gui.measure.region_masks import models_of
from napari_bonescint.gui.measure.snapshot import Snapshot
from napari_bonescint.gui.measure.spot_layers import SpotLayers
from napari_bonescint.gui.measure.spot_outlines import SpotOutlines
from napari_bonescint.measurement.bone_scan_index import bone_scan_index
from napari_bonescint.measurement.measures import BoneScanIndex, HotSpot, HotSpotVerdict, Measured, Measures
from napari_bonescint.measurement.reader_edits import carry_over, numbers_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from napari.components import ViewerModel
    from napari.layers import Image, Labels
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.records.found_hot_spots import FoundPixels
    from napari_bonescint.gui.measure.snapshot import Decided
    from napari_bonescint.gui.measure.spot_layers import Edited
    from napari_bonescint.measurement.measures import UptakeClasses
    from napari_bonescint.scan import Scan, ViewName

_State = tuple["NDArray[np.uint16]", frozenset[SpotDecision]]
_BEING_MEASURED = "being measured"


class _Itself:
    """Equals another one of the same object only. It keeps the object, whose `id` another one could have later."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, of: object) -> None:
        self._of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self._of is other._of


def look_of(images: Sequence[Image]) -> tuple[Any, ...]:
    """What measures depend on in image layers; it differs after a view was mirrored, renamed or filled anew."""
    known = ((image, facts_of(image)) for image in images)
    return tuple(
        (_Itself(facts.scan), _Itself(image.data), facts.view, *map(float, image.scale), *map(str, image.units))
        for image, facts in known
    )


class Reading:
    """A scan whose hot spots are in layers.

    Parameters
    ----------
    viewer : ViewerModel
    images : sequence of Image
        The views.
    scan : Scan
        As the images show it.
    masks : sequence of Labels
        The labels layer with the regions of each view.

    Attributes
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        The masks that the measures are of.
    classes : UptakeClasses or None
        What a model or a rule says of each pixel; None for hot spots that were only restored.
    decided : dict of (ViewName, int) to HotSpotVerdict
        Verdicts of the reader; also of hot spots that are gone, which Undo may bring back.
    measures : Measures or None
    turn : int
        Rises with each time that it is to be measured, so that earlier results are dropped.
    without_model : str
        Why thresholds found the hot spots, in a sentence; empty if a model did.
    was_looked_up : bool
        Whether what was decided on this scan before was looked up.
    masks_are_watched : bool
        Whether the masks are being changed, and will be looked at soon.
    was_only_restored : bool
        Whether hot spots were restored that are not measured yet.
    origin : Origin
        What the reader began with: hot spots of a model, or a revision of them in a label store.
    """

    def __init__(self, viewer: ViewerModel, images: Sequence[Image], scan: Scan, masks: Sequence[Labels]) -> None:
        self.images, self.scan, self.masks = tuple(images), scan, tuple(masks)
        self.look = look_of(images)
        self.regions = masks_of(masks)
        self.spots, self.outlines = SpotLayers(viewer.layers, images, masks), SpotOutlines(viewer, images)
        self.classes: UptakeClasses | None = None
        self.without_model = ""
        self.decided: Decided = {}
        self.measures: Measures | None = None
        self.origin = Origin.empty()
        self.drafts = HotSpotDrafts(scan.counts)
        self.turn = 0
        self.was_looked_up = self.was_only_restored = self.masks_are_watched = False
        self._found = self.spots.pixels()
        self._found_in = self.regions
        self._ticks: list[tuple[ViewName, int, HotSpotVerdict]] = []  # with the verdict before each
        self._before_reader: float | None = None
        self._saved: _State | None = None
        self._written: _State | None = None  # as the draft
        self._outlined: Measures | None = None
        self._followed: list[tuple[Any, Callable[..., None]]] = []

    @property
    def name(self) -> str:
        """The names of the images."""
        return OpenScan(self.images, ()).title

    @property
    def case(self) -> CaseInLayers | None:
        """The case of a label store whose mask is in the layers; None if they hold no case."""
        return case_in(self.masks)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the views were opened from, if they are known."""
        return OpenScan(self.images, ()).files

    @property
    def is_measured(self) -> bool:
        """Whether the measures are of the hot spots as they are now."""
        if self.measures is None or self.was_only_restored:
            return False
        return all(spot.pixels for spot in self.measures.hot_spots)

    @property
    def measured(self) -> Measured | None:
        """The hot spots and measures, as they are now."""
        return None if self.measures is None else Measured(self.spots.pixels(), self.measures)

    def layer_of(self, view: ViewName) -> Labels:
        """The layer with the hot spots of a view."""
        return self.spots.layers[self._index(view)]

    def image_of(self, view: ViewName) -> Image:
        """The image of a view."""
        return self.images[self._index(view)]

    def is_of(self, images: Sequence[Image]) -> bool:
        """Whether this is the scan that image layers show now."""
        return self.images == tuple(images) and self.look == look_of(images)

    def masks_have_changed(self) -> bool:
        """Whether the masks differ from those that the measures are of."""
        return not np.array_equal(masks_of(self.masks), self.regions)

    @property
    def found_in_other_masks(self) -> bool:
        """Whether the hot spots were found in other masks than those that the measures are of."""
        return self.measures is not None and not np.array_equal(self._found_in, self.regions)

    def fits(self, labels: NDArray[np.uint16]) -> bool:
        """Whether saved hot spots have the shape of this scan."""
        return labels.shape == self.scan.counts.shape

    def follow(self, event: Any, callback: Callable[..., None]) -> None:
        """Connect a callback to an event until `stop`."""
        event.connect(callback)
        self._followed.append((event, callback))

    def stop(self) -> None:
        """Follow no layers any more, and take the hot spots out of the viewer."""
        for event, callback in self._followed:
            event.disconnect(callback)
        self._followed.clear()
        self.spots.remove()
        self.outlines.remove()

    def take_masks(self) -> None:
        """Measure with the masks as they are now, from the next snapshot on."""
        if self.masks_have_changed():  # what was learnt of the same masks is kept
            self.regions = masks_of(self.masks)

    def snapshot(self) -> Snapshot:
        """What a thread needs to measure."""
        models = models_of(self.masks)
        if self.classes is not None:
            models[self.classes.model] = self.classes.model_sha256
        return Snapshot(
            self.scan, self.regions, self.spots.pixels(), dict(self.decided), self.classes, self.measured, models
        )

    def take_found(self, labels: NDArray[np.uint16], classes: UptakeClasses) -> None:
        """Show hot spots that were found now; what the reader has changed in the former ones stays."""
        present, was_changed = self.spots.pixels(), self.is_changed()
        first = not self._found.any() and not present.any()
        self.decided = {key: verdict for key, verdict in self.decided.items() if verdict.by_reader}
        kept = [
            [number for (name, number), verdict in self.decided.items() if name is view.name and verdict.suspicious]
            for view in self.scan.views
        ]
        views = zip(labels, present, self._found, kept, self.spots.first_free, strict=True)
        carried = [carry_over(*each) for each in views]
        self.classes = classes
        self._found, self._found_in = np.stack([each.found for each in carried]), self.regions
        self.spots.put(np.stack([each.labels for each in carried]), as_step=not first)
        if not was_changed:
            self.origin = Origin.of_model(classes.model, classes.model_sha256)
            self.note_saved()

    def restore(
        self, labels: NDArray[np.uint16], spots: Sequence[SpotDecision], changed: Iterable[FoundPixels]
    ) -> bool:
        """Show saved hot spots with the decisions on them; True if they replace others, as one step for Undo."""
        self.decided.update({(spot.view, spot.id): HotSpotVerdict(spot.suspicious, spot.by_reader) for spot in spots})
        first = not self._found.any() and not self.spots.pixels().any()
        if first:
            self._found_in = self.regions
        self._found = found_hot_spots(labels, changed, [view.name for view in self.scan.views])
        self._ticks.clear()
        self.spots.put(labels, as_step=not first)
        self.was_only_restored = True
        shown = tuple(_new(spot, self.decided[spot.view, spot.id]) for spot in spots)
        # Their probabilities are taken from here when they are measured.
        self.measures = Measures((), shown, BoneScanIndex(0.0, 0.0, (), {}))
        return not first

    def decide(self, spot: HotSpot, *, suspicious: bool) -> None:
        """Take the reader's verdict on a hot spot."""
        self._ticks.append((spot.view, spot.id, spot.verdict))
        self.decided[spot.view, spot.id] = HotSpotVerdict(suspicious, by_reader=True)
        self._revise()

    def undo_decision(self) -> bool:
        """Take the reader's last verdict back; False if there is none."""
        there = () if self.measures is None else {(spot.view, spot.id) for spot in self.measures.hot_spots}
        while self._ticks:
            view, number, before = self._ticks.pop()
            if (view, number) not in there:  # erased meanwhile
                continue
            self.decided[view, number] = before
            self._revise()
            if not before.by_reader:  # the model decides again
                del self.decided[view, number]
            return True
        return False

    def take_edit(self, edit: Edited) -> None:
        """Follow what the reader painted, erased or undid, until it is measured."""
        view = self.scan.views[edit.view].name
        for number in edit.drawn:
            self.decided[view, number] = HotSpotVerdict(suspicious=True, by_reader=True)
        for piece, parent in edit.parents.items():
            known = self.verdict(view, parent)
            if known is not None:
                self.decided[view, piece] = known
        self._revise()

    def verdict(self, view: ViewName, number: int) -> HotSpotVerdict | None:
        """The verdict on a hot spot; None if it was not measured yet."""
        spots = () if self.measures is None else self.measures.hot_spots
        known = next((spot.verdict for spot in spots if (spot.view, spot.id) == (view, number)), None)
        return self.decided.get((view, number), known)

    def decisions(self) -> tuple[SpotDecision, ...]:
        """The decisions on all present hot spots, in the order of views and numbers."""
        spots = () if self.measures is None else self.measures.hot_spots
        probabilities = {(spot.view, spot.id): spot.probability for spot in spots}
        found = []
        for view, plane in zip(self.scan.views, self.spots.pixels(), strict=True):
            for number in numbers_in(plane):
                verdict = self.verdict(view.name, number) or HotSpotVerdict(suspicious=False)
                probability = probabilities.get((view.name, number))
                found.append(SpotDecision(view.name, number, verdict.suspicious, verdict.by_reader, probability))
        return tuple(found)

    def changed_pixels(self) -> tuple[FoundPixels, ...]:
        """Where the reader has changed the hot spots that were found."""
        return changed_pixels(self._found, self.spots.pixels(), [view.name for view in self.scan.views])

    def note_saved(self, labels: NDArray[np.uint16] | None = None, spots: Iterable[SpotDecision] = ()) -> None:
        """Take hot spots and the decisions on them as saved, by default the present ones."""
        self._saved = self._state() if labels is None else (labels, _of_the_reader(spots))

    def is_changed(self) -> bool:
        """Whether the reader has changed anything since the hot spots were found or saved."""
        return self._saved is not None and not _equal(self._state(), self._saved)

    def change_by_reader(self) -> float | None:
        """Difference of the index from that of the hot spots as they were found or saved.

        None before it is known, and while the reader has changed nothing.
        """
        if self.measures is None or self.was_only_restored or self._before_reader is None or not self.is_changed():
            return None
        return self.measures.index.total - self._before_reader

    def draft_to_write(self) -> Callable[[], None] | None:
        """A function for the thread that brings the draft up to date; None if there is nothing to do."""
        if not self.is_changed():
            was_written, self._written = self._written is not None, None
            return self.drafts.discard if was_written else None
        state = self._state()
        if self._written is not None and _equal(state, self._written):
            return None
        self._written = state
        return partial(self.drafts.save, state[0], self.decisions(), self.changed_pixels())

    def take_measures(self, measures: Measures) -> None:
        """Show measures of the present hot spots."""
        self.measures, self.was_only_restored = measures, False
        if not self.is_changed():
            self._before_reader = measures.index.total
        self._colour()

    def outline(self) -> None:
        """Outline the hot spots as they were measured last."""
        if self.measures is None or self.measures is self._outlined:
            return
        self._outlined = self.measures
        numbers = [
            [spot.id for spot in self.measures.hot_spots if spot.suspicious and spot.view is view.name]
            for view in self.scan.views
        ]
        self.outlines.show(self.spots.pixels(), numbers)

    def clear_outlines(self) -> None:
        """Show no outlines."""
        self._outlined = None
        self.outlines.clear()

    def _state(self) -> _State:
        return self.spots.pixels(), _of_the_reader(self.decisions())

    def _index(self, view: ViewName) -> int:
        return [each.name for each in self.scan.views].index(view)

    def _revise(self) -> None:
        """Give the index of the present hot spots at once; all else follows when they are measured."""
        if self.measures is None:
            return
        known = {(spot.view, spot.id): spot for spot in self.measures.hot_spots}
        spots = []
        for each in self.decisions():
            verdict = HotSpotVerdict(each.suspicious, each.by_reader)
            before = known.get((each.view, each.id))
            spots.append(_new(each, verdict) if before is None else replace(before, verdict=verdict))
        index = bone_scan_index(self.regions, self.spots.pixels(), spots, self.scan.views)
        self.measures = replace(self.measures, hot_spots=tuple(spots), index=index)
        self._colour()

    def _colour(self) -> None:
        spots = () if self.measures is None else self.measures.hot_spots
        names = [view.name for view in self.scan.views]
        self.spots.colour(
            [{spot.id: spot.suspicious for spot in spots if spot.view is name} for name in names],
            [{spot.id: _title(spot) for spot in spots if spot.view is name} for name in names],
        )


def _of_the_reader(spots: Iterable[SpotDecision]) -> frozenset[SpotDecision]:
    return frozenset(replace(spot, probability=None) for spot in spots if spot.by_reader)


def _equal(one: _State, other: _State) -> bool:
    return one[1] == other[1] and np.array_equal(one[0], other[0])


def _new(decision: SpotDecision, verdict: HotSpotVerdict) -> HotSpot:
    """A hot spot whose place and ratios are not measured yet."""
    nan = float("nan")
    place, ratios = (nan, nan), (nan, nan, nan)
    return HotSpot(
        decision.id, decision.view, "", "", *place, 0, None, *ratios, decision.probability, verdict, _BEING_MEASURED
    )


def _title(spot: HotSpot) -> str:
    """A hot spot in the status bar: ``7: left ribs, suspicious``."""
    place = " ".join(filter(None, (spot.side, spot.region.replace("_", " "))))
    return f"{spot.id}: {place or 'beside all bones'}, {'suspicious' if spot.suspicious else 'not suspicious'}"
