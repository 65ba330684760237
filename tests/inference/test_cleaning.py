from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.cleaning import clean_regions, clean_skeleton

SPACING = (2.0, 2.0)
PELVIS, RIBS, FEMUR = CODES["pelvis"], CODES["ribs"], CODES["femur"]


@pytest.fixture
def codes() -> np.ndarray:
    """A pelvis of 80 x 80 mm, away from the image's border."""
    codes = np.zeros((120, 100), np.uint8)
    codes[50:90, 30:70] = PELVIS
    return codes


def test_a_thin_bridge_and_the_crumb_at_its_end_go(codes: np.ndarray) -> None:
    with_spur = codes.copy()
    with_spur[60:62, 70:85] = PELVIS
    with_spur[57:64, 85:91] = PELVIS  # 14 x 12 mm: too small to be a bone on its own
    cleaned = clean_regions(with_spur, SPACING)
    assert (cleaned[:, 71:] == 0).all()
    np.testing.assert_array_equal(cleaned[:, :70], codes[:, :70])


def test_thin_ribs_stay(codes: np.ndarray) -> None:
    codes[10:13, 20:60] = RIBS
    np.testing.assert_array_equal(clean_regions(codes, SPACING), codes)


@pytest.mark.parametrize(
    ("code", "pixels", "stays"), [(RIBS, 4, True), (RIBS, 3, False), (FEMUR, 8, False), (FEMUR, 10, True)]
)
def test_a_piece_on_its_own_must_be_large_enough_for_its_bone(
    codes: np.ndarray, code: int, pixels: int, stays: bool
) -> None:
    """60 mm2 for ribs, 300 mm2 for a femur, with pixels of 4 mm2."""
    alone = codes.copy()
    alone[5 : 5 + pixels, 5 : 5 + pixels] = code
    expected = alone if stays else codes
    np.testing.assert_array_equal(clean_regions(alone, SPACING), expected)


def test_bone_that_the_image_cuts_is_no_spur() -> None:
    codes = np.zeros((60, 40), np.uint8)
    codes[:, :2] = FEMUR
    np.testing.assert_array_equal(clean_regions(codes, SPACING), codes)


def test_pixels_that_are_not_square_are_measured_in_mm(codes: np.ndarray) -> None:
    codes[5:8, 5:11] = RIBS
    np.testing.assert_array_equal(clean_regions(codes, (2.0, 2.0)), codes)
    assert (clean_regions(codes, (2.0, 1.0))[:20] == 0).all()


def test_holes_in_closed_outlines_are_filled_but_not_those_of_the_pelvis(codes: np.ndarray) -> None:
    codes[65:75, 45:55] = 0  # an obturator foramen
    codes[5:30, 5:25] = CODES["hand"]
    codes[10:25, 10:15] = 0  # between thumb and fingers
    cleaned = clean_regions(codes, SPACING)
    assert (cleaned[10:25, 10:15] == CODES["hand"]).all()
    assert (cleaned[65:75, 45:55] == 0).all()


def test_the_room_between_two_feet_that_touch_stays_background() -> None:
    codes = np.zeros((100, 100), np.uint8)
    codes[10:90, 10:90] = CODES["foot"]
    codes[20:80, 20:80] = 0  # 120 x 120 mm
    np.testing.assert_array_equal(clean_regions(codes, SPACING), codes)


def test_a_skeleton_loses_only_crumbs() -> None:
    mask = np.zeros((50, 50), np.uint8)
    mask[10:40, 10] = 1
    mask[45:47, 45:48] = 1
    cleaned = clean_skeleton(mask, SPACING)
    assert cleaned.sum() == 30
    assert cleaned[10:40, 10].all()


def test_nothing_stays_nothing() -> None:
    empty = np.zeros((20, 20), np.uint8)
    np.testing.assert_array_equal(clean_regions(empty, SPACING), empty)
    np.testing.assert_array_equal(clean_skeleton(empty, SPACING), empty)
