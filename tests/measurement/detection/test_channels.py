"""Input of the network that finds hot spots."""

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.preprocessing import Grid
from napari_bonescint.measurement.detection.channels import sample_codes, stack_channels, without_opposite
from napari_bonescint.networks.widths import HOT_SPOT_CHANNELS
from napari_bonescint.scan import ViewName

BOTH = (ViewName.ANTERIOR, ViewName.POSTERIOR)


@pytest.fixture
def codes():
    codes = np.zeros((2, 40, 30), np.uint8)
    codes[:, 5:35, 4:10] = CODES["femur"]
    codes[:, 5:35, 18:24] = CODES["lower_leg"]
    return codes


def test_counts_are_seen_over_the_normal_of_their_region(codes):
    counts = np.where(codes == CODES["femur"], 20.0, np.where(codes > 0, 40.0, 2.0)).astype(np.float32)
    counts[0, 10:14, 5:9] = 80
    channels = stack_channels(counts, codes, BOTH, 4.0)
    assert channels.shape == (2, HOT_SPOT_CHANNELS, 40, 30)
    ratio = channels[0, 1]
    assert ratio[12, 7] == pytest.approx(np.log2(82 / 22))
    assert np.abs(ratio[20:30, 4:10]).max() == pytest.approx(0)
    assert np.abs(ratio[20:30, 18:24]).max() == pytest.approx(0)
    assert not ratio[codes[0] == 0].any()


def test_the_opposite_view_is_mirrored_onto_this_one_and_may_be_absent(codes):
    counts = np.random.default_rng(0).poisson(20, codes.shape).astype(np.float32)
    channels = stack_channels(counts, codes, BOTH, 4.0)
    np.testing.assert_array_equal(channels[0, 6:12], channels[1, :6, :, ::-1])
    np.testing.assert_array_equal(channels[:, 12].mean(axis=(1, 2)), [0, 1])
    alone = stack_channels(counts[1:], codes[1:], BOTH[1:], 4.0)
    np.testing.assert_array_equal(alone[0], without_opposite(channels)[1])
    assert not alone[0, 6:12].any()
    # Two views of the same side are no pair.
    assert not stack_channels(counts, codes, BOTH[:1] * 2, 4.0)[:, 6:12].any()


def test_each_bone_is_in_one_group(codes):
    channels = stack_channels(np.ones(codes.shape, np.float32), codes, BOTH, 4.0)
    np.testing.assert_array_equal(channels[:, 13:].sum(axis=1), codes > 0)
    assert channels[0, 13:, 20, 6].argmax() != channels[0, 13:, 20, 20].argmax()


def test_codes_are_sampled_below_the_centres_of_coarse_pixels():
    grid = Grid((12, 12), (2.0, 2.0), 6.0)
    codes = np.repeat(np.repeat(np.arange(16, dtype=np.uint8).reshape(4, 4), 3, axis=0), 3, axis=1)
    np.testing.assert_array_equal(sample_codes(grid, codes, (4, 4)), np.arange(16).reshape(4, 4))
    np.testing.assert_array_equal(sample_codes(grid, codes[None], (4, 4), samples=3)[0], codes)


def test_a_spot_stands_out_of_the_noise_alike_in_counts_and_pictures(codes):
    rng = np.random.default_rng(3)
    expected = np.where(codes > 0, 20.0, 2.0)
    expected[0, 18:22, 5:9] *= 4
    counts = rng.poisson(expected).astype(np.float32)
    few, many = stack_channels(counts, codes, BOTH, 4.0), stack_channels(30 * counts, codes, BOTH, 4.0)
    # Counts times a constant, as in a picture, are seen as before.
    np.testing.assert_allclose(few[:, 4], many[:, 4], atol=0.02)
    assert few[0, 4, 20, 7] > 0.8
    assert np.quantile(np.abs(few[1, 4][codes[1] > 0]), 0.95) < 0.6


def test_what_is_alike_on_both_sides_does_not_stand_out():
    codes = np.zeros((2, 60, 41), np.uint8)
    codes[:, 5:30, 18:23] = CODES["thoracic_spine"]
    codes[:, 30:45, 8:16] = codes[:, 30:45, 25:33] = CODES["pelvis"]
    codes[:, 45:50, 25:33] = CODES["pelvis"]
    counts = np.where(codes > 0, 40, 2).astype(np.float32)
    counts[:, 34:38, 10:14] = counts[:, 35:39, 27:31] = 160
    counts[0, 40:43, 28:31] = 160
    unlike = stack_channels(counts, codes, BOTH, 4.0)[:, 5]
    # The same place on the other side is as hot, though one pixel lower.
    assert unlike[:, 34:38, 10:14].max() < 0.1
    assert unlike[0, 41, 29] > 1
    assert unlike[1, 41, 29] < 0.1
    # No bone is there on the other side.
    assert not unlike[:, 48:50].any()


def test_a_view_without_bone_has_only_counts(codes):
    channels = stack_channels(np.ones(codes.shape, np.float32), np.zeros_like(codes), BOTH, 4.0)
    assert not channels[:, 1:6].any()
    assert channels[:, 0].any()
