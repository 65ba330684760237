"""The measures of one scan on disk: tables, hot spots as an image, and a JSON file that holds everything.

The four files lie beside the masks of the same scan (`results.Result`), have the same stem, and are replaced together.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint import __version__
from napari_bonescint.files.facts import FactError, build
from napari_bonescint.files.group import FileGroup
from napari_bonescint.formats.masks.label_tiff import encode_planes, read_numbered
from napari_bonescint.measurement.bone_scan_index import DEFINITION
from napari_bonescint.measurement.measures import (
    RESEARCH_ONLY,
    BoneScanIndex,
    HotSpot,
    Measured,
    Measures,
    Ratio,
    RegionUptake,
)
from napari_bonescint.measurement.ratio_definitions import definition_of, shared_definitions
from napari_bonescint.results import ResultError, describe_scan, read_recorded, scan_differences
from napari_bonescint.text.plain_output import table_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.scan import Scan

REGION_COLUMNS = (
    *("view", "region", "side", "pixels", "area_mm2", "counts", "mean_counts", "share_of_counts"),
    "left_right_ratio",
)
HOT_SPOT_COLUMNS = (
    *("id", "view", "region", "side", "row", "column", "pixels", "area_mm2", "peak_ratio", "mean_ratio"),
    *("probability", "suspicious", "other_view_id"),
)

DEFINITIONS: Mapping[str, str] = {
    "bone_scan_index": DEFINITION,
    "share_of_counts": "Counts over those of the whole body in this view, bladder and injection site left out.",
    "left_right_ratio": "Mean counts of the patient's left side over those of the right.",
    "peak_ratio": "Highest counts over the median of the region's pixels, on this side and in this view, outside hot "
    "spots.",
    "mean_ratio": "Mean counts over the same median.",
    "probability": "Calibrated probability that a metastasis raises the counts; empty without a model.",
    "suspicious": "True if the hot spot counts in the bone scan index.",
    "other_view_id": "Number of the same lesion in the opposite view.",
}
"""Definitions of the quantities in the files, without those of ratios."""

_READY = ".bonescint-measured-"
_PARTS = (".regions.csv", ".hotspots.tif", ".hotspots.csv", ".measures.json")
_REGIONS, _LABELS, _HOT_SPOTS, _FACTS = _PARTS
_DIGITS = 6


@dataclass(frozen=True)
class MeasuredMasks:
    """The region masks that a scan was measured with.

    Attributes
    ----------
    files : tuple of str
        Names of the mask files; empty if the masks were never on disk.
    sha256 : str
        Hash of the region codes, by `planes_sha256`.
    given : bool
        True if the user gave them; false if a model segmented them.
    """

    files: tuple[str, ...]
    sha256: str
    given: bool = False


@dataclass(frozen=True)
class RecordedMeasures:
    """The content of the JSON file.

    Attributes
    ----------
    sources : tuple of str
        Names of the scan's files.
    source_sha256 : str
        `Scan.source_sha256` of the scan.
    views : list of dict
        ``name``, ``source`` and ``flipped`` of each view.
    spacing_mm : list of float or None
        Pixel spacing (y, x).
    masks : MeasuredMasks
        The region masks.
    models : dict of str to str
        Hashes of the weights, by the name of the model; of the models for segmenting and for hot spots.
    bone_scan_index : BoneScanIndex
    ratios : tuple of Ratio
    regions : tuple of RegionUptake
    hot_spots : tuple of HotSpot
    absent : dict of str to str
        Names of quantities that the input does not allow, with the reason.
    warnings : tuple of str
        Warnings about the scan, its masks and its measures.
    seconds : float
        Duration of measuring, without segmenting.
    complete : bool
        True if all files exist.
    run : str
        Name of the run that made the result, or empty.
    """

    sources: tuple[str, ...]
    source_sha256: str
    views: list[dict[str, Any]]
    spacing_mm: list[float] | None
    masks: MeasuredMasks
    models: dict[str, str]
    bone_scan_index: BoneScanIndex
    ratios: tuple[Ratio, ...]
    regions: tuple[RegionUptake, ...]
    hot_spots: tuple[HotSpot, ...]
    absent: dict[str, str]
    warnings: tuple[str, ...]
    seconds: float
    complete: bool
    run: str = ""

    @property
    def measures(self) -> Measures:
        """The measures."""
        return Measures(
            self.regions, self.hot_spots, self.bone_scan_index, self.ratios, self.models, self.absent, self.warnings
        )

    def differences(self, scan: Scan, masks_sha256: str, models: Mapping[str, str]) -> list[str]:
        """Phrases for the differences from measures of `scan` with these masks by these models; perhaps none."""
        of_models = [] if self.models == models else [f"model {' and '.join(self.models) or 'none'}"]
        of_masks = [] if self.masks.sha256 == masks_sha256 else ["other masks"]
        return of_models + of_masks + scan_differences(scan, self.views, self.spacing_mm)


@dataclass(frozen=True, slots=True)
class MeasureFiles:
    """The paths of one scan's measures, in a folder and with names that begin with `stem`."""

    folder: Path
    stem: str

    @property
    def regions(self) -> Path:
        """Uptake: a CSV table with a row for each view, region and side."""
        return self._group.path(_REGIONS)

    @property
    def labels(self) -> Path:
        """Hot spots as an image: uint16, (view, y, x), numbered within a view from 1."""
        return self._group.path(_LABELS)

    @property
    def hot_spots(self) -> Path:
        """A CSV table with a row for each hot spot."""
        return self._group.path(_HOT_SPOTS)

    @property
    def facts(self) -> Path:
        """JSON file with all measures; written last, so its existence means a complete result."""
        return self._group.main_path

    @property
    def _group(self) -> FileGroup:
        return FileGroup(self.folder, self.stem, _PARTS, _READY)

    def recorded(self) -> RecordedMeasures | None:
        """Read the JSON file; None if the result does not exist.

        Raises
        ------
        ResultError
            If the JSON file is not a file of `write`.
        """

        def checked(facts: object) -> RecordedMeasures:
            recorded = build(RecordedMeasures, _with_definitions(facts), unknown=True, complete=False)
            if not all(isinstance(view.get("name"), str) for view in recorded.views):
                raise FactError("a view has no name")
            return replace(recorded, complete=all(self._group.path(part).is_file() for part in _PARTS))

        return read_recorded(self._group, checked, "holds no measures")

    def read(self) -> Measured:
        """Read hot spots and measures back.

        Raises
        ------
        ResultError
            If the measures do not exist, are damaged, or do not belong to the image of the hot spots.
        Refusal
            If the image of the hot spots cannot be read.
        """
        recorded = self.recorded()
        if recorded is None:
            raise ResultError(f"{self.facts}: does not exist; measure the scan first.")
        labels = read_numbered(self.labels)
        measures = recorded.measures
        listed = {(spot.view.value, spot.id) for spot in measures.hot_spots}
        if len(labels) != len(recorded.views) or _numbers(labels, recorded.views) != listed:
            raise ResultError(
                f"{self.labels}: has other hot spots than {self.facts.name}; measure the scan again with --overwrite."
            )
        return Measured(labels, measures)

    def write(
        self,
        scan: Scan,
        measured: Measured,
        masks: MeasuredMasks,
        *,
        seconds: float,
        warnings: Sequence[str] = (),
        run: str = "",
    ) -> None:
        """Write all files, and replace existing ones.

        After any interruption, even a power failure, `recorded` finds either the old or the new result, complete.

        Parameters
        ----------
        scan : Scan
            The measured scan.
        measured : Measured
            Its hot spots, with the shape of the scan's counts, and its measures.
        masks : MeasuredMasks
            The masks that it was measured with.
        seconds : float
            Duration of measuring.
        warnings : sequence of str
            Warnings about the masks.
        run : str
            Name of the run, or empty.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder not writable.
        """
        measures = measured.measures
        facts = {
            "about": RESEARCH_ONLY,
            **describe_scan(scan),
            "masks": asdict(masks),
            "models": dict(measures.models),
            "bone_scan_index": asdict(measures.index),
            "ratios": [{"name": ratio.name, "value": ratio.value, "absent": ratio.absent} for ratio in measures.ratios],
            "definitions": {**DEFINITIONS, **shared_definitions(measures.ratios)},
            "absent": dict(measures.absent),
            "warnings": list(dict.fromkeys(map(str, (*scan.warnings, *warnings, *measures.warnings)))),
            "seconds": round(seconds, 3),
            "version": __version__,
            **({"run": run} if run else {}),
            "hot_spots": [asdict(spot) for spot in measures.hot_spots],
            "regions": [asdict(region) for region in measures.regions],
        }
        self._group.replace(
            {
                _REGIONS: regions_csv(measures),
                _LABELS: encode_planes(measured.labels.astype(np.uint16, copy=False), scan.spacing),
                _HOT_SPOTS: hot_spots_csv(measures),
                _FACTS: (json.dumps(facts, indent=1, allow_nan=False) + "\n").encode(),
            }
        )


