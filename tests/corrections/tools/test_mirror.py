import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.tools.mirror import image_side_at, midline, mirror_side, shows

SPINE, FEMUR, PELVIS = CODES["thoracic_spine"], CODES["femur"], CODES["pelvis"]


def body() -> np.ndarray:
    regions = np.zeros((120, 61), np.uint8)
    regions[20:70, 28:33] = SPINE
    regions[80:115, 14:21] = FEMUR
    return regions


def test_midline_runs_through_the_middle_of_the_spine() -> None:
    assert np.allclose(midline(body()), 30)


def test_midline_follows_a_tilted_spine() -> None:
    regions = np.zeros((120, 61), np.uint8)
    for y in range(20, 100):
        regions[y, 20 + y // 20 : 25 + y // 20] = SPINE
    line = midline(regions)
    assert abs(line[90] - line[30] - 3) < 0.7


def test_below_the_spine_it_runs_between_the_legs_which_stand_beside_the_trunk() -> None:
    regions = np.zeros((200, 61), np.uint8)
    regions[20:70, 38:43] = SPINE
    for y in range(80, 190):
        left = 24 - round((y - 80) / 10)  # both legs lean to the left
        regions[y, left : left + 5] = regions[y, left + 15 : left + 20] = FEMUR
    line = midline(regions)
    assert np.allclose(line[:70], 40)
    assert np.all(np.abs(line[80:190] - (24 - (np.arange(80, 190) - 80) / 10 + 9.5)) < 0.7)
    without_spine = np.where(regions == SPINE, 0, regions)
    assert np.allclose(midline(without_spine)[80:], line[80:])
    one_leg = regions.copy()
    for y in range(80, 190):
        one_leg[y, 32 - round((y - 80) / 10) :] = 0
    assert np.allclose(midline(one_leg), 40)


def test_without_bone_it_is_the_middle_of_the_image() -> None:
    assert np.allclose(midline(np.zeros((10, 61), np.uint8)), 30)


def test_good_side_appears_on_the_other() -> None:
    mirrored = mirror_side(body(), np.ones((120, 61)), "left")
    assert np.count_nonzero(mirrored[:, 31:] == FEMUR) == 35 * 7
    assert np.array_equal(mirrored[:, :31], body()[:, :31])


def test_mirrored_piece_goes_where_the_counts_are() -> None:
    counts = np.full((120, 61), 2.0)
    counts[83:118, 44:51] = 50
    mirrored = mirror_side(body(), counts, "left")
    rows, columns = np.nonzero(mirrored[:, 31:] == FEMUR)
    assert abs(rows.mean() - 100) <= 1
    assert abs(columns.mean() + 31 - 47) <= 1


def test_only_the_chosen_region_changes_and_others_stay_where_it_would_cover_them() -> None:
    regions = body()
    regions[80:90, 21:50] = PELVIS  # also where the mirrored femur would lie
    regions[95:100, 42:45] = FEMUR  # of the other side, which is replaced
    mirrored = mirror_side(regions, np.ones((120, 61)), "left", [FEMUR])
    np.testing.assert_array_equal(mirrored == PELVIS, regions == PELVIS)
    np.testing.assert_array_equal(mirrored[:, :31], regions[:, :31])
    # 25 rows of 7 columns below the pelvis, which covers the ten rows above.
    assert np.count_nonzero(mirrored[:, 31:] == FEMUR) == 25 * 7


def test_a_side_shows_a_region_or_not() -> None:
    assert shows(body(), "left", [FEMUR])
    assert not shows(body(), "right", [FEMUR])
    assert (image_side_at(body(), (100, 29)), image_side_at(body(), (100, 32))) == ("left", "right")
