"""Everything that is known about one case, read together, so that it can be corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.store.drafts import Draft, Drafts
from napari_bonescint.corrections.store.revision import Origin, Revision
from napari_bonescint.display import contrast_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.display import Window
    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class OpenedCase:
    """One case, as it is when somebody begins to correct it.

    Attributes
    ----------
    key : str
        Key of the case.
    scan : Scan
        Counts of shape (view, y, x).
    windows : tuple of (float, float)
        Counts that are usually shown as white and as black, for each view; see `display.contrast_limits`.
    revisions : tuple of Revision
        In order.
    prediction : Prediction or None
        What the model said that was asked last.
    regions : ndarray of uint8, shape (view, y, x)
        The mask to begin with: of the last revision, else of the model, else empty.
    names_regions : bool
        Whether `regions` are region codes, or 1 for bone.
    origin : Origin
        Where `regions` comes from.
    draft : Draft or None
        What the annotator left unsaved; the user decides what becomes of it.
    damage : tuple of str
        A sentence for each revision that is damaged, and so is not among `revisions`.
    """

    key: str
    scan: Scan
    windows: tuple[Window, ...]
    revisions: tuple[Revision, ...]
    prediction: Prediction | None
    regions: NDArray[np.uint8]
    names_regions: bool
    origin: Origin
    draft: Draft | None
    damage: tuple[str, ...] = ()


def open_case(store: LabelStore, key: str, annotator: str) -> OpenedCase:
    """Read a case.

    Parameters
    ----------
    store : LabelStore
        The store.
    key : str
        Key of the case.
    annotator : str
        Whose draft to look for.

    Raises
    ------
    StoreError
        If there is no such case, a file is damaged, or it cannot be reached.
    """
    scan = store.scan(key)
    intact, damage = store.all_revisions(key)
    revisions = tuple(intact)
    prediction = store.prediction(key)
    draft = Drafts(store).find(key, annotator)
    regions, names_regions, origin = np.zeros(scan.counts.shape, np.uint8), True, Origin.empty()
    if revisions:
        last = revisions[-1]
        regions, names_regions = store.regions(key, last.number), last.names_regions
        origin = Origin.of_revision(last.number)
    elif prediction is not None:
        regions, names_regions = prediction.regions, prediction.names_regions
        origin = Origin.of_model(prediction.model, prediction.model_sha256)
    windows = tuple(contrast_limits(counts) for counts in scan.counts)
    return OpenedCase(
        key, scan, windows, revisions, prediction, regions, names_regions, origin, draft, tuple(damage.values())
    )