def regions_csv(measures: Measures) -> bytes:
    """The content of `MeasureFiles.regions`."""
    return csv_bytes(REGION_COLUMNS, map(asdict, measures.regions))


def hot_spots_csv(measures: Measures) -> bytes:
    """The content of `MeasureFiles.hot_spots`."""
    rows = ({**asdict(spot), "suspicious": spot.suspicious} for spot in measures.hot_spots)
    return csv_bytes(HOT_SPOT_COLUMNS, rows)


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A CSV table of these columns in UTF-8; None is an empty cell, and a truth value is true or false."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(table_cell, columns))
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.{_DIGITS}g}"
    return table_cell(value)


def _with_definitions(facts: object) -> object:
    """The content of a JSON file, with the definition of each ratio beside its value; earlier files have it there."""
    ratios, definitions = ((facts.get(key) if isinstance(facts, dict) else None) for key in ("ratios", "definitions"))
    if not isinstance(facts, dict) or not isinstance(ratios, list) or not isinstance(definitions, dict):
        return facts
    known = {str(name): str(text) for name, text in definitions.items()}
    return {
        **facts,
        "ratios": [
            {"definition": definition_of(str(ratio.get("name")), known), **ratio} if isinstance(ratio, dict) else ratio
            for ratio in ratios
        ],
    }


def _numbers(labels: np.ndarray[Any, Any], views: Sequence[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """The name of the view and the number of every hot spot of an image."""
    return {
        (str(view["name"]), int(number))
        for view, plane in zip(views, labels, strict=True)
        for number in np.unique(plane[plane > 0])
    }
