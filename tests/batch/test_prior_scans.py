"""The prior scans of each scan among many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dicom_files import some_counts
from napari_bonescint.batch.prior_scans import PriorScans
from napari_bonescint.formats.opening import collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.formats.opening import ScanSource

    WriteScan = Callable[..., Path]


@pytest.fixture
def scan(write_nm: WriteScan) -> Callable[..., ScanSource]:
    """Writes the scan of a patient on a day."""

    def write(name: str, patient: str, day: str) -> ScanSource:
        return collect([write_nm(name, PatientID=patient, StudyDate=day, SeriesDate="")]).sources[0]

    return write


def names(sources: tuple[ScanSource, ...]) -> list[str]:
    return [source.paths[0].name for source in sources]


def test_the_prior_scans_are_the_earlier_ones_of_the_same_patient(scan: Callable[..., ScanSource]) -> None:
    third, first, second = (
        scan(f"{number}.dcm", patient, day)
        for number, patient, day in ((3, "id 4711", "20250301"), (1, "ID-4711", "20230301"), (2, "ID-4711", "20240301"))
    )
    other = scan("other.dcm", "0815", "20220101")
    priors = PriorScans([third, other, first, second])
    assert names(priors.of(third)) == ["1.dcm", "2.dcm"]
    assert names(priors.of(second)) == ["1.dcm"]
    assert names(priors.of(first)) == []
    assert names(priors.of(other)) == []


def test_where_patient_or_day_is_unknown_the_place_decides(scan: Callable[..., ScanSource], tmp_path: Path) -> None:
    for year in ("2024", "2025"):
        (tmp_path / year).mkdir()
        Image.fromarray(some_counts(1)[0].astype(np.uint8)).save(tmp_path / year / "front.png")
    new, old = (collect([tmp_path / year / "front.png"]).sources[0] for year in ("2025", "2024"))
    nameless = scan("nameless.dcm", "", "20240301")
    priors = PriorScans([old, nameless])
    assert priors.of(new) == (old,)
    assert priors.of(old) == ()
    assert priors.of(nameless) == ()


def test_a_chosen_scan_is_that_of_every_other(scan: Callable[..., ScanSource]) -> None:
    new, old = scan("new.dcm", "1234567", "20240301"), scan("old.dcm", "ID-4711", "20250301")
    priors = PriorScans([old], chosen=True)
    assert priors.of(new) == (old,)
    assert priors.of(old) == ()
