"""Score a model's segmentation of each view against the truth."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.evaluation.calibration import Reliability
from napari_bonescint.evaluation.metrics import cross_entropy, dice, region_dice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import ViewName
    from napari_bonescint.segmentation import Segmentation


@dataclass(frozen=True)
class ViewScore:
    """Scores of one view.

    Attributes
    ----------
    scan, patient : str
        `Reference.name` and `Reference.patient`.
    view : ViewName
    skeleton : float
        Dice of bone of any region.
    regions : dict of str to float
        Dice of each region with at least 30 pixels in the truth; empty if model or truth name no regions.
    loss : float
        Binary cross-entropy of bone, on the acquired pixels.
    reliability : Reliability
        Calibration of the probability of bone.
    """

    scan: str
    patient: str
    view: ViewName
    skeleton: float
    regions: dict[str, float]
    loss: float
    reliability: Reliability

    @property
    def macro(self) -> float | None:
        """Mean Dice over the regions; None if there are no regions."""
        return statistics.mean(self.regions.values()) if self.regions else None

    @property
    def dice(self) -> float:
        """Mean Dice over the regions, or Dice of the skeleton if model or truth name no regions."""
        return self.skeleton if self.macro is None else self.macro


class SegmentedReference(NamedTuple):
    """A scan with its truth, a model's result, and the scores of each view."""

    reference: Reference
    result: Segmentation
    views: list[ViewScore]

    @property
    def dice(self) -> float:
        """Mean Dice over the views."""
        return statistics.mean(view.dice for view in self.views)


def segment_references(segmenter: Segmenter, references: Iterable[Reference]) -> Iterator[SegmentedReference]:
    """Segment scans and score their views, one scan after the other."""
    return (segment_reference(segmenter, reference) for reference in references)


def segment_reference(segmenter: Segmenter, reference: Reference) -> SegmentedReference:
    """Segment a scan and score its views."""
    result = segmenter.segment(reference.scan)
    return SegmentedReference(reference, result, score_views(reference, result))


def score_views(reference: Reference, result: Segmentation) -> list[ViewScore]:
    """Score each view of a result against the truth."""
    predicted = result.regions if reference.names_regions else None
    return [
        ViewScore(
            scan=reference.name,
            patient=reference.patient,
            view=reference.scan.views[i].name,
            skeleton=dice(result.skeleton[i] > 0, truth > 0),
            regions={} if predicted is None else region_dice(predicted[i], truth),
            loss=cross_entropy(result.probability[i], truth > 0),
            reliability=Reliability.of(result.probability[i], truth > 0),
        )
        for i, truth in enumerate(reference.regions)
    ]
