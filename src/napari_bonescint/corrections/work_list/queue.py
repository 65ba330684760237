"""The work list: cases to correct, first those whose correction teaches the model most (active learning).

Order of states: predicted, new (no model has segmented the case), corrected (waits for a review), reviewed. Within a
state, cases are ordered by the mean of two numbers from 0 to 1: one minus the predicted Dice, which is the expected
share of wrong mask, and the uncertainty, which is the mean binary entropy in bits (uncertainty sampling, Lewis and Gale
1994). Equal cases keep their order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.prediction import Prediction
    from napari_bonescint.corrections.store.records.revision import Revision
    from napari_bonescint.corrections.work_list.record import Row
    from napari_bonescint.formats.opening import ScanSource

_ORDER = (CaseState.PREDICTED, CaseState.NEW, CaseState.CORRECTED, CaseState.REVIEWED)


@dataclass(frozen=True)
class WorkItem:
    """A line of the work list: a case of a label store, or a scan of a folder that may not be in the store yet.

    Attributes
    ----------
    case : CaseSummary or None
        None if the scan is not in the store.
    source : ScanSource or None
        The files of a scan of a folder; None for a case of a store.
    known_as : str
        The name of a case of a store by which the annotator knows it; empty if there is none.
    """

    case: CaseSummary | None = None
    source: ScanSource | None = None
    known_as: str = ""

    @property
    def name(self) -> str:
        """Name in the list: the path below the opened folder, the annotator's name for it, or the key of the case."""
        if self.source is not None:
            return self.source.result.as_posix()
        return self.known_as or self.key

    @property
    def key(self) -> str:
        """The key of the case; empty for a scan that is not in the store."""
        return self.case.key if self.case is not None else ""

    @property
    def needs_work(self) -> bool:
        """Whether the case has no reviewed mask as its last one."""
        return self.state is not CaseState.REVIEWED

    @property
    def state(self) -> CaseState:
        """The state of the case; new for a scan that is not in the store."""
        return self.case.state if self.case is not None else CaseState.NEW

    @property
    def identity(self) -> Hashable:
        """An identifier that stays the same when the state changes."""
        if self.source is not None:
            return self.source.paths
        return self.case.key if self.case is not None else None


def teaching_value(item: WorkItem) -> float:
    """Expected benefit of a correction for the model, 0 to 1; 0 without a prediction."""
    case = item.case
    if case is None or case.predicted_dice is None or case.uncertainty is None:
        return 0.0
    return ((1 - case.predicted_dice) + case.uncertainty) / 2


def in_order(items: Iterable[WorkItem]) -> list[WorkItem]:
    """The items in the order of correction; the rule is in the module's docstring."""
    return sorted(items, key=lambda item: (_ORDER.index(item.state), -teaching_value(item)))


def row_of(item: WorkItem, scans: Path | None) -> Row:
    """How a record of the list names an item; `scans` is the folder of the list."""
    if item.source is None or scans is None:
        return "", item.key
    return Path(os.path.relpath(item.source.paths[0], scans)).as_posix(), item.key


def as_before(items: Sequence[WorkItem], rows: Sequence[Row], scans: Path | None) -> list[WorkItem]:
    """The items in the order of a recorded list; those that it lacks come last, in the given order."""
    places: dict[tuple[int, str], int] = {}
    for place, row in enumerate(rows):
        places.update({(part, name): place for part, name in enumerate(row) if name})

    def place_of(item: WorkItem) -> int:
        known = (places.get(part) for part in enumerate(row_of(item, scans)))
        return next((place for place in known if place is not None), len(rows))

    return sorted(items, key=place_of)


def count_reviewed(items: Sequence[WorkItem]) -> int:
    """The number of reviewed items."""
    return sum(item.state is CaseState.REVIEWED for item in items)


def queue_of_store(store: LabelStore, names: Mapping[str, str] | None = None) -> list[WorkItem]:
    """All cases of a store, in order; raises `StoreError` if it cannot be reached.

    `names` are those by which the annotator knows cases, by key.
    """
    known = names or {}
    return in_order(WorkItem(case=case, known_as=known.get(case.key, "")) for case in store.cases())


class FolderQueue(NamedTuple):
    """The scans of a folder, in order, and the other files in it."""

    items: list[WorkItem]
    left_out: LeftOut


def queue_of_folder(folder: Path, store: LabelStore) -> FolderQueue:
    """All scans of a folder and the folders inside it, in order, each with its case if the store has it.

    Raises
    ------
    Refusal
        If there is no scan; its sentence says what was left out.
    StoreError
        If the store cannot be reached, or its secret is missing.
    """
    found = collect([folder])
    broken = [str(failure) for failure in found.failures if failure.path != folder]
    known = {case.key: case for case in store.cases()}
    items = []
    for source in found.sources:
        try:
            key = store.find_file(source.source_sha256()) if known else None
        except Refusal as refusal:
            broken.append(str(refusal))
        else:
            items.append(WorkItem(known.get(key) if key is not None else None, source))
    left_out = LeftOut(found.skipped, tuple(broken))
    if items:
        return FolderQueue(in_order(items), left_out)
    if left_out.number:
        raise Refusal(folder, f"The folder holds no planar bone scan that can be read; {left_out}")
    raise found.failures[0]


def after_prediction(case: CaseSummary, prediction: Prediction) -> CaseSummary:
    """The summary of a case after a prediction."""
    return replace(
        case,
        state=CaseState.PREDICTED if case.state is CaseState.NEW else case.state,
        uncertainty=prediction.uncertainty,
        predicted_dice=prediction.predicted_dice,
    )


def after_saving(case: CaseSummary, revision: Revision) -> CaseSummary:
    """The summary of a case after a revision is saved."""
    state = CaseState.REVIEWED if revision.reviewed else CaseState.CORRECTED
    return replace(case, state=state, annotator=revision.annotator, when=revision.when)
