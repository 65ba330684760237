"""Scans of patients to put into archives."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from dicom_files import nm_dataset, save

if TYPE_CHECKING:
    from pathlib import Path


def write_scan(path: Path, patient: int, date: str = "20260301", **changes: object) -> Path:
    """A small whole-body scan of a patient."""
    generator = np.random.default_rng(patient)
    counts = generator.poisson(4, (2, 96, 48)).astype(np.uint16)
    counts[:, 10:80, 20:28] += generator.poisson(40, (2, 70, 8)).astype(np.uint16)
    dataset = nm_dataset(counts)
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
