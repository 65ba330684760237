"""Missing and wrong numbers of frames: settled by vectors and pixels, or told truly."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from dicom_files import PEAK, SCATTER, energy_window, nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine, read_planar_header
from napari_bonescint.formats.safe_reading.refusal import Refusal

NO_VECTORS = {"EnergyWindowVector": None, "DetectorVector": None}


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLosslessSV1, JPEG2000Lossless])
@pytest.mark.parametrize(
    ("number", "told"), [(None, "does not state its"), (1, "states 1 as its"), (4, "states 4"), (0, "states 0")]
)
def test_vectors_and_pixels_settle_it(write_nm, syntax, number, told):
    given = {} if syntax is None else {"syntax": syntax}
    path = write_nm(**given)
    change(path, NumberOfFrames=number)
    for vectors in ({}, NO_VECTORS):
        change(path, **vectors)
        scan = read_nuclear_medicine(path)
        np.testing.assert_array_equal(scan.counts, some_counts(2))
        agreeing = "description" if vectors else "vectors"
        assert told in scan.warnings[0]
        assert scan.warnings[0].endswith(f"number of frames; by its {agreeing} and pixels, 2 frames were read.")
        assert read_planar_header(path).frames == 2


@pytest.mark.parametrize("table", ["basic", "extended", "none", "none, in fragments"])
def test_compressed_frames_are_counted_by_table_or_by_their_starts(write_nm, table):
    import pydicom

    path = write_nm(syntax=JPEGLosslessSV1)
    ds = pydicom.dcmread(path)
    frames = list(generate_frames(ds.PixelData, number_of_frames=2))
    if table == "extended":
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        parts = 3 if table == "none, in fragments" else 1
        ds.PixelData = encapsulate(frames, fragments_per_frame=parts, has_bot=table == "basic")
    del ds.NumberOfFrames
    ds.save_as(path)
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, some_counts(2))


def test_a_single_frame_needs_no_number(write_nm):
    scan = read_nuclear_medicine(
        write_nm(views=(None,), NumberOfFrames=None, DetectorInformationSequence=[], **NO_VECTORS)
    )
    assert len(scan.views) == 1
    assert len(scan.warnings) == 1


def test_pixels_alone_settle_what_nothing_describes(write_nm):
    nothing = dict.fromkeys(
        ("NumberOfFrames", "NumberOfDetectors", "DetectorInformationSequence", "NumberOfEnergyWindows")
    )
    scan = read_nuclear_medicine(write_nm(**nothing, **NO_VECTORS))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings[0] == "The file does not state its number of frames; by its pixels, 2 frames were read."


def test_windows_that_are_described_and_not_stored_are_no_cut_off_pixels(write_nm):
    described = [energy_window(*PEAK), energy_window(*SCATTER)]
    path = write_nm(
        NumberOfFrames=None, NumberOfEnergyWindows=2, EnergyWindowInformationSequence=described, **NO_VECTORS
    )
    scan = read_nuclear_medicine(path)
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert len(scan.warnings) == 2


def test_more_pixels_than_described_are_told(tmp_path):
    ds = nm_dataset(some_counts(2))
    ds.PixelData = some_counts(4).tobytes()
    scan = read_nuclear_medicine(save(ds, tmp_path / "more.dcm"))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == ("The file describes 2 frames and holds the pixels of 4; the first 2 were read.",)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, RLELossless])
def test_more_compressed_frames_than_described_are_told(write_nm, syntax):
    path = write_nm(counts=some_counts(4), views=(None,) * 4, syntax=syntax)
    change(path, NumberOfFrames=2, EnergyWindowVector=[1, 1], DetectorVector=[1, 2])
    scan = read_nuclear_medicine(path)
    np.testing.assert_array_equal(scan.counts, some_counts(4)[:2])
    assert "holds the pixels of 4; the first 2 were read." in scan.warnings[0]


@pytest.mark.parametrize("spare", [1, 100])
def test_a_little_more_than_the_frames_is_no_frame(tmp_path, spare):
    ds = nm_dataset(some_counts(2))
    ds.PixelData += bytes(spare * 2)
    assert read_nuclear_medicine(save(ds, tmp_path / "spare.dcm")).warnings == ()


def test_numbers_that_all_differ_are_told(tmp_path):
    ds = nm_dataset(some_counts(2))
    ds.NumberOfFrames, ds.PixelData = 1, some_counts(3).tobytes()
    with pytest.raises(Refusal, match="states 1 frame, describes 2 in its vectors and holds the pixels of 3"):
        read_nuclear_medicine(save(ds, tmp_path / "differ.dcm"))


@pytest.mark.parametrize(("kept", "held"), [(-2, "1"), (-64 * 32 * 2, "1"), (10, "none")])
def test_fewer_pixels_than_described_are_cut_off(tmp_path, kept, held):
    ds = nm_dataset(some_counts(2))
    ds.PixelData = ds.PixelData[:kept]
    with pytest.raises(Refusal, match=f"cut off: it has {held} of 2 frames in whole"):
        read_nuclear_medicine(save(ds, tmp_path / "less.dcm"))


def change(path, **attributes) -> None:
    """Set attributes of a file, or take them away, as it is encoded."""
    import pydicom

    ds = pydicom.dcmread(path)
    for keyword, value in attributes.items():
        if value is None:
            if keyword in ds:
                delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    ds.save_as(path)
