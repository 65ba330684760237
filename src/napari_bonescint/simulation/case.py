"""One simulated patient: expected counts of both views by source, and the true regions."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.simulation import artefacts, pathology, tissue, uptake
from napari_bonescint.simulation.body import Body, wrap
from napari_bonescint.simulation.camera import Camera, draw_camera
from napari_bonescint.simulation.organs import draw_excreted
from napari_bonescint.simulation.packed_counts import compress_archive, pack_counts, unpack_counts
from napari_bonescint.simulation.patient import Patient, draw_patient
from napari_bonescint.simulation.pose import Skeleton, draw_pose
from napari_bonescint.simulation.posed import PosedBones
from napari_bonescint.simulation.truth import true_regions
from napari_bonescint.simulation.visible_lesions import VisibleLesion, find_visible_lesions, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SIMULATOR = "napari-bonescint simulation 4"
"""Name and version of the simulator, in case files and model cards; the version increases whenever cases change."""

_REGIONS_OF_SOURCE: dict[str, tuple[str, ...]] = {
    "head": ("skull",),
    "spine": ("cervical_spine", "thoracic_spine", "lumbar_spine"),
    "thorax": ("ribs", "sternum"),
    "shoulders": ("clavicle", "scapula"),
    "arms": ("humerus", "forearm", "hand"),
    "pelvis": ("pelvis", "sacrum"),
    "legs": ("femur", "lower_leg", "foot"),
}
BONE_SOURCES = (*_REGIONS_OF_SOURCE, "lesions")
SOURCES = (*BONE_SOURCES, "soft", "excreted")
"""Sources of counts in the order of `Case.expected`; training varies their relative strengths."""

# Random streams of later visits, apart from the first visit's, and from counts (1 and 2) and days (5).
_BODY_STREAM, _VISIT_STREAM = 3, 4
_LARGEST_HALF = 30_000.0
_NEGLIGIBLE = 1e-5


@dataclass(frozen=True)
class Case:
    """A simulated patient before counting.

    Attributes
    ----------
    expected : ndarray of float32, shape (source, view, y, x)
        Expected counts of `SOURCES`, each anterior then posterior, in one arbitrary unit. A lesion is its addition to
        the counts of its bone; a cold lesion lowers the bone's own counts.
    regions : ndarray of uint8, shape (view, y, x)
        True region codes.
    pixel_mm : float
        Pixel size.
    lesions : tuple of VisibleLesion
        Kind and pixels of each hot lesion.
    """

    expected: NDArray[np.float32]
    regions: NDArray[np.uint8]
    pixel_mm: float
    lesions: tuple[VisibleLesion, ...] = ()

    @property
    def without_lesions(self) -> NDArray[np.float32]:
        """Expected counts (view, y, x) of all sources but lesions; worn joints are part of their bone."""
        counts: NDArray[np.float32] = self.expected.sum(axis=0) - self.expected[SOURCES.index("lesions")]
        return counts

    def save(self, path: Path) -> None:
        """Write the non-negligible part of each source to a NumPy archive in half precision, whole or not at all."""
        arrays: dict[str, NDArray[np.generic]] = {}
        scales = np.ones(len(self.expected), np.float32)
        for index, (source, window) in enumerate(self._windows()):
            scales[index] = max(float(source.max()) / _LARGEST_HALF, 1e-30)
            arrays[f"source_{index}"] = (source[:, *window] / scales[index]).astype(np.float16)
        buffer = io.BytesIO()
        np.savez(buffer, **self._facts(), scales=scales, **arrays)  # type: ignore[arg-type]
        write_bytes_atomically(path, buffer.getvalue())

    def save_packed(self, path: Path) -> None:
        """Write a compressed NumPy archive with rounded counts, see `packed_counts`, whole or not at all.

        It is several times smaller than the file of `save`. `load` reads both.
        """
        totals = self.expected[:-1].sum(axis=(0, 2, 3))
        arrays: dict[str, NDArray[np.generic]] = {
            f"source_{index}": pack_counts(source[:, *window], totals)
            for index, (source, window) in enumerate(self._windows())
        }
        write_bytes_atomically(path, compress_archive({**self._facts(), "totals": totals, **arrays}))

    def _windows(self) -> Iterator[tuple[NDArray[np.float32], tuple[slice, slice]]]:
        """Each source (view, y, x), and its rows and columns with more than negligible counts."""
        for source in self.expected:
            yield source, _window(source)

    def _facts(self) -> dict[str, Any]:
        """The arrays that both kinds of files hold."""
        places = [[edge for part in window for edge in (part.start, part.stop)] for _, window in self._windows()]
        return {
            "simulator": SIMULATOR,
            "regions": self.regions,
            "pixel_mm": self.pixel_mm,
            "places": np.array(places, np.int32),
            **pack(self.lesions),
        }

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read a case that `save` or `save_packed` wrote.

        Raises
        ------
        BonescintError
            If another version of the simulator made it.
        """
        with np.load(path, allow_pickle=False) as file:
            simulator = str(file["simulator"]) if "simulator" in file else "an older simulator"
            if simulator != SIMULATOR:
                raise BonescintError(f"{path}: made by {simulator}, not by {SIMULATOR}; simulate the case again.")
            regions, places = file["regions"], file["places"]
            totals, scales = (file.get(name) for name in ("totals", "scales"))
            expected = np.zeros((len(places), *regions.shape), np.float32)
            for index, (top, bottom, left, right) in enumerate(places):
                stored = file[f"source_{index}"]
                source = stored * scales[index] if totals is None else unpack_counts(stored, totals)
                expected[index, :, top:bottom, left:right] = source
            return cls(expected, regions, float(file["pixel_mm"]), unpack(file))

    def count(self, rng: np.random.Generator, total: float) -> Scan:
        """Count photons; `total` is the expected counts of both views, without excreted tracer (the last source)."""
        # A sum in another order would be rounded differently, and the same seeds would give other counts.
        ones = np.ones(len(self.expected), np.float32)
        mean = np.tensordot(ones, self.expected, axes=1)
        within = float(ones[:-1] @ self.expected[:-1].sum(axis=(1, 2, 3)))
        counts = np.minimum(rng.poisson(mean * (total / max(within, 1e-9))), np.iinfo(np.uint16).max)
        views = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))
        return Scan(counts.astype(np.uint16), views, (self.pixel_mm, self.pixel_mm))


