import numpy as np

from napari_bonescint.corrections.comparison import BOTH, ONLY_FIRST, compare, picture

RIBS, FEMUR = 6, 14


def test_dice_and_changed_pixels_are_those_counted_by_hand() -> None:
    first, second = np.zeros((2, 10, 10), np.uint8), np.zeros((2, 10, 10), np.uint8)
    first[0, :4] = FEMUR  # 40 pixels
    second[0, 1:4] = FEMUR  # 30 of them
    second[0, 4, :5] = RIBS  # 5 new ones
    comparison = compare(first, second)
    assert comparison.dice == 2 * 30 / (40 + 35)
    assert comparison.changed == 15
    assert comparison.region_changed == {"ribs": 5, "femur": 10}
    assert comparison.region_dice == {"ribs": 0.0, "femur": 60 / 70}


def test_another_name_changes_the_regions_and_not_the_skeleton() -> None:
    comparison = compare(np.full((1, 4, 4), RIBS, np.uint8), np.full((1, 4, 4), FEMUR, np.uint8))
    assert (comparison.dice, comparison.changed) == (1.0, 16)


def test_two_empty_masks_agree() -> None:
    assert compare(np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 4), np.uint8)).dice == 1.0


def test_picture_shows_views_side_by_side_in_the_colours_of_what_differs() -> None:
    first, second = np.zeros((2, 8, 6), np.uint8), np.zeros((2, 8, 6), np.uint8)
    first[0, :4] = FEMUR
    second[0, :2] = FEMUR
    shown = picture(first, second, np.zeros((2, 8, 6), np.uint16)).astype(int)
    assert shown.shape == (8, 12, 3)
    both, lost, nothing = shown[0, 0], shown[3, 0], shown[7, 11]
    assert nothing.tolist() == [255, 255, 255]
    assert both.argmax() == np.argmax(BOTH)
    assert lost.argmax() == np.argmax(ONLY_FIRST)
