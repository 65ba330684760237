"""The measures of one scan: uptake of regions, hot spots, and the bone scan index."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - `facts.build` looks at the types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari_bonescint.scan import ViewName  # noqa: TC001 - `facts.build` looks at the types

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import SpotWeights

Side = Literal["left", "right", ""]
"""The patient's side; empty for bones of the midline, and for both sides together."""

RESEARCH_ONLY = (
    "Research software, not a medical device. Hot spots are found by a model that learnt simulated lesions; it was not "
    "validated on patients."
)


@dataclass(frozen=True)
class RegionUptake:
    """Uptake of one region in one view, on one side or on both together.

    Attributes
    ----------
    view : ViewName
        The view.
    region : str
        Name of the region in `anatomy.REGIONS`; ``skeleton`` for all bones together.
    side : str
        ``left`` or ``right`` for one side; empty for the whole region.
    pixels : int
        Number of pixels.
    area_mm2 : float or None
        Area; None if the spacing is unknown.
    counts : float or None
        Sum of the counts; None if the pixels are no counts, as in an 8-bit picture.
    mean_counts : float or None
        Counts per pixel; None like `counts`.
    share_of_counts : float or None
        Counts over those of the whole body in this view, bladder and injection site left out.
    left_right_ratio : float or None
        Mean counts of the patient's left side over those of the right; None for bones of the midline, and if a side
        is not in the image.
    """

    view: ViewName
    region: str
    side: Side
    pixels: int
    area_mm2: float | None
    counts: float | None
    mean_counts: float | None
    share_of_counts: float | None
    left_right_ratio: float | None


@dataclass(frozen=True)
class HotSpotVerdict:
    """Whether a hot spot is suspicious, and who decided so.

    Attributes
    ----------
    suspicious : bool
        True if it counts in the bone scan index.
    by_reader : bool
        True if a person decided; then it stays when the scan is measured again.
    """

    suspicious: bool
    by_reader: bool = False


@dataclass(frozen=True)
class HotSpot:
    """One hot spot of one view.

    Attributes
    ----------
    id : int
        Number within the view, from 1: the value of its pixels in the labels.
    view : ViewName
        The view.
    region, side : str
        The region with most of its pixels, and the patient's side.
    row, column : float
        Centre of its pixels, in pixels from 0.
    pixels : int
        Number of pixels.
    area_mm2 : float or None
        Area; None if the spacing is unknown.
    peak_ratio, mean_ratio : float
        Highest and mean counts over the normal counts of its region: the median of the region's pixels (on this side,
        in this view) that are in no hot spot.
    ring_ratio : float
        Mean counts over those of the bone in a ring around it.
    probability : float or None
        Calibrated probability of a metastasis; None without a model.
    verdict : HotSpotVerdict
        Suspicious or not.
    reason : str
        The reason for the verdict, in words.
    other_view_id : int or None
        `id` of the same lesion in the opposite view; None if it is not seen there.
    """

    id: int
    view: ViewName
    region: str
    side: Side
    row: float
    column: float
    pixels: int
    area_mm2: float | None
    peak_ratio: float
    mean_ratio: float
    ring_ratio: float
    probability: float | None
    verdict: HotSpotVerdict
    reason: str
    other_view_id: int | None = None

    @property
    def suspicious(self) -> bool:
        """True if it counts in the bone scan index."""
        return self.verdict.suspicious


@dataclass(frozen=True)
class RegionInvolvement:
    """Share of one region that suspicious hot spots cover, both views pooled.

    Attributes
    ----------
    region : str
        Name of the region.
    hot_pixels, pixels : int
        Pixels in suspicious hot spots, and all pixels, of the views that count for this region.
    mass_percent : float
        Mass of the region in percent of the skeleton's.
    index : float
        Its part of the index, in percent: `hot_pixels` / `pixels` * `mass_percent`; 0 if the region is not seen.
    """

    region: str
    hot_pixels: int
    pixels: int
    mass_percent: float
    index: float


@dataclass(frozen=True)
class BoneScanIndex:
    """The bone scan index from planar views, in percent of the skeleton's mass.

    Attributes
    ----------
    total : float
        Without distal limbs: forearm, hand, lower leg and foot.
    with_distal : float
        With distal limbs.
    by_region : tuple of RegionInvolvement
        Every region that is seen.
    by_view : mapping of ViewName to float
        `total` from one view alone.
    """

    total: float
    with_distal: float
    by_region: tuple[RegionInvolvement, ...]
    by_view: Mapping[ViewName, float]


@dataclass(frozen=True)
class Ratio:
    """A ratio of uptakes, or the reason for its absence.

    Attributes
    ----------
    name : str
        Name in tables, such as ``sacroiliac_to_sacrum_left``.
    value : float or None
        None if the input does not allow it.
    definition : str
        The definition, in one sentence.
    absent : str
        Reason for its absence; empty if there is a value.
    """

    name: str
    value: float | None
    definition: str
    absent: str = ""


@dataclass(frozen=True)
class Measures:
    """Everything that is measured in one scan.

    Attributes
    ----------
    regions : tuple of RegionUptake
        Uptake by view, region and side.
    hot_spots : tuple of HotSpot
        Hot spots of all views.
    index : BoneScanIndex
        The bone scan index from the suspicious hot spots.
    ratios : tuple of Ratio
        Ratios of uptakes.
    models : mapping of str to str
        Names of the models, for segmenting and for hot spots, with the hashes of their weights.
    absent : mapping of str to str
        Names of quantities that the input does not allow, with the reason.
    warnings : tuple of str
        Sentences to show to the user.
    """

    regions: tuple[RegionUptake, ...]
    hot_spots: tuple[HotSpot, ...]
    index: BoneScanIndex
    ratios: tuple[Ratio, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Hot spots as an image, and all measures.

    Attributes
    ----------
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    measures : Measures
        The measures; `measures.hot_spots` has one entry for each label of each view.
    """

    labels: NDArray[np.uint16]
    measures: Measures


@dataclass(frozen=True)
class UptakeClasses:
    """Probabilities of each pixel.

    Attributes
    ----------
    lesion : ndarray of float32, shape (view, y, x)
        Calibrated probability that a metastasis raises the counts of the pixel.
    benign : ndarray of float32, shape (view, y, x)
        Probability of benign focal uptake: worn joints, fractures, Paget's disease.
    model : str
        Name of the model that computed them, or of the rule without a model.
    model_sha256 : str
        Hash of the weights; empty without a model.
    spot_weights : SpotWeights or None
        How the probability of a hot spot follows from them; None without a model.
    """

    lesion: NDArray[np.float32]
    benign: NDArray[np.float32]
    model: str
    model_sha256: str = ""
    spot_weights: SpotWeights | None = None
