"""Scans of patients to put into archives."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from dicom_files import ANTERIOR, POSTERIOR, nm_dataset, save

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydicom.dataset import Dataset


def write_scan(
    path: Path, patient: int, date: str = "20260301", counts: np.ndarray | None = None, **changes: object
) -> Path:
    """A whole-body scan of a patient, by default a small one."""
    return _write(path, nm_dataset(_counts(patient) if counts is None else counts), patient, date, changes)


def write_views(
    folder: Path,
    patient: int,
    date: str = "20260301",
    counts: np.ndarray | None = None,
    *,
    one_series: bool,
    **changes: object,
) -> list[Path]:
    """A scan in two files of one study, as some cameras write it: anterior and posterior."""
    both = _counts(patient) if counts is None else counts
    study, series = generate_uid(), generate_uid()
    paths = []
    for number, (view, plane) in enumerate(zip((ANTERIOR, POSTERIOR), both, strict=True), 1):
        own = {"StudyInstanceUID": study, "InstanceNumber": number, **changes}
        own["SeriesInstanceUID"] = series if one_series else generate_uid()
        name = f"{patient}-{view[2].split()[0].lower()}.dcm"
        paths.append(_write(folder / name, nm_dataset(plane[None], views=(view,)), patient, date, own))
    return paths


def _counts(patient: int) -> np.ndarray:
    generator = np.random.default_rng(patient)
    counts = generator.poisson(4, (2, 96, 48)).astype(np.uint16)
    counts[:, 10:80, 20:28] += generator.poisson(40, (2, 70, 8)).astype(np.uint16)
    return counts


def _write(path: Path, dataset: Dataset, patient: int, date: str, changes: Mapping[str, object]) -> Path:
    dataset.PatientID, dataset.PatientName = f"PATIENT-{patient:04d}", f"Identifying^Person{patient:04d}"
    dataset.StudyDate, dataset.StudyTime = date, "101500"
    dataset.AccessionNumber = f"ACC{patient:04d}{date}"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, 1
    dataset.StudyDescription, dataset.SeriesDescription = "Bone scan", "Whole body"
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = generate_uid(), generate_uid()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    path.parent.mkdir(exist_ok=True)
    return save(dataset, path)


def write_patients(folder: Path, count: int) -> list[Path]:
    """NM1, and patients with a scan and an earlier one each."""
    paths = [
        write_scan(folder / f"{patient}-{date}.dcm", patient, date)
        for patient in range(count)
        for date in ("20260301", "20250110")
    ]
    first = folder / "nm1.dcm"
    shutil.copy(get_testdata_file("JPEG-LL.dcm", download=False), first)
    return [first, *paths]
