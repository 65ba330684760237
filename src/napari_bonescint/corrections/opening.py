"""Read all data of one case for its correction."""

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
    """One case at the start of its correction.

    Attributes
    ----------
    key : str
        Key of the case.
    scan : Scan
        Counts of shape (view, y, x).
    windows : tuple of (float, float)
        Contrast limits of each view; see `display.contrast_limits`.
    revisions : tuple of Revision
        In order.
    prediction : Prediction or None
        The last prediction.
    regions : ndarray of uint8, shape (view, y, x)
        The mask to begin with: that of the last revision, else of the prediction, else empty.
    names_regions : bool
        True if `regions` are region codes, False if 1 means bone.
    origin : Origin
        Origin of `regions`.
    draft : Draft or None
        The annotator's unsaved work.
    damage : tuple of str
        A sentence for each damaged revision, which `revisions` lacks.
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
    """Read a case, with the draft of an annotator.

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
