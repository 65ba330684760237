"""An invented department, whose scans differ from the training data of the shipped models.

- Pose: arms held away from the body, elbows and knees bent, legs apart, spines crooked.
- Pathology: lesions three times as hot, soft tissue twice as bright, as in renal failure.
- Camera: a collimator with more blur, a matrix with pixels twice as large, more scatter.
- Counts: a quarter of the usual number.

Every seed is one body. A patient has one to three examinations, months apart: the bones, their lesions and their uptake
stay the same; position, camera and photons differ.
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
"""Seeds of the department's patients; no split in train/splits.toml, and so no shipped model, has these bodies."""
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
    """One scan of one patient: the seed of the body, the number of the visit from 1, and the date."""

    seed: int
    visit: int
    day: date

    @property
    def name(self) -> str:
        """Stem of the examination's file names."""
        return f"{self.seed:06d}-{self.visit}"

    @property
    def study(self) -> Study:
        """Patient and date of the examination, as in the department's DICOM files."""
        return Study(f"{self.seed:08d}", ISSUER, f"Invented^Patient {self.seed}", self.day)


class DepartmentSkeleton(Skeleton):
    """A skeleton in the department's positions."""

    def place(self, pose: Pose) -> NDArray[np.float32]:
        """See `Skeleton.place`."""
        joints = dict(pose.joints)
        for name in joints:
            joints[name] += _JOINTS.get(name.rpartition("_")[0], 0.0)
        return super().place(replace(pose, joints=joints, waves=np.vstack([pose.waves, _CROOKED])))


@cache
def load_department_skeleton(geometry: Path) -> DepartmentSkeleton:
    """The department's skeleton with the geometry that `BonePoints.save` wrote; cached in a process."""
    return DepartmentSkeleton(load_model(), BonePoints.load(geometry))


def examinations(seed: int) -> list[Examination]:
    """The examinations of a patient, the first one first; they depend only on the seed."""
    rng = np.random.default_rng((seed, _CALENDAR_STREAM))
    day = _OPENED + timedelta(days=int(rng.integers(0, 1200)))
    found = []
    for visit in range(1, 2 + int(rng.choice(len(_EXAMINATIONS), p=_EXAMINATIONS))):
        found.append(Examination(seed, visit, day))
        day += timedelta(days=int(rng.integers(80, 400)))
    return found


def simulate_department(skeleton: DepartmentSkeleton, seed: int, visit: int = 0) -> Case:
    """Simulate a patient of the department; `case.simulate` describes `seed` and `visit`."""
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


def scan_department(case: Case, seed: int, visit: int = 0) -> Scan:
    """Count the photons of a patient of the department; the result depends on seed and visit."""
    rng = np.random.default_rng((seed, _COUNTING_STREAM, visit) if visit else (seed, _COUNTING_STREAM))
    lowest, highest = np.log(_TOTAL_COUNTS)
    return case.count(rng, float(np.exp(rng.uniform(lowest, highest))))
