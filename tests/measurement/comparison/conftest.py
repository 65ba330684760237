"""Two simulated scans of one patient with other poses and cameras, between which metastases come, go and grow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from napari_bonescint.measurement.comparison.changes import MeasuredScan
from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.simulation.case import simulate
from napari_bonescint.simulation.geometry import load_model
from napari_bonescint.simulation.pathology import Course, LesionKind
from napari_bonescint.simulation.pose import Skeleton

if TYPE_CHECKING:
    from napari_bonescint.scan import ViewName
    from napari_bonescint.simulation.case import Case
    from napari_bonescint.simulation.geometry import BonePoints

# A patient without other metastases. The matrices of the scans are 1024 x 256 and 512 x 128.
SEED = 22003
FIRST, SECOND = Course((1, 0, 1, 1)), Course((1, 1, 0, 1.9))


def measured(scan, regions, labels, suspicious=True) -> MeasuredScan:
    """A scan with hot spots of which all, or none, are suspicious."""
    numbers = [
        (view.name, int(number)) for view, plane in zip(scan.views, labels, strict=True) for number in np.unique(plane)
    ]
    decided = dict.fromkeys(numbers, HotSpotVerdict(suspicious))
    return MeasuredScan(scan, regions, Measured(labels, remeasure(scan, regions, labels, decided, models={"m": "0"})))


def of_case(case: Case) -> MeasuredScan:
    scan = case.count(np.random.default_rng(0), 3e6)
    hot = np.zeros(case.regions.shape, bool)
    for lesion in case.lesions:
        if lesion.kind is LesionKind.METASTASIS and lesion.ratio.max() > 0.5:
            hot.reshape(-1)[lesion.pixels[lesion.ratio > 0.3]] = True
    labels = np.stack([ndimage.label(plane, np.ones((3, 3)))[0] for plane in hot]).astype(np.uint16)
    return measured(scan, case.regions, labels)


def one_view(each: MeasuredScan, name: ViewName) -> MeasuredScan:
    """The same scan with one of its views only."""
    index = [view.name for view in each.scan.views].index(name)
    own = slice(index, index + 1)
    scan = replace(each.scan, counts=each.scan.counts[own], views=each.scan.views[own])
    return measured(scan, each.regions[own], each.measured.labels[own])


@dataclass(frozen=True)
class ScanPair:
    old: MeasuredScan
    new: MeasuredScan


@pytest.fixture(scope="session")
def pair(points: BonePoints) -> ScanPair:
    skeleton = Skeleton(load_model(), points)
    return ScanPair(
        *(of_case(simulate(skeleton, SEED, visit, course=course)) for visit, course in ((1, FIRST), (2, SECOND)))
    )
