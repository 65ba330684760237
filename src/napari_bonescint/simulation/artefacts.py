"""Artefacts of acquisition: motion, uneven scan speed, detector defects, the table, and the field of view.

Magnitudes are this module's own choice. The table is 1.5 to 4 mm of aluminium, or the equivalent in carbon, with mu
0.036 per mm at 140 keV (NIST XCOM, 0.138 cm^2/g and 2.7 g/cm^3), in front of the posterior head only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.camera import Camera

_ALUMINIUM_PER_MM = 0.036


def move_during_scan(rng: np.random.Generator, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (n, 3) of a patient who perhaps moves sideways during the scan from head to feet.

    Parts scanned before the movement stay, and later ones are shifted; bones, organs and truth follow alike.
    """
    if rng.random() > 0.15:
        return position
    moved = position.copy()
    low, high = position[:, 2].min(), position[:, 2].max()
    for _ in range(rng.integers(1, 3)):
        z, over = rng.uniform(low, high), rng.uniform(3, 25)
        passed = np.clip((z - position[:, 2]) / over, 0, 1).astype(np.float32)
        moved[:, 0] += np.float32(rng.normal(0, 6)) * passed
    return moved


def draw_field(rng: np.random.Generator, camera: Camera, position: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The pixels (y, x) of the anterior matrix inside the detector's field; others stay empty.

    A head is 500 to 610 mm wide. The operator chooses the beginning and end of the scan: beyond the patient, whose
    points (n, 3) are given, or rarely a little inside.
    """
    rows, columns = camera.shape
    width = min(columns, round(rng.uniform(500, 610) / camera.pixel_mm))
    left = (columns - width) // 2
    head, soles = ((camera.top_mm - float(z)) / camera.pixel_mm for z in (position[:, 2].max(), position[:, 2].min()))
    beyond = (rng.uniform(-50, 10, 2) if rng.random() < 0.05 else rng.uniform(20, 400, 2)) / camera.pixel_mm
    field = np.zeros(camera.shape, bool)
    top, bottom = max(0, round(head - beyond[0])), min(rows, round(soles + beyond[1]))
    field[top:bottom, left : left + width] = True
    return field


def draw_gains(rng: np.random.Generator, camera: Camera) -> NDArray[np.float32]:
    """Relative sensitivity (view, y, x) from scan speed, detector defects, and the table before the posterior head."""
    rows, columns = camera.shape
    gains = np.ones((2, rows, columns), np.float32)
    if rng.random() < 0.15:
        gains *= _speed_bands(rng, rows)[:, None]
    for view in (0, 1):
        if rng.random() < 0.03:
            gains[view] *= _dead_spot(rng, camera)
    gains[1] *= _table(rng, camera)
    return gains


def _speed_bands(rng: np.random.Generator, rows: int) -> NDArray[np.float32]:
    """Sensitivity by row: the table moves in steps, or unevenly, so rows differ by some per cent."""
    edges = np.sort(rng.integers(0, rows, rng.integers(1, 7)))
    steps = rng.normal(0, 0.03, len(edges) + 1)
    return (1 + steps[np.searchsorted(edges, np.arange(rows), side="right")]).astype(np.float32)


def _dead_spot(rng: np.random.Generator, camera: Camera) -> NDArray[np.float32]:
    """Sensitivity (y, x) of a weak photomultiplier, which leaves a strip along the scan as the head moves."""
    rows, columns = camera.shape
    column = np.arange(columns) - rng.uniform(0.1, 0.9) * columns
    width = rng.uniform(8, 30) / camera.pixel_mm
    strip = 1 - rng.uniform(0.05, 0.35) * np.exp(-0.5 * (column / width) ** 2)
    if rng.random() < 0.6:
        return np.broadcast_to(strip.astype(np.float32), (rows, columns))
    # An object between patient and camera, such as a buckle, is a spot.
    row = np.arange(rows) - rng.uniform(0.25, 0.75) * rows
    near = np.hypot(column[None], row[:, None]) < width / 2
    return (1 - rng.uniform(0.3, 0.9) * ndimage.gaussian_filter(near.astype(np.float32), 1)).astype(np.float32)


def _table(rng: np.random.Generator, camera: Camera) -> NDArray[np.float32]:
    """Transmission (1, x) of the table in the posterior view, thicker at its edges."""
    half = rng.uniform(180, 225)
    x = (np.arange(camera.shape[1]) + 0.5 - camera.shape[1] / 2) * camera.pixel_mm + rng.normal(0, 10)
    thickness = rng.uniform(1.0, 3.0) * (np.abs(x) < half) + rng.uniform(0, 2) * (np.abs(np.abs(x) - half) < 5)
    transmission = np.exp(-_ALUMINIUM_PER_MM * ndimage.gaussian_filter1d(thickness, 4 / camera.pixel_mm))
    return transmission[None].astype(np.float32)


def draw_background(rng: np.random.Generator) -> float:
    """Background counts in every pixel, relative to the mean of soft tissue."""
    return float(np.exp(rng.uniform(np.log(1e-3), np.log(8e-2))))
