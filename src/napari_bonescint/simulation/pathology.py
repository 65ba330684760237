"""Effects of age and disease on bone: worn joints, metastases, fractures, Paget's disease and prostheses.

Frequencies and uptake are this module's own choice, wide enough for the patients of a department in a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.simulation.posed import SIDES, PosedBones, Spot, outward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.simulation.patient import Patient

_METASTASES_IN: dict[str, float] = {
    "thoracic_spine": 0.2,
    "lumbar_spine": 0.17,
    "pelvis": 0.19,
    "ribs": 0.18,
    "sacrum": 0.06,
    "sternum": 0.04,
    "femur": 0.05,
    "humerus": 0.03,
    "scapula": 0.03,
    "skull": 0.03,
    "cervical_spine": 0.02,
}
_FRACTURE_PROBABILITIES = {"ribs": 0.09, "vertebra": 0.07, "sacrum": 0.02, "stress": 0.04}
_PAGET = ("pelvis", "femur", "lower_leg", "humerus", "skull")
_NEGLIGIBLE = 1e-3


class LesionKind(StrEnum):
    """Cause of an uptake above or below that of healthy bone."""

    METASTASIS = "metastasis"
    FRACTURE = "fracture"
    JOINT = "joint"
    PAGET = "paget"


class Lesion(NamedTuple):
    """One lesion in a posed skeleton.

    `points` (k,) are indices of its bone points; `added` (k,) is the tracer density that it adds at each of them,
    negative in a cold lesion.
    """

    kind: LesionKind
    points: NDArray[np.intp]
    added: NDArray[np.float32]


@dataclass(frozen=True)
class Course:
    """The course of a patient's metastases up to one visit.

    Attributes
    ----------
    sizes : tuple of float
        Width of each metastasis at this visit relative to the width drawn; 0 if it is not there, yet or any more. More
        sizes than the patient has metastases add further ones. All visits of a patient need equally many sizes; the
        metastases beyond them do not change.
    """

    sizes: tuple[float, ...] = ()

    def size(self, number: int) -> float:
        """Relative width of the metastasis with this number, from 0."""
        return self.sizes[number] if number < len(self.sizes) else 1.0


UNCHANGED = Course()
"""All metastases as they were drawn."""


def wear(rng: np.random.Generator, bones: PosedBones, patient: Patient, density: NDArray[np.float32]) -> list[Lesion]:
    """Draw degenerate or inflamed joints, which add a multiple of the density (n,) of healthy bone."""
    spots: list[Spot] = []
    for side in SIDES:
        out = outward(side)
        knee, foot = bones.end("lower_leg", side, True), bones.middle("foot", side)
        wrist = bones.end("forearm", side, False)
        sites: list[tuple[NDArray[np.float32], float]] = [
            (knee + np.array([out * 22, 0, 4], np.float32), 9),
            (knee + np.array([-out * 22, 0, 4], np.float32), 9),
            (knee + np.array([0, -25, 25], np.float32), 13),
            (bones.hip(side) + np.array([out * 10, 0, 22], np.float32), 10),
            (bones.extreme("femur", side, (1, 0, 0.6)), 12),
            (bones.extreme("scapula", side, (0.7, 0, 1)), 8),
            (bones.end("humerus", side, True), 13),
            (bones.end("humerus", side, False), 11),
            (wrist, 8),
            (wrist + np.array([out * 12, -8, -22], np.float32), 7),
            (bones.extreme("clavicle", side, (-1, 0, 0)), 8),
            (foot + np.array([0, 0, 15], np.float32), 12),
            (bones.extreme("foot", side, (-0.5, -1, -0.5)), 8),
        ]
        spots += [
            Spot(place, float(rng.gamma(1.5, 0.7)), width * rng.uniform(0.7, 1.3))
            for place, width in sites
            if rng.random() < 0.6 * patient.worn
        ]
    for name, most in (("lumbar_spine", 3), ("cervical_spine", 2), ("thoracic_spine", 1)):
        for _ in range(rng.binomial(most, 0.7 * patient.worn)):
            spine = bones.of(name)
            place = spine[rng.integers(len(spine))] + np.array([rng.choice((-1, 1)) * 12, 10, 0], np.float32)
            spots.append(Spot(place, float(rng.uniform(0.3, 1.8)), (10, 14, rng.uniform(5, 10))))
    worn = [_lesion(LesionKind.JOINT, bones, [spot]) for spot in spots]
    return [joint._replace(added=joint.added * density[joint.points]) for joint in worn]


def lesions(rng: np.random.Generator, bones: PosedBones, patient: Patient, course: Course = UNCHANGED) -> list[Lesion]:
    """Draw metastases, fractures and Paget's disease.

    Metastases come first, and those that `course` adds to the patient's last. A metastasis that is not there at this
    visit has no points.
    """

    def metastasis(number: int) -> Lesion:
        size = course.size(number)
        spot = _metastasis(rng, bones, patient, size)
        return _lesion(LesionKind.METASTASIS, bones, [spot] if size else [])

    drawn = [metastasis(number) for number in range(patient.metastases)]
    for kind, draw in (("ribs", _rib_row), ("vertebra", _vertebra), ("stress", _stress)):
        if rng.random() < _FRACTURE_PROBABILITIES[kind]:
            drawn += [_lesion(LesionKind.FRACTURE, bones, [spot]) for spot in draw(rng, bones)]
    if rng.random() < _FRACTURE_PROBABILITIES["sacrum"]:
        drawn.append(_lesion(LesionKind.FRACTURE, bones, _sacral_h(rng, bones)))
    if rng.random() < 0.015:
        own = bones.indices(_PAGET[rng.integers(len(_PAGET))], SIDES[rng.integers(2)])
        drawn.append(Lesion(LesionKind.PAGET, own, np.full(len(own), rng.uniform(1, 4), np.float32)))
    return drawn + [metastasis(number) for number in range(patient.metastases, len(course.sizes))]


def add_all(drawn: Sequence[Lesion], points: int) -> NDArray[np.float32]:
    """The total density that lesions add, at each of so many points."""
    extra = np.zeros(points, np.float32)
    for lesion in drawn:
        extra[lesion.points] += lesion.added
    return extra


def _lesion(kind: LesionKind, bones: PosedBones, spots: Sequence[Spot]) -> Lesion:
    extra = bones.add_up(spots)
    reached = np.flatnonzero(np.abs(extra) > _NEGLIGIBLE)
    return Lesion(kind, reached, extra[reached])


def replace_joints(rng: np.random.Generator, bones: PosedBones, density: NDArray[np.float32]) -> None:
    """Rarely replace a hip or a knee by metal: change `density` (n,) to none in it and more around it."""
    for side in SIDES:
        rim = float(rng.uniform(0, 1.2))
        if rng.random() < 0.02:
            femur = bones.indices("femur", side)
            head = np.linalg.norm(bones.position[femur] - bones.hip(side), axis=1)
            share = (bones.position[femur, 2] - bones.position[femur, 2].min()) / np.ptp(bones.position[femur, 2])
            stem = (share > 0.62) & (bones.points.depth[femur] > 5)
            metal = (head < 27) | stem
            density[femur] *= np.where(metal, 0.06, np.where(share > 0.6, 1 + rim, 1)).astype(np.float32)
        if rng.random() < 0.02:
            knee = bones.end("femur", side, False)[2]
            for region, thick in (("femur", 26.0), ("lower_leg", 14.0)):
                own = bones.indices(region, side)
                away = np.abs(bones.position[own, 2] - knee + (0 if region == "femur" else 4))
                near = np.where(away < thick, 0.1, 1 + rim * np.exp(-((away - thick) / 14)))
                density[own] *= np.where(away < thick + 50, near, 1).astype(np.float32)


def _metastasis(rng: np.random.Generator, bones: PosedBones, patient: Patient, size: float) -> Spot:
    """A metastasis with its width changed by a factor."""
    region = str(
        rng.choice(list(_METASTASES_IN), p=np.array(list(_METASTASES_IN.values())) / sum(_METASTASES_IN.values()))
    )
    own = bones.of(region)
    if region in ("femur", "humerus"):
        own = own[own[:, 2] > np.quantile(own[:, 2], 0.5)]
    place = own[rng.integers(len(own))]
    if rng.random() < 0.06:
        return Spot(place, -float(rng.uniform(1, 2)), float(rng.uniform(8, 16)) * size)
    if patient.superscan:
        return Spot(place, float(rng.uniform(0.3, 1.8)), float(rng.uniform(10, 32)) * size)
    return Spot(place, float(rng.lognormal(0.7, 0.7)), float(rng.uniform(5, 16)) * size)


def _rib_row(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """Neighbouring ribs, each broken at the same place, as after a fall."""
    side = SIDES[rng.integers(2)]
    ribs = [part for part in bones.pieces("ribs") if bones.left[part[0]] == (side == "left")]
    first, broken = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    spots = []
    where = rng.uniform(0.25, 0.98)
    for part in ribs[first : first + broken]:
        own = bones.position[part]
        lateral = own[:, 0] * outward(side)
        half = own[own[:, 1] < np.median(own[:, 1])] if rng.random() < 0.8 else own
        at = np.quantile(lateral, np.clip(where + rng.normal(0, 0.04), 0, 1))
        place = half[np.abs(half[:, 0] * outward(side) - at).argmin()]
        spots.append(Spot(place, float(rng.uniform(1, 7)), float(rng.uniform(4, 7))))
    return spots


def _vertebra(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """One or two compressed vertebrae, as bands."""
    bodies = bones.pieces("thoracic_spine")[-6:] + bones.pieces("lumbar_spine")
    spots = []
    for _ in range(rng.integers(1, 3)):
        place = bones.position[bodies[rng.integers(len(bodies))]].mean(axis=0)
        spots.append(Spot(place, float(rng.uniform(1, 5)), (30, 30, rng.uniform(4, 7))))
    return spots


def _sacral_h(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """Insufficiency fractures of both wings of the sacrum, joined by a bar."""
    centre = bones.middle("sacrum")
    gain = float(rng.uniform(1, 4))
    wings = [
        Spot(centre + np.array([x, 0, 8], np.float32), gain * rng.uniform(0.3, 1.2), (6, 25, 22)) for x in (-30, 30)
    ]
    return [*wings, Spot(centre + np.array([0, 0, 5], np.float32), gain * rng.uniform(0.2, 1), (26, 25, 6))]


def _stress(rng: np.random.Generator, bones: PosedBones) -> list[Spot]:
    """A stress fracture of a tibia, femoral neck, heel or midfoot."""
    side = SIDES[rng.integers(2)]
    region = ("lower_leg", "femur", "foot")[rng.integers(3)]
    own = bones.of(region, side)
    place = own[rng.integers(len(own))]
    return [Spot(place, float(rng.uniform(1, 6)), (9, 9, rng.uniform(5, 20)))]
