"""Count the reviewed scans and patients in label stores, without reading images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import FEWEST_PATIENTS, Part
from napari_bonescint.evaluation.folds import FEW_PATIENTS, USUAL_FOLDS
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class DataSummary:
    """Numbers of reviewed scans, and of their patients.

    Attributes
    ----------
    scans, patients : int
        For training.
    validation_scans, validation_patients : int
        For choosing the best weights.
    held_out_scans, held_out_patients : int
        For comparing models.
    """

    scans: int
    patients: int
    validation_scans: int
    validation_patients: int
    held_out_scans: int
    held_out_patients: int

    @property
    def is_few(self) -> bool:
        """True if the patients are too few for a held-out verdict, and enough for cross-validation."""
        patients = self.patients + self.validation_patients + self.held_out_patients
        return USUAL_FOLDS <= patients < FEW_PATIENTS

    @property
    def sentence(self) -> str:
        """The numbers as text, with a note if they are too small."""
        if not self.scans:
            held_out = f" ({counted(self.held_out_scans, 'scan')} held out)" if self.held_out_scans else ""
            return f"There is no reviewed mask for training yet{held_out}: save corrections as reviewed first."
        numbers = (
            f"Training: {counted(self.scans, 'reviewed scan')} of {counted(self.patients, 'patient')}. Validation: "
            f"{counted(self.validation_scans, 'scan')} of {counted(self.validation_patients, 'patient')}. Held out "
            f"for comparison: {counted(self.held_out_scans, 'scan')} of {counted(self.held_out_patients, 'patient')}."
        )
        if self.held_out_patients < FEWEST_PATIENTS:
            return f"{numbers} A comparison of models needs at least {FEWEST_PATIENTS} held-out patients."
        return numbers


def summarise_stores(folders: Sequence[Path]) -> DataSummary:
    """Count the cases whose last revision is reviewed.

    Raises
    ------
    StoreError
        If a folder is not a label store, or cannot be read.
    """
    of_part: dict[Part, list[tuple[Path, str]]] = {part: [] for part in Part}
    for folder in folders:
        store = LabelStore.open(folder)
        patients = store.patients()
        for case in store.cases():
            if case.state is CaseState.REVIEWED:
                of_part[patients.part(case.patient_key)].append((folder, patients.person(case.patient_key)))
    counts = [(len(scans), len(set(scans))) for scans in of_part.values()]
    return DataSummary(*(count for pair in counts for count in pair))
