"""Select the scans of patients that models have not learnt from, to compare the models on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.evaluation.lineage import Lineage
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.corrections.selection import CorrectedScan, Patient
    from napari_bonescint.inference.model_card import ModelCard


class Unseen(NamedTuple):
    """Scans of unseen patients.

    Attributes
    ----------
    scans : list of CorrectedScan
        No model and no ancestor of a model learnt from their patients.
    sentences : list of str
        Notes about scans left out, and about unrecorded training data.
    """

    scans: list[CorrectedScan]
    sentences: list[str]


def unseen_by(cards: Sequence[ModelCard], scans: Sequence[CorrectedScan]) -> Unseen:
    """Leave out all scans of patients from whom a model learnt.

    Parameters
    ----------
    cards : sequence of ModelCard
        Cards of the models to compare.
    scans : sequence of CorrectedScan
        Scans to select from.

    Raises
    ------
    ModelError
        If the lineage on a card cannot be read.
    StoreError
        If a store cannot be read.
    """
    left, sentences = list(scans), []
    for card in cards:
        lineage = Lineage.of(card)
        seen = _seen(lineage, left)
        lost = [scan for scan in left if scan.patient in seen]
        if lost:
            patients = counted(len({scan.patient for scan in lost}), "patient")
            sentences.append(
                f"Left out: {counted(len(lost), 'scan')} of {patients}, because model {card.name} or one of its "
                "ancestors learnt from scans of the same patients."
            )
        left = [scan for scan in left if scan.patient not in seen]
        if lineage.unrecorded:
            sentences.append(
                f"The training data of model {card.name} are not fully recorded ({', '.join(lineage.unrecorded)}); if "
                "they include patients of this comparison, its scores are too high."
            )
    return Unseen(left, sentences)


def _seen(lineage: Lineage, scans: Sequence[CorrectedScan]) -> set[Patient]:
    """The patients from whom a model learnt a scan in their store, corrected or not."""
    wanted = {scan.patient for scan in scans}
    found: set[Patient] = set()
    for folder in {scan.store_folder for scan in scans} if lineage.of_salt else ():
        store = LabelStore(folder)
        patients = store.patients()
        for case in store.cases():
            patient = folder, patients.person(case.patient_key)
            if patient not in wanted or patient in found:
                continue
            try:
                counts = store.scan(case.key).counts
            except Damaged:
                continue
            if lineage.holds(counts):
                found.add(patient)
    return found
