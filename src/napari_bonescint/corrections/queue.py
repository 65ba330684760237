"""What there is to correct, and in which order: where a correction teaches the model most comes first.

A case that waits for its first correction comes before one that no model has looked at, of which nothing is known;
then come those that were corrected and wait for a review, and last those that are reviewed. Within each, the rule is
the mean of two numbers from 0 to 1: the share of its mask that the model itself expects to be wrong (one minus the
predicted Dice), and its uncertainty (the mean binary entropy in bits; uncertainty sampling, Lewis and Gale 1994).
The first asks for scans with much to correct, the second for those at which the model guesses. Equals stay as given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.formats.opening import collect

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from pathlib import Path

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.prediction import Prediction
    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.formats.opening import ScanSource

_ORDER = (CaseState.PREDICTED, CaseState.NEW, CaseState.CORRECTED, CaseState.REVIEWED)


@dataclass(frozen=True)
class WorkItem:
    """One line of the work list: a case of a label store, or a scan of a folder that may not be in a store yet.

    Attributes
    ----------
    case : CaseSummary or None
        What the store knows; None as long as the scan is in no store.
    source : ScanSource or None
        The file or files of a scan from a folder; None for a case of a store.
    """

    case: CaseSummary | None = None
    source: ScanSource | None = None

    @property
    def name(self) -> str:
        """What the list calls it: the file below the folder that the user opened, or the key of the case."""
        if self.source is not None:
            return self.source.result.as_posix()
        return self.case.key if self.case is not None else ""

    @property
    def state(self) -> CaseState:
        """What has been done to it."""
        return self.case.state if self.case is not None else CaseState.NEW

    @property
    def identity(self) -> Hashable:
        """What stays the same whatever is done to the scan."""
        if self.source is not None:
            return self.source.paths
        return self.case.key if self.case is not None else None


def teaching_value(item: WorkItem) -> float:
    """How much a correction is expected to teach, 0 to 1; 0 where there is no prediction."""
    case = item.case
    if case is None or case.predicted_dice is None or case.uncertainty is None:
        return 0.0
    return ((1 - case.predicted_dice) + case.uncertainty) / 2


def in_order(items: Iterable[WorkItem]) -> list[WorkItem]:
    """The items in the order in which to correct them; see the module's text for the rule."""
    return sorted(items, key=lambda item: (_ORDER.index(item.state), -teaching_value(item)))


def count_reviewed(items: Sequence[WorkItem]) -> int:
    """How many of the items are reviewed."""
    return sum(item.state is CaseState.REVIEWED for item in items)


def queue_of_store(store: LabelStore) -> list[WorkItem]:
    """All cases of a store, in order.

    Raises
    ------
    StoreError
        If the store cannot be reached.
    """
    return in_order(WorkItem(case=case) for case in store.cases())


def queue_of_folder(folder: Path, store: LabelStore) -> list[WorkItem]:
    """All scans of a folder, in order; those that the store has already are what it says of them.

    Parameters
    ----------
    folder : Path
        Searched for DICOM files all the way down.
    store : LabelStore
        The store that takes the scans.

    Raises
    ------
    Refusal
        If there is no scan, or a file cannot be read.
    StoreError
        If the store cannot be reached, or its secret is missing.
    """
    found = collect([folder])
    if not found.sources:
        raise found.failures[0]
    known = {case.key: case for case in store.cases()}
    items = []
    for source in found.sources:
        key = store.find_file(source.source_sha256()) if known else None
        items.append(WorkItem(known.get(key) if key is not None else None, source))
    return in_order(items)


def after_prediction(case: CaseSummary, prediction: Prediction) -> CaseSummary:
    """What the list shows of a case once a model has looked at it."""
    return replace(
        case,
        state=CaseState.PREDICTED if case.state is CaseState.NEW else case.state,
        uncertainty=prediction.uncertainty,
        predicted_dice=prediction.predicted_dice,
    )


def after_saving(case: CaseSummary, revision: Revision) -> CaseSummary:
    """What the list shows of a case once a revision of it is saved."""
    state = CaseState.REVIEWED if revision.reviewed else CaseState.CORRECTED
    return replace(case, state=state, annotator=revision.annotator, when=revision.when)