def patient_of(seed: int) -> Patient:
    """The patient whom `simulate` draws for a seed."""
    rng = np.random.default_rng(seed)
    return draw_patient(rng, float(draw_pose(rng).stretch[2]))


def simulate(
    skeleton: Skeleton,
    seed: int,
    visit: int = 0,
    metastases: int | None = None,
    course: pathology.Course | None = None,
) -> Case:
    """Simulate a patient; the same seed gives the same case.

    A visit of 0 is a body with a single scan. From 1 on, it is one of several scans of the same body: its bones, their
    lesions and their uptake are the same in all visits; position, organs, camera and artefacts differ. `metastases`
    is their number, if it is not to be drawn.

    With a `course`, metastases grow, shrink, come or go between visits. Then uptake and lesions are drawn on the body
    in one position and carried by its bones, so that each lesion has exactly the same place in the bone at all visits.
    Without, they are drawn on the bones as they lie at each visit, and a few places differ by some millimetres.
    """
    rng = bodily = np.random.default_rng(seed)
    pose = of_body = draw_pose(rng)
    patient = draw_patient(rng, float(pose.stretch[2]))
    if metastases is not None:
        patient = replace(patient, metastases=metastases, superscan=False)
    if visit:
        bodily, rng = (np.random.default_rng(key) for key in ((seed, _BODY_STREAM), (seed, _VISIT_STREAM, visit)))
        that_day = draw_pose(rng)
        pose = replace(pose, joints=that_day.joints, turns=that_day.turns)
    points = replace(skeleton.points, volume=skeleton.volumes(pose))
    position = artefacts.move_during_scan(rng, skeleton.place(pose))
    bones = PosedBones(points, position, skeleton.left)
    camera = draw_camera(rng, position)
    there = points.volume > 0
    body = wrap(position[there], points.region[there], skeleton.left[there], patient.fat, patient.squareness)
    drawn_on = bones if course is None else PosedBones(points, skeleton.place(of_body), skeleton.left)
    density = uptake.draw_density(bodily, drawn_on, patient)
    pathology.replace_joints(bodily, drawn_on, density)
    joints = pathology.wear(bodily, drawn_on, patient, density)
    density += pathology.add_all(joints, len(density))
    lesions = pathology.lesions(bodily, drawn_on, patient, course or pathology.UNCHANGED)
    extra = pathology.add_all(lesions, len(density))
    bone = _expose_bone(rng, bones, density, extra, body, camera)
    soft = _expose_soft_tissue(rng, bones, patient, body, camera)
    soft *= np.float32(patient.soft_share / (1 - patient.soft_share) * bone.sum() / soft.sum())
    excreted = camera.expose(*draw_excreted(rng, bones, patient), body)
    expected = camera.add_scatter(np.concatenate([bone, soft[None], excreted[None]]), body)
    field = artefacts.draw_field(rng, camera, position)
    expected[SOURCES.index("soft")] += soft[soft > 0].mean() * artefacts.draw_background(rng)
    fields = np.stack([field, field[:, ::-1]])
    gains = artefacts.draw_gains(rng, camera) * fields
    expected *= gains
    regions = true_regions(points, position, skeleton.left, body, camera)
    without = expected.sum(axis=0) - expected[SOURCES.index("lesions")]
    seen = find_visible_lesions([*joints, *lesions], bones, body, camera, gains, without)
    return Case(expected, regions * fields, camera.pixel_mm, seen)


