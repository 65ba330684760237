from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt
from skimage.draw import line

from napari_bonescint.corrections.tools.strokes import bounding_box, enclosed, steady, swept

points = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.floats(-10, 50))


def test_square_encloses_the_pixels_whose_centres_lie_in_it() -> None:
    square = np.array([[1.5, 2.5], [1.5, 6.5], [4.5, 6.5], [4.5, 2.5]])
    inside = enclosed(square, (8, 10))
    assert inside[2:5, 3:7].all()
    assert inside.sum() == 12


def test_outline_beyond_the_image_encloses_what_is_in_the_image() -> None:
    assert enclosed(np.array([[-5, -5], [-5, 50], [50, 50], [50, -5]]), (4, 6)).all()


def test_disc_of_radius_two_covers_thirteen_pixels() -> None:
    assert swept(np.array([[10.0, 10.0]]), 2, (20, 20)).sum() == 13


@given(points, st.floats(0, 6))
def test_swept_covers_what_is_no_farther_than_the_radius_from_a_pixel_of_the_path(
    path: np.ndarray, radius: float
) -> None:
    ends = np.rint(path).astype(int) + 20
    away = np.ones((80, 80), bool)
    for (y0, x0), (y1, x1) in zip(ends, [*ends[1:], ends[-1]], strict=True):
        away[line(y0, x0, y1, x1)] = False
    expected = distance_transform_edt(away) <= radius
    np.testing.assert_array_equal(swept(path, radius, (30, 40)), expected[20:50, 20:60])


@given(points, st.floats(0, 6))
def test_swept_covers_nothing_far_from_the_path(path: np.ndarray, radius: float) -> None:
    covered = np.argwhere(swept(path, radius, (30, 40)))
    for y, x in covered:
        # To the pixels of a straight stretch, it is never more than a pixel farther than to the stretch itself.
        assert _distance(np.array([y, x]), path) <= radius + 1.5


def test_steady_takes_out_most_of_the_tremor_and_keeps_the_ends() -> None:
    rng = np.random.default_rng(1)
    path = np.stack([np.arange(200.0), rng.uniform(-1, 1, 200)], axis=1)
    smooth = steady(path)
    assert np.allclose(smooth[[0, -1]], path[[0, -1]])
    assert smooth[20:-20, 1].std() < 0.5 * path[:, 1].std()


def test_steady_leaves_a_straight_line_straight() -> None:
    smooth = steady(np.array([[0.0, 0.0], [30.0, 40.0]]))
    assert np.allclose(smooth, np.linspace(0, 1, 51)[:, None] * [30, 40])


def test_steady_circle_stays_closed_and_round() -> None:
    angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    smooth = steady(20 * np.stack([np.sin(angle), np.cos(angle)], axis=1), closed=True)
    assert np.all(np.abs(np.hypot(*smooth.T) - 20) < 0.5)


def test_bounding_box_of_nothing_is_empty() -> None:
    assert np.zeros((3, 3))[bounding_box(np.zeros((3, 3), np.bool_))].size == 0


def _distance(point: np.ndarray, path: np.ndarray) -> float:
    starts = path[: max(len(path) - 1, 1)]
    ways = path[min(1, len(path) - 1) :] - starts
    part = ((point - starts) * ways).sum(axis=1) / np.maximum((ways**2).sum(axis=1), 1e-12)
    return float(np.hypot(*(point - starts - np.clip(part, 0, 1)[:, None] * ways).T).min())
