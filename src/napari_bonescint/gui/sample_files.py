"""The files of the samples."""

from __future__ import annotations

from pathlib import Path

from pydicom.data import get_testdata_file

SAMPLES = Path(__file__).parents[1] / "samples"
SIMULATED = SAMPLES / "simulated.dcm"


def nema_file() -> Path | None:
    """The file of NEMA's NM1 data set in pydicom's test data; None if it is not installed."""
    path = get_testdata_file("JPEG-LL.dcm", download=False)
    return None if path is None else Path(path)


def file_of_sample(sample: tuple[str, str] | None) -> Path | None:
    """The DICOM file of a sample, by napari's names of plugin and sample; None for those of other plugins."""
    files = {("napari-bonescint", "nema_nm1"): nema_file(), ("napari-bonescint", "simulated"): SIMULATED}
    return files.get(sample) if sample is not None else None
