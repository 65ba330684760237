"""Pose the skeleton on a scanner table: body sizes and joint angles in, bone points in the scanner's frame out.

The scanner's frame: x to the patient's left, y from the anterior to the posterior camera, z towards the head; mm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.simulation.geometry import BonePoints, load_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SEGMENT_OF_BODY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("head", ("head", "neck")),
    ("leg", ("femur", "tibia", "patella", "talus", "calcn", "toes")),
    ("arm", ("humer", "ulna", "radius")),
    ("hand", ("lunate", "scaph", "pisi", "triq", "capi", "trapez", "hama", "mc_", "prox", "mid", "dist", "thumb")),
)
_SPINE_BEHIND_MM = 60.0
_LONG_BONES = ("humerus", "ulna", "radius", "femur", "tibia")
# The model's head and trunk are small for its limbs. These factors give the proportions of scans: of the height, head
# and neck make 0.15, the spine to L5 0.27, the femur 0.25 and the lower leg 0.23.
_PROPORTIONS = {"trunk": 1.06, "head": 1.08, "arm": 0.97, "hand": 1.2, "leg": 0.95}
SEGMENTS = tuple(_PROPORTIONS)
# The model stands. In a supine body with relaxed shoulders, shoulder girdle and rib cage lie lower on the spine, and
# the crests of the model's pelvis lie a vertebra too low: mean and standard deviation in mm, upwards.
_SETTLING: dict[str, tuple[float, float]] = {"ribs": (-9.0, 4.0), "shoulders": (-21.0, 6.0), "pelvis": (18.0, 4.0)}
_SETTLES_WITH: dict[str, tuple[str, ...]] = {
    "ribs": ("ribs", "sternum"),
    "shoulders": ("clavicle", "scapula", "humerus", "forearm", "hand"),
    "pelvis": ("pelvis", "femur", "lower_leg", "foot"),
}


@dataclass(frozen=True)
class Pose:
    """Body and position of one patient.

    Attributes
    ----------
    joints : dict of str to float
        Angles in rad of MuJoCo joints, also of joints that follow others by a constraint.
    scales : dict of str to float
        Size of each of `SEGMENTS` relative to the model's 1.70 m.
    girths : dict of str to float
        Thickness of the long bones of ``arm`` and ``leg`` relative to the model's.
    stretch : ndarray, shape (3,)
        Scale of the whole body along x, y, z.
    turns : dict of str to ndarray, shape (3,)
        Additional rotation in rad of bodies about their own axes: about z to the patient's right (nod), y upwards
        (turn) and x forward (tilt).
    waves : ndarray, shape (k, 7)
        A smooth deformation, as k waves: wave vector (rad/mm), amplitude vector (mm) and phase.
    rib_slope : float
        Additional fall of the rib cage towards the front: mm down for each mm forward.
    rib_width : float
        Width of the rib cage relative to the model's.
    absent : tuple of (str, bool)
        Missing regions, each with true for the left side.
    lacks_last_ribs : bool
        Whether the twelfth ribs are missing.
    settled : dict of str to float
        Shift in mm, up the spine, of ``ribs``, ``shoulders`` (with the arms) and ``pelvis`` (with the legs).
    """

    joints: dict[str, float]
    scales: dict[str, float]
    girths: dict[str, float]
    stretch: NDArray[np.float64]
    turns: dict[str, NDArray[np.float64]]
    waves: NDArray[np.float64]
    rib_slope: float = 0.0
    rib_width: float = 1.0
    absent: tuple[tuple[str, bool], ...] = ()
    lacks_last_ribs: bool = False
    settled: dict[str, float] = field(default_factory=dict)


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw a supine patient, mostly with the arms at the sides."""
    joints: dict[str, float] = {
        "flex_extension": rng.normal(0, 0.08),
        "lat_bending": rng.normal(0, 0.025),
        "axial_rotation": rng.normal(0, 0.05),
    }
    spread, elbow, rotation = rng.uniform(0.0, 0.13), abs(rng.normal(0.1, 0.15)), rng.uniform(-0.9, 1.5)
    apart, out, point = rng.normal(-0.03, 0.05), rng.uniform(-0.3, 0.15), rng.uniform(-0.6, 0.0)
    curl = rng.uniform(0, 0.6)
    if rng.random() < 0.12:  # hands on the thighs or the belly
        elbow, rotation = rng.uniform(0.3, 0.9), rng.uniform(0.3, 1.5)
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
    # In the model, one finger joint has no side in its name.
    joints["pm4_flexion"] = joints.pop("pm4_flexion_r")
    scales = {
        segment: float(proportion * np.clip(rng.normal(1, 0.04), 0.88, 1.12))
        for segment, proportion in _PROPORTIONS.items()
    }
    # The model's long bones are slender, those of its arms above all.
    girths = {"arm": float(rng.uniform(1.0, 1.45)), "leg": float(rng.uniform(1.0, 1.45))}
    height = np.clip(rng.normal(1.0, 0.06), 0.82, 1.14)
    if rng.random() < 0.05:  # a child, whose head is large
        height = rng.uniform(0.6, 0.82)
        scales["head"] *= 1 + 0.6 * (0.9 - height)
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
    if rng.random() < 0.15:
        turns["neck"] += (0, rng.uniform(-0.7, 0.7), 0)
    waves = np.hstack([direction, amplitude, rng.uniform(0, 2 * np.pi, (5, 1))])
    if rng.random() < 0.25:
        waves = np.vstack([waves, _draw_scoliosis(rng)])
    return Pose(
        joints,
        scales,
        girths,
        stretch,
        turns,
        waves,
        rib_slope=rng.normal(0.12, 0.06),
        rib_width=float(np.clip(rng.normal(1.02, 0.05), 0.9, 1.15)),
        absent=_draw_absent(rng),
        lacks_last_ribs=bool(rng.random() < 0.2),
        settled={
            part: float(np.clip(rng.normal(mean, sd), mean - 2 * sd, mean + 2 * sd))
            for part, (mean, sd) in _SETTLING.items()
        },
    )


