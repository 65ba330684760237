import numpy as np
import pytest

from napari_bonescint.inference.agreement import agreement, bone


@pytest.mark.parametrize(("logits", "expected"), [([[0.0]], 0.5), ([[np.log(3), 0.0, 0.0]], 0.4)])
def test_bone_is_all_that_is_not_background(logits: list[list[float]], expected: float) -> None:
    images = np.array(logits, np.float32)[..., None, None]
    np.testing.assert_allclose(bone(images), [[[expected]]], rtol=1e-6)


def test_agreement_has_the_largest_difference_and_dice() -> None:
    probability, reference = np.array([[[0.9, 0.9, 0.2]], [[0.9, 0.4, 0.5]]], np.float32)
    largest, dice = agreement(probability, reference)
    assert (largest, dice) == (pytest.approx(0.5), pytest.approx(0.5))
    assert agreement(np.zeros((1, 1, 1), np.float32), np.zeros((1, 1, 1), np.float32)) == (0, 1)
