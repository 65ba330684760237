"""An invented department: what its scans differ in from those that the shipped models were trained on is all here.

- Pose: arms held away from the body, elbows and knees bent, legs apart, spines crooked.
- Pathology: lesions three times as hot, soft tissue twice as bright, as in bad kidneys.
- Camera: a collimator that blurs more, a matrix of pixels twice as large, more haze.
- Counts: a quarter of what is usual.

Every seed is a body of its own. A patient comes for one to three examinations, months apart: the bones, their lesions
and the way they take up tracer stay; how the patient lies, the camera and the photons are another day's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.simulation.case import SOURCES, Case, simulate
from napari_bonescint.simulation.geometry import BonePoints, load_model
from napari_bonescint.simulation.nuclear_medicine import Study
from napari_bonescint.simulation.pose import Pose, Skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

PATIENTS = range(30_000, 100_000)
"""Seeds of the department's patients: of no split in train/splits.toml, so no shipped model has seen these bodies."""
ISSUER = "INVENTED DEPARTMENT"

_JOINTS = {"shoulder_elv": 0.35, "elbow_flexion": 0.45, "hip_adduction": -0.09, "knee_angle": 0.15}
_CROOKED = np.array([[0, 0, 2 * np.pi / 420, 14, 0, 0, 1.0]])
_STRENGTHS = {"lesions": 3.0, "soft": 2.0}
_BLUR_PIXELS = 1.6
_HAZE = 0.08
_TOTAL_COUNTS = (1.5e5, 8e5)
_COUNTING_STREAM, _CALENDAR_STREAM = 2, 5
_EXAMINATIONS = (0.6, 0.3, 0.1)
_OPENED = date(2021, 1, 4)


@dataclass(frozen=True)
class Examination:
    """One scan of one patient.

    Attributes
    ----------
    seed : int
        The patient's body.
    visit : int
        Which examination of this patient it is, from 1.
    day : datetime.date
    """

    seed: int
    visit: int
    day: date

    @property
    def name(self) -> str:
        """A name for its files."""
        return f"{self.seed:06d}-{self.visit}"

    @property
    def study(self) -> Study:
        """Who was examined and when, as the department writes it."""
        return Study(f"{self.seed:08d}", ISSUER, f"Invented^Patient {self.seed}", self.day)


class OtherSkeleton(Skeleton):
    """A skeleton that lies as patients do there."""

    def place(self, pose: Pose) -> NDArray[np.float32]:
        """See `Skeleton.place`."""
        joints = dict(pose.joints)
        for name in joints:
            joints[name] += _JOINTS.get(name.rpartition("_")[0], 0.0)
        return super().place(replace(pose, joints=joints, waves=np.vstack([pose.waves, _CROOKED])))


@cache
def load_skeleton_there(geometry: Path) -> OtherSkeleton:
    """The department's skeleton with the geometry that `BonePoints.save` wrote; read once in a process."""
    return OtherSkeleton(load_model(), BonePoints.load(geometry))


def examinations(seed: int) -> list[Examination]:
    """When a patient was scanned, the first time first; the same seed gives the same days."""
    rng = np.random.default_rng((seed, _CALENDAR_STREAM))
    day = _OPENED + timedelta(days=int(rng.integers(0, 1200)))
    found = []
    for visit in range(1, 2 + int(rng.choice(len(_EXAMINATIONS), p=_EXAMINATIONS))):
        found.append(Examination(seed, visit, day))
        day += timedelta(days=int(rng.integers(80, 400)))
    return found


def simulate_there(skeleton: OtherSkeleton, seed: int, visit: int = 0) -> Case:
    """A patient of the department; the same seed gives the same body.

    Parameters
    ----------
    skeleton : OtherSkeleton
    seed : int
    visit : int
        See `case.simulate`.
    """
    case = simulate(skeleton, seed, visit)
    strengths = np.array([_STRENGTHS.get(source, 1.0) for source in SOURCES], np.float32)
    expected = case.expected * strengths[:, None, None, None]
    expected = ndimage.gaussian_filter(expected, (0, 0, _BLUR_PIXELS, _BLUR_PIXELS))
    together = expected.sum(axis=0)
    body = ndimage.gaussian_filter((together > 0.02 * together.max()).astype(np.float32), (0, 4, 4))
    expected[SOURCES.index("soft")] += _HAZE * together.mean() * body
    rows, columns = (n - n % 2 for n in expected.shape[-2:])
    halved = expected[..., :rows, :columns].reshape(*expected.shape[:2], rows // 2, 2, columns // 2, 2).sum(axis=(3, 5))
    regions = case.regions[:, :rows:2, :columns:2]
    return Case(halved, np.ascontiguousarray(regions), 2 * case.pixel_mm)


def scan_there(case: Case, seed: int, visit: int = 0) -> Scan:
    """The scan of a patient: seed and visit decide how many photons are counted, and where."""
    rng = np.random.default_rng((seed, _COUNTING_STREAM, visit) if visit else (seed, _COUNTING_STREAM))
    lowest, highest = np.log(_TOTAL_COUNTS)
    return case.count(rng, float(np.exp(rng.uniform(lowest, highest))))