def _expose_bone(
    rng: np.random.Generator,
    bones: PosedBones,
    density: NDArray[np.float32],
    extra: NDArray[np.float32],
    body: Body,
    camera: Camera,
) -> NDArray[np.float32]:
    """Primary counts (source, view, y, x) of `BONE_SOURCES`, from the densities (n,) of bone and of lesions."""
    own = np.maximum(density + np.minimum(extra, 0), 0) * bones.points.volume
    position = uptake.spread_along_spine(rng, bones)
    source = np.zeros(len(REGIONS), np.int8)
    for name, regions in _REGIONS_OF_SOURCE.items():
        source[[CODES[region] for region in regions]] = BONE_SOURCES.index(name)
    of_point = source[bones.points.region]
    images = []
    for index in range(len(BONE_SOURCES) - 1):
        chosen = np.flatnonzero((of_point == index) & (own > 0))
        images.append(camera.expose(position[chosen], own[chosen], body))
    hot = np.flatnonzero(extra > 1e-3)
    images.append(camera.expose(position[hot], extra[hot] * bones.points.volume[hot], body))
    return np.stack(images)


def _expose_soft_tissue(
    rng: np.random.Generator, bones: PosedBones, patient: Patient, body: Body, camera: Camera
) -> NDArray[np.float32]:
    """Primary counts (view, y, x) of soft tissue, in an arbitrary unit."""
    spread = camera.expose_diffuse(tissue.draw_density(rng, bones, body), body)
    return spread + camera.expose(*tissue.draw_parts(rng, bones, patient), body)


def _window(source: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns of (view, y, x) with more than negligible counts."""
    seen = (source > _NEGLIGIBLE * source.max()).any(axis=0)
    if not seen.any():
        return slice(0, 0), slice(0, 0)
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
