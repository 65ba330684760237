"""The masks of one case that can be shown, compared and taken over: the model's mask and all revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.comparison import MaskComparison, compare, picture
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.display import overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.corrections.store.records.revision import Revision


@dataclass(frozen=True)
class Entry:
    """One mask of a case: either a revision or the prediction of a model."""

    revision: Revision | None = None
    prediction: Prediction | None = None

    @property
    def title(self) -> str:
        """``revision 3`` or ``model fdn-13``."""
        if self.revision is not None:
            return f"revision {self.revision.number}"
        return f"model {self.prediction.model}" if self.prediction is not None else ""

    @property
    def origin(self) -> Origin:
        """The origin of a new mask that begins with this one."""
        if self.revision is not None:
            return Origin.of_revision(self.revision.number)
        if self.prediction is not None:
            return Origin.of_model(self.prediction.model, self.prediction.model_sha256)
        return Origin.empty()

    @property
    def names_regions(self) -> bool:
        """True if the mask has region codes, False if 1 means bone."""
        facts = self.revision or self.prediction
        return facts is None or facts.names_regions

    @property
    def reviewer(self) -> str:
        """The annotator who saved the mask as reviewed; empty if nobody did."""
        return self.revision.annotator if self.revision is not None and self.revision.reviewed else ""

    def read(self, store: LabelStore, case: str) -> NDArray[np.uint8]:
        """The mask, of shape (view, y, x); raises `StoreError` if it is damaged or cannot be reached."""
        if self.prediction is not None:
            return self.prediction.regions
        if self.revision is None:
            raise ValueError("an entry is a revision or a prediction")
        return store.regions(case, self.revision.number)


@dataclass(frozen=True)
class Difference:
    """Differences of two masks of a case, with a picture (uint8, shape (y, x, 3)).

    The picture is made by `comparison.picture`; for a mask compared with itself, it shows the regions in their colours.
    """

    comparison: MaskComparison
    picture: NDArray[np.uint8]


def entries_of(revisions: Sequence[Revision], prediction: Prediction | None) -> list[Entry]:
    """The model's mask, if there is one, then the revisions in order."""
    model = [Entry(prediction=prediction)] if prediction is not None else []
    return model + [Entry(revision=revision) for revision in revisions]


def pair_to_compare(entries: Sequence[Entry]) -> list[Entry]:
    """The two entries to compare first: the last ones of two annotators, else the last two."""
    last = entries[-1:]
    for entry in reversed(entries[:-1]):
        if entry.revision is None or last[0].revision is None:
            continue
        if entry.revision.annotator != last[0].revision.annotator:
            return [entry, *last]
    return list(entries[-2:])


def difference(store: LabelStore, case: str, first: Entry, second: Entry) -> Difference:
    """Compare two masks of a case, as plain bone if one of them does not name regions.

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
    """A sentence with the Dice of two masks; for masks of two annotators it names them."""
    who = [entry.revision.annotator if entry.revision is not None else entry.title for entry in (first, second)]
    between = f"{first.title} and {second.title}"
    if first.revision is not None and second.revision is not None and who[0] != who[1]:
        between = f"{who[0]} ({first.title}) and {who[1]} ({second.title}) agree"
    return f"{between}: Dice {comparison.dice:.3f}, {comparison.changed} pixels differ."
