"""Which window and detector a frame belongs to."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from dicom_files import ANTERIOR, PEAK, POSTERIOR, SCATTER, detector, energy_window, nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import VIEW_ASSUMED, ViewSource

WINDOWS = [energy_window(*PEAK), energy_window(*SCATTER)]


def names(scan):
    return [view.name.value for view in scan.views]


def test_frames_follow_their_vectors_not_their_order(write_nm):
    counts = some_counts(4)
    path = write_nm(
        counts=counts, windows=(PEAK, SCATTER), EnergyWindowVector=[2, 1, 2, 1], DetectorVector=[2, 2, 1, 1]
    )
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, counts[[3, 1]])


def test_detector_varies_fastest_where_vectors_are_missing(write_nm):
    counts = some_counts(4)
    path = write_nm(counts=counts, windows=(SCATTER, PEAK), EnergyWindowVector=None, DetectorVector=None)
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, counts[2:])


def test_vectors_that_count_from_zero(write_nm):
    counts = some_counts(4)
    path = write_nm(
        counts=counts, windows=(SCATTER, PEAK), EnergyWindowVector=[0, 0, 1, 1], DetectorVector=[0, 1, 0, 1]
    )
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, counts[2:])


def test_vectors_that_count_from_zero_in_a_file_of_one_window(write_nm):
    path = write_nm(windows=(PEAK,), EnergyWindowVector=[0, 0], EnergyWindowInformationSequence=WINDOWS[::-1])
    with pytest.raises(Refusal, match="No energy window contains"):
        read_nuclear_medicine(path)


@pytest.mark.parametrize("windows", [(PEAK, SCATTER), (SCATTER, PEAK)])
@pytest.mark.parametrize(
    "vectors",
    [
        {"EnergyWindowVector": None, "DetectorVector": None},
        {"EnergyWindowVector": None},
        {"EnergyWindowVector": [1, 1, 2, 2], "DetectorVector": [1, 2, 1, 2]},
    ],
)
def test_a_window_that_is_described_and_not_stored_takes_no_view_away(write_nm, windows, vectors):
    described = [energy_window(*window) for window in windows]
    path = write_nm(NumberOfEnergyWindows=2, EnergyWindowInformationSequence=described, **vectors)
    scan = read_nuclear_medicine(path)
    assert names(scan) == ["anterior", "posterior"]
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.acquisition["photopeak_window"] == "126-154 keV"
    assert scan.warnings[-1] == (
        "The file has frames of one of its 2 energy windows and does not state which one; they were taken as those of "
        "the photopeak."
    )


@pytest.mark.parametrize("numbers", [{"NumberOfDetectors": 1}, {"NumberOfEnergyWindows": 1}, {"NumberOfDetectors": 0}])
def test_a_number_that_contradicts_its_sequence_takes_no_view_away(write_nm, numbers):
    vectors = {"EnergyWindowVector": None, "DetectorVector": None, "NumberOfEnergyWindows": 2}
    scan = read_nuclear_medicine(write_nm(EnergyWindowInformationSequence=WINDOWS, **(vectors | numbers)))
    assert names(scan) == ["anterior", "posterior"]
    assert "does not state which one" in scan.warnings[-1]


def test_a_window_for_each_detector(write_nm):
    for vectors in ({}, {"EnergyWindowVector": [2, 1], "DetectorVector": [2, 1]}):
        described = [energy_window("head 1", 126, 154), energy_window("head 2", 126, 154)]
        path = write_nm(
            NumberOfEnergyWindows=2,
            EnergyWindowInformationSequence=described,
            **({"EnergyWindowVector": [1, 2]} | vectors),
        )
        assert names(read_nuclear_medicine(path)) == ["anterior", "posterior"]
        assert read_nuclear_medicine(path).warnings == ()


def test_a_view_that_was_acquired_beside_the_photopeak_only_is_told(write_nm):
    scan = read_nuclear_medicine(write_nm(EnergyWindowInformationSequence=WINDOWS, EnergyWindowVector=[1, 2]))
    assert names(scan) == ["anterior"]
    (warning,) = scan.warnings
    assert warning.startswith("The posterior view was acquired only in the energy window 108-126 keV")
    assert warning.endswith("was left out.")


def test_detectors_that_are_numbered_anew_for_each_window(write_nm):
    counts = some_counts(4)
    views = (ANTERIOR, POSTERIOR, ANTERIOR, POSTERIOR)
    path = write_nm(
        counts=counts,
        views=views,
        EnergyWindowInformationSequence=WINDOWS,
        EnergyWindowVector=[1, 1, 2, 2],
        DetectorVector=[1, 2, 3, 4],
    )
    scan = read_nuclear_medicine(path)
    np.testing.assert_array_equal(scan.counts, counts[:2])
    assert scan.warnings == ()


@pytest.mark.parametrize("vectors", [{"EnergyWindowVector": [1]}, {"EnergyWindowVector": None}])
def test_a_frame_of_one_of_two_detectors_is_not_called_by_the_first(write_nm, vectors):
    both = [detector(POSTERIOR), detector(ANTERIOR)]
    path = write_nm(views=(ANTERIOR,), DetectorVector=None, DetectorInformationSequence=both, **vectors)
    scan = read_nuclear_medicine(path)
    assert [view.source for view in scan.views] == [ViewSource.ASSUMED]
    assert scan.warnings == (VIEW_ASSUMED,)


def test_one_frame_of_one_of_two_windows_is_told(write_nm):
    path = write_nm(
        views=(POSTERIOR,),
        EnergyWindowVector=None,
        DetectorVector=None,
        NumberOfEnergyWindows=2,
        EnergyWindowInformationSequence=WINDOWS,
    )
    scan = read_nuclear_medicine(path)
    assert names(scan) == ["posterior"]
    assert "does not state which one" in scan.warnings[0]


@pytest.mark.parametrize(("window", "number"), [(1, 2), (2, 1), (2, 2)])
def test_one_of_several_windows_that_are_not_described_is_told(write_nm, window, number):
    path = write_nm(EnergyWindowVector=[window] * 2, NumberOfEnergyWindows=number, EnergyWindowInformationSequence=[])
    assert read_nuclear_medicine(path).warnings == (
        "The file does not describe the energy window of its frames; it was taken as the photopeak's.",
    )


def test_a_vector_that_does_not_fit_is_told(write_nm):
    scan = read_nuclear_medicine(write_nm(EnergyWindowVector=[1], DetectorVector=[1, 2]))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == ("Energy Window Vector has 1 value for 2 frames, so it was not used.",)


UNCLEAR = {
    "two frames in two windows, or two views": {"detectors": 0, "windows": 2, "frames": 2},
    "five frames in two windows": {"detectors": 2, "windows": 2, "frames": 5},
    "three frames in two windows": {"detectors": 1, "windows": 2, "frames": 3},
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_frames_that_nothing_tells_apart_are_refused(write_nm, case):
    given = UNCLEAR[case]
    path = write_nm(
        counts=some_counts(given["frames"]),
        EnergyWindowVector=None,
        DetectorVector=None,
        NumberOfEnergyWindows=given["windows"],
        NumberOfDetectors=given["detectors"],
        EnergyWindowInformationSequence=WINDOWS,
        DetectorInformationSequence=[],
    )
    with pytest.raises(
        Refusal, match=f"{given['frames']} frames, describes 2 energy windows and does not state their order"
    ):
        read_nuclear_medicine(path)


def test_detector_number_left_over_from_a_split_export(write_nm):
    assert names(read_nuclear_medicine(write_nm(views=(POSTERIOR,), DetectorVector=[2]))) == ["posterior"]


@pytest.mark.parametrize("seed", range(4))
def test_no_view_goes_and_no_scatter_comes_without_a_word(tmp_path, seed):
    """Files that lack what says which frame is which are read rightly, or say what was assumed, or are refused."""
    chosen = random.Random(seed)
    ends = Counter()
    for number in range(60):
        windows = chosen.choice([[PEAK], [PEAK, SCATTER], [SCATTER, PEAK]])
        views = chosen.choice([[ANTERIOR], [POSTERIOR], [ANTERIOR, POSTERIOR], [POSTERIOR, ANTERIOR]])
        every = [(window, view) for window in windows for view in views]
        stored = [frame for frame in every if chosen.random() < 0.7] or every[:1]
        ds = nm_dataset(some_counts(len(stored), 16, 16), views, windows)
        ds.EnergyWindowVector = [windows.index(window) + 1 for window, _ in stored]
        ds.DetectorVector = [views.index(view) + 1 for _, view in stored]
        ds.NumberOfFrames = chosen.choice([len(stored), len(stored), 1, len(every)])
        for keyword in ("NumberOfFrames", "EnergyWindowVector", "DetectorVector", "DetectorInformationSequence"):
            if chosen.random() < 0.3:
                delattr(ds, keyword)
        try:
            scan = read_nuclear_medicine(save(ds, tmp_path / f"{number}.dcm"))
        except Refusal:
            ends["refused"] += 1
            continue
        frames = {some_counts(len(stored), 16, 16)[i].tobytes(): frame for i, frame in enumerate(stored)}
        read = [frames[counts.tobytes()] for counts in scan.counts]
        right = {(PEAK, view) for window, view in stored if window is PEAK} == set(read) and all(
            view.name in frame[1][2].lower() for view, frame in zip(scan.views, read, strict=True)
        )
        ends["right" if right else "told" if scan.warnings else "wrong"] += 1
    assert ends["wrong"] == 0
    assert ends["right"] > 20
