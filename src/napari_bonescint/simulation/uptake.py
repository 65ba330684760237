"""Tracer uptake of each point of healthy bone.

Relative uptakes are this module's own choice, by eye from published whole-body scans. The literature (Love et al.,
Radiographics 2003; 23: 341-358) agrees qualitatively on the hot parts: sacroiliac joints, ends of long bones, sternum,
shoulder, face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.simulation.posed import SIDES, PosedBones, Spot, outward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.patient import Patient

_BASE: dict[str, float] = {
    "skull": 0.43,
    "cervical_spine": 0.75,
    "thoracic_spine": 1.1,
    "lumbar_spine": 1.2,
    "sacrum": 0.72,
    "ribs": 0.8,
    "sternum": 1.45,
    "clavicle": 0.9,
    "scapula": 0.8,
    "humerus": 0.45,
    "forearm": 0.36,
    "hand": 0.4,
    "pelvis": 0.85,
    "femur": 0.45,
    "lower_leg": 0.38,
    "foot": 0.33,
}
_LONG = ("humerus", "forearm", "femur", "lower_leg")
_SPINE = ("cervical_spine", "thoracic_spine", "lumbar_spine")
_AXIAL = ("skull", *_SPINE, "sacrum", "ribs", "sternum", "clavicle", "scapula", "pelvis")


def draw_density(rng: np.random.Generator, bones: PosedBones, patient: Patient) -> NDArray[np.float32]:
    """Draw the tracer density (n,) of a patient's healthy bones, 1 for ordinary bone."""
    points = bones.points
    level = np.zeros((2, len(REGIONS)), np.float32)
    # Limbs are correlated with each other more than with the trunk.
    limbs = np.exp(rng.normal(0, 0.2))
    for name, base in _BASE.items():
        common = 1.0 if name in _AXIAL else limbs
        level[:, CODES[name]] = base * common * np.exp(rng.normal(0, 0.22)) * np.exp(rng.normal(0, 0.06, 2))
        if patient.superscan and name in _AXIAL:
            level[:, CODES[name]] *= 1.6
    piece = np.exp(rng.normal(0, 0.1, len(points.pieces))).astype(np.float32)
    density = level[bones.left.astype(np.int8), points.region] * piece[points.piece]
    density *= _shell(rng, bones)
    _shape_long_bones(rng, bones, patient, density)
    _shape_pelvis(rng, bones, patient, density)
    _shape_face(rng, bones, density)
    density *= 1 + bones.add_up(_usual_spots(rng, bones))
    return density


def spread_along_spine(rng: np.random.Generator, bones: PosedBones) -> NDArray[np.float32]:
    """Move a share of the spine's points (n, 3) along it.

    Scans show the spine as one column with faint bands; the model's vertebral bodies are too low and its discs too
    high.
    """
    position = bones.position.copy()
    for name, sigma in zip(_SPINE, (5.0, 8.0, 11.0), strict=True):
        own = bones.indices(name)
        moved = own[rng.random(len(own)) < rng.uniform(0.45, 0.85)]
        position[moved, 2] += rng.normal(0, sigma, len(moved)).astype(np.float32)
    return position


def _shell(rng: np.random.Generator, bones: PosedBones) -> NDArray[np.float32]:
    """Ratio of cortical bone to the inner part: spongiosa, or the marrow of a shaft."""
    points = bones.points
    inner = np.full(len(REGIONS), rng.uniform(0.5, 0.85), np.float32)
    for name in _LONG:
        # The wide ends are spongiosa: a knee shows two to three times the counts of a shaft, not ten times.
        inner[CODES[name]] = rng.uniform(0.14, 0.32)
    inner[CODES["pelvis"]] = rng.uniform(0.3, 0.55)
    inner[CODES["foot"]] = rng.uniform(0.25, 0.5)
    inside = inner[points.region]
    rim: NDArray[np.float32] = np.exp(points.depth * np.float32(-1 / 2.5))
    return inside + (np.float32(1.25) - inside) * rim


def _shape_long_bones(
    rng: np.random.Generator, bones: PosedBones, patient: Patient, density: NDArray[np.float32]
) -> None:
    """Raise the `density` (n,) at the ends of long bones, and most in open growth plates."""
    for name in _LONG:
        own = bones.indices(name)
        distance = np.minimum(bones.points.along[own], 1 - bones.points.along[own])
        gain = rng.uniform(0.0, 0.55) * np.exp(-((distance / rng.uniform(0.05, 0.12)) ** 2))
        if patient.growing:
            plate = rng.uniform(0.035, 0.06)
            gain += rng.uniform(1.5, 5) * np.exp(-(((distance - plate) / 0.012) ** 2))
        density[own] *= (1 + gain).astype(np.float32)


