"""Which patients of label stores a model can be judged on: those of whom it has learnt nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.evaluation.lineage import Lineage
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.corrections.selection import CorrectedScan, Patient
    from napari_bonescint.inference.model_card import ModelCard


class Unseen(NamedTuple):
    """What is left to judge on.

    Attributes
    ----------
    scans : list of CorrectedScan
        Of patients of whom no model, nor any that it came from, learnt from a scan.
    sentences : list of str
        What was left out and why, and what cannot be told.
    """

    scans: list[CorrectedScan]
    sentences: list[str]


def unseen_by(cards: Sequence[ModelCard], scans: Sequence[CorrectedScan]) -> Unseen:
    """Leave out the scans that models learnt from, and all others of the same patients.

    Parameters
    ----------
    cards : sequence of ModelCard
        Of the models that are to be judged on the same scans.
    scans : sequence of CorrectedScan
        Those to judge on, if the models learnt from none of their patients.

    Raises
    ------
    ModelError
        If a card does not tell in a readable way what its model learnt from.
    StoreError
        If a store cannot be reached.
    """
    left, sentences = list(scans), []
    for card in cards:
        lineage = Lineage.of(card)
        seen = _seen(lineage, left)
        lost = [scan for scan in left if scan.patient in seen]
        if lost:
            patients = counted(len({scan.patient for scan in lost}), "patient")
            sentences.append(
                f"Left out: {counted(len(lost), 'scan')} of {patients}, since model {card.name}, or one that it came "
                "from, learnt from scans of the same patients."
            )
        left = [scan for scan in left if scan.patient not in seen]
        if lineage.unrecorded:
            sentences.append(
                f"It is not recorded all that model {card.name}, or one that it came from, learnt from "
                f"({', '.join(lineage.unrecorded)}); if patients who are scored here were among it, the scores are too "
                "high."
            )
    return Unseen(left, sentences)


def _seen(lineage: Lineage, scans: Sequence[CorrectedScan]) -> set[Patient]:
    """The patients with a scan in their store, be it corrected or not, that was learnt from."""
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
