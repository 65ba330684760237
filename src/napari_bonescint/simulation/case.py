"""One simulated patient: expected counts of both views, by source, and the true regions."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import CODES
from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.simulation.body import Body, draw_organs, wrap
from napari_bonescint.simulation.camera import Camera
from napari_bonescint.simulation.pose import Skeleton, draw_pose
from napari_bonescint.simulation.truth import true_regions
from napari_bonescint.simulation.uptake import draw_uptake

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (1024, 256)


@dataclass(frozen=True)
class Case:
    """A simulated patient before counting.

    Attributes
    ----------
    expected : ndarray of float32, shape (source, view, y, x)
        Expected counts of bone, soft tissue and urine, each anterior then posterior, in one arbitrary unit.
    regions : ndarray of uint8, shape (view, y, x)
        True region codes.
    pixel_mm : float
        Pixel size of both.
    """

    expected: NDArray[np.float32]
    regions: NDArray[np.uint8]
    pixel_mm: float

    def save(self, path: Path) -> None:
        """Write to a NumPy archive, expected counts in half precision; whole or not at all."""
        scaled = self.expected * np.float32(1e6 / self.expected[0].sum())
        # An injection site may be brighter than half precision can say.
        half = np.minimum(scaled, np.finfo(np.float16).max).astype(np.float16)
        buffer = io.BytesIO()
        np.savez(buffer, expected=half, regions=self.regions, pixel_mm=self.pixel_mm)
        write_bytes_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(file["expected"].astype(np.float32), file["regions"], float(file["pixel_mm"]))

    def count(self, rng: np.random.Generator, total: float, strengths: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Scan:
        """Count photons.

        Parameters
        ----------
        rng : numpy.random.Generator
        total : float
            Expected counts of both views together, without urine.
        strengths : tuple of float
            Factors of bone, soft tissue and urine.
        """
        mean = np.tensordot(np.array(strengths, np.float32), self.expected, axes=1)
        mean *= total / max(float(np.tensordot(strengths[:2], self.expected[:2], axes=1).sum()), 1e-9)
        counts = np.minimum(rng.poisson(mean), np.iinfo(np.uint16).max).astype(np.uint16)
        return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (self.pixel_mm, self.pixel_mm))


def simulate(skeleton: Skeleton, seed: int) -> Case:
    """Simulate a patient.

    Parameters
    ----------
    skeleton : Skeleton
        Can be used again; not changed.
    seed : int
        The same seed gives the same case.
    """
    rng = np.random.default_rng(seed)
    pose = draw_pose(rng)
    points = replace(skeleton.points, volume=skeleton.volumes(pose))
    position = skeleton.place(pose)
    left = skeleton.left
    size = float(pose.stretch[2])
    camera = _draw_camera(rng, position)
    body = wrap(position, points.region, left, fat=float(np.clip(rng.gamma(1.3, 0.5), 0, 3)))
    organs = draw_organs(rng, _centres(points.region, position, left), size)
    bone = camera.expose(position, draw_uptake(rng, points, position, left), body)
    urine = camera.expose(organs.position, organs.activity, body)
    soft = camera.glow(_draw_soft_tissue(rng, body), body)
    expected = np.stack([camera.add_scatter(source) for source in (bone, soft, urine)])
    return Case(expected, true_regions(points, position, left, body, camera), camera.pixel_mm)


def _draw_camera(rng: np.random.Generator, position: NDArray[np.float32]) -> Camera:
    pixel_mm = float(rng.uniform(2.1, 2.5))
    low, high = position.min(axis=0), position.max(axis=0)
    middle = float(np.median(position[:, 0])) + rng.normal(0, 12)
    spare = SHAPE[0] * pixel_mm - float(high[2] - low[2])
    # Now and then the vertex is cut off, and with it the toes of a tall patient.
    above = rng.uniform(-60, 30) if rng.random() < 0.15 else rng.uniform(0.0, 0.5) * spare
    return Camera(
        SHAPE,
        pixel_mm,
        left_mm=middle - SHAPE[1] * pixel_mm / 2,
        top_mm=float(high[2]) + above,
        hole_mm=float(rng.uniform(1.2, 1.9)),
        intrinsic_mm=float(rng.uniform(3.3, 4.5)),
        clearance_mm=float(rng.uniform(10, 70)),
        scatter=float(rng.uniform(0.1, 0.45)),
    )


def _centres(
    region: NDArray[np.uint8], position: NDArray[np.float32], left: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    centres = {name: position[region == CODES[name]].mean(axis=0) for name in ("lumbar_spine", "pelvis")}
    for name in ("forearm", "hand"):
        for suffix, side in (("l", left), ("r", ~left)):
            centres[f"{name}_{suffix}"] = position[(region == CODES[name]) & side].mean(axis=0)
    return centres


def _draw_soft_tissue(rng: np.random.Generator, body: Body) -> NDArray[np.float32]:
    """Tracer density of soft tissue on the body's grid, uneven as muscle, fat and blood are."""
    level = float(np.exp(rng.normal(np.log(0.02), 0.5)))
    uneven = np.exp(
        sum(
            weight * sigma * ndimage.gaussian_filter(rng.normal(size=body.front.shape), sigma)
            for sigma, weight in ((4, 0.5), (12, 0.8))
        )
    )
    return np.asarray(level * uneven, np.float32)
