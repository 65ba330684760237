"""The public Python interface for scripts and notebooks: open, segment, measure and compare scans.

    import napari_bonescint as nb

    scan = nb.open_scan("scan.dcm")
    measured = nb.measure(scan)
    print(measured.index.total)

Models stay loaded between calls. They are loaded at the first call, and so are PyTorch or OpenVINO.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats import opening
from napari_bonescint.formats.dicom.two_studies import OTHER_PATIENT, PatientMatch, read_two_studies
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, ModelCard, ModelError
from napari_bonescint.inference.model_registry import current_model, find_model
from napari_bonescint.measurement.comparison.changes import MeasuredScan
from napari_bonescint.measurement.comparison.comparing import CannotCompare
from napari_bonescint.measurement.comparison.comparing import compare as compare_measured
from napari_bonescint.measurement.files import HOT_SPOT_COLUMNS, REGION_COLUMNS
from napari_bonescint.measurement.measuring import CannotMeasure, measure_regions
from napari_bonescint.measurement.measuring import measure as measure_segmentation
from napari_bonescint.scan import Scan, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.detection.detector import HotSpotDetector
    from napari_bonescint.measurement.measures import BoneScanIndex, Measured, Measures

    ScanLike = Scan | str | Path
    ModelLike = ModelCard | str | Path | None
    Masks = Segmentation | NDArray[np.uint8] | str | Path | Sequence[str | Path]

_MODELS_KEPT = 2
# Also of a table that is empty or lacks a quantity, so that tables of many scans can be joined.
_REGION_NUMBERS = ("area_mm2", "counts", "mean_counts", "share_of_counts", "left_right_ratio")
_HOT_SPOT_NUMBERS = ("row", "column", "area_mm2", "peak_ratio", "mean_ratio", "probability", "other_view_id")


class NotOneScan(BonescintError):
    """Files that are not the files of one scan."""


@dataclass(frozen=True)
class ScanMeasures:
    """A scan with its regions and all that was measured in it.

    Attributes
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes of `anatomy.REGIONS`.
    measured : Measured
        Hot spots as an image (`measured.labels`), and all measures (`measured.measures`).
    """

    scan: Scan
    regions: NDArray[np.uint8]
    measured: Measured

    @property
    def measures(self) -> Measures:
        """All measures: uptake, hot spots, index, ratios, what is absent and why, warnings."""
        return self.measured.measures

    @property
    def index(self) -> BoneScanIndex:
        """The bone scan index."""
        return self.measures.index

    @property
    def labels(self) -> NDArray[np.uint16]:
        """Hot spots as an image, shape (view, y, x), numbered within a view from 1."""
        return self.measured.labels

    def region_table(self) -> pd.DataFrame:
        """Uptake as a table with the columns of ``STEM.regions.csv``: a row for each view, region and side."""
        import pandas as pd

        table = pd.DataFrame([asdict(row) for row in self.measures.regions], columns=list(REGION_COLUMNS))
        return table.astype(dict.fromkeys(_REGION_NUMBERS, float))

    def hot_spot_table(self) -> pd.DataFrame:
        """Hot spots as a table with the columns of ``STEM.hotspots.csv``, and the reason for each verdict."""
        import pandas as pd

        rows = [{**asdict(spot), "suspicious": spot.suspicious} for spot in self.measures.hot_spots]
        table = pd.DataFrame(rows, columns=[*HOT_SPOT_COLUMNS, "reason"])
        numbers = dict.fromkeys(_HOT_SPOT_NUMBERS, float)
        return table.astype({**numbers, "id": int, "pixels": int, "suspicious": bool})


def open_scan(
    *paths: str | Path,
    view: ViewName | str | None = None,
    spacing: float | tuple[float, float] | None = None,
    split_sides: bool = False,
    flip_posterior: bool = False,
) -> Scan:
    """Read a scan: DICOM, PNG or TIFF, recognised by content.

    Parameters
    ----------
    *paths : str or Path
        One file, or two DICOM files of one study with one view each.
    view : str, optional
        ``anterior`` or ``posterior``: the view, or the first of two views; it overrules the file.
    spacing : float or (float, float), optional
        Pixel spacing in mm, or (y, x), for a file that gives none.
    split_sides : bool
        Whether to split one image into an anterior (left) and a posterior view (right).
    flip_posterior : bool
        Whether to mirror the posterior view.

    Returns
    -------
    Scan
        Counts of shape (view, y, x), anterior first.

    Raises
    ------
    BonescintError
        If the files cannot be read as one scan.
    """
    collection = opening.collect(map(Path, paths))
    for failure in collection.failures:
        raise failure
    if len(collection.sources) != 1:
        named = ", ".join(map(str, paths)) or "No file"
        raise NotOneScan(
            f"{named}: has {len(collection.sources)} scans; give the file of one scan, or its two single-view files."
        )
    return collection.sources[0].open(
        view=None if view is None else ViewName(view),
        spacing=(spacing, spacing) if isinstance(spacing, (int, float)) else spacing,
        split_sides=split_sides,
        flip_posterior=flip_posterior,
    )


def segment(scan: ScanLike, *, model: ModelLike = None, device: str = "auto") -> Segmentation:
    """Segment the skeleton in every view of a scan.

    Parameters
    ----------
    scan : Scan, str or Path
        A scan, or its file.
    model : ModelCard, str or Path, optional
        A model, its name, or its weights file; by default the model in use.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    BonescintError
        If the scan, the model or the device cannot be used.
    """
    return _segmenter(_card(model), device).segment(_scan(scan))


def measure(
    scan: ScanLike, masks: Masks | None = None, *, model: ModelLike = None, device: str = "auto"
) -> ScanMeasures:
    """Measure a scan: uptake of regions, hot spots and the bone scan index.

    Parameters
    ----------
    scan : Scan, str or Path
        A scan, or its file.
    masks : Segmentation, ndarray, str, Path or sequence of them, optional
        Regions: the result of `segment`, region codes of uint8 with the shape of the counts, or the file or files of a
        corrected mask (DICOM SEG, NIfTI, TIFF or PNG). By default the scan is segmented.
    model, device
        As for `segment`; used only if there are no `masks`.

    Raises
    ------
    BonescintError
        If the scan, the masks, the model or the device cannot be used.
    """
    scan = _scan(scan)
    if masks is None:
        masks = segment(scan, model=model, device=device)
    if isinstance(masks, Segmentation):
        measured = measure_segmentation(scan, masks, _detector())
        # `measure_segmentation` refuses a segmentation without regions.
        regions = masks.skeleton if masks.regions is None else masks.regions
    else:
        regions = masks if isinstance(masks, np.ndarray) else _read_masks(scan, masks)
        measured = measure_regions(scan, regions, _detector())
    return ScanMeasures(scan, regions, measured)


def compare(new: ScanMeasures | ScanLike, old: ScanMeasures | ScanLike, *, same_patient: bool = False) -> Comparison:
    """Compare a scan with a prior scan of the same patient.

    Parameters
    ----------
    new, old : ScanMeasures, Scan, str or Path
        The new and the prior scan: results of `measure`, or scans, which are measured with the models in use.
    same_patient : bool
        Whether both are of one patient, although their files name two.

    Returns
    -------
    Comparison
        Lesions that are new, gone, larger, smaller or the same, and the change of the bone scan index. Its
        `not_comparable` has reasons against comparing the two, such as another tracer.

    Raises
    ------
    BonescintError
        If the files name two patients, or the scans have no view in common.
    """
    pair = [each if isinstance(each, ScanMeasures) else measure(each) for each in (new, old)]
    studies = read_two_studies(pair[0].scan.sources, pair[1].scan.sources)
    if studies.patient is PatientMatch.OTHER and not same_patient:
        raise CannotCompare(f"{pair[0].scan.name}: {OTHER_PATIENT} Then give same_patient=True.")
    mine, other = (MeasuredScan(each.scan, each.regions, each.measured) for each in pair)
    return compare_measured(mine, other, studies)


def _scan(scan: ScanLike) -> Scan:
    return scan if isinstance(scan, Scan) else open_scan(scan)


def _card(model: ModelLike) -> ModelCard:
    if isinstance(model, ModelCard):
        return model
    return current_model() if model is None else find_model(str(model))


def _segmenter(card: ModelCard, device: str) -> Segmenter:
    return _loaded(card.path, card.weights_sha256, device)


@lru_cache(maxsize=_MODELS_KEPT)
def _loaded(card: Path, _sha256: str, device: str) -> Segmenter:
    """A loaded model; one whose weights file changed is loaded again."""
    from napari_bonescint.inference.model_card import read_card
    from napari_bonescint.inference.segmenter import Segmenter

    return Segmenter(read_card(card), device)


def _detector() -> HotSpotDetector | None:
    """The loaded model in use for hot spots; None, with a warning, if it cannot be used."""
    try:
        card = current_model(FINDING_HOT_SPOTS)
    except ModelError as error:
        warnings.warn(f"{error} Hot spots are found by thresholds instead.", stacklevel=3)
        return None
    return _loaded_detector(card.path, card.weights_sha256)


@lru_cache(maxsize=1)
def _loaded_detector(card: Path, _sha256: str) -> HotSpotDetector:
    from napari_bonescint.inference.model_card import read_card
    from napari_bonescint.measurement.detection.detector import HotSpotDetector

    return HotSpotDetector(read_card(card))


def _read_masks(scan: Scan, masks: str | Path | Sequence[str | Path]) -> NDArray[np.uint8]:
    paths = [masks] if isinstance(masks, (str, Path)) else list(masks)
    mask = lay_on(scan, [read_mask(Path(path), None, scan) for path in paths])
    if not mask.names_regions:
        names = " + ".join(Path(path).name for path in paths)
        raise CannotMeasure(f"{names}: marks bone without naming regions; measuring needs a mask with region codes.")
    return mask.regions
