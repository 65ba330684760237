"""How much there is to learn from in label stores, counted without reading a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import FEWEST_PATIENTS, Part
from napari_bonescint.evaluation.folds import FEW_PATIENTS, USUAL_FOLDS
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Supply:
    """What reviewed masks there are.

    Attributes
    ----------
    scans, patients : int
        To learn from.
    validation_scans, validation_patients : int
        To choose the best weights with.
    held_out_scans, held_out_patients : int
        To judge with.
    """

    scans: int
    patients: int
    validation_scans: int
    validation_patients: int
    held_out_scans: int
    held_out_patients: int

    @property
    def is_few(self) -> bool:
        """Whether the patients are too few to hold some out for a verdict, and enough to take turns."""
        patients = self.patients + self.validation_patients + self.held_out_patients
        return USUAL_FOLDS <= patients < FEW_PATIENTS

    @property
    def sentence(self) -> str:
        """The numbers in words, and what they do not suffice for."""
        if not self.scans:
            nothing = "There is no reviewed mask to learn from yet"
            held_out = (
                f" ({counted(self.held_out_scans, 'scan')} held out to judge with)" if self.held_out_scans else ""
            )
            return f"{nothing}{held_out}: save corrections as reviewed first."
        told = (
            f"{counted(self.scans, 'reviewed scan')} of {counted(self.patients, 'patient')} to learn from, "
            f"{counted(self.validation_scans, 'scan')} of {counted(self.validation_patients, 'patient')} "
            "to validate with, "
            f"{counted(self.held_out_scans, 'scan')} of {counted(self.held_out_patients, 'patient')} "
            "held out to judge with."
        )
        if self.held_out_patients < FEWEST_PATIENTS:
            return f"{told} Fewer than {FEWEST_PATIENTS} patients held out: it cannot be told whether it got better."
        return told


def supply_of(folders: Sequence[Path]) -> Supply:
    """Count the cases whose last revision is reviewed.

    Parameters
    ----------
    folders : sequence of Path
        Label stores.

    Raises
    ------
    StoreError
        If a folder is no label store or cannot be reached.
    """
    of_part: dict[Part, list[tuple[Path, str]]] = {part: [] for part in Part}
    for folder in folders:
        store = LabelStore.open(folder)
        patients = store.patients()
        for case in store.cases():
            if case.state is CaseState.REVIEWED:
                of_part[patients.part(case.patient_key)].append((folder, patients.person(case.patient_key)))
    counts = [(len(scans), len(set(scans))) for scans in of_part.values()]
    return Supply(*(count for pair in counts for count in pair))
