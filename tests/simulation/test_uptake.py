from __future__ import annotations

import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.pose import Skeleton, draw_pose
from napari_bonescint.simulation.uptake import draw_uptake


def test_spine_takes_more_than_the_shaft_of_a_femur(skeleton: Skeleton) -> None:
    points = skeleton.points
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        position = skeleton.place(draw_pose(rng))
        density = draw_uptake(rng, points, position, skeleton.left) / points.volume
        assert np.isfinite(density).all()
        assert density.min() >= 0
        shaft = (points.region == CODES["femur"]) & (np.abs(points.along - 0.5) < 0.2)
        ratios.append(np.median(density[points.region == CODES["lumbar_spine"]]) / np.median(density[shaft]))
    assert np.median(ratios) > 2
