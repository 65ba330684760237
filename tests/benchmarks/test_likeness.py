import numpy as np
import pytest
from scipy import ndimage

from likeness import NM1_COUNTS, Look, count_anterior, read_nm1
from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.case import Case

PIXEL_MM = 2.0
SOFT, BONE, ROOM = 20.0, 60.0, 0.2
SHAFT, SKIN = 15, 28


def phantom(blur_mm=0.0):
    """Expected counts of a slab of soft tissue with two straight femora, and its regions."""
    expected = np.full((512, 256), ROOM)
    expected[:, SKIN:-SKIN] = SOFT
    regions = np.zeros(expected.shape, np.uint8)
    for column in (80, 161):
        expected[100:400, column : column + SHAFT] = BONE
        regions[100:400, column : column + SHAFT] = CODES["femur"]
    return ndimage.gaussian_filter(expected, blur_mm / PIXEL_MM), regions


def measure(counts, regions):
    return Look(counts, regions, PIXEL_MM).measures()


def test_poisson_noise_has_variance_over_mean_and_noise_power_of_one():
    expected, regions = phantom()
    found = measure(np.random.default_rng(1).poisson(expected).astype(float), regions)
    assert found["variance / mean, thighs"] == pytest.approx(1, abs=0.05)
    assert found["variance / mean, outside the body"] == pytest.approx(1, abs=0.1)
    for band in ("0.15-0.25", "0.25-0.35", "0.35-0.5"):
        assert found[f"noise power, {band} / pixel"] == pytest.approx(1, abs=0.06)


def test_smoothed_counts_lack_fine_noise():
    expected, regions = phantom()
    counts = ndimage.uniform_filter(np.random.default_rng(1).poisson(expected).astype(float), 2)
    found = measure(counts, regions)
    assert found["variance / mean, thighs"] == pytest.approx(0.25, abs=0.03)
    assert found["noise power, 0.35-0.5 / pixel"] < 0.5 * found["noise power, 0.15-0.25 / pixel"]


def test_contrast_and_background_are_ratios_of_counts():
    expected, regions = phantom()
    few, many = measure(expected, regions), measure(10 * expected, regions)
    assert few["femur / soft tissue"] == many["femur / soft tissue"] == pytest.approx(BONE / SOFT)
    assert few["femoral shaft, peak / flank"] == pytest.approx(BONE / SOFT)
    assert few["10-30 mm beside the body / body median"] == pytest.approx(ROOM / SOFT)
    assert few["pixels without a count"] == 0


def test_unevenness_is_what_poisson_noise_does_not_explain():
    expected, regions = phantom()
    expected[regions > 0] *= np.where(np.arange((regions > 0).sum()) % 2, 0.8, 1.2)
    found = measure(np.random.default_rng(1).poisson(expected).astype(float), regions)
    assert found["unevenness, femur"] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("sigma_mm", [3.0, 4.0])
def test_rise_is_that_of_a_blurred_step(sigma_mm):
    found = measure(*phantom(sigma_mm))
    # 10 to 90 % of a normal distribution: twice 1.2816 standard deviations.
    assert found["femoral shaft, 10-90 % rise (mm)"] == pytest.approx(2 * 1.2816 * sigma_mm, rel=0.06)
    assert found["skin of the thigh, 10-90 % rise (mm)"] == pytest.approx(2 * 1.2816 * sigma_mm, rel=0.06)


def test_what_a_scan_does_not_show_is_not_a_number():
    found = measure(*phantom())
    assert np.isnan(found["skull / soft tissue"])
    assert np.isnan(found["variance / mean, abdomen"])
    assert np.isnan(found["unevenness, ribs"])


def test_nm1_has_the_counts_that_simulated_scans_get():
    assert read_nm1().counts.sum() == NM1_COUNTS


def test_the_anterior_view_is_counted_as_asked_with_its_urine():
    expected = np.ones((3, 2, 64, 32), np.float32)
    expected[2, 0] = 5  # a full bladder in front
    case = Case(expected, np.zeros((2, 64, 32), np.uint8), 2.2)
    scan = count_anterior(case, 3, 1e5)
    assert scan.counts[0].sum() == pytest.approx(1e5, rel=0.02)
    assert np.array_equal(scan.counts, count_anterior(case, 3, 1e5).counts)
