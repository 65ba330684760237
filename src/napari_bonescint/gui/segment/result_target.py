"""The labels layers for the result of one scan."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.gui.common.garbage_collection import without_collection
from napari_bonescint.gui.layers.labels import empty_labels, is_edited, labels_of, put_result, release
from napari_bonescint.gui.layers.results import note_result
from napari_bonescint.gui.layers.scans import layers_to_scan
from napari_bonescint.gui.placement import put_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.layers import Image, Labels
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


class Keep(Enum):
    """Answers to the question about edited labels."""

    EDITS = "Keep my edits (the model fills the rest)"
    NOTHING = "Replace everything"
    LAYER = "Put the result in a new layer"
    CANCEL = "Cancel"


class ResultTarget:
    """The labels layers for the views of one scan, from the click until the result is shown.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    images : sequence of Image
        The views, in the order of the scan.
    names_regions : bool
        True if the result has region codes, False if it is plain bone.
    ask : callable
        Takes the names of edited layers, and asks the user what to keep.

    Attributes
    ----------
    filled : int
        Number of views that have their result.
    """

    def __init__(
        self, layers: Any, images: Sequence[Image], *, names_regions: bool, ask: Callable[[Sequence[str]], Keep]
    ) -> None:
        self.images = tuple(images)
        self.filled = 0
        self._layers = layers
        self._names_regions = names_regions
        self._ask = ask
        self._keep = Keep.NOTHING
        self._seen: dict[Image, NDArray[np.uint8]] = {}
        self._taken: dict[Image, Any] = {}
        self._made: dict[Image, Labels] = {}

    def prepare(self) -> bool:
        """Ask about edited labels, if there are any; returns False if the user cancels."""
        self._keep = self._ask_about_edits(self.images)
        self._seen = {
            image: labels.data.copy() for image in self.images if (labels := self._labels_of(image)) is not None
        }
        return self._keep is not Keep.CANCEL

    def take_scan(self) -> Scan:
        """The scan to segment; a view that is mirrored or replaced later gets no result.

        Raises
        ------
        Refusal
            If the pixels cannot be counts.
        """
        self._taken = {image: image.data for image in self.images}
        return layers_to_scan(self.images)

    def make_layers(self) -> None:
        """Make missing labels layers while the model computes; `put` shows them."""
        self._made = {image: self._new_labels(image) for image in self.images if self._labels_of(image) is None}

    def put(self, segmentation: Segmentation) -> Iterator[str | None]:
        """Put a result into the labels layers, view by view; asks again about labels edited since `prepare`.

        Yields
        ------
        str or None
            After each view, because napari takes 0.1 s to add a layer, and the window must be drawn in between: the
            name of an image that was removed or changed and gets no result, else None.
        """
        keep = self._keep
        unchanged = [image for image in self.images if self._is_as_taken(image)]
        if any(self._changed_since(image) for image in unchanged):
            keep = self._ask_about_edits(unchanged)
        if keep is Keep.CANCEL:
            return
        if len(unchanged) == len(self.images):
            note_result(self.images, segmentation)
        with without_collection():
            for plane, image in enumerate(self.images):
                if not self._is_as_taken(image):
                    yield image.name
                    continue
                labels = self._labels_to_fill(image, keep)
                if labels is None:
                    labels = self._made.pop(image, None) or self._new_labels(image)
                    put_on(labels, image)
                put_result(labels, segmentation, plane, keep_edits=keep is Keep.EDITS)
                if labels not in self._layers:
                    self._layers.append(labels)
                self.filled += 1
                yield None

    def _labels_of(self, image: Image) -> Labels | None:
        return labels_of(self._layers, image, names_regions=self._names_regions)

    def _new_labels(self, image: Image) -> Labels:
        return empty_labels(image, names_regions=self._names_regions)

    def _is_as_taken(self, image: Image) -> bool:
        return image in self._layers and image.data is self._taken[image]

    def _labels_to_fill(self, image: Image, keep: Keep) -> Labels | None:
        labels = self._labels_of(image)
        if labels is not None and keep is Keep.LAYER and is_edited(labels):
            release(labels)
            return None
        return labels

    def _changed_since(self, image: Image) -> bool:
        labels = self._labels_of(image)
        if labels is None or not is_edited(labels):
            return False
        seen = self._seen.get(image)
        return seen is None or not np.array_equal(seen, labels.data)

    def _ask_about_edits(self, images: Sequence[Image]) -> Keep:
        found = [self._labels_of(image) for image in images]
        edited = [labels.name for labels in found if labels is not None and is_edited(labels)]
        return self._ask(edited) if edited else Keep.NOTHING
