"""Tracer in soft tissue: blood, muscle and fat, liver, breasts and genitals.

Levels are relative; a case scales them to the patient's ratio of soft tissue to all counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.simulation.body import CELL_MM
from napari_bonescint.simulation.organs import Tracer, ellipsoid, together
from napari_bonescint.simulation.posed import SIDES, PosedBones, outward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.body import Body
    from napari_bonescint.simulation.patient import Patient

_LEVELS: tuple[tuple[str, float], ...] = (
    # From the top down; each level applies at its bone's middle, with interpolation between.
    ("skull", 0.9),
    ("cervical_spine", 1.15),
    ("thoracic_spine", 1.0),
    ("lumbar_spine", 0.95),
    ("pelvis", 1.0),
    ("femur", 1.15),
    ("lower_leg", 1.0),
    ("foot", 1.1),
)
_LUNG_LEVEL = 0.55


def draw_density(rng: np.random.Generator, bones: PosedBones, body: Body) -> NDArray[np.float32]:
    """Draw the tracer density (z, x) on the body's grid, 1 on average, with variation of muscle, fat and blood."""
    rows, columns = body.front.shape
    middles = np.array([float(bones.middle(name)[2]) for name, _ in _LEVELS])
    levels = np.array([level for _, level in _LEVELS]) * np.exp(rng.normal(0, 0.15, len(_LEVELS)))
    order = np.argsort(middles)
    z = body.z1 - (np.arange(rows) + 0.5) * CELL_MM
    density = np.repeat(np.interp(z, middles[order], levels[order])[:, None], columns, axis=1)
    clouds = sum(
        weight * sigma * ndimage.gaussian_filter(rng.normal(size=(rows, columns)), sigma)
        for sigma, weight in ((3, 0.15), (12, 0.3))
    )
    density *= np.exp(clouds)
    # Fat under the skin takes less than the muscle within, so the density decreases towards the outline.
    thickness = ndimage.gaussian_filter(body.thickness, 1.0)
    local = np.maximum(ndimage.maximum_filter(thickness, round(90 / CELL_MM)), 1)
    density *= 1 - rng.uniform(0, 0.25) * (1 - thickness / local)
    share = body.lung / np.maximum(body.thickness, 1)
    density *= 1 - (1 - _LUNG_LEVEL) * np.clip(share, 0, 1)
    return density.astype(np.float32)


def draw_parts(rng: np.random.Generator, bones: PosedBones, patient: Patient) -> Tracer:
    """Draw soft tissue with higher uptake: liver, heart, breasts, buttocks and genitals."""
    size = patient.size
    thorax, lumbar, pelvis = (bones.middle(name).astype(float) for name in ("ribs", "lumbar_spine", "pelvis"))
    front = float(np.quantile(bones.of("ribs")[:, 1], 0.02))
    floor = float(bones.of("pelvis")[:, 2].min())
    liver = lumbar + size * np.array([-62, -45, 100])
    parts = [
        ellipsoid(liver, size * np.array([68, 60, 62]) * rng.uniform(0.9, 1.15, 3), rng.uniform(0, 0.9)),
        ellipsoid(
            np.array([thorax[0] + size * 22, front + 45, thorax[2] + 5]),
            size * np.array([48, 40, 52]),
            rng.uniform(0, 0.6),
        ),
    ]
    if patient.female and not patient.growing:
        radii = size * np.array([52, 30, 50]) * rng.uniform(0.7, 1.25) * (1 + 0.15 * patient.fat)
        density = rng.uniform(0.3, 1.6)
        sag = rng.uniform(0, 45)
        for side in SIDES:
            place = np.array([thorax[0] + outward(side) * size * rng.uniform(75, 100), front - 5, thorax[2] - sag])
            parts.append(ellipsoid(place, radii, density * rng.uniform(0.85, 1.15)))
    elif not patient.female:
        length = rng.uniform(22, 40)
        place = np.array([pelvis[0] + rng.normal(0, 8), pelvis[1] - size * 55, floor - length * 0.8])
        parts.append(ellipsoid(place, size * np.array([20, 20, length]), rng.uniform(0.4, 2.2)))
    return together(parts)
