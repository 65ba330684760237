"""Which patients each of several trainings leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_bonescint.corrections.selection import CorrectedScan, Selection
from napari_bonescint.evaluation.folds import FoldsError, folds_of, patients_in


def selection(patients: int, scans: int = 2) -> Selection:
    """Some scans of each patient, a fifth of whom are held out."""
    found = [
        CorrectedScan(
            store_folder=Path("store"),
            case=f"{patient}-{scan}",
            patient_key=f"{patient:04}",
            study_key=f"{patient}-{scan}",
            revision=1,
            names_regions=True,
            image_sha256=f"i{patient}{scan}",
            mask_sha256=f"m{patient}{scan}",
        )
        for patient in range(patients)
        for scan in range(scans)
    ]
    fifth = scans * (patients // 5)
    return Selection(found[2 * fifth :], found[fifth : 2 * fifth], found[:fifth], [], [])


@pytest.mark.parametrize(("patients", "number"), [(18, 5), (39, 5), (6, 2), (5, 5)])
def test_every_patient_is_scored_once_by_a_training_that_has_seen_nothing_of_them(patients: int, number: int) -> None:
    folds = folds_of(selection(patients), number)
    assert [fold.number for fold in folds] == list(range(1, number + 1))
    scored = [scan.case for fold in folds for scan in fold.scored]
    assert sorted(scored) == sorted(scan.case for scan in selection(patients).scans)
    sizes = []
    for fold in folds:
        parts = [
            {scan.patient for scan in scans}
            for scans in (fold.selection.training, fold.selection.validation, fold.scored)
        ]
        assert sum(map(len, parts)) == len(set.union(*parts)) == patients
        assert len(parts[1]) == -(-(patients - len(parts[2])) // 8)
        assert fold.selection.held_out == []
        assert len(parts[0]) > 0
        sizes.append(len(parts[2]))
    assert max(sizes) - min(sizes) <= 1


def test_the_folds_depend_on_the_keys_alone() -> None:
    one = selection(12)
    other = Selection(one.held_out[::-1], one.training[::-1], one.validation, [], [])
    assert patients_in(one) == patients_in(other)


def test_fewer_patients_than_folds_are_one_sentence() -> None:
    with pytest.raises(FoldsError, match="5 folds need corrected scans of at least 5 patients, and there are 4"):
        folds_of(selection(4), 5)
