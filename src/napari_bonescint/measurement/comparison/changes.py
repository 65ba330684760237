"""What a comparison of two scans finds: changes of lesions and of the bone scan index."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom.two_studies import PatientMatch
    from napari_bonescint.measurement.comparison.registration import Registration
    from napari_bonescint.measurement.measures import Measured, Side
    from napari_bonescint.scan import Scan, ViewName


@dataclass(frozen=True)
class MeasuredScan:
    """A scan with everything that a comparison needs of it.

    Attributes
    ----------
    scan : Scan
        Its `sources` are read for what both studies say about patient, day and tracer, at the moment of comparing.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    measured : Measured
        Hot spots and measures.
    """

    scan: Scan
    regions: NDArray[np.uint8]
    measured: Measured


class Change(StrEnum):
    """Change of a lesion from the prior to the new scan."""

    NEW = "new"
    GONE = "gone"
    LARGER = "larger"
    SMALLER = "smaller"
    SAME = "same"
    UNSEEN = "unseen"
    """The other scan does not show its place: the region is cut off or not named, or the view is missing."""


class SpotKey(NamedTuple):
    """A hot spot of a scan: its view, and its number within the view."""

    view: ViewName
    id: int


@dataclass(frozen=True)
class LesionChange:
    """One lesion in both scans: its hot spots of both views together.

    Attributes
    ----------
    number : int
        Number of the lesion in the comparison, from 1.
    change : Change
        Its change.
    region, side : str
        Region and patient's side of its largest hot spot.
    new, old : tuple of SpotKey
        Its hot spots in the new and in the prior scan; none if it is gone, or new.
    area_ratio : float or None
        Area in the new over that in the prior scan, in the views that show it in both; None unless both do.
    uptake_ratio : float or None
        Excess uptake (counts / normal counts - 1, summed over the outlines of both scans) in the new over that in the
        prior scan, in these views; None unless both show it.
    uptake_limit : float or None
        Lesions of this size, brightness and counts that did not change stay below this ratio, and above its inverse.
    suspicious, suspicious_before : bool
        Whether one of its hot spots is suspicious in the new and in the prior scan.
    places : mapping of ViewName to (float, float)
        Row and column of its centre in the new scan; of a lesion that is gone, the place where it was.
    reason : str
        The reason for the change's name, as a sentence with the figures.
    """

    number: int
    change: Change
    region: str
    side: Side
    new: tuple[SpotKey, ...]
    old: tuple[SpotKey, ...]
    area_ratio: float | None
    uptake_ratio: float | None
    uptake_limit: float | None
    suspicious: bool
    suspicious_before: bool
    places: Mapping[ViewName, tuple[float, float]]
    reason: str


@dataclass(frozen=True)
class IndexChange:
    """Change of the bone scan index, or of a region's part of it, in percent of the skeleton's mass.

    Attributes
    ----------
    name : str
        ``total``, ``with_distal``, or the name of a region.
    new, old : float or None
        The index in the new and in the prior scan; None if a scan does not show the region.
    noise : float
        Changes that are not larger are within the noise of repeat scans.
    """

    name: str
    new: float | None
    old: float | None
    noise: float

    @property
    def change(self) -> float | None:
        """New minus prior index; None if one of them is missing."""
        return None if self.new is None or self.old is None else self.new - self.old

    @property
    def within_noise(self) -> bool:
        """True if the change is no larger than the noise of repeat scans, or unknown."""
        # Indices are given with two decimals, so a difference of 0.3 must not depend on the last bit.
        return self.change is None or round(abs(self.change), 6) <= self.noise


@dataclass(frozen=True)
class Comparison:
    """Comparison of a scan with a prior scan of the same patient.

    Attributes
    ----------
    lesions : tuple of LesionChange
        Lesions that are suspicious in at least one of the scans, in the order of the body from the head down.
    index, index_with_distal : IndexChange
        Change of the bone scan index without and with distal limbs.
    by_region : tuple of IndexChange
        Change of each region's part of the index.
    days : int or None
        Days from the prior to the new scan; None if a file does not tell.
    patient : PatientMatch
        Whether both files name the same patient.
    not_comparable : tuple of str
        Reasons, as sentences, for which the two scans must not be compared without reserve; empty if there are none.
    warnings : tuple of str
        Sentences to show to the user.
    prior_scale : mapping of ViewName to float
        Factor by which the prior's counts are multiplied for the warped prior: the median ratio of bone without hot
        spots.
    registration : Registration
        The place in the prior scan of each place in the new one.
    """

    lesions: tuple[LesionChange, ...]
    index: IndexChange
    index_with_distal: IndexChange
    by_region: tuple[IndexChange, ...]
    days: int | None
    patient: PatientMatch
    not_comparable: tuple[str, ...]
    warnings: tuple[str, ...]
    prior_scale: Mapping[ViewName, float]
    registration: Registration = field(repr=False)

    def of(self, change: Change) -> tuple[LesionChange, ...]:
        """The lesions with one change."""
        return tuple(lesion for lesion in self.lesions if lesion.change is change)

    def count(self, change: Change) -> int:
        """Number of lesions with one change."""
        return len(self.of(change))
