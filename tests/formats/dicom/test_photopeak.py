"""The photopeak window is taken, the scatter window never."""

from __future__ import annotations

import numpy as np
import pytest

from dicom_files import PEAK, SCATTER, energy_window, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.safe_reading.refusal import Refusal


def names(scan):
    return [view.name.value for view in scan.views]


def test_photopeak_of_two_windows_wherever_it_stands(write_nm):
    counts = some_counts(4)
    peak_first = read_nuclear_medicine(write_nm(counts=counts, windows=(PEAK, SCATTER)))
    peak_last = read_nuclear_medicine(write_nm(counts=counts, windows=(SCATTER, PEAK)))
    np.testing.assert_array_equal(peak_first.counts, counts[:2])
    np.testing.assert_array_equal(peak_last.counts, counts[2:])
    assert names(peak_last) == ["anterior", "posterior"]


def test_scatter_window_alone_is_refused(write_nm):
    with pytest.raises(Refusal, match=r"No energy window contains the Tc-99m photopeak at 140 keV"):
        read_nuclear_medicine(write_nm(windows=(SCATTER,)))


def test_windows_without_limits_go_by_name(write_nm):
    counts = some_counts(4)
    windows = [energy_window("TC99M_SC", None, None), energy_window("TC99M_PP", None, None)]
    path = write_nm(counts=counts, windows=(SCATTER, PEAK), EnergyWindowInformationSequence=windows)
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, counts[2:])


@pytest.mark.parametrize(
    "name", ["Tc scatter corr.", "Tc-99m SC", "Tc99m_TEW_SC", "no scatter", "Scatter", "Compton", "LSC"]
)
def test_limits_decide_before_a_name(write_nm, name):
    scan = read_nuclear_medicine(write_nm(windows=((name, 126.0, 154.0),)))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == ()
    with pytest.raises(Refusal, match="No energy window contains the Tc-99m photopeak"):
        read_nuclear_medicine(write_nm(windows=(("Tc99m photopeak", 108.0, 126.0),)))


@pytest.mark.parametrize("name", ["Tc99m scat corr", "SC corrected", "Non-scatter", "TEW corrected", "w/o scatter"])
def test_a_name_that_says_scatter_corrected_is_no_scatter_window(write_nm, name):
    scan = read_nuclear_medicine(write_nm(windows=((name, None, None),)))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == ()


def test_a_name_that_may_mean_scatter_is_told(write_nm):
    scan = read_nuclear_medicine(write_nm(windows=(("Tc-99m SC", None, None),)))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert "may mean scatter, or a window beside the photopeak" in scan.warnings[0]
    with pytest.raises(Refusal, match="No energy window contains"):
        read_nuclear_medicine(write_nm(windows=(("Scatter", None, None),)))


@pytest.mark.parametrize("name", ["DownScatter", "TC_LOWSCATTER", "Streufenster", "I-131", "In111", "57 Co"])
def test_a_name_of_scatter_or_another_nuclide_is_no_photopeak(write_nm, name):
    with pytest.raises(Refusal, match="No energy window contains"):
        read_nuclear_medicine(write_nm(windows=((name, None, None),)))


@pytest.mark.parametrize("name", ["unscattered", "Tc99m+In111", "WB I 20%", "Win 2", "EM1"])
def test_names_that_say_nothing_against_the_photopeak(write_nm, name):
    scan = read_nuclear_medicine(write_nm(windows=((name, None, None),)))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == ()


def test_a_window_beside_the_peak_by_its_name_is_left_out(write_nm):
    counts = some_counts(4)
    windows = [energy_window("Tc99m lower", None, None), energy_window("Tc99m", None, None)]
    path = write_nm(counts=counts, windows=(SCATTER, PEAK), EnergyWindowInformationSequence=windows)
    scan = read_nuclear_medicine(path)
    np.testing.assert_array_equal(scan.counts, counts[2:])
    assert scan.warnings == ()


def test_an_upper_limit_of_zero_is_no_limit(write_nm):
    scan = read_nuclear_medicine(write_nm(windows=(("Tc99m", 126.0, 0.0),)))
    assert "photopeak_window" not in scan.acquisition


def test_limits_the_wrong_way_round_are_limits(write_nm):
    scan = read_nuclear_medicine(write_nm(windows=(("Scatter", 154.0, 126.0),)))
    assert scan.acquisition["photopeak_window"] == "126-154 keV"


def test_several_windows_that_nothing_tells_apart_are_refused(write_nm):
    path = write_nm(windows=(PEAK, SCATTER), EnergyWindowInformationSequence=[])
    with pytest.raises(Refusal, match="2 energy windows and does not state which one contains the Tc-99m photopeak"):
        read_nuclear_medicine(path)


def test_single_window_that_the_file_does_not_describe(write_nm):
    scan = read_nuclear_medicine(write_nm(EnergyWindowInformationSequence=[]))
    assert scan.warnings == ()
    assert "photopeak_window" not in scan.acquisition


def test_of_two_windows_on_the_photopeak_the_better_centred_one(write_nm):
    counts = some_counts(4)
    scan = read_nuclear_medicine(write_nm(counts=counts, windows=(("wide", 50.0, 560.0), ("narrow", 126.0, 154.0))))
    np.testing.assert_array_equal(scan.counts, counts[2:])
    assert scan.warnings == (
        "2 energy windows contain the Tc-99m photopeak at 140 keV; 126-154 keV, the one centred on it best, was taken.",
    )


def test_undescribed_window_beside_scatter(write_nm):
    counts = some_counts(4)
    windows = [energy_window("SCATTER", 108.0, 126.0), energy_window("W2", None, None)]
    path = write_nm(counts=counts, windows=(SCATTER, PEAK), EnergyWindowInformationSequence=windows)
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, counts[2:])
