"""Labels layers with the hot spots of a scan, one on each view; they follow brush, eraser and Undo of napari.

Each piece that the reader paints gets a number of its own, in the same step of the layer's history: one Undo removes
it. Undo and Redo bring back only pixels that have been there before, so these keep their numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal

from napari_bonescint.gui.common.garbage_collection import without_collection
from napari_bonescint.gui.layers.scans import AID, KEY
from napari_bonescint.gui.placement import follow, place_of
from napari_bonescint.measurement.reader_edits import renumber

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari.layers import Image
    from numpy.typing import NDArray

SUSPICIOUS, OTHER = "#ff2d2d", "#3d8bff"
"""Colours of suspicious hot spots, and of other uptake."""

_OPACITY = 0.65


@dataclass
class _View:
    """The layer of one view, with the hot spots that were last taken note of."""

    labels: Labels
    known: NDArray[np.uint16]
    first_free: int = 1
    seen: set[bytes] = field(default_factory=set)


class SpotLayers:
    """The hot spots of a scan in labels layers.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    images : sequence of Image
        The views, in the order of the scan.
    masks : sequence of Labels
        The masks of the scan. In the list of layers, hot spots stand above these and the images, so that each scan's
        layers stand together.

    Attributes
    ----------
    leaving : Labels or None
        The layer that `take_out_next` is just removing.
    """

    edited = Signal(object)
    """Emitted with `Edited` after the reader has painted, erased, undone or redone."""

    def __init__(self, layers: Any, images: Sequence[Image], masks: Sequence[Labels] = ()) -> None:
        self._layers, self._below = layers, (*images, *masks)
        self._views: list[_View] = []
        self.leaving: Labels | None = None
        self._is_putting = False
        for index, image in enumerate(images):
            labels = Labels(
                # With 16 bits, napari computes a table of 65,536 colours at each change of a colour.
                np.zeros(image.data.shape, np.int32),
                name=f"{image.name} hot spots",
                opacity=_OPACITY,
                # Marked as no mask: it is neither corrected, nor exported, nor learnt from.
                metadata={KEY: AID},
                colormap=_colours({}),
                **place_of(image),
            )
            follow(labels, image)
            self._views.append(_View(labels, labels.data.astype(np.uint16)))
            # `paint` ends a stroke. Undo emits only `set_data`, and a script's change `labels_update`.
            labels.events.paint.connect(partial(self._on_change, index, True))
            for event in (labels.events.labels_update, labels.events.set_data):
                event.connect(partial(self._on_change, index, False))

    @property
    def layers(self) -> tuple[Labels, ...]:
        """The layers, in the order of the views."""
        return tuple(view.labels for view in self._views)

    @property
    def are_shown(self) -> bool:
        """Whether all of them are in the viewer."""
        return all(layer in self._layers for layer in self.layers)

    @property
    def first_free(self) -> tuple[int, ...]:
        """For each view, a number above all that were ever used."""
        return tuple(view.first_free for view in self._views)

    def pixels(self) -> NDArray[np.uint16]:
        """A copy of the hot spots, of shape (view, y, x)."""
        return np.stack([view.known for view in self._views])

    def show_next(self) -> bool:
        """Add one layer that is missing, above the others of the scan; False if none was. The selection stays.

        One at a time, because napari takes 0.1 s for each, and the window must be drawn in between.
        """
        missing = next((layer for layer in self.layers if layer not in self._layers), None)
        if missing is None:
            return False
        selection = self._layers.selection
        before, active = set(selection), selection.active
        with without_collection():
            of_scan = [self._layers.index(layer) for layer in (*self._below, *self.layers) if layer in self._layers]
            self._layers.insert(1 + max(of_scan, default=len(self._layers) - 1), missing)
        selection.intersection_update(before)
        selection.update(before)
        selection.active = active
        return True

    def take_out_next(self) -> bool:
        """Remove one layer from the list, as `show_next` adds it; False if none is there. The hot spots stay."""
        self.leaving = next((layer for layer in self.layers if layer in self._layers), None)
        if self.leaving is None:
            return False
        self._layers.remove(self.leaving)
        self.leaving = None
        return True

    def put(self, pixels: NDArray[np.uint16], *, as_step: bool = True) -> None:
        """Put hot spots of shape (view, y, x) into the layers, as one step that can be undone or without history."""
        self._is_putting = True
        try:
            for view, plane in zip(self._views, pixels, strict=True):
                where = np.nonzero(view.labels.data != plane)
                if len(where[0]):
                    view.labels.data_setitem(where, plane[where])
                    view.labels.refresh()
                if not as_step:
                    view.labels._reset_history()
                self._note(view, plane.copy())
        finally:
            self._is_putting = False

    def colour(self, suspicious: Sequence[Mapping[int, bool]], names: Sequence[Mapping[int, str]]) -> None:
        """Colour the hot spots: for each view, whether each number is suspicious, and its name for the status bar."""
        for view, verdicts, titles in zip(self._views, suspicious, names, strict=True):
            if any(_is_red(view.labels, number) is not is_so for number, is_so in verdicts.items()):
                view.labels.colormap = _colours(verdicts)
            features = {"index": [0, *titles], "hot spot": ["none", *titles.values()]}
            if list(view.labels.features.get("hot spot", ())) != features["hot spot"]:
                view.labels.features = features

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        for layer in self.layers:
            if layer in self._layers:
                self._layers.remove(layer)

    def _on_change(self, index: int, is_whole: bool, _event: Any = None) -> None:
        view = self._views[index]
        labels = view.labels
        in_stroke = labels._block_history and not is_whole
        if self._is_putting or in_stroke or labels.data.shape != view.known.shape:
            return
        edited = np.asarray(labels.data, np.uint16)
        if np.array_equal(edited, view.known):
            return
        drawn: Iterable[int] = ()
        parents: Mapping[int, int] = {}
        if _digest(edited) not in view.seen:
            numbered = renumber(edited, view.known, view.first_free)
            drawn, parents = numbered.drawn, numbered.parents
            self._correct(labels, numbered.labels)
            edited = numbered.labels
        self._note(view, edited.copy())
        self.edited.emit(Edited(index, frozenset(drawn), dict(parents)))

    def _correct(self, labels: Labels, wanted: NDArray[np.uint16]) -> None:
        """Change numbers as a part of the last step of the history."""
        where = np.nonzero(labels.data != wanted)
        if not len(where[0]):
            return
        self._is_putting = True
        try:
            labels.data_setitem(where, wanted[where])
            # napari adds to the step of a stroke that is just ending; any other change is a step of its own.
            if not labels._block_history and len(labels._undo_history) > 1:
                last = labels._undo_history.pop()
                labels._undo_history[-1].extend(last)
        finally:
            self._is_putting = False

    def _note(self, view: _View, pixels: NDArray[np.uint16]) -> None:
        view.known = pixels
        view.seen.add(_digest(pixels))
        view.first_free = max(view.first_free, int(pixels.max(initial=0)) + 1)
        # The brush begins a new hot spot.
        view.labels.selected_label = view.first_free


@dataclass(frozen=True)
class Edited:
    """An edit of the reader.

    Attributes
    ----------
    view : int
        Index of the view.
    drawn : frozenset of int
        Numbers of the hot spots that were painted.
    parents : dict of int to int
        For a piece that was cut off a hot spot, the number of that hot spot.
    """

    view: int
    drawn: frozenset[int]
    parents: dict[int, int]


def _colours(suspicious: Mapping[int, bool]) -> DirectLabelColormap:
    """Red for suspicious hot spots, and for those that the reader is painting; blue for others."""
    of_number: dict[int | None, Any] = {number: SUSPICIOUS if is_so else OTHER for number, is_so in suspicious.items()}
    return DirectLabelColormap(color_dict={**of_number, 0: "transparent", None: SUSPICIOUS})


def _is_red(labels: Labels, number: int) -> bool:
    colours: Any = labels.colormap.color_dict
    red, _, blue, _ = colours.get(number, colours[None])
    return bool(red > blue)


def _digest(pixels: NDArray[np.uint16]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
