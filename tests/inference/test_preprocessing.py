import numpy as np
import pytest

from napari_bonescint.inference.preprocessing import Grid, around_body, normalise

BODY = np.zeros((120, 60), np.float32)
BODY[10:110, 15:45] = 4
BODY[20:100, 25:35] = 20


def test_brightness_does_not_depend_on_the_number_of_counts() -> None:
    np.testing.assert_allclose(normalise(BODY * 37), normalise(BODY), rtol=1e-5)


def test_brightness_does_not_depend_on_a_very_hot_bladder() -> None:
    hot = BODY.copy()
    hot[60:67, 26:34] = 5000
    elsewhere = np.ones(BODY.shape, bool)
    elsewhere[60:67, 26:34] = False
    np.testing.assert_allclose(normalise(hot)[elsewhere], normalise(BODY)[elsewhere], rtol=0.02)
    assert normalise(hot).max() == 4


def test_brightness_does_not_depend_on_an_empty_table() -> None:
    table = np.vstack([BODY, np.zeros((90, 60), np.float32)])
    np.testing.assert_allclose(normalise(table)[:120], normalise(BODY), rtol=0.02)


@pytest.mark.parametrize("image", [np.zeros((5, 4)), np.full((5, 4), -3.0), np.pad([[7.0]], 3)])
def test_images_with_hardly_any_counts_stay_finite(image: np.ndarray) -> None:
    x = normalise(image.astype(np.float32))
    assert np.isfinite(x).all()
    assert 0 <= x.min() <= x.max() <= 4


def test_coarsening_averages_and_a_flip_stays_a_flip() -> None:
    fine = np.random.default_rng(1).random((2, 53, 27)).astype(np.float32)
    grid = Grid((53, 27), (2.0, 2.1), 4.4)
    np.testing.assert_allclose(grid.coarsen(fine[..., ::-1]), grid.coarsen(fine)[..., ::-1], rtol=1e-4)
    np.testing.assert_allclose(grid.coarsen(np.ones((53, 27))), 1, rtol=1e-5)
    half = Grid((52, 26), (2.0, 2.0), 4.0)
    blocks = fine[0, :52, :26].reshape(26, 2, 13, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(half.coarsen(fine[0, :52, :26]), blocks, rtol=1e-4)


def test_refining_is_linear_between_coarse_centres() -> None:
    grid = Grid((52, 26), (2.0, 2.0), 4.0)
    ramp = np.add.outer(np.arange(26.0), 3 * np.arange(13.0))
    expected = np.add.outer(np.arange(52) / 2 - 0.25, 3 * (np.arange(26) / 2 - 0.25))
    fine = grid.refine(ramp)
    np.testing.assert_allclose(fine[1:-1, 1:-1], expected[1:-1, 1:-1], rtol=1e-3)


def test_a_network_looks_around_the_body_of_all_views() -> None:
    upper, lower = np.zeros((2, 400, 200), np.float32)
    upper[100:150, 90:110] = 1
    lower[140:200, 100:140] = 1
    rows, columns = around_body(np.stack([upper, lower]))
    # The margin is a dozen pixels, and the blur adds two.
    assert rows.start <= 88 < 212 <= rows.stop
    assert columns.start <= 78 < 152 <= columns.stop
    assert (rows.stop - rows.start, columns.stop - columns.start) == (128, 96)


def test_specks_beside_the_body_are_not_looked_at() -> None:
    image = np.zeros((1, 400, 200), np.float32)
    image[0, 100:150, 90:110] = 1
    image[0, 350, 10] = 0.5
    rows, columns = around_body(image)
    assert rows.stop < 300
    assert columns.start > 20


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 30, 20)])
def test_without_a_body_a_network_looks_everywhere(shape: tuple[int, int, int]) -> None:
    assert around_body(np.zeros(shape, np.float32)) == (slice(0, shape[1]), slice(0, shape[2]))
