"""Pairs of simulated scans of one patient between which metastases come, go, grow and shrink.

The two scans differ in pose, camera, artefacts, organs and counts, too. The truth of each pair is known: the metastases
keep their numbers between the scans.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.simulation.case import Case, patient_of, simulate
from napari_bonescint.simulation.pathology import Course, LesionKind
from napari_bonescint.simulation.pose import load_skeleton
from napari_bonescint.simulation.splits import case_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.scan import Scan

FIRST_SEED = 20_000
"""Seeds of pairs, and the next 10,000; no split in train/splits.toml has these bodies."""

_COURSE_STREAM, _COUNTING_STREAM = 6, 7
_COURSES = ("same", "new", "gone", "larger", "smaller")
_SHARES = (0.4, 0.2, 0.2, 0.1, 0.1)
_FURTHER = (4, 9)
_MOST = 50
_TOTAL_COUNTS = (4e5, 6e6)


class Pair(NamedTuple):
    """Two cases of one body, and the course of each metastasis between them, by its number among the metastases."""

    seed: int
    old: Case
    new: Case
    courses: tuple[str, ...]

    def course(self, number: int) -> str:
        """The course of a metastasis by its number in the body.

        Worn joints come first, then the patient's metastases, other diseases, and the metastases that the course adds.
        """
        kinds = [lesion.kind for lesion in self.new.lesions]
        own = number - kinds.count(LesionKind.JOINT)
        if own < patient_of(self.seed).metastases:
            return self.courses[own]
        return self.courses[own - kinds.count(LesionKind.FRACTURE) - kinds.count(LesionKind.PAGET)]

    def scans(self) -> tuple[Scan, Scan]:
        """The old and the new scan, each with its own number of counts."""
        rng = np.random.default_rng((self.seed, _COUNTING_STREAM))
        low, high = np.log(_TOTAL_COUNTS)
        old, new = (case.count(rng, float(np.exp(rng.uniform(low, high)))) for case in (self.old, self.new))
        return old, new


def courses_of(seed: int) -> tuple[tuple[str, ...], Course, Course]:
    """The course of each metastasis of a patient, and the sizes of all at the first and the second visit."""
    rng = np.random.default_rng((seed, _COURSE_STREAM))
    number = patient_of(seed).metastases + int(rng.integers(*_FURTHER))
    courses = [str(rng.choice(_COURSES, p=_SHARES)) for _ in range(number)]
    factor = rng.uniform(1.5, 2.0, number)
    first = [{"new": 0.0, "smaller": each}.get(course, 1.0) for course, each in zip(courses, factor, strict=True)]
    second = [{"gone": 0.0, "larger": each}.get(course, 1.0) for course, each in zip(courses, factor, strict=True)]
    return tuple(courses), Course(tuple(first)), Course(tuple(second))


def seeds(number: int, first: int = FIRST_SEED) -> list[int]:
    """The first seeds whose patients have few enough metastases to be told apart, as no superscan has."""
    found: list[int] = []
    seed = first
    while len(found) < number:
        if patient_of(seed).metastases <= _MOST:
            found.append(seed)
        seed += 1
    return found


def load(geometry: Path, folder: Path, wanted: Sequence[int], workers: int = 2) -> list[Pair]:
    """Simulate pairs, or read those that the folder holds already."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(geometry, folder, seed, visit) for seed in wanted for visit in (1, 2)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_make, jobs))
    return [
        Pair(seed, *(Case.load(_path(folder, seed, visit)) for visit in (1, 2)), courses_of(seed)[0]) for seed in wanted
    ]


def _make(job: tuple[Path, Path, int, int]) -> None:
    geometry, folder, seed, visit = job
    path = _path(folder, seed, visit)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        simulate(load_skeleton(geometry), seed, visit, course=courses_of(seed)[visit]).save(path)


def _path(folder: Path, seed: int, visit: int) -> Path:
    return case_path(folder / f"visit-{visit}", seed)
