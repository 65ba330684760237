import numpy as np

from napari_bonescint.corrections.tools.lasso import relabel_within

POLYGON = np.array([[-0.5, -0.5], [-0.5, 9.5], [9.5, 9.5], [9.5, -0.5]])


def test_bone_inside_gets_the_code_and_background_stays() -> None:
    regions = np.zeros((20, 20), np.uint8)
    regions[5:15, 5:15] = 6
    relabelled = relabel_within(regions, POLYGON, 9)
    assert (relabelled[5:10, 5:10] == 9).all()
    assert np.count_nonzero(relabelled == 9) == 25
    assert np.count_nonzero(relabelled == 6) == 75


def test_code_of_background_erases() -> None:
    assert np.count_nonzero(relabel_within(np.full((20, 20), 6, np.uint8), POLYGON, 0) == 0) == 100
