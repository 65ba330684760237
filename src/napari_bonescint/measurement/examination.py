"""What is measured in a scan without its hot spots; computed once for a scan and its regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.measurement.body import find_excreted, find_kidneys, soft_tissue
from napari_bonescint.measurement.bones import Bones, find_bones
from napari_bonescint.measurement.counts import why_no_counts
from napari_bonescint.measurement.normal import NormalCounts
from napari_bonescint.measurement.sacroiliac import SacroiliacProfile, sacroiliac_profile
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

_KEPT = 4


@dataclass(frozen=True)
class Examination:
    """A scan and its regions, and what hot spots do not change.

    Attributes
    ----------
    bones : Bones
        The bone pixels.
    counts : ndarray of float64, shape (n,)
        Counts of the bone pixels.
    pixels, sums : ndarray of float64, shape (view, region code, side)
        Pixels and counts of each part.
    normal : NormalCounts
        The normal counts of each part, outside given hot spots.
    whole_body : ndarray of float64, shape (view,)
        Counts of each view without bladder and injection site.
    excreted : ndarray of bool, shape (view, y, x)
        Bladder and injection site.
    kidneys : ndarray of bool, shape (view, y, x)
        Kidneys in the posterior view; the anterior view hardly shows them.
    kidney_counts : tuple of float or None
        Mean counts of the kidneys of each view; None if no kidney is found.
    soft_tissue : tuple of float or None
        Mean counts of the thighs' soft tissue in each view; None if too little of it is seen.
    sacroiliac : SacroiliacProfile or str
        The sacroiliac joints, or the reason for their absence.
    no_counts : str
        The reason why the pixels are no counts; empty if they are.
    """

    bones: Bones
    counts: NDArray[np.float64]
    pixels: NDArray[np.float64]
    sums: NDArray[np.float64]
    normal: NormalCounts
    whole_body: NDArray[np.float64]
    excreted: NDArray[np.bool_]
    kidneys: NDArray[np.bool_]
    kidney_counts: tuple[float | None, ...]
    soft_tissue: tuple[float | None, ...]
    sacroiliac: SacroiliacProfile | str
    no_counts: str

    def normals(self, labels: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Normal counts (view, region code, side) outside the hot spots of labels (view, y, x)."""
        return self.normal.outside(labels.reshape(-1)[self.bones.at] > 0)


def examine(scan: Scan, regions: NDArray[np.uint8]) -> Examination:
    """Examine a scan with its regions (uint8, view, y, x); the results for the last few scans are kept."""
    return _examine(_Subject(scan, regions))


class _Subject:
    """A scan and its regions, equal if their contents are."""

    def __init__(self, scan: Scan, regions: NDArray[np.uint8]) -> None:
        self.scan, self.regions = scan, regions
        pixels = [blake2b(np.ascontiguousarray(image).data).digest() for image in (scan.counts, regions)]
        stated = scan.acquisition.get("counts_accumulated")
        self._key = (*pixels, scan.counts.shape, scan.counts.dtype.str, scan.views, scan.spacing, stated)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Subject) and self._key == other._key


@lru_cache(_KEPT)
def _examine(subject: _Subject) -> Examination:
    scan, regions = subject.scan, subject.regions
    bones = find_bones(regions, scan.views)
    counts = scan.counts.reshape(-1)[bones.at].astype(np.float64)
    excreted = find_excreted(scan, regions, bones)
    views = range(len(scan.views))
    kidneys = np.stack(
        [
            find_kidneys(scan, regions, bones, index)
            if view.name is ViewName.POSTERIOR
            else np.zeros(regions.shape[1:], bool)
            for index, view in enumerate(scan.views)
        ]
    )
    return Examination(
        bones=bones,
        counts=counts,
        pixels=bones.by_part(np.ones(len(counts))),
        sums=bones.by_part(counts),
        normal=NormalCounts(bones, counts),
        whole_body=np.asarray(np.where(excreted, 0, scan.counts).sum(axis=(1, 2), dtype=np.float64)),
        excreted=excreted,
        kidneys=kidneys,
        kidney_counts=tuple(
            float(image[found].mean()) if found.any() else None
            for image, found in zip(scan.counts, kidneys, strict=True)
        ),
        soft_tissue=tuple(soft_tissue(scan, regions, view, excreted) for view in views),
        sacroiliac=sacroiliac_profile(scan, regions),
        no_counts=why_no_counts(scan),
    )
