"""Levels and sizes of the bones of many drawn adults, on their mean, against textbook anatomy.

Sources: Gray's Anatomy, 42nd edition (levels of the sternum, scapula, iliac crests and hip joints; lengths of
clavicle, sternum and cervical spine); rib and forearm outlines follow `design.md`'s rule of truth. All lengths are
those of a body of 1.70 m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.pose import draw_pose
from napari_bonescint.simulation.posed import PosedBones

if TYPE_CHECKING:
    from napari_bonescint.simulation.case import Case
    from napari_bonescint.simulation.pose import Skeleton

ADULTS = 24


class Levels(NamedTuple):
    """Heights above the soles and lengths in mm, scaled to 1.70 m; `vertebrae` are the middles of T1 to L5."""

    vertebrae: np.ndarray
    values: dict[str, float]


def measure(bones: PosedBones) -> Levels:
    skull, foot = bones.of("skull"), bones.of("foot")
    soles = float(foot[:, 2].min())
    scale = 1700.0 / (float(skull[:, 2].max()) - soles)
    middles = [
        float(bones.position[part, 2].mean())
        for name in ("thoracic_spine", "lumbar_spine")
        for part in bones.pieces(name)
    ]

    def height(region: str, side: str | None, share: float) -> float:
        return (float(np.quantile(bones.of(region, side)[:, 2], share)) - soles) * scale

    def length(points: np.ndarray) -> float:
        _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        return float(np.ptp(points @ axes[0])) * scale

    cervical, sacrum, clavicle = bones.of("cervical_spine"), bones.of("sacrum"), bones.of("clavicle", "left")
    hips = np.mean([bones.hip(side)[2] for side in ("left", "right")])
    pelvis = bones.of("pelvis")
    symphysis = pelvis[np.abs(pelvis[:, 0] - np.median(pelvis[:, 0])) < 12]
    values = {
        "notch": height("sternum", None, 1.0),
        "scapula top": height("scapula", "left", 1.0),
        "scapula bottom": height("scapula", "left", 0.0),
        "crest": height("pelvis", None, 1.0),
        "coccyx": height("sacrum", None, 0.0),
        "hips": (float(hips) - soles) * scale,
        "symphysis": (float(symphysis[:, 2].max()) - soles) * scale,
        "clavicle length": length(clavicle),
        "sternum length": length(bones.of("sternum")),
        "cervical length": float(np.ptp(cervical[:, 2])) * scale,
        "sacrum width": float(np.ptp(sacrum[:, 0])) * scale,
    }
    return Levels((np.array(middles) - soles) * scale, values)


@pytest.fixture(scope="module")
def levels(skeleton: Skeleton) -> Levels:
    drawn = []
    for seed in range(200):
        pose = draw_pose(np.random.default_rng(seed))
        if pose.stretch[2] > 0.85 and len(drawn) < ADULTS:
            drawn.append(measure(PosedBones(skeleton.points, skeleton.place(pose), skeleton.left)))
    values = {name: float(np.mean([each.values[name] for each in drawn])) for name in drawn[0].values}
    return Levels(np.mean([each.vertebrae for each in drawn], axis=0), values)


def between(levels: Levels, upper: str, lower: str) -> tuple[float, float]:
    """Heights of the middles of two vertebrae, the lower first."""
    names = [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
    return float(levels.vertebrae[names.index(lower)]), float(levels.vertebrae[names.index(upper)])


@pytest.mark.parametrize(
    ("landmark", "upper", "lower"),
    [
        ("notch", "T2", "T3"),  # disc T2/T3, so that T1 and T2 show above the manubrium
        ("scapula bottom", "T7", "T9"),  # inferior angle T7 to T8
        ("crest", "L3", "L5"),  # L4
    ],
)
def test_landmarks_lie_at_their_vertebrae(levels: Levels, landmark: str, upper: str, lower: str) -> None:
    low, high = between(levels, upper, lower)
    assert low < levels.values[landmark] < high


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("clavicle length", 138, 155),  # 140 to 155
        ("sternum length", 148, 172),  # 150 to 170
        ("cervical length", 105, 125),  # C1 to C7 about 115
        ("sacrum width", 98, 112),  # about 105
    ],
)
def test_bones_have_their_sizes(levels: Levels, name: str, least: float, most: float) -> None:
    assert least < levels.values[name] < most


def test_hip_joints_lie_just_below_the_tip_of_the_coccyx(levels: Levels) -> None:
    assert -35 < levels.values["hips"] - levels.values["coccyx"] < 10


def test_ribs_hang_on_their_vertebrae(skeleton: Skeleton) -> None:
    differences = []
    for seed in range(6):
        bones = PosedBones(skeleton.points, skeleton.place(draw_pose(np.random.default_rng(seed))), skeleton.left)
        vertebrae = [float(bones.position[part, 2].mean()) for part in bones.pieces("thoracic_spine")]
        ribs = bones.pieces("ribs")
        heads = sorted(
            (
                float(own[own[:, 1] > np.quantile(own[:, 1], 0.9), 2].mean())
                for own in map(bones.position.__getitem__, ribs)
            ),
            reverse=True,
        )
        differences.append(np.array(heads).reshape(12, 2).mean(axis=1) - vertebrae)
    # A head lies at its own vertebra's upper half, within a vertebra's height of 20 to 27 mm of the middle.
    assert np.abs(np.mean(differences, axis=0)).max() < 20


def test_the_sacrum_leans_back_and_so_looks_short(case: Case) -> None:
    rows = np.flatnonzero((case.regions[0] == CODES["sacrum"]).any(axis=1))
    body = np.flatnonzero((case.regions[0] > 0).any(axis=1))
    share = (rows[-1] - rows[0]) / (body[-1] - body[0])
    # 75 to 85 mm of 1.70 m and the feet's length below the soles, for one body.
    assert 0.035 < share < 0.06
