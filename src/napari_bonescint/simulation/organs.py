"""Tracer outside bone: urine, the injection site, contamination, and other organs.

Sizes are those of anatomy books; uptake is this module's own choice, from invisible to brighter than any bone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.simulation.posed import SIDES, PosedBones, outward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.simulation.patient import Patient

# Fractions of the generalised golden ratio in three dimensions: a low-discrepancy sequence (Roberts 2018) makes organs
# of few points smooth.
_GOLDEN = 1.2207440846057596 ** -np.arange(1, 4)
_MM3_PER_POINT = 20.0
_MOST_POINTS = 20_000
_TUBE_STEP_MM = 1.5


class Tracer(NamedTuple):
    """Tracer outside bone, as points.

    `position` (n, 3) is in mm, in the scanner's frame. `activity` (n,) has the unit of bone activity: counts of 1 mm^3
    of ordinary bone.
    """

    position: NDArray[np.float32]
    activity: NDArray[np.float32]


def ellipsoid(centre: NDArray[np.floating], radii: Sequence[float] | NDArray[np.floating], density: float) -> Tracer:
    """A uniformly filled ellipsoid; radii along x, y, z in mm."""
    volume = 4 / 3 * np.pi * float(np.prod(radii))
    count = int(np.clip(volume / _MM3_PER_POINT, 300, _MOST_POINTS))
    share, height, turn = ((np.arange(count)[:, None] + 0.5) * _GOLDEN % 1).T
    height = 2 * height - 1
    across = np.sqrt(1 - height**2)
    sphere = np.stack([across * np.cos(2 * np.pi * turn), across * np.sin(2 * np.pi * turn), height], axis=1)
    position = centre + sphere * np.cbrt(share)[:, None] * np.asarray(radii)
    return Tracer(position.astype(np.float32), np.full(count, density * volume / count, np.float32))


def tube(way: Sequence[NDArray[np.floating]], radius: float, density: float) -> Tracer:
    """A line of tracer through points (3,), with the radius of a vein, ureter or catheter."""
    corners = np.array(way, float)
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(lengths)])
    count = max(2, int(at[-1] / _TUBE_STEP_MM))
    position = np.stack([np.interp(np.linspace(0, at[-1], count), at, corners[:, axis]) for axis in range(3)], axis=1)
    activity = density * np.pi * radius**2 * at[-1] / count
    return Tracer(position.astype(np.float32), np.full(count, activity, np.float32))


def together(parts: Sequence[Tracer]) -> Tracer:
    """Join tracers to one."""
    return Tracer(np.concatenate([part.position for part in parts]), np.concatenate([part.activity for part in parts]))


def draw_excreted(rng: np.random.Generator, bones: PosedBones, patient: Patient) -> Tracer:
    """Draw bladder, kidneys, injection site, contamination and other organs with tracer, around posed bones."""
    parts = _urinary(rng, bones, patient) + _injection(rng, bones) + _contamination(rng, bones)
    return together(parts + _other_organs(rng, bones, patient))


def _lognormal(rng: np.random.Generator, median: float, spread: float) -> float:
    return float(median * np.exp(rng.normal(0, spread)))


def _offset(x: float, y: float, z: float) -> NDArray[np.float64]:
    return np.array([x, y, z], float)


def _urinary(rng: np.random.Generator, bones: PosedBones, patient: Patient) -> list[Tracer]:
    size = patient.size
    pelvis, lumbar = bones.middle("pelvis").astype(float), bones.middle("lumbar_spine").astype(float)
    # An empty bladder is flat and low; a full one rises out of the pelvis.
    volume_ml = float(np.exp(rng.uniform(np.log(15), np.log(450))))
    radius = size * 10 * np.cbrt(volume_ml * 3 / 4 / np.pi)
    radii = radius * np.array([1.25, 0.9, 0.9]) * rng.uniform(0.8, 1.2, 3)
    floor = float(bones.of("pelvis")[:, 2].min()) + size * 38
    bladder = _offset(pelvis[0] + rng.normal(0, 6), pelvis[1] - size * rng.uniform(5, 25), floor + radii[2])
    hot = _lognormal(rng, 1.5, 1.2)
    parts = [ellipsoid(bladder, radii, hot)]
    if rng.random() < 0.3:
        side = rng.choice((-1, 1))
        lobe = bladder + radii * np.array([side * rng.uniform(0.4, 0.9), 0, rng.uniform(-0.3, 0.6)])
        parts.append(ellipsoid(lobe, radii * rng.uniform(0.5, 0.8), hot))
    kidneys = _lognormal(rng, 0.35, 0.6) * (0.05 if patient.superscan else 1)
    for side in (-1, 1):
        if rng.random() < 0.04:
            continue
        drop = 0.0 if side > 0 else rng.uniform(0, 20)
        place = lumbar + size * _offset(side * rng.uniform(50, 68), rng.uniform(5, 25), rng.uniform(25, 65) - drop)
        own = kidneys * _lognormal(rng, 1, 0.2)
        parts.append(ellipsoid(place, size * np.array([25, 20, 50]) * rng.uniform(0.85, 1.15, 3), own))
        pelvis_of_kidney = place - size * _offset(side * 10, 0, rng.uniform(0, 15))
        parts.append(ellipsoid(pelvis_of_kidney, rng.uniform(5, 11, 3), own * rng.uniform(0, 6)))
        if rng.random() < 0.12:
            middle = (pelvis_of_kidney + bladder) / 2 + _offset(side * rng.uniform(0, 20), 0, 0)
            parts.append(tube([pelvis_of_kidney, middle, bladder], 3.0, hot * rng.uniform(0.1, 0.6)))
    if rng.random() < 0.06:
        parts += _catheter(rng, bones, bladder, hot)
    return parts


def _catheter(rng: np.random.Generator, bones: PosedBones, bladder: NDArray[np.float64], hot: float) -> list[Tracer]:
    """A catheter over a thigh to a bag beside the leg."""
    side = SIDES[rng.integers(2)]
    hip, knee = bones.hip(side).astype(float), bones.end("femur", side, False).astype(float)
    out = outward(side)
    perineum = bladder - _offset(0, 20, 80)
    thigh = (hip + knee) / 2 - _offset(0, 70, 0)
    bag = knee + _offset(out * rng.uniform(80, 130), 0, rng.uniform(-120, 120))
    urine = hot * rng.uniform(0.05, 0.5)
    return [
        tube([bladder, perineum, thigh, bag], 2.5, urine),
        ellipsoid(bag, (rng.uniform(25, 50), 12, rng.uniform(50, 100)), urine * rng.uniform(0.2, 1)),
    ]


def _injection(rng: np.random.Generator, bones: PosedBones) -> list[Tracer]:
    if rng.random() < 0.35:
        return []
    side = SIDES[rng.integers(2)]
    elbow, wrist = bones.end("humerus", side, False), bones.end("forearm", side, False)
    hand, shoulder = bones.middle("hand", side), bones.end("humerus", side, True)
    at = int(rng.choice(4, p=[0.45, 0.15, 0.25, 0.15]))
    place = (elbow - _offset(0, 15, 10), (elbow + wrist) / 2, hand, wrist)[at].astype(float) + rng.normal(0, (6, 4, 12))
    hot = _lognormal(rng, 3.0, 1.5)
    parts = [ellipsoid(place, rng.uniform(3, 9, 3) * (1, 1, 1.6), hot)]
    if rng.random() < 0.2:
        # Extravasation extends up the arm under the skin.
        start = place + rng.normal(0, 4, 3)
        bend = (start + shoulder) / 2 + _offset(outward(side) * rng.uniform(0, 20), -10, 0)
        far = start + (bend - start) * rng.uniform(0.3, 1)
        parts.append(tube([start, far], 3, hot * rng.uniform(0.05, 0.4)))
        parts.append(ellipsoid(place + rng.normal(0, 6, 3), (15, 12, rng.uniform(20, 60)), hot * 0.03))
    return parts


def _contamination(rng: np.random.Generator, bones: PosedBones) -> list[Tracer]:
    """Spilt urine: drops on skin and clothes at the perineum and the thighs."""
    pelvis, foot = bones.middle("pelvis").astype(float), bones.middle("foot").astype(float)
    parts = []
    for _ in range(rng.poisson(0.2) * int(rng.integers(1, 4))):
        high = np.array([pelvis[0] + rng.normal(0, 60), pelvis[1] - 90, pelvis[2] - rng.uniform(60, 260)])
        place = high if rng.random() < 0.92 else foot + rng.normal(0, (120, 20, 60))
        drop = np.array([6.0, 3, 5]) * np.exp(rng.normal(0, 0.5, 3))
        parts.append(ellipsoid(place, drop, _lognormal(rng, 1.5, 1.0)))
    return parts


def _other_organs(rng: np.random.Generator, bones: PosedBones, patient: Patient) -> list[Tracer]:
    """Thyroid, stomach and salivary glands if pertechnetate is free; bowel."""
    size = patient.size
    parts = []
    free = _lognormal(rng, 0.35, 0.6) if rng.random() < 0.08 else 0.0
    if free or rng.random() < 0.05:
        neck = bones.end("cervical_spine", None, False).astype(float)
        thyroid = free or _lognormal(rng, 0.4, 0.6)
        parts += [
            ellipsoid(neck + size * _offset(side * 17, -48, 14), size * np.array([9, 9, 22]), thyroid)
            for side in (-1, 1)
        ]
    lumbar = bones.middle("lumbar_spine").astype(float)
    if free:
        place = lumbar + size * _offset(65, -60, 95)
        parts.append(ellipsoid(place, size * rng.uniform(0.8, 1.2, 3) * (42, 35, 55), free * rng.uniform(0.2, 1)))
        jaw = bones.of("skull")
        corner = np.array([np.median(jaw[:, 0]), np.median(jaw[:, 1]) - 20, jaw[:, 2].min() + 25])
        parts += [ellipsoid(corner + _offset(side * 50, 0, 10), (12, 14, 20), free * 0.8) for side in (-1, 1)]
    if rng.random() < 0.04:
        way = [lumbar + size * rng.normal((0, -60, -30), (60, 10, 50)) for _ in range(5)]
        parts.append(tube(way, 14, _lognormal(rng, 0.15, 0.5)))
    return parts
