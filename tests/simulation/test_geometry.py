from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.simulation.geometry import BonePoints

if TYPE_CHECKING:
    from pathlib import Path


def volume_ml(points: BonePoints, region: str) -> float:
    return float(points.volume[points.region == CODES[region]].sum()) / 1000


def test_every_region_has_bone(points: BonePoints) -> None:
    assert set(points.region) == {region.code for region in REGIONS[1:]}


@pytest.mark.parametrize(
    ("region", "lowest", "highest"),
    [
        # Two filled femora of a 1.70 m man are about 0.6 to 0.9 l; a sternum, without cartilage, well below 0.1 l;
        # 24 ribs about 0.4 l.
        ("femur", 600, 900),
        ("sternum", 25, 90),
        ("ribs", 250, 500),
        # The vault without the brain, which alone would be 1.3 l.
        ("skull", 350, 1100),
        ("humerus", 200, 400),
    ],
)
def test_bones_are_filled_and_not_overfilled(points: BonePoints, region: str, lowest: float, highest: float) -> None:
    assert lowest < volume_ml(points, region) < highest


def test_there_are_twelve_pairs_of_ribs(points: BonePoints) -> None:
    assert len([name for name in points.pieces if name.startswith("rib_")]) == 24


def test_depth_is_largest_within(points: BonePoints) -> None:
    assert points.depth.min() >= 0
    femur = points.region == CODES["femur"]
    assert 8 < points.depth[femur].max() < 40


def test_points_survive_a_round_trip(points: BonePoints, tmp_path: Path) -> None:
    points.save(tmp_path / "points.npz")
    again = BonePoints.load(tmp_path / "points.npz")
    assert again.pieces == points.pieces
    np.testing.assert_array_equal(again.position, points.position)
