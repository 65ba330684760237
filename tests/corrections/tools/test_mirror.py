import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.tools.mirror import midline, mirror_side

SPINE, FEMUR = CODES["thoracic_spine"], CODES["femur"]


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
