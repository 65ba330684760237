import numpy as np

from napari_bonescint.corrections.tools.rethreshold import rethreshold

RIBS, FEMUR = 6, 14
MODEL = np.zeros((30, 30), np.uint8)
MODEL[10:20, 10:15] = FEMUR
PROBABILITY = np.where(MODEL > 0, 0.9, 0.0).astype(np.float32)
PROBABILITY[10:20, 15:18] = 0.4


def test_lower_threshold_adds_bone_named_as_the_nearest() -> None:
    answered = rethreshold(MODEL, PROBABILITY, MODEL, (0, 0, 30, 30), 0.3)
    assert (answered[10:20, 10:18] == FEMUR).all()
    assert np.count_nonzero(answered) == 80


def test_outside_of_the_box_nothing_changes() -> None:
    edited = np.full((30, 30), RIBS, np.uint8)
    answered = rethreshold(edited, PROBABILITY, MODEL, (12, 0, 14, 40), 0.3)
    assert np.count_nonzero(answered == RIBS) == 30 * 28
    assert np.count_nonzero(answered == FEMUR) == 16


def test_where_the_model_named_no_bone_there_is_none() -> None:
    answered = rethreshold(np.full((30, 30), RIBS, np.uint8), PROBABILITY, np.zeros_like(MODEL), (0, 0, 30, 30), 0.3)
    assert not answered.any()
