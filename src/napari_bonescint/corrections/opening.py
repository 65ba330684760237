"""Read all data of one case for its correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import StoreError, reachable
from napari_bonescint.corrections.store.drafts import Draft, Drafts
from napari_bonescint.corrections.store.records.revision import Origin, Revision
from napari_bonescint.corrections.work_list.case_titles import short_key
from napari_bonescint.corrections.work_list.other_annotators import others_work
from napari_bonescint.display import contrast_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.display import Window
    from napari_bonescint.scan import Scan


Stamp = tuple[tuple[str, int], ...]
"""Names of the revisions and drafts of a case, with the times of the drafts."""


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
    others : str
        Sentences about the work of other annotators since the annotator's last revision; empty if there is none.
    stamp : Stamp
        The state of the case's revisions and drafts when it was read.
    title : str
        Name of the case in a window; it does not show who the patient is.
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
    others: str = ""
    stamp: Stamp = ()
    title: str = ""

    def is_current(self, store: LabelStore) -> bool:
        """Whether nobody has saved a revision or a draft since the case was read."""
        try:
            return self.stamp == stamp(store, self.key)
        except StoreError:
            return False


def stamp(store: LabelStore, key: str) -> Stamp:
    """The stamp of a case; it changes when anybody saves a revision, or a draft.

    Raises
    ------
    StoreError
        If the store cannot be reached.
    """
    revisions = store.files(key).revisions
    with reachable(revisions):
        saved = [(path.name, 0) for path in revisions.iterdir()]
    return tuple(sorted([*saved, *Drafts(store).times(key)]))


def open_case(store: LabelStore, key: str, annotator: str, title: str = "") -> OpenedCase:
    """Read a case, with the draft of an annotator.

    Parameters
    ----------
    store : LabelStore
    key : str
        Key of the case.
    annotator : str
    title : str
        See `OpenedCase`; by default the beginning of the key.

    Raises
    ------
    StoreError
        If there is no such case, a file is damaged, or it cannot be reached.
    """
    opened = stamp(store, key)  # first, so that what is saved meanwhile changes it
    scan = store.scan(key)
    intact, damage = store.all_revisions(key)
    revisions = tuple(intact)
    prediction = store.prediction(key)
    drafts = Drafts(store)
    draft = drafts.find(key, annotator)
    regions, names_regions, origin = np.zeros(scan.counts.shape, np.uint8), True, Origin.empty()
    if revisions:
        last = revisions[-1]
        regions, names_regions = store.regions(key, last.number), last.names_regions
        origin = Origin.of_revision(last.number)
    elif prediction is not None:
        regions, names_regions = prediction.regions, prediction.names_regions
        origin = Origin.of_model(prediction.model, prediction.model_sha256)
    windows = tuple(contrast_limits(counts) for counts in scan.counts)
    others = others_work(annotator, revisions, drafts.of_others(key, annotator), draft, origin)
    damaged = tuple(damage.values())
    title = title or short_key(key)
    return OpenedCase(
        key, scan, windows, revisions, prediction, regions, names_regions, origin, draft, damaged, others, opened, title
    )
