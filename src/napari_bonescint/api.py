"""The public Python interface for scripts and notebooks: open, segment, measure and compare scans.

    import napari_bonescint as nb

    scan = nb.open_scan("scan.dcm")
    measured = nb.measure(scan)
    print(measured.index.total)

Models stay loaded between calls. They are loaded at the first call, and so are PyTorch or OpenVINO.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats import opening
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.inference.model_card import ModelCard
from napari_bonescint.inference.model_registry import current_model, find_model
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
    from napari_bonescint.measurement.measures import BoneScanIndex, Measured, Measures

    ScanLike = Scan | str | Path
    ModelLike = ModelCard | str | Path | None
    Masks = Segmentation | NDArray[np.uint8] | str | Path | Sequence[str | Path]

_MODELS_KEPT = 2


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

        return pd.DataFrame([asdict(row) for row in self.measures.regions], columns=list(REGION_COLUMNS))

    def hot_spot_table(self) -> pd.DataFrame:
        """Hot spots as a table with the columns of ``STEM.hotspots.csv``, and the reason for each verdict."""
        import pandas as pd

        rows = [{**asdict(spot), "suspicious": spot.suspicious} for spot in self.measures.hot_spots]
        return pd.DataFrame(rows, columns=[*HOT_SPOT_COLUMNS, "reason"])


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
        measured = measure_segmentation(scan, masks)
        # `measure_segmentation` refuses a segmentation without regions.
        regions = masks.skeleton if masks.regions is None else masks.regions
    else:
        regions = masks if isinstance(masks, np.ndarray) else _read_masks(scan, masks)
        measured = measure_regions(scan, regions)
    return ScanMeasures(scan, regions, measured)


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


def _read_masks(scan: Scan, masks: str | Path | Sequence[str | Path]) -> NDArray[np.uint8]:
    paths = [masks] if isinstance(masks, (str, Path)) else list(masks)
    mask = lay_on(scan, [read_mask(Path(path), None, scan) for path in paths])
    if not mask.names_regions:
        names = " + ".join(Path(path).name for path in paths)
        raise CannotMeasure(f"{names}: marks bone without naming regions; measuring needs a mask with region codes.")
    return mask.regions
