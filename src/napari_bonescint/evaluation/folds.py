"""Divide patients into folds for cross-validation, used when too few patients are held out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from napari_bonescint.corrections.selection import CorrectedScan, Patient, Selection

FEW_PATIENTS = 40
"""With fewer patients, too few are held out for a verdict; with 40, 92 % of stores hold out five or more."""

USUAL_FOLDS = 5

EXTRA_TRAININGS = f"{USUAL_FOLDS} extra trainings for a verdict"
"""What the panel Retrain and the sentences of a verdict call them."""

_VALIDATES = 8
_FIXED = "napari-bonescint fold 1\n"


class FoldsError(BonescintError):
    """More folds than there are patients, or scores of folds that cannot be read."""


class Fold(NamedTuple):
    """One of several trainings.

    Attributes
    ----------
    number : int
        From 1.
    selection : Selection
        Scans for training and validation; none are held out.
    scored : list of CorrectedScan
        Scans of the patients that the training does not see.
    """

    number: int
    selection: Selection
    scored: list[CorrectedScan]


def patients_in(selection: Selection) -> list[Patient]:
    """All patients (training, validation and held out), ordered by a hash of their keys."""

    def order(patient: Patient) -> bytes:
        return hashlib.sha256((_FIXED + patient[1]).encode()).digest()

    return sorted({scan.patient for scan in selection.scans}, key=order)


def folds_of(selection: Selection, number: int) -> list[Fold]:
    """Divide patients into folds of equal size; sizes differ by one at most.

    Each fold is scored by a training on the other folds, in which one patient in eight is for validation. Held-out
    patients take part, because the weights of these trainings are scored and discarded.

    Parameters
    ----------
    selection : Selection
    number : int
        Number of folds, from 2.

    Raises
    ------
    FoldsError
        If there are fewer patients than folds, or fewer than three.
    """
    patients = patients_in(selection)
    if len(patients) < max(number, 3):
        raise FoldsError(
            f"{number} folds need corrected scans of at least {max(number, 3)} patients, and there are {len(patients)}."
        )
    folds = []
    for first in range(number):
        scored = set(patients[first::number])
        others = [patient for patient in patients if patient not in scored]
        validating = set(others[::_VALIDATES])
        scans = selection.scans
        part = replace(
            selection,
            training=[scan for scan in scans if scan.patient not in scored | validating],
            validation=[scan for scan in scans if scan.patient in validating],
            held_out=[],
        )
        folds.append(Fold(first + 1, part, [scan for scan in scans if scan.patient in scored]))
    return folds
