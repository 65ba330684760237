"""What was decided on the hot spots of a scan before: unsaved work on this computer, and revisions in a label store."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.corrections.hot_spot_drafts import HotSpotDrafts, SpotDraft
    from napari_bonescint.corrections.store.records.hot_spot_revision import HotSpotRevision
    from napari_bonescint.gui.correct.opening.places import CaseInLayers


class SavedBefore(NamedTuple):
    """A draft, and the last revision of the case in its label store with its hot spots."""

    draft: SpotDraft | None = None
    revision: HotSpotRevision | None = None
    labels: NDArray[np.uint16] | None = None


def saved_before(drafts: HotSpotDrafts, case: CaseInLayers | None) -> SavedBefore:
    """Read what was decided before; raises `StoreError` if the label store cannot be read."""
    draft = drafts.find()
    last = None if case is None else next(reversed(case.store.hot_spot_revisions(case.key)), None)
    if case is None or last is None:
        return SavedBefore(draft)
    return SavedBefore(draft, last, case.store.hot_spots(case.key, last.number))
