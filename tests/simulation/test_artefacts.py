from __future__ import annotations

import numpy as np

from napari_bonescint.simulation.artefacts import draw_background, draw_field, draw_gains, move_during_scan
from napari_bonescint.simulation.camera import Camera

CAMERA = Camera((256, 128), 4.0, left_mm=-256, top_mm=1000)
PATIENT = np.array([[0, 0, 50], [20, 0, 500], [-30, 10, 950]], np.float32)


def test_some_patients_move_sideways_and_only_what_is_still_to_be_scanned() -> None:
    line = np.stack([np.zeros(200), np.zeros(200), np.linspace(0, 1700, 200)], axis=1).astype(np.float32)
    moved = [move_during_scan(np.random.default_rng(seed), line) for seed in range(100)]
    shifts = np.array([np.abs(points - line).max() for points in moved])
    assert 0.03 < np.mean(shifts > 0) < 0.3
    assert shifts.max() < 60
    for points in moved:
        np.testing.assert_array_equal(points[:, 1:], line[:, 1:])
        assert points[-1, 0] == 0


def test_most_fields_show_the_whole_patient() -> None:
    shown = []
    for seed in range(60):
        rows = np.flatnonzero(draw_field(np.random.default_rng(seed), CAMERA, PATIENT).any(axis=1))
        shown.append(rows[0] <= 12 and rows[-1] >= 237)
    assert 0.85 < np.mean(shown) <= 1


def test_a_field_is_no_wider_than_a_detector() -> None:
    wide = Camera((256, 256), 4.0, left_mm=-512, top_mm=1000)
    columns = draw_field(np.random.default_rng(0), wide, PATIENT).any(axis=0)
    assert 500 <= columns.sum() * 4 <= 614


def test_gains_are_near_one_and_the_table_is_behind() -> None:
    for seed in range(30):
        gains = draw_gains(np.random.default_rng(seed), CAMERA)
        assert gains.shape == (2, 256, 128)
        assert 0.05 < gains.min() <= gains.max() < 1.2
        assert np.median(gains[1, :, 64] / gains[0, :, 64]) < 0.99


def test_there_is_little_background() -> None:
    drawn = [draw_background(np.random.default_rng(seed)) for seed in range(20)]
    assert 0 < min(drawn) < max(drawn) <= 0.08
