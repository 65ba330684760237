from __future__ import annotations

import numpy as np

from napari_bonescint.corrections.tools.draw_outline import draw_outline

RIBS, FEMUR = 6, 14
ANGLE = np.linspace(0, 2 * np.pi, 200)
CIRCLE = 30 + 10 * np.stack([np.sin(ANGLE), np.cos(ANGLE)], axis=1)
DISC = np.hypot(*(np.indices((60, 60)) - 30)) < 10


def test_inside_becomes_the_bone() -> None:
    drawn = draw_outline(np.zeros((60, 60), np.uint8), CIRCLE, FEMUR)
    assert np.count_nonzero((drawn == FEMUR) != DISC) <= 0.05 * DISC.sum()


def test_piece_that_lies_mostly_inside_is_replaced() -> None:
    regions = np.zeros((60, 60), np.uint8)
    regions[22:45, 28:32] = FEMUR
    assert not draw_outline(regions, CIRCLE, FEMUR)[42:45].any()


def test_pieces_mostly_outside_and_other_bones_stay() -> None:
    regions = np.zeros((60, 60), np.uint8)
    regions[35:60, 28:32] = FEMUR
    regions[28:32, 50:60] = RIBS
    drawn = draw_outline(regions, CIRCLE, FEMUR)
    assert (drawn[35:60, 28:32] == FEMUR).all()
    assert (drawn[28:32, 50:60] == RIBS).all()


def test_outline_of_background_erases() -> None:
    drawn = draw_outline(np.full((60, 60), FEMUR, np.uint8), CIRCLE, 0)
    assert not drawn[25:35, 25:35].any()
    assert drawn[0].all()
