from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.uid import generate_uid

from archive_peers.patients import write_scan
from archive_peers.results import seg_of
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.sending.outgoing import NotFitting, as_outgoing, prepare, require_same_patient

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write_scan(tmp_path / "scan.dcm", 1)


@pytest.fixture
def seg(tmp_path: Path, scan: Path) -> Path:
    return seg_of(scan, tmp_path / "seg.dcm")


def test_results_get_new_identifiers_and_refer_to_each_other_by_them(tmp_path: Path, scan: Path, seg: Path) -> None:
    other = pydicom.dcmread(seg)
    first = str(other.SOPInstanceUID)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    other.TrackingUID = first  # a reference to the first result
    other.save_as(tmp_path / "other.dcm")
    one, two = prepare([seg, tmp_path / "other.dcm"], scan)
    source, was = pydicom.dcmread(scan), pydicom.dcmread(seg)
    assert one.study_uid == two.study_uid == source.StudyInstanceUID
    assert one.series_uid == two.series_uid not in (str(source.SeriesInstanceUID), str(was.SeriesInstanceUID))
    assert len({one.instance_uid, two.instance_uid, first, str(other.SOPInstanceUID)}) == 4
    sent = pydicom.dcmread(io.BytesIO(two.content))
    assert (sent.TrackingUID, sent.SOPInstanceUID) == (one.instance_uid, two.instance_uid)
    assert sent.file_meta.MediaStorageSOPInstanceUID == two.instance_uid
    # The reference to the scan is as it was.
    (series,) = sent.ReferencedSeriesSequence
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert sent.PixelData == was.PixelData
    assert as_outgoing(one.content, seg) == one
    assert "PATIENT" not in repr(one)


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("PatientID", "ELSE", "has another patient identifier than its source"),
        ("PatientName", "Somebody^Else", "has another patient name than its source"),
        ("PatientBirthDate", "20000101", "differs from its source in PatientBirthDate"),
        ("StudyInstanceUID", "1.2.3", "belongs to another study than its source"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.20", "is none of the results that are sent"),
        ("SOPInstanceUID", "", "has invalid identifiers"),
    ],
)
def test_what_is_not_of_the_source_is_not_sent(
    tmp_path: Path, scan: Path, seg: Path, keyword: str, value: str, said: str
) -> None:
    dataset = pydicom.dcmread(seg)
    setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "changed.dcm")
    with pytest.raises(NotFitting, match=said):
        prepare([seg, tmp_path / "changed.dcm"], scan)


def test_a_scan_is_never_sent_and_a_picture_has_no_study(tmp_path: Path, scan: Path, seg: Path) -> None:
    with pytest.raises(NotFitting, match="none of the results"):
        prepare([scan], scan)
    (tmp_path / "scan.png").write_bytes(b"\x89PNG")
    with pytest.raises(NotFitting, match="is no DICOM file"):
        prepare([seg], tmp_path / "scan.png")


def test_the_patient_of_the_archive_is_compared(scan: Path, seg: Path) -> None:
    objects = prepare([seg], scan)
    require_same_patient(objects, "patient 1", "pacs")  # PATIENT-0001, spelt as the archive does
    with pytest.raises(ArchiveError, match="under another patient identifier"):
        require_same_patient(objects, "PATIENT-0002", "pacs")