def _shape_pelvis(rng: np.random.Generator, bones: PosedBones, patient: Patient, density: NDArray[np.float32]) -> None:
    """Raise the `density` (n,) of iliac crests and lower that of the middle of the iliac wings."""
    crest_gain = rng.uniform(0.1, 1.1) + (rng.uniform(1, 3) if patient.growing else 0)
    wing, thickness = rng.uniform(0.35, 0.75), rng.uniform(7, 13)
    for side in SIDES:
        own = bones.indices("pelvis", side)
        across = ((bones.position[own, 0] - bones.position[own, 0].min()) / 5).astype(np.int64)
        height = bones.position[own, 2]
        edge = np.full(across.max() + 1, -np.inf)
        np.maximum.at(edge, across, height)
        below = edge[across] - height
        relative = (height - height.min()) / np.ptp(height)
        upper = np.clip((relative - 0.45) / 0.15, 0, 1)
        density[own] *= 1 + upper * (crest_gain * np.exp(-((below / thickness) ** 2)))
        centre = upper * np.clip((below - 15) / 15, 0, 1)
        density[own] *= 1 - (1 - wing) * centre


def _shape_face(rng: np.random.Generator, bones: PosedBones, density: NDArray[np.float32]) -> None:
    """Raise the `density` (n,) of facial bones: mostly nose, maxilla and teeth, not the orbits."""
    pieces = bones.points.pieces
    for name, own_gain in (("face", rng.uniform(1.0, 1.8)), ("hat_jaw", rng.uniform(0.7, 1.5))):
        if name in pieces:
            density[bones.points.piece == pieces.index(name)] *= np.float32(own_gain)


def _usual_spots(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """Places where healthy bone takes more tracer than its surroundings."""
    spots = _sacroiliac(rng, bones) + _face(rng, bones)
    knees, shoulders, hips = rng.uniform(0, 0.5), rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.7)
    for side in SIDES:

        def about(level: float) -> float:
            return float(level * np.exp(rng.normal(0, 0.2)))

        spots += [
            Spot(bones.extreme("scapula", side, (0.7, 0, 1)), about(1.2 * shoulders), 10),
            Spot(bones.extreme("scapula", side, (0.3, -1, 0.3)), about(1.2 * shoulders), 8),
            Spot(bones.end("humerus", side, True), about(shoulders), (16, 16, 14)),
            Spot(bones.extreme("clavicle", side, (-1, 0, 0)), about(0.8), 9),
            Spot(bones.hip(side) + np.array([outward(side) * 6, 0, 26], np.float32), about(hips), (16, 18, 7)),
            Spot(bones.extreme("pelvis", side, (0, 0.3, -1)), about(hips), 13),
            Spot(bones.extreme("pelvis", side, (1, -0.6, 0.4)), about(hips), 11),
            Spot(bones.hip(side), about(hips), (17, 17, 17)),
            Spot(bones.end("femur", side, False), about(knees), (30, 25, 14)),
            Spot(bones.end("lower_leg", side, True), about(knees), (28, 25, 14)),
            Spot(bones.extreme("femur", side, (1, 0, 0.6)), about(0.3), 15),
            Spot(bones.end("lower_leg", side, False), about(0.4), 16),
            Spot(bones.end("forearm", side, False), about(0.4), 12),
        ]
    sternum = bones.of("sternum")
    z = sternum[:, 2]
    centre = sternum.mean(axis=0)
    angle = np.array([centre[0], centre[1], z.min() + 0.72 * np.ptp(z)], np.float32)
    manubrium = np.array([centre[0], centre[1], z.min() + 0.88 * np.ptp(z)], np.float32)
    spots += [Spot(angle, rng.uniform(0, 0.8), (25, 25, 6)), Spot(manubrium, rng.uniform(0, 0.6), (35, 25, 16))]
    return spots


def _sacroiliac(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """Both sacroiliac joints, each as a line of spots along the edge of the sacrum."""
    sacrum = bones.of("sacrum")
    low, high = np.quantile(sacrum[:, 2], (0.02, 0.98))
    gain = rng.uniform(0.5, 1.4)
    spots = []
    for side in SIDES:
        own = gain * np.exp(rng.normal(0, 0.15))
        for share in (0.5, 0.65, 0.8, 0.93):
            level = sacrum[np.abs(sacrum[:, 2] - (low + share * (high - low))) < 6]
            edge = level[(level[:, 0] * outward(side)).argmax()]
            spots.append(Spot(edge, float(own), (6, 15, 9)))
    return spots


def _face(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """Nose and maxilla, orbits and single teeth."""
    skull = bones.of("skull")
    x = float(np.median(skull[:, 0]))
    bottom, height = float(skull[:, 2].min()), float(np.ptp(skull[:, 2]))
    front = float(np.quantile(skull[:, 1], 0.02))

    def place(dx: float, dy: float, share: float) -> NDArray[np.float32]:
        return np.array([x + dx, front + dy, bottom + share * height], np.float32)

    spots = [
        Spot(place(0, 20, 0.38), rng.uniform(0.5, 2.5), (11, 20, 16)),
        Spot(place(0, 12, 0.26), rng.uniform(0.2, 1.6), (22, 16, 8)),
    ]
    spots += [Spot(place(s * 33, 12, 0.52), -rng.uniform(0.2, 0.7), (13, 22, 11)) for s in (-1, 1)]
    for _ in range(rng.poisson(0.7)):
        tooth = place(rng.uniform(-25, 25), rng.uniform(5, 25), rng.uniform(0.1, 0.26))
        spots.append(Spot(tooth, rng.uniform(1, 4), 5))
    return spots
