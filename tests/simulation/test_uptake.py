from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.uptake import draw_density, spread_along_spine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.patient import Patient
    from napari_bonescint.simulation.posed import PosedBones


def densities(bones: PosedBones, patient: Patient) -> list[NDArray[np.float32]]:
    return [draw_density(np.random.default_rng(seed), bones, patient) for seed in range(4)]


def ratio(drawn: list[NDArray[np.float32]], one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    return float(np.median([density[one].mean() / density[other].mean() for density in drawn]))


def shaft(bones: PosedBones, region: str = "femur") -> NDArray[np.intp]:
    own = bones.indices(region)
    return own[np.abs(bones.points.along[own] - 0.5) < 0.2]


def test_densities_are_finite_and_not_negative(bones: PosedBones, patient: Patient) -> None:
    for density in densities(bones, patient):
        assert np.isfinite(density).all()
        assert density.min() >= 0


def test_spine_takes_more_than_the_shaft_of_a_femur(bones: PosedBones, patient: Patient) -> None:
    assert ratio(densities(bones, patient), bones.indices("lumbar_spine"), shaft(bones)) > 2


def test_sacroiliac_joints_stand_out_of_the_sacrum(bones: PosedBones, patient: Patient) -> None:
    sacrum = bones.indices("sacrum")
    place = bones.position[sacrum]
    upper = place[:, 2] > np.quantile(place[:, 2], 0.6)
    across = np.abs(place[:, 0] - np.median(place[:, 0]))
    edge, middle = sacrum[upper & (across > 35)], sacrum[upper & (across < 15)]
    assert ratio(densities(bones, patient), edge, middle) > 1.2


def test_the_middle_of_an_iliac_wing_is_faint_and_its_crest_bright(bones: PosedBones, patient: Patient) -> None:
    own = bones.indices("pelvis", "left")
    x, z = bones.position[own, 0], bones.position[own, 2]
    column = own[np.abs(x - np.quantile(x, 0.6)) < 6]
    top = bones.position[column, 2].max()
    assert top > np.quantile(z, 0.8)
    below = top - bones.position[column, 2]
    crest, wing = column[below < 12], column[(below > 35) & (below < 60)]
    assert ratio(densities(bones, patient), crest, wing) > 1.5


def test_growth_plates_are_bands_at_the_knee_of_the_young(bones: PosedBones, patient: Patient) -> None:
    femur = bones.indices("femur")
    along = bones.points.along[femur]
    distance = np.minimum(along, 1 - along)
    plate = femur[(distance > 0.03) & (distance < 0.065)]
    grown, young = densities(bones, patient), densities(bones, replace(patient, growing=True))
    assert ratio(young, plate, shaft(bones)) > 1.3 * ratio(grown, plate, shaft(bones))


def test_a_superscan_has_hot_trunk_bones(bones: PosedBones, patient: Patient) -> None:
    spine = bones.indices("thoracic_spine")
    superscan = densities(bones, replace(patient, superscan=True))
    assert ratio(superscan, spine, shaft(bones)) > 1.3 * ratio(densities(bones, patient), spine, shaft(bones))


def test_the_spine_becomes_one_column(bones: PosedBones) -> None:
    position = spread_along_spine(np.random.default_rng(0), bones)
    spine = bones.indices("lumbar_spine")

    def unevenness(z: NDArray[np.float32]) -> float:
        profile = np.histogram(z, bins=np.arange(np.quantile(z, 0.1), np.quantile(z, 0.9), 5))[0]
        return float(profile.std() / profile.mean())

    assert unevenness(position[spine, 2]) < 0.7 * unevenness(bones.position[spine, 2])
    others = np.setdiff1d(
        np.arange(len(position)),
        np.concatenate([bones.indices(n) for n in ("cervical_spine", "thoracic_spine", "lumbar_spine")]),
    )
    np.testing.assert_array_equal(position[others], bones.position[others])
