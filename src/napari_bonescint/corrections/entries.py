"""The masks of one case that can be looked at, compared and taken over: what the model said, and every revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.comparison import MaskComparison, compare, picture
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.display import overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.corrections.store.revision import Revision


@dataclass(frozen=True)
class Entry:
    """One mask of a case.

    Attributes
    ----------
    revision : Revision or None
        The revision; None for the model's mask.
    prediction : Prediction or None
        What the model said; None for a revision.
    """

    revision: Revision | None = None
    prediction: Prediction | None = None

    @property
    def title(self) -> str:
        """``revision 3``, or the model's name."""
        if self.revision is not None:
            return f"revision {self.revision.number}"
        return f"model {self.prediction.model}" if self.prediction is not None else ""

    @property
    def origin(self) -> Origin:
        """What a mask is made from that begins with this one."""
        if self.revision is not None:
            return Origin.of_revision(self.revision.number)
        if self.prediction is not None:
            return Origin.of_model(self.prediction.model, self.prediction.model_sha256)
        return Origin.empty()

    @property
    def names_regions(self) -> bool:
        """Whether the mask holds region codes, or 1 for bone."""
        facts = self.revision or self.prediction
        return facts is None or facts.names_regions

    def read(self, store: LabelStore, case: str) -> NDArray[np.uint8]:
        """The mask, of shape (view, y, x).

        Raises
        ------
        StoreError
            If it is damaged or cannot be reached.
        """
        if self.prediction is not None:
            return self.prediction.regions
        if self.revision is None:
            raise ValueError("an entry is a revision or a prediction")
        return store.regions(case, self.revision.number)


@dataclass(frozen=True)
class Difference:
    """Two masks of a case, one beside the other.

    Attributes
    ----------
    comparison : MaskComparison
        In numbers.
    picture : ndarray of uint8, shape (y, x, 3)
        As `comparison.picture` draws it; of a mask beside itself, its regions in their colours.
    """

    comparison: MaskComparison
    picture: NDArray[np.uint8]


def entries_of(revisions: Sequence[Revision], prediction: Prediction | None) -> list[Entry]:
    """The model's mask, if there is one, and the revisions in order."""
    model = [Entry(prediction=prediction)] if prediction is not None else []
    return model + [Entry(revision=revision) for revision in revisions]


def pair_to_compare(entries: Sequence[Entry]) -> list[Entry]:
    """The two entries that one would first want to compare: the last ones of two annotators, else the last two."""
    last = entries[-1:]
    for entry in reversed(entries[:-1]):
        if entry.revision is None or last[0].revision is None:
            continue
        if entry.revision.annotator != last[0].revision.annotator:
            return [entry, *last]
    return list(entries[-2:])


def difference(store: LabelStore, case: str, first: Entry, second: Entry) -> Difference:
    """Compare two masks of a case, as bone alone where one of them does not name regions.

    Raises
    ------
    StoreError
        If a mask or the scan is damaged or cannot be reached.
    """
    masks = [entry.read(store, case) for entry in (first, second)]
    if not (first.names_regions and second.names_regions):
        masks = [(mask > 0).astype(np.uint8) for mask in masks]
    counts = store.scan(case).counts
    if first is not second:
        return Difference(compare(*masks), picture(masks[0], masks[1], counts))
    shown = [
        overlay(view, mask, names_regions=first.names_regions) for view, mask in zip(counts, masks[0], strict=True)
    ]
    return Difference(compare(*masks), np.concatenate(shown, axis=1))


def agreement(first: Entry, second: Entry, comparison: MaskComparison) -> str:
    """One sentence on how alike two masks are; between two annotators it is their agreement."""
    who = [entry.revision.annotator if entry.revision is not None else entry.title for entry in (first, second)]
    between = f"{first.title} and {second.title}"
    if first.revision is not None and second.revision is not None and who[0] != who[1]:
        between = f"{who[0]} ({first.title}) and {who[1]} ({second.title}) agree"
    return f"{between}: Dice {comparison.dice:.3f}, {comparison.changed} pixels differ."
