"""Patients of many sizes on a scanner table: scales and joint angles in, bone points in the scanner's frame out.

The scanner's frame: x to the patient's left, y from the anterior to the posterior camera, z towards the head; mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.geometry import BonePoints

_SEGMENT_OF_BODY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("head", ("head", "neck")),
    ("leg", ("femur", "tibia", "patella", "talus", "calcn", "toes")),
    ("arm", ("humer", "ulna", "radius")),
    ("hand", ("lunate", "scaph", "pisi", "triq", "capi", "trapez", "hama", "mc_", "prox", "mid", "dist", "thumb")),
)
_LONG_BONES = ("humerus", "ulna", "radius", "femur", "tibia")
SEGMENTS = ("trunk", "head", "arm", "hand", "leg")


@dataclass(frozen=True)
class Pose:
    """How one patient is built and lies.

    Attributes
    ----------
    joints : dict of str to float
        Angles in rad of MuJoCo joints; joints that follow others by a constraint are set here too.
    scales : dict of str to float
        Size of each of `SEGMENTS` against the model's 1.70 m.
    girths : dict of str to float
        Thickness of the long bones of ``arm`` and ``leg`` against the model's.
    stretch : ndarray, shape (3,)
        Scale of the whole body along x, y, z.
    turns : dict of str to ndarray, shape (3,)
        Rotation in rad of bodies about their own axes, on top of the joints: about z to the patient's right (nod), y
        upwards (turn) and x forward (tilt).
    waves : ndarray, shape (k, 7)
        A smooth deformation, as k waves: wave vector (rad/mm), amplitude vector (mm) and phase.
    """

    joints: dict[str, float]
    scales: dict[str, float]
    girths: dict[str, float]
    stretch: NDArray[np.float64]
    turns: dict[str, NDArray[np.float64]]
    waves: NDArray[np.float64]


def draw_pose(rng: np.random.Generator) -> Pose:
    """A random patient, supine with the arms at the sides."""
    joints: dict[str, float] = {
        "flex_extension": rng.normal(0, 0.08),
        "lat_bending": rng.normal(0, 0.025),
        "axial_rotation": rng.normal(0, 0.05),
    }
    spread, elbow, rotation = rng.uniform(0.0, 0.13), abs(rng.normal(0.1, 0.15)), rng.uniform(-0.9, 1.5)
    apart, out, point = rng.normal(-0.03, 0.05), rng.uniform(-0.45, 0.1), rng.uniform(-0.6, 0.0)
    curl = rng.uniform(0, 0.6)
    for side in "rl":
        joints |= {
            f"shoulder_elv_{side}": max(0.0, spread + rng.normal(0, 0.03)),
            f"elv_angle_{side}": rng.normal(0.2, 0.4),
            f"shoulder_rot_{side}": rng.normal(0, 0.35),
            f"elbow_flexion_{side}": max(0.0, elbow + rng.normal(0, 0.08)),
            f"pro_sup_{side}": float(np.clip(rotation + rng.normal(0, 0.3), -1.5, 1.5)),
            f"deviation_{side}": rng.normal(0.05, 0.12),
            f"flexion_{side}": rng.normal(0, 0.2),
            f"hip_adduction_{side}": apart + rng.normal(0, 0.03),
            f"hip_rotation_{side}": out + rng.normal(0, 0.1),
            f"hip_flexion_{side}": abs(rng.normal(0.03, 0.05)),
            f"knee_angle_{side}": abs(rng.normal(0.05, 0.06)),
            f"ankle_angle_{side}": point + rng.normal(0, 0.08),
        }
        for finger in range(2, 6):
            joints[f"mcp{finger}_flexion_{side}"] = max(0.0, curl + rng.normal(0, 0.15))
            joints[f"mcp{finger}_abduction_{side}"] = rng.normal(0, 0.08)
            joints[f"pm{finger}_flexion_{side}"] = max(0.0, curl + rng.normal(0, 0.2))
    # The model's one finger joint without a side.
    joints["pm4_flexion"] = joints.pop("pm4_flexion_r")
    scales = {segment: float(np.clip(rng.normal(1, 0.04), 0.88, 1.12)) for segment in SEGMENTS}
    # The model's long bones are slender, those of its arms above all.
    girths = {"arm": float(rng.uniform(0.95, 1.4)), "leg": float(rng.uniform(0.9, 1.25))}
    height = np.clip(rng.normal(1.0, 0.06), 0.82, 1.14)
    stretch = height * np.clip(rng.normal(1, (0.06, 0.08, 0.02)), 0.85, 1.2)
    wavelength = rng.uniform(130, 500, (5, 1))
    direction = rng.normal(size=(5, 3))
    direction *= 2 * np.pi / wavelength / np.linalg.norm(direction, axis=1, keepdims=True)
    amplitude = rng.normal(size=(5, 3)) * wavelength / 220
    inward = rng.uniform(-0.02, 0.28)
    turns = {
        "neck": rng.normal((-0.1, 0, 0), (0.15, 0.15, 0.05)),
        # The model's forearms point outwards; on a table most lie along the body.
        "ulna_r": np.array([0, 0, inward + rng.normal(0, 0.05)]),
        "ulna_l": np.array([0, 0, -inward + rng.normal(0, 0.05)]),
    }
    return Pose(
        joints, scales, girths, stretch, turns, np.hstack([direction, amplitude, rng.uniform(0, 2 * np.pi, (5, 1))])
    )


_STANDING = Pose({}, dict.fromkeys(SEGMENTS, 1.0), {}, np.ones(3), {}, np.zeros((0, 7)))


class Skeleton:
    """Bone points that can be posed.

    Parameters
    ----------
    model : mujoco.MjModel
        From `geometry.load_model`; not changed.
    points : BonePoints
        From `geometry.build_points`.
    """

    def __init__(self, model: Any, points: BonePoints) -> None:
        import mujoco

        self.points = points
        self._model = model
        self._data = mujoco.MjData(model)
        self._body_pos = model.body_pos.copy()
        self._body_quat = model.body_quat.copy()
        self._joint_pos = model.jnt_pos.copy()
        names = [model.body(body).name for body in range(model.nbody)]
        self._segment = [_segment(name) for name in names]
        self._is_long = [name.startswith(_LONG_BONES) for name in names]
        starts = np.flatnonzero(np.diff(points.piece, prepend=-1))
        self._slices = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(points.piece)], strict=True)]

    @cached_property
    def left(self) -> NDArray[np.bool_]:
        """Whether each point belongs to a bone of the patient's left side, by the middle of the bone."""
        standing = self.place(_STANDING)
        middle = np.array([standing[part, 0].mean() for part in self._slices])
        sides: NDArray[np.bool_] = (middle > np.median(middle))[self.points.piece]
        return sides

    def place(self, pose: Pose) -> NDArray[np.float32]:
        """Position of every bone point, (n, 3), in mm in the scanner's frame; the soles are near z = 0."""
        import mujoco

        model, data = self._model, self._data
        scale = np.array([pose.scales[segment] for segment in self._segment])
        try:
            model.body_pos[:] = self._body_pos * scale[model.body_parentid][:, None]
            model.jnt_pos[:] = self._joint_pos * scale[model.jnt_bodyid][:, None]
            for name, angles in pose.turns.items():
                body = model.body(name).id
                model.body_quat[body] = _turned(self._body_quat[body], angles)
            mujoco.mj_resetDataKeyframe(model, data, 0)
            for name, angle in pose.joints.items():
                index = model.joint(name).id
                low, high = model.jnt_range[index]
                data.qpos[model.jnt_qposadr[index]] = np.clip(angle, low, high)
            self._follow_constraints()
            mujoco.mj_kinematics(model, data)
        finally:
            model.body_pos[:], model.jnt_pos[:] = self._body_pos, self._joint_pos
            model.body_quat[:] = self._body_quat
        placed = np.empty_like(self.points.position)
        for part in self._slices:
            body = int(self.points.body[part.start])
            girth = self._girth(pose, body)
            # A long bone's body has its y axis along the bone.
            thickened = self.points.position[part] * np.array([girth, 1, girth], np.float32)
            rotation = (data.xmat[body].reshape(3, 3) * scale[body]).astype(np.float32)
            placed[part] = thickened @ rotation.T + (1000 * data.xpos[body]).astype(np.float32)
        placed *= pose.stretch.astype(np.float32)
        for wave in pose.waves.astype(np.float32):
            placed += np.sin(placed @ wave[:3] + wave[6])[:, None] * wave[3:6]
        return placed

    def volumes(self, pose: Pose) -> NDArray[np.float32]:
        """Bone volume in mm^3 that each posed point stands for, (n,)."""
        volume = self.points.volume * np.float32(np.prod(pose.stretch))
        for part in self._slices:
            body = int(self.points.body[part.start])
            volume[part] *= np.float32(pose.scales[self._segment[body]] ** 3 * self._girth(pose, body) ** 2)
        return volume

    def _girth(self, pose: Pose, body: int) -> float:
        return pose.girths.get(self._segment[body], 1.0) if self._is_long[body] else 1.0

    def _follow_constraints(self) -> None:
        """Set the joints that follow others: MuJoCo enforces equality constraints only while it steps."""
        import mujoco

        model, qpos = self._model, self._data.qpos
        for index in np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_JOINT):
            follower, leader = model.eq_obj1id[index], model.eq_obj2id[index]
            by = qpos[model.jnt_qposadr[leader]] if leader >= 0 else 0.0
            qpos[model.jnt_qposadr[follower]] = np.polynomial.polynomial.polyval(by, model.eq_data[index][:5])


def _segment(body: str) -> str:
    return next((segment for segment, parts in _SEGMENT_OF_BODY if any(part in body for part in parts)), "trunk")


def _turned(quaternion: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """A body's orientation, turned about its own z, y and x axes."""
    import mujoco

    result = quaternion.copy()
    for axis, angle in zip(np.eye(3)[::-1], angles, strict=True):
        turn, product = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, axis, angle)
        mujoco.mju_mulQuat(product, result, turn)
        result = product
    return result
