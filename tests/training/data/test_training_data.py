from __future__ import annotations

from pathlib import Path

import pytest

from napari_bonescint.corrections.selection import CorrectedScan, Selection
from napari_bonescint.training.data.sources import MixedCases, NoCasesError, SimulatedCaseFiles
from napari_bonescint.training.data.training_data import TrainingData, TrainingDataError


def corrected(number: int) -> CorrectedScan:
    case = f"{number:016x}"
    return CorrectedScan(Path("store"), case, case, case, 1, names_regions=True, image_sha256=case, mask_sha256=case)


def test_corrected_and_simulated_cases_are_mixed_and_counted(cases: list[Path]) -> None:
    selection = Selection(
        [corrected(1), corrected(2), corrected(3)], [corrected(6)], [corrected(4)], [("5" * 16, "No.")], ["ab"]
    )
    material = TrainingData(selection, SimulatedCaseFiles(cases), (Path("case_000099.npz"),))
    source = material.source(0.25)
    assert isinstance(source, MixedCases)
    assert (source.number, source.simulated_share) == (5, 0.25)
    summary = material.summary()
    assert (summary["used"], summary["cases"], summary["patients"]) == ([3], 5, 3)
    assert (summary["validation_cases"], summary["validation_patients"]) == (2, 2)
    assert (summary["held_out_cases"], summary["held_out_patients"]) == (1, 1)
    assert summary["left_out"] == [{"case": "5" * 16, "why": "No."}]
    assert summary["sha256"] == material.sha256
    assert material.origin.startswith("3 corrected scans of 3 patients; simulated")
    other = TrainingData(Selection([corrected(1)], [], [], [], ["ab"]), SimulatedCaseFiles(cases), ())
    assert other.sha256 != material.sha256


def test_one_of_both_is_enough_and_nothing_is_not(cases: list[Path]) -> None:
    assert TrainingData(None, SimulatedCaseFiles(cases), ()).source(0.5).number == 2
    assert TrainingData(Selection([corrected(1)], [], [], [], []), None, ()).source(0.5).number == 1
    with pytest.raises(TrainingDataError, match="no training data; give --store, --cases or --simulate"):
        TrainingData(None, None, ())
    with pytest.raises(NoCasesError, match="none is reviewed, or all patients are for validation or held out"):
        TrainingData(Selection([], [corrected(2)], [corrected(1)], [], []), None, ()).source(0.5)
