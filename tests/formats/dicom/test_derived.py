"""What objects made from a scan take over from its files."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage

from napari_bonescint.formats.dicom.derived import derived_dataset, state_lossy_compression
from napari_bonescint.formats.dicom.header import read_header


def test_a_new_object_is_of_the_same_patient_and_study_but_of_a_series_of_its_own(write_nm):
    path = write_nm(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg", IssuerOfPatientID="Ward 7")
    header = read_header(path)
    made = derived_dataset(header, SegmentationStorage, "SEG", "Something made")
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "IssuerOfPatientID",
        "StudyDate",
        "StudyInstanceUID",
    ):
        assert made[keyword].value == header.dataset[keyword].value
    assert (made.Modality, made.SeriesDescription, made.PatientSex) == ("SEG", "Something made", "")
    assert made.SeriesInstanceUID != header.text("SeriesInstanceUID")
    assert made.SOPInstanceUID == made.file_meta.MediaStorageSOPInstanceUID != header.text("SOPInstanceUID")
    assert "InstitutionName" not in made


def test_lossy_compression_of_any_source_is_stated(write_nm):
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "9", "LossyImageCompressionMethod": "ISO_1"}
    headers = [read_header(write_nm("a.dcm")), read_header(write_nm("b.dcm", **lossy))]
    one, both = Dataset(), Dataset()
    state_lossy_compression(headers[:1], one)
    state_lossy_compression(headers, both)
    assert (one.LossyImageCompression, both.LossyImageCompression, both.LossyImageCompressionRatio) == ("00", "01", 9)
