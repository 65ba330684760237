"""How much tracer each point of bone takes.

The relative uptakes are this module's own, chosen by eye against published whole-body scans; where bone is taken for
granted to be hot (sacroiliac joints, ends of long bones, sternum, shoulder), the literature agrees qualitatively.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.geometry import BonePoints

_BASE: dict[str, float] = {
    "skull": 0.75,
    "cervical_spine": 1.0,
    "thoracic_spine": 1.15,
    "lumbar_spine": 1.15,
    "sacrum": 1.0,
    "ribs": 0.8,
    "sternum": 1.9,
    "clavicle": 0.9,
    "scapula": 0.8,
    "humerus": 0.45,
    "forearm": 0.35,
    "hand": 0.6,
    "pelvis": 0.85,
    "femur": 0.42,
    "lower_leg": 0.36,
    "foot": 0.5,
}
_LONG = ("humerus", "forearm", "femur", "lower_leg")


def draw_uptake(
    rng: np.random.Generator, points: BonePoints, position: NDArray[np.float32], left: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Random tracer uptake of a patient's bones.

    Parameters
    ----------
    rng : numpy.random.Generator
    points : BonePoints
    position : ndarray of float32, shape (n, 3)
        Posed points, mm.
    left : ndarray of bool, shape (n,)
        Whether a point belongs to the patient's left side.

    Returns
    -------
    ndarray of float32, shape (n,)
        Activity of each point: counts of its volume, 1 for 1 mm^3 of ordinary bone.
    """
    level = np.zeros((2, len(REGIONS)))
    for name, base in _BASE.items():
        level[:, CODES[name]] = base * np.exp(rng.normal(0, 0.28)) * np.exp(rng.normal(0, 0.08, 2))
    piece = np.exp(rng.normal(0, 0.12, len(points.pieces)))
    piece[[index for index, name in enumerate(points.pieces) if name in ("face", "hat_jaw")]] *= rng.uniform(0.9, 2.2)
    density = level[left.astype(np.int8), points.region] * piece[points.piece]
    density *= _rim(rng, points) * _ends(rng, points) * _crests(rng, points, position)
    density *= 1 + _hot_spots(rng, points, position)
    return (np.maximum(density, 0) * points.volume).astype(np.float32)


def _rim(rng: np.random.Generator, points: BonePoints) -> NDArray[np.float64]:
    """Cortical bone against what lies within: spongiosa, or the marrow of a shaft."""
    rim = np.exp(-points.depth / 2.5)
    shaft = np.isin(points.region, [CODES[name] for name in _LONG]) & (np.abs(points.along - 0.5) < 0.3)
    inner = np.where(shaft, rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.9))
    inner = np.where(points.region == CODES["pelvis"], rng.uniform(0.25, 0.6), inner)
    return np.asarray(inner + (1.3 - inner) * rim)


def _ends(rng: np.random.Generator, points: BonePoints) -> NDArray[np.float64]:
    """Ends of long bones take more than shafts."""
    distance = np.minimum(points.along, 1 - points.along)
    long = np.isin(points.region, [CODES[name] for name in _LONG])
    gain = rng.uniform(0.3, 1.6) * np.exp(-((distance / rng.uniform(0.06, 0.14)) ** 2))
    return np.asarray(1 + np.where(long, gain, 0))


def _crests(rng: np.random.Generator, points: BonePoints, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """Iliac crests take more than the wings below them."""
    factor = np.ones(len(position), np.float32)
    pelvis = np.flatnonzero(points.region == CODES["pelvis"])
    height = position[pelvis, 2]
    relative = (height - height.min()) / np.ptp(height)
    factor[pelvis] += np.float32(rng.uniform(0, 1.2)) * np.clip((relative - 0.6) / 0.4, 0, 1) ** 2
    return factor


def _hot_spots(rng: np.random.Generator, points: BonePoints, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """Joints that work, degenerate or are inflamed; metastases and fractures; rarely a cold lesion."""
    spots: list[tuple[NDArray[np.float32], float, float]] = []
    sacrum = position[points.region == CODES["sacrum"]]
    upper = sacrum[sacrum[:, 2] > np.quantile(sacrum[:, 2], 0.45)]
    for quantile in (0.02, 0.98):
        edge = upper[np.argmin(np.abs(upper[:, 0] - np.quantile(upper[:, 0], quantile)))]
        spots += [(edge + np.array([0, 0, dz], np.float32), rng.uniform(0.2, 1.0), 9.0) for dz in (-12, 4)]
    for index, name in enumerate(points.pieces):
        kind = points.region[np.searchsorted(points.piece, index)]
        if kind in {CODES[n] for n in (*_LONG, "clavicle", "scapula")}:
            own = position[points.piece == index]
            for end in (own[own[:, 2].argmax()], own[own[:, 2].argmin()], own[np.abs(own[:, 0]).argmax()]):
                if rng.random() < 0.5:
                    spots.append((end, float(rng.gamma(1.2, 0.5)), float(rng.uniform(7, 16))))
        elif name.startswith("rib_") and rng.random() < 0.05:
            spots.append((_any(rng, position[points.piece == index]), float(rng.uniform(1, 5)), 6.0))
    lesions = int(rng.choice([0, int(rng.integers(1, 5)), int(rng.integers(5, 40)), 90], p=[0.55, 0.22, 0.18, 0.05]))
    for _ in range(lesions):
        gain = float(rng.uniform(1, 10)) if rng.random() < 0.93 else -0.9
        spots.append((_any(rng, position), gain, float(rng.uniform(5, 18))))
    order = np.argsort(position[:, 2])
    x, y, z = (np.ascontiguousarray(column) for column in position[order].T)
    total = np.zeros(len(position), np.float32)
    for centre, gain, width in spots:
        near = slice(*np.searchsorted(z, (centre[2] - 3 * width, centre[2] + 3 * width)))
        square = (x[near] - centre[0]) ** 2 + (y[near] - centre[1]) ** 2 + (z[near] - centre[2]) ** 2
        total[near] += np.float32(gain) * np.exp(square * np.float32(-0.5 / width**2))
    total[order] = total.copy()
    return np.maximum(total, -0.95)


def _any(rng: np.random.Generator, position: NDArray[np.float32]) -> NDArray[np.float32]:
    chosen: NDArray[np.float32] = position[rng.integers(len(position))]
    return chosen
