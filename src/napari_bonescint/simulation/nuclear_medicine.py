"""Write simulated scans as DICOM Nuclear Medicine files, as a whole-body camera exports them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from napari_bonescint.scan import Scan

_VIEW_CODES = {
    ViewName.ANTERIOR: ("399321004", "Anterior"),
    ViewName.POSTERIOR: ("399001007", "Posterior"),
}


@dataclass(frozen=True)
class Study:
    """Patient (ID, its issuer, and name in DICOM's form) and date of a scan."""

    patient_id: str
    issuer: str
    patient_name: str
    day: date


def write_nuclear_medicine(scan: Scan, path: Path, study: Study | None = None) -> None:
    """Write a scan as a DICOM NM whole-body image: one energy window, one frame for each view.

    The identifiers depend on the counts only, so the same scan gives the same file. The file is deflated (lossless).
    Without `study` the patient is an unnamed simulated one without a date; one patient and day make one study. A scan
    without spacing, or with counts above 65535, is a `ValueError`; a file that cannot be written raises `CannotWrite`.
    """
    if scan.spacing is None:
        raise ValueError("a simulated scan has a spacing")
    if scan.counts.max() > np.iinfo(np.uint16).max:
        raise ValueError("more than 65535 counts in a pixel do not fit into 16 bits")
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = NuclearMedicineImageStorage
    content = hashlib.sha256(scan.counts.tobytes()).hexdigest()
    uids = [generate_uid(entropy_srcs=[content, kind]) for kind in ("instance", "study", "series")]
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = uids[0]
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uids[1:]
    ds.PatientName, ds.PatientID = "Simulated^Patient", "SIMULATED"
    ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.StudyID = ""
    ds.ReferringPhysicianName = ""
    if study is not None:
        _state(ds, study)
    ds.Modality, ds.Manufacturer, ds.SeriesNumber, ds.InstanceNumber = "NM", "napari-bonescint simulation", 1, 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.NumberOfFrames, ds.Rows, ds.Columns = scan.counts.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelSpacing = [f"{mm:.5g}" for mm in scan.spacing]
    ds.CountsAccumulated = int(scan.counts.sum())
    ds.WholeBodyTechnique = "1PS"
    ds.FrameIncrementPointer = [0x00540010, 0x00540020]
    ds.NumberOfEnergyWindows, ds.NumberOfDetectors = 1, len(scan.views)
    ds.EnergyWindowVector = [1] * len(scan.views)
    ds.DetectorVector = list(range(1, len(scan.views) + 1))
    ds.EnergyWindowInformationSequence = Sequence([_energy_window()])
    ds.RadiopharmaceuticalInformationSequence = Sequence([])
    ds.DetectorInformationSequence = Sequence([_detector(view.name) for view in scan.views])
    ds.PixelData = scan.counts.astype("<u2").tobytes()
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    write_bytes_atomically(path, buffer.getvalue())


def _state(ds: Dataset, study: Study) -> None:
    """Write patient and date of a scan into its data set."""
    ds.PatientID, ds.IssuerOfPatientID, ds.PatientName = study.patient_id, study.issuer, study.patient_name
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = f"{study.day:%Y%m%d}"
    ds.StudyTime, ds.StudyDescription = "110000", "Whole body bone scan"
    ds.StudyInstanceUID = generate_uid(entropy_srcs=[study.issuer, study.patient_id, ds.StudyDate])


def _energy_window() -> Dataset:
    limits, window = Dataset(), Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "126.5", "154.6"
    window.EnergyWindowName = "Tc-99m"
    window.EnergyWindowRangeSequence = Sequence([limits])
    return window


def _detector(view: ViewName) -> Dataset:
    code, detector = Dataset(), Dataset()
    code.CodeValue, code.CodeMeaning = _VIEW_CODES[view]
    code.CodingSchemeDesignator = "SCT"
    detector.CollimatorType = "PARA"
    detector.ViewCodeSequence = Sequence([code])
    return detector
