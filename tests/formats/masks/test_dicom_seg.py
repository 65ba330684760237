"""Segmentations that we write: read back by us and by highdicom, referring to their source, and refused in words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from dicom_files import ANTERIOR, PEAK, POSTERIOR, SCATTER, some_counts
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.masks.dicom_seg import Author, write_dicom_seg
from napari_bonescint.formats.masks.dicom_seg_reader import read_dicom_seg
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.opening import collect, open_scan
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import Scan, ViewName, spacing_problem
from napari_bonescint.scan_edits import flip, with_spacing

BY_HAND = Author()
# Those that an image of 41 x 23 pixels can have.
SPACINGS = st.none() | st.tuples(*[st.floats(1.25, 20).map(lambda mm: round(mm, 6))] * 2).filter(
    lambda spacing: spacing_problem(spacing, (41, 23)) is None
)


def regions_of(scan: Scan, seed: int = 1, *, names_regions: bool = True) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 17 if names_regions else 2, scan.counts.shape, np.uint8)


def round_trip(scan: Scan, regions: np.ndarray, path: Path, *, names_regions: bool = True) -> np.ndarray:
    write_dicom_seg(path, scan, regions, names_regions=names_regions, author=BY_HAND)
    read = read_dicom_seg(path, scan=scan)
    assert (read.names_regions, read.spacing) == (names_regions, scan.spacing)
    return lay_on(scan, [read]).regions


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spacing=SPACINGS,
    views=st.sampled_from([(ANTERIOR, POSTERIOR), (POSTERIOR, ANTERIOR), (POSTERIOR,), (None,)]),
    windows=st.sampled_from([(PEAK,), (SCATTER, PEAK)]),
    mirrored=st.booleans(),
    names_regions=st.booleans(),
    seed=st.integers(0, 99),
)
def test_masks_come_back_as_they_were(spacing, views, windows, mirrored, names_regions, seed, write_nm, tmp_path):
    counts = some_counts(len(views) * len(windows), 41, 23)
    scan = open_scan(write_nm(counts=counts, views=views, windows=windows, PixelSpacing=spacing and list(spacing)))
    scan = flip(scan, ViewName.POSTERIOR) if mirrored else scan
    regions, path = regions_of(scan, seed, names_regions=names_regions), tmp_path / "m.dcm"
    np.testing.assert_array_equal(round_trip(scan, regions, path, names_regions=names_regions), regions)
    # Without the source, the views' names in the file lead to the same.
    np.testing.assert_array_equal(lay_on(scan, [read_dicom_seg(path)]).regions, regions)


def test_halves_of_a_split_image_return_to_their_columns(write_nm, tmp_path):
    path = write_nm(counts=some_counts(1, 40, 65), views=(None,))
    scan = open_scan(path, split_sides=True, flip_posterior=True)
    regions = regions_of(scan)
    np.testing.assert_array_equal(round_trip(scan, regions, tmp_path / "m.dcm"), regions)
    assert (dcmread(tmp_path / "m.dcm").Rows, dcmread(tmp_path / "m.dcm").Columns) == (40, 65)


def test_a_scan_of_two_files_refers_to_both_as_images_of_one_frame(write_nm, tmp_path):
    study, counts = generate_uid(), some_counts(2)
    paths = [
        write_nm(f"{i}.dcm", counts=counts[i : i + 1], views=(view,), StudyInstanceUID=study)
        for i, view in enumerate((POSTERIOR, ANTERIOR))
    ]
    (source,) = collect(paths).sources
    scan = source.open()
    regions = regions_of(scan)
    np.testing.assert_array_equal(round_trip(scan, regions, tmp_path / "m.seg.dcm"), regions)
    written = dcmread(tmp_path / "m.seg.dcm")
    assert {item.SeriesInstanceUID for item in written.ReferencedSeriesSequence} == {
        dcmread(path).SeriesInstanceUID for path in paths
    }
    for group in written.PerFrameFunctionalGroupsSequence:
        # Such a reference must have no frame number (PS3.3 10.3).
        assert "ReferencedFrameNumber" not in group.DerivationImageSequence[0].SourceImageSequence[0]


def test_a_view_without_bone_has_one_empty_frame_and_all_regions_are_segments(write_nm, tmp_path):
    scan = open_scan(write_nm())
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[0, 5:9, 3:7], regions[0, 20:30, 3:7] = 14, 5
    np.testing.assert_array_equal(round_trip(scan, regions, tmp_path / "m.dcm"), regions)
    written = dcmread(tmp_path / "m.dcm")
    assert [segment.SegmentNumber for segment in written.SegmentSequence] == list(range(1, 17))
    frames = [
        (group.FrameContentSequence[0].FrameLabel, group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        for group in written.PerFrameFunctionalGroupsSequence
    ]
    assert frames == [("anterior", 5), ("anterior", 14), ("posterior", 1)]
    assert written.pixel_array.sum(axis=(1, 2)).tolist() == [40, 16, 0]


def test_the_patient_is_that_of_the_source_whatever_its_character_set(write_nm, tmp_path):
    path = write_nm(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg", PatientAge="074Y")
    scan = open_scan(path)
    write_dicom_seg(tmp_path / "m.dcm", scan, regions_of(scan), author=BY_HAND)
    source, written = dcmread(path), dcmread(tmp_path / "m.dcm")
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientAge", "StudyDate", "StudyInstanceUID"):
        assert written[keyword].value == source[keyword].value
    assert written.SeriesInstanceUID != source.SeriesInstanceUID
    assert (written.PatientSex, "StudyDescription" in written) == ("", False)


@pytest.mark.parametrize(
    ("author", "kind", "name"),
    [
        (Author(), "MANUAL", None),
        (Author("fdn-13"), "AUTOMATIC", "fdn-13"),
        (Author("fdn-13", corrected=True), "SEMIAUTOMATIC", "fdn-13"),
        (Author("m" * 99), "AUTOMATIC", "m" * 64),
        (Author("ward\\fdn-13"), "AUTOMATIC", "ward_fdn-13"),
    ],
)
def test_who_made_it(author, kind, name, write_nm, tmp_path):
    scan = open_scan(write_nm())
    write_dicom_seg(tmp_path / "m.dcm", scan, regions_of(scan), author=author)
    for segment in dcmread(tmp_path / "m.dcm").SegmentSequence:
        assert (segment.SegmentAlgorithmType, segment.get("SegmentAlgorithmName")) == (kind, name)


def test_a_spacing_that_the_user_gave_and_lossy_compression_are_told(write_nm, tmp_path):
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "9", "LossyImageCompressionMethod": "ISO_1"}
    scan = with_spacing(open_scan(write_nm(PixelSpacing=None, **lossy)), (3.0, 10 / 3))
    write_dicom_seg(tmp_path / "m.dcm", scan, regions_of(scan), author=BY_HAND)
    assert read_dicom_seg(tmp_path / "m.dcm").spacing == pytest.approx((3.0, 10 / 3), rel=1e-12)
    assert dcmread(tmp_path / "m.dcm").LossyImageCompression == "01"
    assert dcmread(tmp_path / "m.dcm").LossyImageCompressionRatio == 9


def test_what_cannot_be_written_is_one_sentence_and_leaves_what_was_there(write_nm, tmp_path):
    target = tmp_path / "m.dcm"
    target.write_bytes(b"what was there")
    Image.fromarray(some_counts(1)[0]).save(tmp_path / "scan.png")
    gone = open_scan(write_nm("gone.dcm"))
    gone.sources[0].unlink()
    refused = [
        (
            open_scan(tmp_path / "scan.png"),
            SourceMissing,
            r"^scan\.png: is no DICOM file, so a DICOM segmentation cannot refer",
        ),
        (
            open_scan(write_nm("u.dcm", StudyInstanceUID="")),
            SourceMissing,
            r"^u\.dcm: has no StudyInstanceUID, so a DICOM segmentation",
        ),
        (gone, Refusal, r"^gone\.dcm: The file does not exist"),
    ]
    for scan, kind, sentence in refused:
        with pytest.raises(kind, match=sentence):
            write_dicom_seg(target, scan, regions_of(scan), author=BY_HAND)
    scan = open_scan(write_nm())
    with pytest.raises(ValueError, match=r"masks of shape \(1, 64, 32\) for counts of \(2, 64, 32\)"):
        write_dicom_seg(target, scan, regions_of(scan)[:1], author=BY_HAND)
    with pytest.raises(CannotWrite, match="could not be written"):
        write_dicom_seg(tmp_path / "missing" / "m.dcm", scan, regions_of(scan), author=BY_HAND)
    assert target.read_bytes() == b"what was there"


@pytest.fixture(params=["nm1", "simulated"])
def sample(request) -> Scan:
    if request.param == "nm1":
        return open_scan(Path(get_testdata_file("JPEG-LL.dcm", download=False)))
    import napari_bonescint

    return open_scan(Path(napari_bonescint.__file__).parent / "samples" / "simulated.dcm")


def test_highdicom_reads_our_segmentation(sample, tmp_path):
    from highdicom.seg import segread

    regions = np.zeros(sample.counts.shape, np.uint8)
    regions[:, 100:300, 100:140] = np.random.default_rng(1).integers(0, 17, (len(regions), 200, 40))
    write_dicom_seg(tmp_path / "m.dcm", sample, regions, author=Author("some-model", corrected=True))
    segmentation = segread(tmp_path / "m.dcm")
    assert segmentation.number_of_segments == 16
    rib = segmentation.get_segment_description(6)
    assert (rib.segment_label, rib.segmented_property_type.value) == ("ribs", "113197003")
    assert (rib.algorithm_type.value, rib.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "some-model")
    instance = segmentation.get_source_image_uids()[0][2]
    options = {"combine_segments": True, "assert_missing_frames_are_empty": True}
    if len(regions) == 1:
        read = segmentation.get_pixels_by_source_instance([instance], ignore_spatial_locations=True, **options)
    else:
        read = segmentation.get_pixels_by_source_frame(instance, [1, 2], **options)
    np.testing.assert_array_equal(read, regions)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian package dicom3tools)")
def test_dciodvfy_finds_no_error(sample, tmp_path):
    write_dicom_seg(tmp_path / "m.dcm", sample, regions_of(sample, 2), author=BY_HAND)
    said = subprocess.run(["dciodvfy", str(tmp_path / "m.dcm")], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in said
    assert "Error" not in said
