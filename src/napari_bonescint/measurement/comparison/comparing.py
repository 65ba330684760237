"""Compare a scan with a prior scan of the same patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.two_studies import SOURCE_UNREADABLE, read_two_studies
from napari_bonescint.measurement.comparison.changes import Comparison, IndexChange
from napari_bonescint.measurement.comparison.comparability import reasons_against
from napari_bonescint.measurement.comparison.lesion_changes import LARGER, LEAST_RISE, changes_of
from napari_bonescint.measurement.comparison.matching import match
from napari_bonescint.measurement.comparison.registration import LEAST_OVERLAP, register
from napari_bonescint.measurement.comparison.uptake_change import BothScans
from napari_bonescint.measurement.comparison.warping import prior_scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.formats.dicom.two_studies import TwoStudies
    from napari_bonescint.measurement.comparison.changes import MeasuredScan
    from napari_bonescint.measurement.comparison.registration import Registration
    from napari_bonescint.measurement.measures import BoneScanIndex

INDEX_NOISE = 0.30
"""Twice the standard deviation of the difference between repeat scans of 35 patients, 0.15 (Anand et al., Journal of
Nuclear Medicine 2016; 57: 41)."""

DEFINITIONS: dict[str, str] = {
    "new": (
        "The prior scan shows this place of the bone without a hot spot, and with fewer counts: the new scan has at "
        f"least {LEAST_RISE:g} times as many, after bone without hot spots was made equal."
    ),
    "gone": "The other way round: the prior scan has a hot spot, and the new scan shows its place without.",
    "larger": (
        f"Its area is at least {LARGER:g} times that in the prior scan, and its excess uptake (counts / normal counts "
        "- 1, summed over the outlines of both scans) rose beyond the noise, which is stated for each lesion."
    ),
    "smaller": f"The other way round: at most 1/{LARGER:g} of the area, and less excess uptake beyond the noise.",
    "same": "Both scans show it, and its area or its excess uptake did not change so much.",
    "unseen": "One of the scans does not show this place of the bone.",
    "noise": (
        f"Repeat scans of one patient differ by up to {INDEX_NOISE:.2f} in the bone scan index (twice the standard "
        "deviation), so a smaller change is within the noise; no region's part has less noise in itself."
    ),
}
"""Definitions of the words, to print beside them."""


class CannotCompare(BonescintError):
    """Two scans have nothing to compare."""


def compare(new: MeasuredScan, old: MeasuredScan, studies: TwoStudies | None = None) -> Comparison:
    """Compare a scan with a prior one.

    Parameters
    ----------
    new, old : MeasuredScan
        The new and the prior scan.
    studies : TwoStudies, optional
        What the files of both say about patient, day and tracer; by default they are read now. A caller who must ask
        the user about another patient reads them first.

    Returns
    -------
    Comparison
        Made also if the scans are not comparable; its `not_comparable` then has the reasons.

    Raises
    ------
    CannotCompare
        If the scans have no view in common.
    """
    names = [{view.name for view in each.scan.views} for each in (new, old)]
    if not names[0] & names[1]:
        raise CannotCompare(
            f"{new.scan.name}: The scan and the prior scan {old.scan.name} show no common view; choose a prior scan "
            "with the same view, or name the views."
        )
    studies = read_two_studies(new.scan.sources, old.scan.sources) if studies is None else studies
    registration = register(
        new.regions, new.scan.views, new.scan.spacing, old.regions, old.scan.views, old.scan.spacing
    )
    both = BothScans(new, old, registration, prior_scale(new, old, registration))
    indices = new.measured.measures.index, old.measured.measures.index
    return Comparison(
        lesions=changes_of(match(new, old, registration), both),
        index=IndexChange("total", indices[0].total, indices[1].total, INDEX_NOISE),
        index_with_distal=IndexChange("with_distal", indices[0].with_distal, indices[1].with_distal, INDEX_NOISE),
        by_region=tuple(_by_region(*indices)),
        days=studies.days,
        patient=studies.patient,
        not_comparable=reasons_against(new, old, studies),
        warnings=tuple(_warnings(new, old, studies, registration)),
        prior_scale=both.prior_scale,
        registration=registration,
    )


def _by_region(new: BoneScanIndex, old: BoneScanIndex) -> Iterator[IndexChange]:
    now, before = ({part.region: part.index for part in index.by_region} for index in (new, old))
    for region in REGIONS[1:]:
        if region.name in now or region.name in before:
            yield IndexChange(region.name, now.get(region.name), before.get(region.name), INDEX_NOISE)


def _warnings(new: MeasuredScan, old: MeasuredScan, studies: TwoStudies, registration: Registration) -> Iterator[str]:
    if studies.unreadable:
        yield SOURCE_UNREADABLE
    if studies.days is not None and studies.days < 0:
        yield "The prior scan is later than the new one; exchange them."
    if studies.days == 0:
        yield "Both scans are of the same day."
    if new.scan.source_sha256 and new.scan.source_sha256 == old.scan.source_sha256:
        yield "Both scans are the same file."
    flipped = [{view.name: view.flipped for view in each.scan.views} for each in (new, old)]
    for name in flipped[0]:
        if flipped[1].get(name, flipped[0][name]) != flipped[0][name]:
            yield (
                f"The {name} view is mirrored by the user in one of the scans only; if that is wrong, lesions are "
                "matched on the wrong side."
            )
    unlike = [part for part, found in registration.parts.items() if found.overlap < LEAST_OVERLAP]
    if unlike:
        names = sorted({f"{part.side} {REGIONS[part.code].label}".strip() for part in unlike})
        yield f"These bones look too different in the two scans to compare their lesions: {', '.join(names)}."