def _draw_scoliosis(rng: np.random.Generator) -> NDArray[np.float64]:
    """A sideways bend along the body, as one wave."""
    along = 2 * np.pi / rng.uniform(250, 600)
    return np.array([0, 0, along, rng.normal(0, 9), 0, 0, rng.uniform(0, 2 * np.pi)])


def _draw_absent(rng: np.random.Generator) -> tuple[tuple[str, bool], ...]:
    """Rarely an amputation: below the knee, or the hand."""
    left, chance = bool(rng.random() < 0.5), rng.random()
    if chance < 0.01:
        return ("lower_leg", left), ("foot", left)
    return (("hand", left),) if chance < 0.015 else ()


_STANDING = Pose({}, dict.fromkeys(SEGMENTS, 1.0), {}, np.ones(3), {}, np.zeros((0, 7)))


class Skeleton:
    """Bone points of `geometry.build_points` that can be posed, by a MuJoCo model of `geometry.load_model`."""

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
        self._is_cage = [name.startswith(("rib_", "sternum")) for name in points.pieces]
        starts = np.flatnonzero(np.diff(points.piece, prepend=-1))
        self._slices = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(points.piece)], strict=True)]

    @cached_property
    def _last_ribs(self) -> list[int]:
        """Pieces of the twelfth ribs: the two lowest ones, in the frame of the rib cage (y up)."""
        ribs = [index for index, name in enumerate(self.points.pieces) if name.startswith("rib_")]
        return sorted(ribs, key=lambda index: float(self.points.position[self._slices[index], 1].mean()))[:2]

    @cached_property
    def left(self) -> NDArray[np.bool_]:
        """True for each point of a bone on the patient's left side, by the middle of the bone."""
        standing = self.place(_STANDING)
        middle = np.array([standing[part, 0].mean() for part in self._slices])
        return np.asarray((middle > np.median(middle))[self.points.piece])

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
        settled = np.zeros(len(REGIONS), np.float32)
        for group, up in pose.settled.items():
            settled[[CODES[name] for name in _SETTLES_WITH[group]]] = up
        placed = np.empty_like(self.points.position)
        for part in self._slices:
            body = int(self.points.body[part.start])
            girth = self._girth(pose, body)
            # The y axis of a long bone's body runs along the bone.
            thickened = self.points.position[part] * np.array([girth, 1, girth], np.float32)
            if self._is_cage[int(self.points.piece[part.start])]:
                thickened[:, 2] *= np.float32(pose.rib_width)
                thickened[:, 1] -= np.float32(pose.rib_slope) * (thickened[:, 0] + np.float32(_SPINE_BEHIND_MM))
            rotation = (data.xmat[body].reshape(3, 3) * scale[body]).astype(np.float32)
            placed[part] = thickened @ rotation.T + (1000 * data.xpos[body]).astype(np.float32)
            placed[part, 2] += settled[self.points.region[part.start]]
        placed *= pose.stretch.astype(np.float32)
        for wave in pose.waves.astype(np.float32):
            placed += np.sin(placed @ wave[:3] + wave[6])[:, None] * wave[3:6]
        return placed

    def volumes(self, pose: Pose) -> NDArray[np.float32]:
        """Bone volume in mm^3 of each posed point, (n,)."""
        volume = self.points.volume * np.float32(np.prod(pose.stretch))
        for part in self._slices:
            body = int(self.points.body[part.start])
            volume[part] *= np.float32(pose.scales[self._segment[body]] ** 3 * self._girth(pose, body) ** 2)
        for name, left in pose.absent:
            volume[(self.points.region == CODES[name]) & (self.left == left)] = 0
        if pose.lacks_last_ribs:
            volume[np.isin(self.points.piece, self._last_ribs)] = 0
        return volume

    def _girth(self, pose: Pose, body: int) -> float:
        return pose.girths.get(self._segment[body], 1.0) if self._is_long[body] else 1.0

    def _follow_constraints(self) -> None:
        """Set the joints that follow others; MuJoCo enforces equality constraints only while it steps."""
        import mujoco

        model, qpos = self._model, self._data.qpos
        for index in np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_JOINT):
            follower, leader = model.eq_obj1id[index], model.eq_obj2id[index]
            by = qpos[model.jnt_qposadr[leader]] if leader >= 0 else 0.0
            qpos[model.jnt_qposadr[follower]] = np.polynomial.polynomial.polyval(by, model.eq_data[index][:5])


def _segment(body: str) -> str:
    return next((segment for segment, parts in _SEGMENT_OF_BODY if any(part in body for part in parts)), "trunk")


def _turned(quaternion: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orientation of a body after rotations about its own z, y and x axes."""
    import mujoco

    result = quaternion.copy()
    for axis, angle in zip(np.eye(3)[::-1], angles, strict=True):
        turn, product = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, axis, angle)
        mujoco.mju_mulQuat(product, result, turn)
        result = product
    return result


@cache
def load_skeleton(geometry: Path) -> Skeleton:
    """The skeleton with the geometry that `BonePoints.save` wrote; cached in a process."""
    return Skeleton(load_model(), BonePoints.load(geometry))
