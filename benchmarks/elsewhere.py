"""Another hospital, simulated: what differs from the scans that the shipped models were trained on is all here.

- Pose: arms held away from the body, elbows and knees bent, legs apart, spines crooked.
- Pathology: lesions three times as hot, soft tissue twice as bright, as in bad kidneys.
- Camera: a collimator that blurs more, a matrix of pixels twice as large, more haze.
- Counts: a quarter of what is usual.

Every seed is a body of its own, and its photons are counted once, as a real scan's are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.simulation.case import SOURCES, Case, simulate
from napari_bonescint.simulation.pose import Pose, Skeleton

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

# Seeds of no split in train/splits.toml.
TO_CORRECT = range(10_000, 10_050)
HELD_OUT = range(20_000, 20_050)

_JOINTS = {"shoulder_elv": 0.35, "elbow_flexion": 0.45, "hip_adduction": -0.09, "knee_angle": 0.15}
_CROOKED = np.array([[0, 0, 2 * np.pi / 420, 14, 0, 0, 1.0]])
_STRENGTHS = {"lesions": 3.0, "soft": 2.0}
_BLUR_PIXELS = 1.6
_HAZE = 0.08
_TOTAL_COUNTS = (1.5e5, 8e5)


class OtherSkeleton(Skeleton):
    """A skeleton that lies as patients do there."""

    def place(self, pose: Pose) -> NDArray[np.float32]:
        """See `Skeleton.place`."""
        joints = dict(pose.joints)
        for name in joints:
            joints[name] += _JOINTS.get(name.rpartition("_")[0], 0.0)
        return super().place(replace(pose, joints=joints, waves=np.vstack([pose.waves, _CROOKED])))


def simulate_there(skeleton: OtherSkeleton, seed: int) -> Case:
    """A patient of the other hospital; the same seed gives the same one."""
    case = simulate(skeleton, seed)
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


def scan_there(case: Case, seed: int) -> Scan:
    """The scan of a patient: the seed decides how many photons are counted, and where."""
    rng = np.random.default_rng((seed, 2))
    lowest, highest = np.log(_TOTAL_COUNTS)
    return case.count(rng, float(np.exp(rng.uniform(lowest, highest))))
