"""One case while it is corrected: what its layers hold, and what of that is in the store already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.gui.layers.labels import image_of, masks_of, set_regions
from napari_bonescint.gui.placement import lies_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.corrections.store.revision import Revision


class CaseSession:
    """A case and the labels layers that hold its mask.

    Parameters
    ----------
    case : OpenedCase
        The case, whose mask is in the layers.
    labels : sequence of Labels
        One for each view.

    Attributes
    ----------
    key : str
        Key of the case.
    names_regions : bool
        Whether the mask holds region codes, or 1 for bone.
    """

    def __init__(self, case: OpenedCase, labels: Sequence[Labels]) -> None:
        self.key = case.key
        self.names_regions = case.names_regions
        self.labels = tuple(labels)
        self._stored = case.regions
        self._origin = case.origin
        # What the mask was before each fresh start, so that undoing it brings back where that mask came from.
        self._before: list[tuple[NDArray[np.uint8], Origin]] = []

    @property
    def origin(self) -> Origin:
        """From what the mask in the layers was made."""
        regions = self.regions()
        while self._before and np.array_equal(self._before[-1][0], regions):
            self._origin = self._before.pop()[1]
        return self._origin

    def regions(self) -> NDArray[np.uint8]:
        """A copy of the mask as it is now, of shape (view, y, x)."""
        return masks_of(self.labels)

    def displaced(self) -> list[str]:
        """Names of labels layers that the user took off their images, so that they mark other pixels than they show."""
        by_image = [(labels, image_of(labels)) for labels in self.labels]
        return [labels.name for labels, image in by_image if image is not None and not lies_on(labels, image)]

    def is_changed(self) -> bool:
        """Whether the mask differs from what the store holds."""
        return not all(
            np.array_equal(labels.data, plane) for labels, plane in zip(self.labels, self._stored, strict=True)
        )

    def start_from(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Put another mask in place of the present one, which Undo brings back.

        Parameters
        ----------
        regions : ndarray of uint8, shape (view, y, x)
            The mask.
        origin : Origin
            Where it comes from.
        """
        before = self.regions()
        if not np.array_equal(before, regions):
            self._before.append((before, self.origin))
        self._origin = origin
        for labels, plane in zip(self.labels, regions, strict=True):
            set_regions(labels, plane)

    def note_saved(self, revision: Revision, regions: NDArray[np.uint8]) -> None:
        """Note that a mask is a revision now; later ones are made from it."""
        self._stored = regions
        self._origin = Origin.of_revision(revision.number)
        self._before.clear()

    def give_up(self) -> None:
        """Take the mask as it is for saved: the user gave it up. What is drawn from now on counts as unsaved again."""
        self._stored = self.regions()

    def is_untouched_and_empty(self) -> bool:
        """Whether there is nothing in the store and nothing in the layers, so that a model's mask may come in."""
        return not self._stored.any() and not self.is_changed()
