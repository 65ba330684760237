"""Few patients: as many trainings as there are folds, in each of which other patients are not trained on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from napari_bonescint.corrections.selection import CorrectedScan, Patient, Selection

FEW_PATIENTS = 40
"""With fewer, too few are held out for a verdict; with as many there are five or more in 92 % of stores."""

USUAL_FOLDS = 5

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
        What it learns from and chooses by; nobody is held out for judging.
    scored : list of CorrectedScan
        Of the patients of whom it sees nothing.
    """

    number: int
    selection: Selection
    scored: list[CorrectedScan]


def patients_in(selection: Selection) -> list[Patient]:
    """The patients of all three parts, in an order that a hash of their keys gives."""

    def place(patient: Patient) -> bytes:
        return hashlib.sha256((_FIXED + patient[1]).encode()).digest()

    return sorted({scan.patient for scan in selection.scans}, key=place)


def folds_of(selection: Selection, number: int) -> list[Fold]:
    """Sort patients into folds of the same size, give or take one.

    Each fold is scored by a training on the others, of whom one patient in eight validates. Patients who are held out
    for judging are among them: what comes of these trainings is scored and thrown away.

    Parameters
    ----------
    selection : Selection
    number : int
        Of folds, from 2.

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
