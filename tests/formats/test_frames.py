"""Which window and detector a frame belongs to."""

from __future__ import annotations

import numpy as np

from dicom_files import PEAK, POSTERIOR, SCATTER, some_counts
from napari_bonescint.formats.nuclear_medicine import read_nuclear_medicine


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


def test_detector_number_left_over_from_a_split_export(write_nm):
    assert names(read_nuclear_medicine(write_nm(views=(POSTERIOR,), DetectorVector=[2]))) == ["posterior"]
