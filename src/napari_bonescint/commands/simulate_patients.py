"""`bonescint simulate --dicom --patients N`: scans and masks of the patients of an invented department."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.mask_table import MaskRow, mask_table
from napari_bonescint.files.atomic import write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_bonescint.simulation.department import Examination

_ANNOTATOR = "simulated truth"


class PatientJob(NamedTuple):
    """One examination, and the folder for its scan and mask."""

    folder: Path
    examination: Examination

    @property
    def files(self) -> tuple[Path, Path]:
        """The files of the scan and of its mask."""
        name = self.examination.name
        return self.folder / "scans" / f"{name}.dcm", self.folder / "masks" / f"{name}.regions.tif"


def jobs_of(folder: Path, patients: Iterable[int]) -> list[PatientJob]:
    """The examinations of patients, who are given by the seeds of their bodies."""
    from napari_bonescint.simulation.department import examinations

    return [PatientJob(folder, examination) for seed in patients for examination in examinations(seed)]


def make(geometry: Path, job: PatientJob) -> None:
    """Simulate an examination and write its scan and mask."""
    from napari_bonescint.formats.masks.label_tiff import write_labels
    from napari_bonescint.simulation.department import load_department_skeleton, scan_department, simulate_department
    from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine

    of_patient = job.examination.seed, job.examination.visit
    case = simulate_department(load_department_skeleton(geometry), *of_patient)
    scan = scan_department(case, *of_patient)
    scan_path, mask_path = job.files
    for path in job.files:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_nuclear_medicine(scan, scan_path, job.examination.study)
    write_labels(mask_path, case.regions, scan.spacing)


def write_table(folder: Path, jobs: Iterable[PatientJob]) -> Path:
    """Write the table for `bonescint store import --table`; returns its path."""
    table = folder / "masks.csv"
    rows = [MaskRow("", (scan,), (mask,), _ANNOTATOR) for scan, mask in (job.files for job in jobs)]
    write_bytes_atomically(table, mask_table(rows, folder))
    return table
