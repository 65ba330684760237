"""DICOM Nuclear Medicine files, made to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    NuclearMedicineImageStorage,
    RLELossless,
    generate_uid,
)

if TYPE_CHECKING:
    from pathlib import Path

ANTERIOR = ("SCT", "399321004", "Anterior projection")
POSTERIOR = ("SCT", "399001007", "Posterior projection")
PEAK = ("Tc99m", 126.0, 154.0)
SCATTER = ("Scatter", 108.0, 126.0)


def some_counts(frames: int, rows: int = 64, columns: int = 32) -> np.ndarray:
    """Counts of shape (frame, y, x) in which every frame has a mean of its own."""
    generator = np.random.default_rng(7)
    return np.stack([generator.poisson(5 + 10 * i, (rows, columns)) for i in range(frames)]).astype(np.uint16)


def code(scheme: str, value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def energy_window(name: str, low: float | None, high: float | None) -> Dataset:
    item = Dataset()
    item.EnergyWindowName = name
    item.EnergyWindowRangeSequence = []
    if low is not None:
        limits = Dataset()
        limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = low, high
        item.EnergyWindowRangeSequence = [limits]
    return item


def detector(view: tuple[str, str, str] | None) -> Dataset:
    item = Dataset()
    item.CollimatorType = "PARA"
    if view is not None:
        item.ViewCodeSequence = [code(*view)]
    return item


def nm_dataset(counts: np.ndarray, views=(ANTERIOR, POSTERIOR), windows=(PEAK,)) -> Dataset:
    """A whole-body scan: `counts` of shape (frame, y, x), all detectors of the first window first."""
    ds = Dataset()
    ds.SOPClassUID = NuclearMedicineImageStorage
    ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.Modality = "NM"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Secret^Person", "ID-4711", "19500102"
    ds.InstitutionName, ds.StudyDate = "Hidden Hospital", "20240305"
    ds.Manufacturer, ds.ManufacturerModelName = "Maker", "Gamma 2"
    ds.CountsAccumulated = int(counts.sum())
    ds.ActualFrameDuration, ds.ScanVelocity, ds.WholeBodyTechnique = 875624, "2.5", "1PS"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.NumberOfFrames, ds.Rows, ds.Columns = counts.shape
    ds.FrameIncrementPointer = [0x00540010, 0x00540020]
    ds.EnergyWindowVector = [w + 1 for w in range(len(windows)) for _ in views]
    ds.DetectorVector = [d + 1 for _ in windows for d in range(len(views))]
    ds.NumberOfEnergyWindows, ds.NumberOfDetectors = len(windows), len(views)
    ds.EnergyWindowInformationSequence = [energy_window(*window) for window in windows]
    ds.DetectorInformationSequence = [detector(view) for view in views]
    radiopharmaceutical = Dataset()
    radiopharmaceutical.RadionuclideCodeSequence = [code("SCT", "72454006", "^99m^Technetium")]
    ds.RadiopharmaceuticalInformationSequence = [radiopharmaceutical]
    ds.PixelSpacing = [2.4, 2.2]
    bits = 8 * counts.dtype.itemsize
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(counts.dtype.kind == "i")
    ds.PixelData = counts.tobytes()
    ds["PixelData"].VR = "OW" if bits > 8 else "OB"
    return ds


def save(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a data set in a transfer syntax; pydicom encodes where it can, gdcm where it cannot."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    native = {ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
    ds.file_meta.TransferSyntaxUID = syntax if syntax in native else ExplicitVRLittleEndian
    if syntax == ExplicitVRBigEndian:
        stored = np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}")
        ds.PixelData = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    if syntax in _COMPRESSED_BY_PYDICOM:
        compress(ds, syntax, generate_instance_uid=False)
    if syntax in _COMPRESSED_BY_GDCM:
        _compress_with_gdcm(ds, syntax)
    ds.save_as(path, enforce_file_format=True)
    return path


_COMPRESSED_BY_PYDICOM = {RLELossless, JPEG2000Lossless}
_COMPRESSED_BY_GDCM = {JPEGLossless, JPEGLosslessSV1, JPEGLSLossless}


def _compress_with_gdcm(ds: Dataset, syntax: str) -> None:
    size = ds.Rows * ds.Columns * ds.BitsAllocated // 8
    frames = [ds.PixelData[i : i + size] for i in range(0, len(ds.PixelData), size)]
    ds.PixelData = encapsulate([_compress_frame(frame, ds, syntax) for frame in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax


def _compress_frame(frame: bytes, ds: Dataset, syntax: str) -> bytes:
    import gdcm  # after pydicom, never before it: see formats/dicom/pixels.py

    writer = gdcm.ImageWriter()
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((ds.Columns, ds.Rows, 1))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ImplicitVRLittleEndian))
    image.SetPixelFormat(gdcm.PixelFormat(1, ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation))
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetByteStringValue(frame)
    image.SetDataElement(element)
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str.__str__(syntax))))
    change.SetInput(image)
    assert change.Change()
    encoded = change.GetOutput().GetDataElement().GetSequenceOfFragments().GetFragment(0).GetByteValue().GetBuffer()
    return encoded.encode("utf-8", "surrogateescape")
