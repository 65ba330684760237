from __future__ import annotations

import numpy as np

from napari_bonescint.corrections.tools.pieces import add_piece, connected_piece, remove_bone, remove_piece

RIBS, FEMUR = 6, 14


def two_femora() -> np.ndarray:
    regions = np.zeros((40, 40), np.uint8)
    regions[5:35, 5:10] = FEMUR
    regions[5:35, 25:30] = FEMUR
    regions[0:5, 5:10] = RIBS
    return regions


def test_piece_is_of_one_region_and_hangs_together() -> None:
    piece = connected_piece(two_femora(), (10, 6))
    assert piece.sum() == 150
    assert piece[5:35, 5:10].all()


def test_there_is_no_piece_on_background() -> None:
    assert not connected_piece(two_femora(), (10, 15)).any()


def test_remove_piece_leaves_the_other_side() -> None:
    removed = remove_piece(two_femora(), (10, 6))
    assert np.count_nonzero(removed == FEMUR) == 150
    assert np.count_nonzero(removed == RIBS) == 25


def test_remove_bone_takes_both_sides() -> None:
    removed = remove_bone(two_femora(), FEMUR)
    assert set(np.unique(removed)) == {0, RIBS}


def test_add_piece_follows_the_probability() -> None:
    probability = np.zeros((40, 40), np.float32)
    probability[10:20, 10:20] = 0.4
    probability[10:20, 30:35] = 0.4
    counts = np.ones((40, 40))
    added = add_piece(np.zeros((40, 40), np.uint8), counts, probability, (12, 12), FEMUR)
    assert np.array_equal(added == FEMUR, np.pad(np.ones((10, 10), np.bool_), ((10, 20), (10, 20))))


def test_add_piece_follows_the_counts_where_the_model_saw_nothing() -> None:
    counts = np.full((40, 40), 2.0)
    counts[10:30, 10:20] = 50
    added = add_piece(np.zeros((40, 40), np.uint8), counts, None, (15, 15), FEMUR)
    assert (added[11:29, 11:19] == FEMUR).all()
    assert not added[:, 23:].any()


def test_add_piece_takes_nothing_from_other_bones() -> None:
    regions = two_femora()
    added = add_piece(regions, np.ones((40, 40)), None, (20, 15), RIBS)
    assert (added[regions > 0] == regions[regions > 0]).all()
